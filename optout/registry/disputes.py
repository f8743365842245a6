"""Where accounts say different things about the same content: each live claim says whether it is contested."""

from collections.abc import Sequence
from itertools import permutations

from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.consent.vocabulary import Preference
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
    contested = {one.id for one, other in permutations(live, 2) if _differ(one, other)}
    for claim in live:
        state = ClaimState.CONTESTED if claim.id in contested else ClaimState.ACTIVE
        if claim.work_id is not None and claim.state is not state:
            type_ = EntryType.CLAIM_CONTESTED if claim.id in contested else EntryType.CLAIM_RESOLVED
            claim_entries.append(session, type_, claim, works[claim.work_id], utc_now())
            claim.state = state
    session.flush()


def _differ(one: Claim, other: Claim) -> bool:
    """Whether two claims both speak of a use, and not alike. Silence differs from nothing."""
    return any(
        said is not other.preferences.get(use, Preference.UNKNOWN)
        for use, said in one.preferences.items()
        if Preference.UNKNOWN not in {said, other.preferences.get(use, Preference.UNKNOWN)}
    )
