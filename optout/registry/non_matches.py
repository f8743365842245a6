"""Wrong matches: reported by who meets one, confirmed by who owns the work, remembered for the pair."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from optout.errors import ConflictError, InvalidInputError, NotFoundError
from optout.ledger import consentlog
from optout.proof.entries import EntryType
from optout.registry.accounts import get_account
from optout.store import changes
from optout.store.models.base import utc_now
from optout.store.models.changes import ChangeKind
from optout.store.models.non_matches import NonMatch, NonMatchState
from optout.store.models.works import Work

KEY_BYTES = 32
_BATCH = 500


def report(session: Session, *, work_id: UUID, asset_key: bytes, reporter_id: UUID) -> NonMatch:
    """Say that an asset does not show a work. Who owns the work settles it thereby; anybody else waits for the owner.

    The same pair gives the same report. One that was refused stays refused, unless the owner says otherwise.

    Args:
        session: the caller's transaction.
        work_id: as an answer named it.
        asset_key: 32 bytes, `Asset.key`.
        reporter_id: who says so.

    Raises:
        NotFoundError: there is no such work.
        InvalidInputError: a key that is none.
    """
    if len(asset_key) != KEY_BYTES:
        raise InvalidInputError("an asset's key is 64 hexadecimal digits", field="asset_key")
    work = session.get(Work, work_id, with_for_update={"key_share": True})
    if work is None:
        raise NotFoundError(f"there is no work {work_id}", work=str(work_id))
    same = select(NonMatch).where(NonMatch.work_id == work_id, NonMatch.asset_key == asset_key)
    existing = session.scalars(same).one_or_none()
    is_owner = work.account_id == reporter_id
    if existing is not None:
        if is_owner and existing.state is not NonMatchState.CONFIRMED:
            _settle(session, existing, NonMatchState.CONFIRMED, work)
        return existing
    now = utc_now()
    found = NonMatch(
        id=uuid4(),
        work_id=work_id,
        asset_key=asset_key,
        state=NonMatchState.CONFIRMED if is_owner else NonMatchState.REPORTED,
        reporter_id=reporter_id,
        reported_at=now,
        settled_at=now if is_owner else None,
        log_subject=uuid4(),
    )
    _log(session, EntryType.MATCH_REJECTED if is_owner else EntryType.MATCH_DISPUTED, found, work, now)
    try:
        with session.begin_nested():
            session.add(found)
    except IntegrityError as error:
        raise ConflictError("this was reported at the same moment: ask again", work=str(work_id)) from error
    return found


def settle(session: Session, *, non_match_id: UUID, owner_id: UUID, confirm: bool) -> NonMatch:
    """Agree that a match was wrong, or insist that it is right; the last word counts.

    Raises:
        NotFoundError: no such report, or about somebody else's work.
    """
    query = select(NonMatch, Work).join(Work, Work.id == NonMatch.work_id)
    query = query.where(NonMatch.id == non_match_id, Work.account_id == owner_id)
    row = session.execute(query.with_for_update(key_share=True)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no report {non_match_id} about a work of yours", report=str(non_match_id))
    found, work = row
    state = NonMatchState.CONFIRMED if confirm else NonMatchState.REFUSED
    if found.state is not state:
        _settle(session, found, state, work)
    return found


def about_works_of(session: Session, *, account_id: UUID) -> Sequence[NonMatch]:
    """Reports about an account's works, those that wait first, then the newest."""
    query = select(NonMatch).join(Work, Work.id == NonMatch.work_id).where(Work.account_id == account_id)
    rows = session.scalars(query.order_by(NonMatch.reported_at.desc(), NonMatch.id)).all()
    return sorted(rows, key=lambda one: one.state is not NonMatchState.REPORTED)


def reported_by(session: Session, *, account_id: UUID) -> Sequence[NonMatch]:
    """Reports that an account made, newest first."""
    query = select(NonMatch).where(NonMatch.reporter_id == account_id)
    return session.scalars(query.order_by(NonMatch.reported_at.desc(), NonMatch.id)).all()


def confirmed(
    session: Session, works: Sequence[UUID], *, known_at: datetime | None = None
) -> frozenset[tuple[str, bytes]]:
    """The pairs of a work's id and an asset's key that are confirmed, for some works."""
    pairs: set[tuple[str, bytes]] = set()
    for start in range(0, len(works), _BATCH):
        query = select(NonMatch.work_id, NonMatch.asset_key).where(
            NonMatch.work_id.in_(works[start : start + _BATCH]), NonMatch.state == NonMatchState.CONFIRMED
        )
        if known_at is not None:
            query = query.where(NonMatch.settled_at <= known_at)
        pairs.update((str(work), bytes(key)) for work, key in session.execute(query))
    return frozenset(pairs)


def _settle(session: Session, found: NonMatch, state: NonMatchState, work: Work) -> None:
    now = utc_now()
    found.state, found.settled_at = state, now
    type_ = EntryType.MATCH_REJECTED if state is NonMatchState.CONFIRMED else EntryType.MATCH_UPHELD
    _log(session, type_, found, work, now)
    session.flush()


def _log(session: Session, type_: EntryType, found: NonMatch, work: Work, at: datetime) -> None:
    changes.record(session, ChangeKind.CLAIM, work.id)
    entry = consentlog.append(
        session,
        type=type_,
        subject=found.log_subject,
        body={
            "asset_key": found.asset_key.hex(),
            "owner": get_account(session, work.account_id).pseudonym,
            "report": str(found.id),
            "reporter": get_account(session, found.reporter_id).pseudonym,
            "work": str(work.id),
        },
        recorded_at=at,
        person=work.account_id,
    )
    found.entry_id = entry.id
