"""What of a work is registered besides: by its owner a second time, or by another account, before it or after.

It is looked up when somebody asks, so that it is true of what is registered by then. It changes no verdict: whoever
registers what others have registered takes nothing from them (`catalogue.answer` says when text counts as shared).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from fingerprinting.types import Depth, Match, Modality, Span, SpanUnit, Strength
from optout.catalogue.answers import Asset
from optout.catalogue.places import Places, places
from optout.registry import fingerprints
from optout.registry.lookups import Lookups
from optout.store.models.accounts import Account
from optout.store.models.works import Work

WHOLE_SHARE: Final = 0.8
"""From this part of either work on they are taken for the same work, not for two that share something."""

MOST: Final = 20

_DEPTH: Final = Depth.STANDARD
_RANK: Final = {Strength.EXACT: 0, Strength.MATCH: 1}


@dataclass(frozen=True, slots=True)
class Overlap:
    """One other work that has something in common with the one asked about.

    Attributes:
        work: its id.
        is_own: it is of the same account.
        is_earlier: it was registered before.
        owner: the pseudonym of its account.
        registered_at: when it was registered.
        modality: what kind of work it is, if it was read.
        match: the surest evidence.
        places: where it lies: `asset` is the work asked about, `work` the other one.
        seconds: how much of the work asked about that is, of sound and captions.
        share: the same as a part of it, 0 to 1; None where the algorithm can't tell.
        share_there: as a part of the other one.
    """

    work: UUID
    is_own: bool
    is_earlier: bool
    owner: str
    registered_at: datetime
    modality: Modality | None
    match: Match
    places: Places
    seconds: float | None
    share: float | None
    share_there: float | None

    @property
    def is_whole(self) -> bool:
        """Whether one of both is in the other nearly whole: that is one work of several accounts, never shared."""
        if self.match.strength is Strength.EXACT:
            return True
        return max(self.share or 0.0, self.share_there or 0.0) >= WHOLE_SHARE


def of_work(session: Session, lookups: Lookups, work: Work) -> Sequence[Overlap]:
    """Find what else holds something of a work, the longest and surest first, MOST at most.

    Args:
        session: of `db.reading`.
        lookups: the live index.
        work: with its fingerprints; of one without there is nothing to find.
    """
    known = tuple(one for _, one in fingerprints.of_works(session, [work.id]))
    if not known:
        return ()
    best: defaultdict[UUID, list[Match]] = defaultdict(list)
    for found in lookups.view(session).search([Asset(known)], _DEPTH):
        other = UUID(found.work)
        if other != work.id and found.match.strength is not Strength.LIKELY:
            best[other].append(found.match)
    rows = select(Work, Account.pseudonym).join(Account, Account.id == Work.account_id).where(Work.id.in_(best))
    overlaps = [_overlap(work, other, owner, best[other.id]) for other, owner in session.execute(rows)]
    return sorted(overlaps, key=lambda one: (not one.is_whole, -(one.share or 0.0), one.registered_at))[:MOST]


def _overlap(work: Work, other: Work, owner: str, matches: Sequence[Match]) -> Overlap:
    # Where it lies says more than that a hash of the whole is near; what is exact needs no place.
    best = min(matches, key=lambda one: (_RANK[one.strength], one.query_span is None, one.algorithm))
    where = places(best)
    here, there = ([side for side in sides if side is not None] for sides in _sides(where))
    seconds = _covered(here) if where.unit is SpanUnit.SECONDS else None
    return Overlap(
        work=other.id,
        is_own=other.account_id == work.account_id,
        is_earlier=(other.registered_at, other.id) < (work.registered_at, work.id),
        owner=owner,
        registered_at=other.registered_at,
        modality=other.modality,
        match=best,
        places=where,
        seconds=None if seconds is None else round(seconds, 1),
        share=_share(best, where, here, "query_share", where.asset_seconds, where.asset_size),
        share_there=_share(best, where, there, "work_share", where.work_seconds, where.work_size),
    )


def _sides(where: Places) -> tuple[list[Span | None], list[Span | None]]:
    return [place.asset for place in where.places], [place.work for place in where.places]


def _share(
    match: Match,
    where: Places,
    spans: Sequence[Span],
    said: str,
    seconds: float | None,
    size: tuple[int, int] | None,
) -> float | None:
    share = match.evidence.get(said)
    if isinstance(share, int | float):
        return float(share)
    if match.strength is Strength.EXACT or (match.algorithm.startswith(("pdq", "phash", "dct")) and not spans):
        return 1.0
    if where.unit is SpanUnit.SECONDS and seconds:
        return round(min(1.0, _covered(spans) / seconds), 3)
    if where.unit is SpanUnit.PIXELS and size and spans:
        left, top, right, bottom = spans[0]
        return round(min(1.0, (right - left) * (bottom - top) / (size[0] * size[1])), 3)
    return None


def _covered(spans: Iterable[Span]) -> float:
    """How long spans are together; what several cover counts once."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted((span[0], span[1]) for span in spans if len(span) == len(("begin", "end"))):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total
