"""Text that is not one work's alone: what several owners have in common never decides a match by itself.

Only owners who have shown who they are count, and only passages that are a small part of each of their works. So nobody
hides a work by registering texts that quote it, and a work registered whole by several is found under each.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.types import EvidenceValue, FoundText, Match, Passage, Span, Strength

_Stretch: TypeAlias = tuple[int, int]
_Place: TypeAlias = tuple[_Stretch, _Stretch]


@dataclass(frozen=True, slots=True)
class Registered:
    """A match with what decides whether a text is shared.

    Attributes:
        match: from an index; a match of anything but text is left as it is.
        work: any name that no other work has, across indexes.
        owner: any name that no other owner has.
        is_shown: whether the owner has shown who they are.
    """

    match: Match
    work: str
    owner: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """Evidence of one passage that is not counted.

    Attributes:
        blocks: how many.
        owners: that have the same there.
        repeats: works of its owner that have the same there.
        repeated: blocks that are left out because of those works.
        of_series: it is left out because the asset is of a series of the owner's.
    """

    blocks: int = 0
    owners: int = 0
    repeats: int = 0
    repeated: int = 0
    of_series: bool = False


def decided(found: Sequence[Registered]) -> list[Match]:
    """Decide matches of texts anew, knowing whose works they are; in the order given.

    Of each passage that is a small part of its work, the evidence is not counted that lies where at least
    `SHINGLE_SHARED` owners who have shown who they are have the same; nor, of passages no longer than
    `SHINGLE_REPEAT_WORDS`, where so many works of its own owner do; and if an asset has such a repeated passage, nor
    what else it has of that owner's works, if that is no longer in all. The evidence of a match says what was left out.
    """
    by_asset: defaultdict[int, list[Registered]] = defaultdict(list)
    for one in found:
        if one.match.text is not None:
            by_asset[one.match.asset].append(one)
    again: dict[int, Match] = {}
    for some in by_asset.values():
        if len(some) >= thresholds.SHINGLE_SHARED:
            by_owners = _Counted(
                (one.owner, passage.query) for one in some if one.is_shown for passage in _small(one.match.text)
            )
            by_owner: defaultdict[str, list[Registered]] = defaultdict(list)
            for one in some:
                by_owner[one.owner].append(one)
            for its in by_owner.values():
                again |= _of_owner(its, by_owners)
    return [again.get(id(one), one.match) for one in found]


def weighed(match: Match, left_out: Mapping[_Place, _LeftOut] | None = None) -> Match:
    """Say how sure a match of a text is, and where: by its best passage.

    Args:
        match: its `text` says what was found.
        left_out: evidence that is not to be counted, by passage.
    """
    if match.text is None:
        return match
    return judged(match.asset, match.work, (match.algorithm, match.version), match.text, left_out)


def judged(
    asset: int,
    work: int,
    algorithm: tuple[str, int],
    text: FoundText,
    left_out: Mapping[_Place, _LeftOut] | None = None,
) -> Match:
    """Make a match of what was found of a work's text in an asset, by algorithm and version, as `weighed` does."""
    out = left_out or {}

    def counted(passage: Passage) -> int:
        return (
            len(passage.blocks) - out[place].blocks
            if out and (place := _place(passage)) in out
            else len(passage.blocks)
        )

    best = text.passages[0]
    if len(text.passages) > 1:
        best = max(text.passages, key=lambda one: (not one.is_thin and counted(one) >= text.needed, counted(one)))
    evidence = counted(best)
    part = evidence / len(best.blocks)
    is_short = best.matched_query * part < thresholds.SHINGLE_QUOTE_WORDS or (
        best.shown is not None and _length(best.shown) * part < thresholds.SHINGLE_QUOTE_SECONDS
    )
    is_minor = max(best.query_share, best.work_share) < thresholds.SHINGLE_QUOTE_SHARE
    is_quotation = is_short and is_minor
    is_sure = evidence >= text.needed and not is_quotation and not best.is_thin
    told: dict[str, EvidenceValue] = {
        "matched_tokens": best.matched_query,
        "is_quotation": is_quotation,
        "class": "quotation" if is_quotation else "excerpt" if is_minor else "bulk",
        "passages": len(text.passages),
        "query_share": round(best.query_share, 3),
        "work_share": round(best.work_share, 3),
        "query_first_token": best.query[0],
        "query_last_token": best.query[1] - 1,
        "work_first_token": best.work[0],
        "work_last_token": best.work[1] - 1,
    }
    if best.is_thin:
        told["is_thin"] = True
    if out:
        # Where nothing of the best passage is left out, of the one that would have been the best.
        told |= _said(out.get(_place(best)) or max(out.values(), key=lambda one: one.blocks))
        if any(one.of_series for one in out.values()):
            told["of_same_series"] = True
    return Match(
        asset,
        work,
        *algorithm,
        Strength.MATCH if is_sure else Strength.LIKELY,
        None,
        float(evidence),
        float(text.needed if evidence >= text.needed else text.needed - thresholds.SHINGLE_LIKELY_STEP),
        best.query_span,
        best.work_span,
        told,
        text,
    )


def _length(span: Span) -> float:
    return span[1] - span[0]


def _place(passage: Passage) -> _Place:
    return passage.query, passage.work


def _said(out: _LeftOut) -> Mapping[str, EvidenceValue]:
    """Say what was left out, and why."""
    said: dict[str, EvidenceValue] = {"shared_evidence": out.blocks} if out.blocks else {}
    if out.owners:
        said["shared_by_owners"] = out.owners
    if out.repeats:
        said["repeated_in_works"] = out.repeats
    return said


def _of_owner(its: Sequence[Registered], by_owners: "_Counted") -> dict[int, Match]:
    """Weigh what an asset has of one owner's works, without what these or others have in common with it."""
    own = None
    if len(its) >= thresholds.SHINGLE_SHARED:
        own = _Counted((one.work, passage.query) for one in its for passage in _small(one.match.text))
    out = {id(one): _shared(one.match, by_owners, own) for one in its}
    repeated = max((left.repeated for each in out.values() for left in each.values()), default=0)
    if repeated >= thresholds.SHINGLE_BASE_EVIDENCE:
        _leave_out_series(its, out)
    return {id(one): weighed(one.match, out[id(one)]) for one in its if out[id(one)]}


def _leave_out_series(its: Sequence[Registered], out: Mapping[int, dict[_Place, _LeftOut]]) -> None:
    """Of an asset with what is repeated in a series, leave out what else it has of the series, if that is little.

    It is another part of that series, and the rest is a message that is repeated there and in no three registered ones.
    What goes on where something repeated ends is an excerpt that includes that, and stays.
    """
    rest = [
        (one, passage)
        for one in its
        for passage in (one.match.text.passages if one.match.text else ())
        if _place(passage) not in out[id(one)]
    ]
    words = sum(end - begin for begin, end in _merged(passage.query for _, passage in rest))
    if words > thresholds.SHINGLE_REPEAT_WORDS or any(not _is_small(passage) for _, passage in rest):
        return
    for one, passage in rest:
        out[id(one)][_place(passage)] = _LeftOut(len(passage.blocks), of_series=True)


def _shared(match: Match, by_owners: "_Counted", own: "_Counted | None") -> dict[_Place, _LeftOut]:
    """Say which evidence of a match others have in common with it."""
    out: dict[_Place, _LeftOut] = {}
    for passage in _small(match.text):
        owners = by_owners.at(passage.blocks)
        repeats = None if own is None else own.at(passage.blocks)
        if repeats is None or passage.query[1] - passage.query[0] > thresholds.SHINGLE_REPEAT_WORDS:
            repeats = np.zeros_like(owners)
        is_shared, is_repeated = owners >= thresholds.SHINGLE_SHARED, repeats >= thresholds.SHINGLE_SHARED
        number = int(np.count_nonzero(is_shared | is_repeated))
        if number:
            out[_place(passage)] = _LeftOut(
                number,
                int(owners[is_shared].max(initial=0)),
                int(repeats[is_repeated].max(initial=0)),
                int(np.count_nonzero(is_repeated)),
            )
    return out


def _small(text: FoundText | None) -> Sequence[Passage]:
    """Give the passages that are a small part of their work."""
    passages = () if text is None else text.passages
    return [one for one in passages if _is_small(one)]


def _is_small(passage: Passage) -> bool:
    return passage.work_share < thresholds.SHINGLE_SHARED_SHARE


class _Counted:
    """How many different names there are at each place, given stretches with a name."""

    def __init__(self, stretches: Iterable[tuple[str, _Stretch]]) -> None:
        by_name: defaultdict[str, list[_Stretch]] = defaultdict(list)
        for name, stretch in stretches:
            by_name[name].append(stretch)
        merged = [each for some in by_name.values() for each in _merged(some)]
        self._begins = np.sort(np.array([begin for begin, _ in merged], dtype=np.int64))
        self._ends = np.sort(np.array([end for _, end in merged], dtype=np.int64))

        self._known: dict[tuple[int, ...], NDArray[np.int64]] = {}

    def at(self, places: tuple[int, ...]) -> NDArray[np.int64]:
        """Count at some places: once, of what thousands of works have at the same ones."""
        counts = self._known.get(places)
        if counts is None:
            begun = np.searchsorted(self._begins, places, side="right")
            counts = self._known[places] = begun - np.searchsorted(self._ends, places, side="right")
        return counts


def _merged(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    """Join stretches that overlap."""
    joined: list[_Stretch] = []
    for begin, end in sorted(stretches):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined
