"""Wrong matches: reported by who meets one, confirmed by who owns the work, remembered for the pair."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, case, exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from optout.errors import ConflictError, InvalidInputError, NotFoundError
from optout.ledger import consentlog
from optout.proof.entries import EntryType
from optout.registry.accounts import get_account
from optout.store import changes
from optout.store.models.base import utc_now
from optout.store.models.changes import ChangeKind
from optout.store.models.non_matches import NonMatch, NonMatchPeriod, NonMatchState
from optout.store.models.works import Work

KEY_BYTES = 32
MOST_LISTED: Final = 500
"""Reports that a list shows: anybody may report as many as they like."""
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
            if is_owner:
                session.flush()
                session.add(NonMatchPeriod(non_match_id=found.id, confirmed_at=now))
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


def about_works_of(session: Session, *, account_id: UUID, limit: int = MOST_LISTED) -> Sequence[NonMatch]:
    """Reports about an account's works, those that wait first, of these the newest."""
    query = select(NonMatch).join(Work, Work.id == NonMatch.work_id).where(Work.account_id == account_id)
    is_settled = case((NonMatch.state == NonMatchState.REPORTED, 0), else_=1)
    return session.scalars(query.order_by(is_settled, NonMatch.reported_at.desc(), NonMatch.id).limit(limit)).all()


def reported_by(session: Session, *, account_id: UUID, limit: int = MOST_LISTED) -> Sequence[NonMatch]:
    """The newest reports that an account made, newest first."""
    query = select(NonMatch).where(NonMatch.reporter_id == account_id)
    return session.scalars(query.order_by(NonMatch.reported_at.desc(), NonMatch.id).limit(limit)).all()


def confirmed(
    session: Session, pairs: Collection[tuple[str, bytes]], *, known_at: datetime | None = None
) -> frozenset[tuple[str, bytes]]:
    """Those of some pairs of a work's id and an asset's key that are confirmed; now, or as it was known at a moment.

    Only these pairs are read: others may be reported as often as anybody likes, and cost nothing.
    """
    wanted, found = sorted(pairs), set[tuple[str, bytes]]()
    for start in range(0, len(wanted), _BATCH):
        some = wanted[start : start + _BATCH]
        query = select(NonMatch.work_id, NonMatch.asset_key).where(
            NonMatch.work_id.in_({UUID(work) for work, _ in some}), NonMatch.asset_key.in_({key for _, key in some})
        )
        query = query.where(NonMatch.state == NonMatchState.CONFIRMED if known_at is None else _was_confirmed(known_at))
        found.update((str(work), bytes(key)) for work, key in session.execute(query))
    return frozenset(found.intersection(pairs))


def _was_confirmed(known_at: datetime) -> ColumnElement[bool]:
    return exists().where(
        NonMatchPeriod.non_match_id == NonMatch.id,
        NonMatchPeriod.confirmed_at <= known_at,
        or_(NonMatchPeriod.ended_at.is_(None), NonMatchPeriod.ended_at > known_at),
    )


def _settle(session: Session, found: NonMatch, state: NonMatchState, work: Work) -> None:
    """Say how a report stands from now on. The caller holds the work, and the state is another than before."""
    now = utc_now()
    if state is NonMatchState.CONFIRMED:
        session.add(NonMatchPeriod(non_match_id=found.id, confirmed_at=now))
    elif found.state is NonMatchState.CONFIRMED:
        of_it = select(NonMatchPeriod).where(NonMatchPeriod.non_match_id == found.id, NonMatchPeriod.ended_at.is_(None))
        period = session.scalars(of_it).one()
        period.ended_at = max(now, period.confirmed_at)
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
