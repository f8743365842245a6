"""What a claim is about: a work, a collection, or all works of its claimant; found, locked, and named."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from optout.consent.vocabulary import Scope
from optout.registry import collections, disputes, owned, works
from optout.store.models.accounts import Account
from optout.store.models.claims import Claim
from optout.store.models.works import Work


@dataclass(frozen=True, slots=True)
class Target:
    """One thing of an account that it makes claims about.

    Attributes:
        id: of the work, the collection, or the account itself.
    """

    scope: Scope
    id: UUID
    account_id: UUID

    @classmethod
    def of(cls, claim: Claim) -> "Target":
        """What a claim is about."""
        return target(claim.claimant_id, claim.work_id, claim.collection_id)

    def __str__(self) -> str:
        return "your account" if self.scope is Scope.ACCOUNT else f"{self.scope} {self.id}"


def target(account_id: UUID, work_id: UUID | None = None, collection_id: UUID | None = None) -> Target:
    """Name a work, a collection, or with neither all works of an account."""
    if work_id is not None:
        return Target(Scope.WORK, work_id, account_id)
    if collection_id is not None:
        return Target(Scope.COLLECTION, collection_id, account_id)
    return Target(Scope.ACCOUNT, account_id, account_id)


def lock(session: Session, of: Target) -> Work | None:
    """Lock it until the commit, so that nobody else changes what is claimed about it; the work, if it is one.

    Raises:
        NotFoundError: there is no such thing, or it is somebody else's.
    """
    if of.scope is Scope.WORK:
        work = works.get(session, work_id=of.id, account_id=of.account_id)
        disputes.lock_content(session, work)
        return work
    if of.scope is Scope.COLLECTION:
        collections.get(session, collection_id=of.id, account_id=of.account_id, lock=True)
    else:
        owned.get(session, select(Account).where(Account.id == of.id), "account", of.id, lock=True)
    return None


def live_claims_of_collections(session: Session, account_id: UUID) -> Mapping[UUID, Claim]:
    """The claims that an account has on its collections now, by the collection's id."""
    query = select(Claim).where(Claim.claimant_id == account_id, Claim.scope == Scope.COLLECTION)
    query = query.where(Claim.settled_at.is_(None))
    return {claim.collection_id: claim for claim in session.scalars(query) if claim.collection_id is not None}


def live_claim(session: Session, of: Target) -> Claim | None:
    """The claim that its owner has on it now."""
    return session.scalars(select(Claim).where(_about(of), Claim.settled_at.is_(None))).one_or_none()


def next_moment(session: Session, of: Target, now: datetime) -> datetime:
    """When something new about it is recorded: now, and after all that was settled, also where clocks differ."""
    settled = select(Claim.settled_at).where(_about(of), Claim.settled_at.is_not(None))
    last = session.scalars(settled.order_by(Claim.settled_at.desc()).limit(1)).one_or_none()
    return now if last is None else max(now, last + timedelta(microseconds=1))


def _about(of: Target) -> ColumnElement[bool]:
    return and_(
        Claim.claimant_id == of.account_id,
        Claim.work_id == of.id if of.scope is Scope.WORK else Claim.work_id.is_(None),
        Claim.collection_id == of.id if of.scope is Scope.COLLECTION else Claim.collection_id.is_(None),
    )
