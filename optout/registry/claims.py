"""Claims: filed, amended and withdrawn, each with its log entry in the same transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from optout.consent.preferences import expand
from optout.consent.vocabulary import Preference, Use
from optout.errors import ConflictError, InvalidInputError, NotFoundError
from optout.proof.entries import EntryType
from optout.registry import claim_entries, works
from optout.registry.accounts import get_account
from optout.store import changes
from optout.store.models.base import utc_now
from optout.store.models.changes import ChangeKind
from optout.store.models.claims import LIVE, Claim, ClaimState
from optout.store.models.log import LogEntry
from optout.store.models.works import Work

MAX_URL = 2048


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a claim says, checked."""

    preferences: Mapping[Use, Preference]
    valid_from: datetime
    valid_until: datetime | None
    terms_url: str | None


def file_claim(
    session: Session,
    *,
    work_id: UUID,
    claimant_id: UUID,
    preferences: Mapping[Use, Preference],
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    terms_url: str | None = None,
) -> Claim:
    """State preferences on one's own work. It counts for lookups from the commit on.

    Preferences may be for any uses: aggregates are expanded, what is not named is UNKNOWN. It is valid from now on, if
    `valid_from` does not say otherwise.

    Raises:
        NotFoundError: no such work, or somebody else's.
        ConflictError: there is a live claim on it already; the parameter `claim` names it.
        InvalidInputError: nothing is stated, or the times or the address can't be used.
    """
    work = works.get(session, work_id=work_id, account_id=claimant_id, lock=True)
    live = _live_of(session, work_id, claimant_id)
    if live is not None:
        raise ConflictError(
            f"work {work_id} has claim {live.id} already: amend that one instead", work=str(work_id), claim=str(live.id)
        )
    now = utc_now()
    terms = _checked(preferences, valid_from or now, valid_until, terms_url)
    claim = _new(session, work, claimant_id, terms, now)
    return _write(session, EntryType.CLAIM_FILED, claim, work)


def amend(
    session: Session,
    *,
    claim_id: UUID,
    claimant_id: UUID,
    preferences: Mapping[Use, Preference],
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    terms_url: str | None = None,
) -> Claim:
    """Replace a live claim by what is said now, all of it, with no moment without a preference; the new claim.

    It can't begin in the future, as nothing would hold until then. If `valid_from` is None, it takes that of the claim
    that it replaces, so that a lookup that is under way finds the one or the other.

    Raises:
        NotFoundError: no such claim, or somebody else's.
        ConflictError: the claim is not live any more; the parameter `claim` names the one that replaced it, if any.
        InvalidInputError: nothing is stated, or the times or the address can't be used.
    """
    old, work = _live(session, claim_id, claimant_id)
    now = utc_now()
    if valid_from is not None and valid_from > now:
        raise InvalidInputError("an amendment counts at once: leave valid_from out", field="valid_from")
    terms = _checked(preferences, valid_from or min(old.valid_from, now), valid_until, terms_url)
    claim = _new(session, work, claimant_id, terms, now, supersedes=old)
    # The old one has to go first: the database allows one live claim a work and claimant.
    old.state, old.settled_at = ClaimState.SUPERSEDED, now
    session.flush()
    _write(session, EntryType.CLAIM_AMENDED, claim, work)
    old.superseded_by, old.settled_entry_id = claim.id, claim.entry_id
    session.flush()
    return claim


def say(session: Session, *, work_id: UUID, claimant_id: UUID, preferences: Mapping[Use, Preference]) -> Claim:
    """File a claim, or amend the one that is live; saying the same again changes nothing.

    Raises:
        NotFoundError, ConflictError, InvalidInputError: as `file_claim` and `amend`.
    """
    works.get(session, work_id=work_id, account_id=claimant_id, lock=True)
    live = _live_of(session, work_id, claimant_id)
    if live is None:
        return file_claim(session, work_id=work_id, claimant_id=claimant_id, preferences=preferences)
    if live.preferences == expand(preferences):
        return live
    return amend(
        session,
        claim_id=live.id,
        claimant_id=claimant_id,
        preferences=preferences,
        valid_until=live.valid_until,
        terms_url=live.terms_url,
    )


def withdraw(session: Session, *, claim_id: UUID, claimant_id: UUID) -> Claim:
    """Take a claim back: it no longer counts from the commit on. Withdrawing it again changes nothing.

    Raises:
        NotFoundError: no such claim, or somebody else's.
        ConflictError: it was replaced; the parameter `claim` names the one to withdraw.
    """
    claim = get(session, claim_id=claim_id, account_id=claimant_id)
    if claim.state is ClaimState.WITHDRAWN:
        return claim
    claim, work = _live(session, claim_id, claimant_id)
    now = utc_now()
    changes.record(session, ChangeKind.CLAIM, work.id)
    entry = claim_entries.append(session, EntryType.CLAIM_WITHDRAWN, claim, work, now)
    claim.state, claim.settled_at, claim.settled_entry_id = ClaimState.WITHDRAWN, now, entry.id
    session.flush()
    return claim


def get(session: Session, *, claim_id: UUID, account_id: UUID) -> Claim:
    """An account's own claim.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    # The database does not hand out somebody else's: the answer can't depend on whether there is one.
    claim = session.scalars(select(Claim).where(Claim.id == claim_id, Claim.claimant_id == account_id)).one_or_none()
    if claim is None:
        raise NotFoundError(f"there is no claim {claim_id} of yours", claim=str(claim_id))
    return claim


def entry_of(session: Session, claim: Claim) -> LogEntry:
    """The log entry that a claim's proofs are about: its withdrawal if it was withdrawn, else its filing."""
    withdrawn = claim.state is ClaimState.WITHDRAWN
    entry_id = claim.settled_entry_id if withdrawn else claim.entry_id
    return session.scalars(select(LogEntry).where(LogEntry.id == entry_id)).one()


def for_work(session: Session, work_id: UUID) -> Sequence[Claim]:
    """All claims ever filed on a work, newest first."""
    return for_works(session, [work_id])


def for_works(session: Session, work_ids: Sequence[UUID]) -> Sequence[Claim]:
    """All claims ever filed on some works, newest first."""
    query = select(Claim).where(Claim.work_id.in_(work_ids)).order_by(Claim.filed_at.desc(), Claim.id)
    return session.scalars(query).all()


def _live(session: Session, claim_id: UUID, claimant_id: UUID) -> tuple[Claim, Work]:
    """A live claim and its work; the work is locked, so that nobody else settles the claim meanwhile."""
    work_id = get(session, claim_id=claim_id, account_id=claimant_id).work_id
    work = works.get(session, work_id=work_id, account_id=claimant_id, lock=True)
    claim = session.get_one(Claim, claim_id, populate_existing=True)
    if claim.state in LIVE:
        return claim, work
    now_in_force = _live_of(session, work_id, claimant_id)
    if now_in_force is None:
        raise ConflictError(f"claim {claim_id} is {claim.state}: file a new one", work=str(work_id))
    raise ConflictError(
        f"claim {claim_id} is {claim.state}: claim {now_in_force.id} replaced it",
        work=str(work_id),
        claim=str(now_in_force.id),
    )


def _live_of(session: Session, work_id: UUID, claimant_id: UUID) -> Claim | None:
    return session.scalars(
        select(Claim).where(Claim.work_id == work_id, Claim.claimant_id == claimant_id, Claim.state.in_(LIVE))
    ).one_or_none()


def _new(
    session: Session, work: Work, claimant_id: UUID, terms: _Terms, now: datetime, *, supersedes: Claim | None = None
) -> Claim:
    return Claim(
        id=uuid4(),
        work_id=work.id,
        claimant_id=claimant_id,
        preferences=terms.preferences,
        evidence=get_account(session, claimant_id).evidence,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        terms_url=terms.terms_url,
        filed_at=now,
        state=ClaimState.ACTIVE,
        supersedes=supersedes.id if supersedes else None,
        log_subject=supersedes.log_subject if supersedes else uuid4(),
    )


def _write(session: Session, type_: EntryType, claim: Claim, work: Work) -> Claim:
    """Change, entry, claim. The change comes first everywhere: locks taken in one order can't block each other."""
    changes.record(session, ChangeKind.CLAIM, work.id)
    claim.entry_id = claim_entries.append(session, type_, claim, work, claim.filed_at).id
    try:
        with session.begin_nested():
            session.add(claim)
    except IntegrityError as error:
        raise ConflictError(f"work {work.id} has a live claim already", work=str(work.id)) from error
    return claim


def _checked(
    preferences: Mapping[Use, Preference], valid_from: datetime, valid_until: datetime | None, terms_url: str | None
) -> _Terms:
    leaves = expand(preferences)
    if all(said is Preference.UNKNOWN for said in leaves.values()):
        raise InvalidInputError(
            "say allowed, conditional or disallowed for at least one use: unknown states nothing", field="preferences"
        )
    for moment, field in ((valid_from, "valid_from"), (valid_until, "valid_until")):
        if moment is not None and moment.utcoffset() is None:
            raise InvalidInputError(f"{field} needs a time zone, for instance 2026-01-31T12:00:00Z", field=field)
    if valid_until is not None and valid_until <= max(valid_from, utc_now()):
        raise InvalidInputError("valid_until must lie in the future, and after valid_from", field="valid_until")
    return _Terms(leaves, valid_from, valid_until, _address(terms_url))


def _address(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if len(url) > MAX_URL or not url.isprintable() or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInputError("terms_url must be an http or https address", field="terms_url")
    return url
