"""Which versions of claims may speak at a moment, as known at another: found by index, however many there have been.

Of what is claimed about one thing, one version is in force at a time, by the time of recording: the next is recorded
when the one before it was settled, or later. So of all versions, these may speak for a moment D as known at K:

- the one that was in force at D or at K, whichever is earlier;
- those recorded between D and K that begin before they were recorded: only they can be about D.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from optout.consent.vocabulary import Scope
from optout.store.models.accounts import Account
from optout.store.models.claims import Claim, ClaimState
from optout.store.models.collections import Collection
from optout.store.models.works import Work

_IDS: Final[Mapping[Scope, InstrumentedAttribute[UUID]]] = {
    Scope.ACCOUNT: Account.id,
    Scope.COLLECTION: Collection.id,
    Scope.WORK: Work.id,
}

_ONE: Final = aliased(Claim)  # made once: making it costs as much as a query


def now_in_force(scope: Scope, things: Sequence[UUID]) -> ColumnElement[bool]:
    """The condition on `Claim` that it is in force now, about one of some things."""
    return Claim.id.in_(_in_force(scope, things, None))


def may_speak(
    session: Session, scope: Scope, things: Sequence[UUID], at: datetime, known_at: datetime | None
) -> ColumnElement[bool]:
    """The condition on `Claim` that a version may speak at a moment, as known at another, about one of some things."""
    # Looked up first: a database that expects very many would rather read the whole table than look up each.
    found = [one for one in session.scalars(candidates(scope, things, at, known_at)) if one is not None]
    known = true() if known_at is None else Claim.filed_at <= known_at
    return and_(Claim.id.in_(set(found)), known, Claim.valid_from <= at, Claim.state != ClaimState.VOID)


def candidates(
    scope: Scope, things: Sequence[UUID], at: datetime, known_at: datetime | None
) -> CompoundSelect[UUID | None]:
    """The ids of all that may speak then."""
    since = at if known_at is None else min(at, known_at)
    found = [_in_force(scope, things, None), _in_force(scope, things, since)]
    if known_at is None or at < known_at:
        found.append(_backdated(scope, things, at))
    return union_all(*found)


def _in_force(scope: Scope, things: Sequence[UUID], since: datetime | None) -> Select[UUID | None]:
    """For each thing, the version that was settled first after a moment; None: that which is not settled.

    One row at a time, in the order of an index: whatever a database believes about how many there are, it finds nothing
    cheaper. Asked for all at once, PostgreSQL reads the whole table where one thing has a good part of all versions.
    """
    one, thing = _ONE, _IDS[scope]
    first = (
        select(one.id)
        .where(_about(one, scope) == thing, _is_of(one, scope))
        .where(one.settled_at.is_(None) if since is None else one.settled_at > since)
        .order_by(one.settled_at, one.filed_at)
        .limit(1)
        .correlate(thing.class_)
        .scalar_subquery()
    )
    return select(first).select_from(thing.class_).where(thing.in_(things))


def _backdated(scope: Scope, things: Sequence[UUID], after: datetime) -> Select[UUID | None]:
    """Versions that were recorded after a moment, and begin before they were recorded."""
    about = _about(Claim, scope).in_(things), _is_of(Claim, scope)
    return select(Claim.id).where(*about, Claim.valid_from < Claim.filed_at, Claim.filed_at > after)


def _about(claim: type[Claim], scope: Scope) -> InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]:
    columns = {Scope.ACCOUNT: claim.claimant_id, Scope.COLLECTION: claim.collection_id, Scope.WORK: claim.work_id}
    return columns[scope]


def _is_of(claim: type[Claim], scope: Scope) -> ColumnElement[bool]:
    """What else tells that a claim is of a scope, in the words of the indexes."""
    if scope is Scope.ACCOUNT:
        return and_(claim.work_id.is_(None), claim.collection_id.is_(None))
    return true()
