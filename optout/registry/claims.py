"""Claims: filed, amended and withdrawn, each with its log entry in the same transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Unpack
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from optout.consent.preferences import expand
from optout.consent.vocabulary import Preference, Scope, Use
from optout.errors import ConflictError, InvalidInputError
from optout.proof.entries import EntryType
from optout.registry import claim_entries, claim_targets, claim_terms, contacts, disputes, owned
from optout.registry.accounts import get_account
from optout.registry.claim_targets import Target
from optout.registry.claim_terms import Asking, CheckedTerms, Terms
from optout.store import changes
from optout.store.models.base import utc_now
from optout.store.models.changes import ChangeKind
from optout.store.models.claims import LIVE, Claim, ClaimState
from optout.store.models.log import LogEntry
from optout.store.models.works import Work

ENDS_SOON: Final = timedelta(days=30)
MOST_LISTED: Final = 500
"""Claims that a list of what was said shows: anybody may amend as often as they like."""


def file_claim(
    session: Session,
    *,
    claimant_id: UUID,
    work_id: UUID | None = None,
    collection_id: UUID | None = None,
    **terms: Unpack[Terms],
) -> Claim:
    """State preferences on one's own work, collection, or with neither on all one's works, later ones too.

    It counts for lookups from the commit on, and is valid from now on, if `valid_from` does not say otherwise.

    Raises:
        NotFoundError: no such work or collection, or somebody else's.
        ConflictError: there is a live claim on it already; the parameter `claim` names it.
        InvalidInputError: nothing is stated, or the times or the address can't be used.
    """
    target = claim_targets.target(claimant_id, work_id, collection_id)
    work = claim_targets.lock(session, target)
    live = claim_targets.live_claim(session, target)
    if live is not None:
        raise ConflictError(
            f"{target} has claim {live.id} already: amend that one instead", **_named(target), claim=str(live.id)
        )
    now = utc_now()
    recorded = claim_targets.next_moment(session, target, now)
    claim = _new(session, target, claim_terms.check(terms, valid_from=now), recorded)
    _write(session, EntryType.CLAIM_FILED, claim, work)
    _review(session, work)
    return claim


def amend(session: Session, *, claim_id: UUID, claimant_id: UUID, **terms: Unpack[Terms]) -> Claim:
    """Replace a live claim by what is said now, all of it, with no moment without a preference; the new claim.

    It holds from now on, or from an earlier `valid_from`; before that, the claim that it replaces goes on holding. It
    can't begin in the future.

    Raises:
        NotFoundError: no such claim, or somebody else's.
        ConflictError: the claim is not live any more; the parameter `claim` names the one that replaced it, if any.
        InvalidInputError: nothing is stated, or the times or the address can't be used.
    """
    old, work = _live(session, claim_id, claimant_id)
    now = utc_now()
    start = terms.get("valid_from")
    checked = claim_terms.check(terms, valid_from=now)
    if start is not None and start > now:
        raise InvalidInputError("an amendment counts at once: leave valid_from out", field="valid_from")
    # The last word is recorded last, also where the clock was set back meanwhile.
    recorded = max(now, old.filed_at + timedelta(microseconds=1))
    claim = _new(session, Target.of(old), checked, recorded, supersedes=old)
    # The old one has to go first: the database allows one live claim a claimant on one thing.
    old.state, old.settled_at = ClaimState.SUPERSEDED, claim.filed_at
    session.flush()
    _write(session, EntryType.CLAIM_AMENDED, claim, work)
    old.superseded_by, old.settled_entry_id = claim.id, claim.entry_id
    session.flush()
    _review(session, work)
    return claim


def say(
    session: Session,
    *,
    claimant_id: UUID,
    preferences: Mapping[Use, Preference],
    asking: Asking | None = None,
    without_end: bool = False,
    work_id: UUID | None = None,
    collection_id: UUID | None = None,
) -> Claim:
    """File a claim, or amend the one that is live; saying again what holds already changes nothing.

    What is said holds from now on: also where the live claim has ended, or is still to begin. It ends when the live
    claim does, or never, `without_end`.

    `asking` replaces all that was said about how to ask; without it, that stays as it is.

    Raises:
        NotFoundError, ConflictError, InvalidInputError: as `file_claim` and `amend`.
    """
    target = claim_targets.target(claimant_id, work_id, collection_id)
    claim_targets.lock(session, target)
    live = claim_targets.live_claim(session, target)
    if live is None:
        return file_claim(
            session,
            work_id=work_id,
            collection_id=collection_id,
            claimant_id=claimant_id,
            preferences=preferences,
            **(asking or {}),
        )
    now = utc_now()
    has_end_to_come = live.valid_until is not None and live.valid_until > now
    holds = live.valid_from <= now and (live.valid_until is None or has_end_to_come)
    ends_alike = live.valid_until is None or not without_end
    had = asking_of(session, live)
    if holds and ends_alike and live.preferences == expand(preferences) and asking in (None, had):
        return live
    return amend(
        session,
        claim_id=live.id,
        claimant_id=claimant_id,
        preferences=preferences,
        valid_until=live.valid_until if has_end_to_come and not without_end else None,
        **(had if asking is None else asking),
    )


def asking_of(session: Session, claim: Claim) -> Asking:
    """How a claimant wants to be asked, as a claim says it."""
    return Asking(terms_url=claim.terms_url, contact=contacts.of_claim(session, claim), languages=list(claim.languages))


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
    now = max(utc_now(), claim.filed_at)
    changes.record(session, ChangeKind.CLAIM, Target.of(claim).id)
    entry = claim_entries.append(session, EntryType.CLAIM_WITHDRAWN, claim, work, now)
    claim.state, claim.settled_at, claim.settled_entry_id = ClaimState.WITHDRAWN, now, entry.id
    session.flush()
    _review(session, work)
    return claim


def get(session: Session, *, claim_id: UUID, account_id: UUID) -> Claim:
    """An account's own claim.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    query = select(Claim).where(Claim.id == claim_id, Claim.claimant_id == account_id)
    return owned.get(session, query, "claim", claim_id)


def ends_soon(claim: Claim) -> bool:
    """Whether a claim is in force, and ends so soon that its claimant should hear of it."""
    left = None if claim.valid_until is None else claim.valid_until - utc_now()
    return claim.state in LIVE and left is not None and timedelta(0) < left < ENDS_SOON


def is_to_come(claim: Claim) -> bool:
    """Whether a claim that nobody took back does not hold yet."""
    return claim.state in LIVE and claim.valid_from > utc_now()


def has_ended(claim: Claim) -> bool:
    """Whether a claim that nobody took back holds no longer because its time is over."""
    return claim.state in LIVE and claim.valid_until is not None and claim.valid_until <= utc_now()


def entry_of(session: Session, claim: Claim) -> LogEntry:
    """The log entry that a claim's proofs are about: its withdrawal if it was withdrawn, else its filing."""
    withdrawn = claim.state is ClaimState.WITHDRAWN
    entry_id = claim.settled_entry_id if withdrawn else claim.entry_id
    return session.scalars(select(LogEntry).where(LogEntry.id == entry_id)).one()


def for_work(session: Session, work_id: UUID, *, limit: int = MOST_LISTED) -> Sequence[Claim]:
    """The newest claims filed on a work itself, those that no longer count too, newest first."""
    query = select(Claim).where(Claim.work_id == work_id).order_by(Claim.filed_at.desc(), Claim.id)
    return session.scalars(query.limit(limit)).all()


def live_for_works(session: Session, work_ids: Sequence[UUID]) -> Sequence[Claim]:
    """The live claims on some works themselves, newest first: one a work."""
    query = select(Claim).where(Claim.work_id.in_(work_ids), Claim.state.in_(LIVE))
    return session.scalars(query.order_by(Claim.filed_at.desc(), Claim.id)).all()


def of_scope(session: Session, *, account_id: UUID, scope: Scope, limit: int = MOST_LISTED) -> Sequence[Claim]:
    """The newest claims that an account filed on its collections, or on all its works, newest first."""
    query = select(Claim).where(Claim.claimant_id == account_id, Claim.scope == scope)
    return session.scalars(query.order_by(Claim.filed_at.desc(), Claim.id).limit(limit)).all()


def _live(session: Session, claim_id: UUID, claimant_id: UUID) -> tuple[Claim, Work | None]:
    """A live claim and its work; what it is about is locked, so that nobody else settles the claim meanwhile."""
    target = Target.of(get(session, claim_id=claim_id, account_id=claimant_id))
    work = claim_targets.lock(session, target)
    claim = session.get_one(Claim, claim_id, populate_existing=True)
    if claim.state in LIVE:
        return claim, work
    now_in_force = claim_targets.live_claim(session, target)
    if now_in_force is None:
        raise ConflictError(f"claim {claim_id} is {claim.state}: file a new one", **_named(target))
    raise ConflictError(
        f"claim {claim_id} is {claim.state}: claim {now_in_force.id} replaced it; look at that one, and amend it if "
        f"it does not say what you want",
        **_named(target),
        claim=str(now_in_force.id),
    )


def _new(
    session: Session, target: Target, terms: CheckedTerms, now: datetime, *, supersedes: Claim | None = None
) -> Claim:
    claim = Claim(
        id=uuid4(),
        scope=target.scope,
        work_id=target.id if target.scope is Scope.WORK else None,
        collection_id=target.id if target.scope is Scope.COLLECTION else None,
        claimant_id=target.account_id,
        preferences=terms.preferences,
        evidence=get_account(session, target.account_id).evidence,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        terms_url=terms.terms_url,
        languages=list(terms.languages),
        filed_at=now,
        state=ClaimState.ACTIVE,
        supersedes=supersedes.id if supersedes else None,
        log_subject=supersedes.log_subject if supersedes else uuid4(),
    )
    if terms.contact is not None:
        claim.contact = contacts.seal(session, claim, terms.contact)
    return claim


def _write(session: Session, type_: EntryType, claim: Claim, work: Work | None) -> None:
    """Change, entry, claim. The change comes first everywhere: locks taken in one order can't block each other."""
    target = Target.of(claim)
    changes.record(session, ChangeKind.CLAIM, target.id)
    entry = claim_entries.append(session, type_, claim, work, claim.filed_at)
    claim.entry_id = entry.id
    try:
        with session.begin_nested():
            session.add(claim)
    except IntegrityError as error:
        raise ConflictError(f"{target} has a live claim already", **_named(target)) from error


def _review(session: Session, work: Work | None) -> None:
    if work is not None:
        disputes.review(session, work)


def _named(target: Target) -> Mapping[str, str]:
    return {str(target.scope): str(target.id)}
