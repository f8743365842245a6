"""Where accounts say different things about the same content: each live claim says whether it is contested."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from optout.consent import policy
from optout.consent.vocabulary import Preference, Scope, Use
from optout.proof.entries import EntryType
from optout.registry import claim_entries, collection_members, statements
from optout.registry.statements import When
from optout.store.models.base import utc_now
from optout.store.models.claims import LIVE, Claim, ClaimState
from optout.store.models.collections import CollectionWork
from optout.store.models.works import Work

_CONTENTS_AT_ONCE: Final = 100


def states(session: Session, claims: Sequence[Claim]) -> Mapping[UUID, ClaimState]:
    """How some claims stand at this moment, whatever they are about.

    A live one is contested while, for some work that it covers and some use, its word is heard and another claimant's
    about the same content is another. That depends on claims of every scope, on who is in which collection and on the
    clock, so it is read anew each time; what `review` notes in the log is a part of it.
    """
    live = {one.id: one for one in claims if one.state in LIVE}
    contested: set[UUID] = set()
    weighed: set[frozenset[str]] = set()
    now = utc_now()
    for works in _shared_contents(session, list(live.values())) if live else ():
        said = statements.about(session, [work for same in works for work in same], When(now, is_now=True))
        for same in works:
            about = [one for work in same for one in said.statements.get(str(work), ())]
            claimed = frozenset(one.id for one in about)
            if claimed in weighed:
                continue  # two accounts whose collections or defaults meet on many works differ on all or on none
            weighed.add(claimed)
            contested.update(map(UUID, policy.decide(about, Use.ALL, None, now).in_dispute))
        if contested.issuperset(live):
            break
    marked = {one: ClaimState.CONTESTED if one in contested else ClaimState.ACTIVE for one in live}
    return {one.id: marked.get(one.id, one.state) for one in claims}


def _shared_contents(session: Session, claims: Sequence[Claim]) -> Iterator[Sequence[Sequence[UUID]]]:
    """The works of each content that any of these claims covers and several accounts registered, some at a time."""
    own, other = aliased(Work), aliased(Work)
    inside = select(CollectionWork.work_id).where(
        CollectionWork.collection_id.in_([one.collection_id for one in claims if one.collection_id is not None]),
        collection_members.is_member(),
    )
    covered = or_(
        own.id.in_([one.work_id for one in claims if one.work_id is not None]),
        own.id.in_(inside),
        own.account_id.in_([one.claimant_id for one in claims if one.scope is Scope.ACCOUNT]),
    )
    elsewhere = select(other.id).where(other.identity == own.identity, other.account_id != own.account_id)
    contents = session.scalars(select(own.identity).where(covered, elsewhere.exists()).distinct()).all()
    for start in range(0, len(contents), _CONTENTS_AT_ONCE):
        by_content: dict[bytes, list[UUID]] = defaultdict(list)
        some = Work.identity.in_(contents[start : start + _CONTENTS_AT_ONCE])
        for identity, work in session.execute(select(Work.identity, Work.id).where(some).order_by(Work.id)):
            by_content[identity].append(work)
        yield list(by_content.values())


def lock_content(session: Session, work: Work) -> Sequence[Work]:
    """Lock all works of the same content until the commit, always in one order; whoever holds one holds them all."""
    query = select(Work).where(Work.identity == work.identity).order_by(Work.id)
    return session.scalars(query.with_for_update(key_share=True).execution_options(populate_existing=True)).all()


def review(session: Session, work: Work) -> None:
    """Mark the live claims on a work's content as contested where they differ, and as active where they do not.

    Both go on counting. Each change of state is an entry in the log, about the claim that it changes. The caller holds
    `lock_content`.
    """
    works = {one.id: one for one in session.scalars(select(Work).where(Work.identity == work.identity))}
    if len(works) == 1:
        return
    query = select(Claim).where(Claim.work_id.in_(works), Claim.state.in_(LIVE)).order_by(Claim.id)
    live = session.scalars(query).all()
    contested = _contested(live)
    for claim in live:
        state = ClaimState.CONTESTED if claim.id in contested else ClaimState.ACTIVE
        if claim.work_id is not None and claim.state is not state:
            type_ = EntryType.CLAIM_CONTESTED if claim.id in contested else EntryType.CLAIM_RESOLVED
            claim_entries.append(session, type_, claim, works[claim.work_id], utc_now())
            claim.state = state
    session.flush()


def _contested(claims: Iterable[Claim]) -> set[UUID]:
    """Find the claims that speak of a use of which another one says something else. Silence differs from nothing.

    The words of each use are gathered once: the same content may be claimed by very many.
    """
    words: dict[Use, dict[Preference, set[UUID]]] = defaultdict(lambda: defaultdict(set))
    for claim in claims:
        for use, said in claim.preferences.items():
            if said is not Preference.UNKNOWN:
                words[use][said].add(claim.id)
    disputed = [by_word for by_word in words.values() if len(by_word) > 1]
    return {claim for by_word in disputed for speaking in by_word.values() for claim in speaking}
