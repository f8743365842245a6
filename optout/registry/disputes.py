"""Where accounts say different things about the same content: each live claim says whether it is contested."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.consent.vocabulary import Preference, Use
from optout.proof.entries import EntryType
from optout.registry import claim_entries
from optout.store.models.base import utc_now
from optout.store.models.claims import LIVE, Claim, ClaimState
from optout.store.models.works import Work


def lock_content(session: Session, work: Work) -> Sequence[Work]:
    """Lock all works of the same content until the commit, always in one order; whoever holds one holds them all."""
    query = select(Work).where(Work.identity == work.identity).order_by(Work.id)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()


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
