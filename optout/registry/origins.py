"""What an owner says about a work, of all scopes together, and which of their claims it comes from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.consent import policy
from optout.consent.combining import combine
from optout.consent.statements import Statement
from optout.consent.vocabulary import LEAVES, Preference, Use
from optout.registry import claim_targets, collection_members, collections, statements
from optout.registry.statements import When
from optout.store.models.base import utc_now
from optout.store.models.claims import Claim
from optout.store.models.collections import Collection, CollectionWork

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Origins:
    """What is said about one work at this moment.

    Attributes:
        preferences: what its owner says for each leaf, the narrower claim before the wider one. What somebody allows
            who has not shown yet who they are is in it, though it does not count.
        claims: where that comes from, the narrowest first; empty: nothing is said.
    """

    preferences: Mapping[Use, Preference]
    claims: Sequence[Claim]


def of_works(session: Session, works: Sequence[UUID]) -> Mapping[UUID, Origins]:
    """What their owners say about some works."""
    said = statements.about(session, works, When(utc_now(), is_now=True)).statements
    named = sorted({UUID(one.id) for about in said.values() for one in about})
    claims: dict[UUID, Claim] = {}
    for start in range(0, len(named), _BATCH):
        query = select(Claim).where(Claim.id.in_(named[start : start + _BATCH]))
        claims.update({one.id: one for one in session.scalars(query)})
    return {work: _origins(said.get(str(work), ()), claims) for work in works}


def of_a_new_work(session: Session, *, account_id: UUID, collection_id: UUID | None = None) -> Origins:
    """What an account would have said about a work that it registers now, without a word about it alone.

    Raises:
        NotFoundError: no such collection, or somebody else's.
    """
    targets = [claim_targets.target(account_id)]
    if collection_id is not None:
        collections.get(session, collection_id=collection_id, account_id=account_id)
        targets.append(claim_targets.target(account_id, collection_id=collection_id))
    claims = [live for target in targets if (live := claim_targets.live_claim(session, target)) is not None]
    about = [statements.of_claim(one, str(account_id), None) for one in claims]
    return _origins(about, {one.id: one for one in claims})


def collections_of(session: Session, work_id: UUID) -> Sequence[Collection]:
    """The collections that a work is in now, oldest first."""
    query = select(Collection).join(CollectionWork, CollectionWork.collection_id == Collection.id)
    query = query.where(CollectionWork.work_id == work_id, collection_members.is_member())
    return session.scalars(query.order_by(Collection.created_at, Collection.id)).all()


def _origins(about: Iterable[Statement], claims: Mapping[UUID, Claim]) -> Origins:
    decision = policy.decide(list(about), Use.ALL, None, utc_now())
    heard = {leaf: decision.heard(leaf) for leaf in LEAVES}
    preferences = {leaf: combine(one.said for one in said) for leaf, said in heard.items()}
    speaking = {UUID(one.statement.id) for said in heard.values() for one in said}
    ordered = sorted(speaking, key=lambda one: (-claims[one].scope.rank, claims[one].filed_at, one))
    return Origins(preferences, [claims[one] for one in ordered])
