"""Stretches of recordings found in an asset: which of them identify it, and which of them are one."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fingerprinting import thresholds
from fingerprinting.audio.print_bytes import BAND_REACH_SECONDS, BAND_SECONDS
from fingerprinting.index import band_limits
from fingerprinting.index.band_stretches import Stretch
from fingerprinting.index.landmark_support import Support

_SAME_OFFSET: Final = 8
_APART_SECONDS: Final = 2.0
_CHANGED_WEIGHT: Final = 0.9


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of an asset found in a recording, with the change under which it was.

    Attributes:
        row: the recording.
        tempo: by how much the asset is assumed to be too fast, in thousandths.
        pitch: the same of its pitch.
        stretch: where, and how nearly, band energies agree.
        support: what landmarks say of the same place; None where they were not asked.
        asked: how many codes the part of the asset has in which it was found; 0 where that is not known.
        is_barely_heard: landmarks chose the stretch, not band energies.
        is_outshone: another recording is heard too clearly for this one to be there as well.
    """

    row: int
    tempo: int
    pitch: int
    stretch: Stretch
    support: Support | None = None
    asked: int = 0
    is_outshone: bool = False
    is_barely_heard: bool = False

    @property
    def asset_seconds(self) -> tuple[float, float]:
        """Where it lies in the asset."""
        return seconds(self.stretch.first, self.stretch.last, 1 + self.tempo / 1000)

    @property
    def is_changed(self) -> bool:
        """Whether a change is assumed."""
        return self.tempo != 0 or self.pitch != 0

    @property
    def limit(self) -> float:
        """Up to which differing bits it is a match: of band energies alone, or with what landmarks add to them."""
        alone = self.stretch.limit - (thresholds.BAND_CHANGED_BITS if self.is_changed else 0.0)
        if self.support is None:
            return alone
        decades = self.support.decades
        joint = band_limits.supported_limit(self.stretch.window, decades, is_changed=self.is_changed)
        return max(each for each in (alone, joint, self._landmark_limit) if each is not None)

    @property
    def weight(self) -> float:
        """More is surer; a change is believed where it explains more than none does."""
        return self.stretch.weight * (_CHANGED_WEIGHT if self.is_changed else 1.0)

    @property
    def is_match(self) -> bool:
        """Whether it identifies the recording; else it is only worth a look."""
        known = self.stretch
        is_near = known.bits <= self.limit and known.sharpness >= thresholds.BAND_MIN_SHARPNESS
        is_heard = is_near and self.is_long and self.is_confirmed
        return (is_heard or self.is_heard_by_landmarks) and not self.is_outshone

    @property
    def is_heard_by_landmarks(self) -> bool:
        """Whether landmarks, which chose it, are enough with what little band energies say."""
        limit = self._landmark_limit
        return limit is not None and self.stretch.bits <= limit

    @property
    def _landmark_limit(self) -> float | None:
        support = self.support if self.is_barely_heard else None
        return None if support is None else band_limits.heard_limit(self.stretch.window, support.decades)

    @property
    def is_long(self) -> bool:
        """Whether more agrees than a word that is said in the same way again."""
        known = self.stretch
        is_close = known.bits <= thresholds.BAND_CLOSE_BITS
        least = thresholds.BAND_LEAST_CLOSE_CODES if is_close else thresholds.BAND_LEAST_CODES
        elsewhere = thresholds.BAND_SPREAD_DECADES[self.is_changed]
        if self.support is not None and self.support.rest >= elsewhere:
            least = thresholds.BAND_LEAST_SPREAD_CODES
        return known.last - known.first >= least

    @property
    def is_confirmed(self) -> bool:
        """Whether landmarks, if they were asked, leave it at more than a rhythm that both recordings have."""
        known = self.stretch
        is_near = known.bits <= thresholds.BAND_CERTAIN_BITS
        if self.support is None or (known.z >= thresholds.BAND_CERTAIN_DEVIATIONS and is_near):
            return True
        least = thresholds.BAND_WHOLE_DECADES if self.is_whole else thresholds.BAND_CONFIRMING_DECADES
        return self.support.decades >= least[self.is_changed]

    @property
    def is_whole(self) -> bool:
        """Whether nearly all of what was asked, and not too little, agrees."""
        length = self.stretch.last - self.stretch.first
        return length >= max(thresholds.BAND_WHOLE_CODES, thresholds.BAND_WHOLE_SHARE * self.asked) and self.asked > 0


def merged(found: Iterable[Found]) -> list[Found]:
    """Join what was found in blocks that overlap: one recording, one change, one offset."""
    merged: list[Found] = []
    by_key: defaultdict[tuple[int, int, int], list[Found]] = defaultdict(list)
    for each in found:
        by_key[each.row, each.tempo, each.pitch].append(each)
    for group in by_key.values():
        open_: list[Found] = []
        for each in sorted(group, key=lambda one: one.stretch.first):
            for place, other in enumerate(open_):
                near = each.stretch.first <= other.stretch.last + _APART_SECONDS / BAND_SECONDS
                if near and abs(_end_offset(other.stretch) - each.stretch.offset) <= _SAME_OFFSET:
                    stretch, support = _joined(other.stretch, each.stretch), _surer(other.support, each.support)
                    is_faint = other.is_barely_heard or each.is_barely_heard
                    open_[place] = dataclasses.replace(
                        other, stretch=stretch, support=support, is_barely_heard=is_faint
                    )
                    break
            else:
                open_.append(each)
        merged += open_
    return merged


def outshone(found: Sequence[Found]) -> Iterator[Found]:
    """Mark what merely resembles another recording that is heard clearly at the same place."""
    clear = [each for each in found if each.is_match and each.stretch.mean <= thresholds.BAND_CLEAR_BITS]
    for each in found:
        resembles = each.is_match and each.stretch.bits > thresholds.BAND_RESEMBLING_BITS
        others = [other.asset_seconds for other in clear if other.row != each.row] if resembles else []
        yield dataclasses.replace(each, is_outshone=within(each.asset_seconds, others))


def apart(entries: Sequence[tuple[int, Found]]) -> list[tuple[int, Found]]:
    """Keep, best first, what lies elsewhere in the asset than what was kept before; of matches, matches alone."""
    kept: list[tuple[int, Found]] = []
    for entry, found in entries:
        if kept and found.is_match != kept[0][1].is_match:
            break
        begin, end = found.asset_seconds
        if all(min(end, last) - max(begin, first) < 0.5 * (end - begin) for first, last in _places(kept)):
            kept.append((entry, found))
    return kept


def sure_places(found: Iterable[Found]) -> list[tuple[float, float]]:
    """Say where, in seconds, an asset is known to hold a work as it is; what is near is one."""
    joined: list[tuple[float, float]] = []
    for begin, end in sorted(each.asset_seconds for each in found if each.is_match):
        if joined and begin <= joined[-1][1] + _APART_SECONDS:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined


def within(part: tuple[float, float], places: Iterable[tuple[float, float]]) -> bool:
    """Say whether a part, in seconds, lies in one of some places, or nearly does."""
    return any(begin <= part[0] + _APART_SECONDS and part[1] - _APART_SECONDS <= end for begin, end in places)


def seconds(first: int, last: int, faster: float) -> tuple[float, float]:
    """Say where a stretch of codes lies, in seconds of sound that is so much faster than the work."""
    return first * BAND_SECONDS / faster, (last * BAND_SECONDS + BAND_REACH_SECONDS) / faster


def _joined(one: Stretch, other: Stretch) -> Stretch:
    best = one if (one.bits <= one.limit, one.z) >= (other.bits <= other.limit, other.z) else other
    later = one if one.last >= other.last else other
    return dataclasses.replace(
        best, first=one.first, work_first=one.work_first, last=later.last, work_last=later.work_last
    )


def _surer(one: Support | None, other: Support | None) -> Support | None:
    return max((each for each in (one, other) if each is not None), key=lambda each: each.decades, default=None)


def _end_offset(stretch: Stretch) -> int:
    return stretch.work_last - stretch.last


def _places(kept: Sequence[tuple[int, Found]]) -> list[tuple[float, float]]:
    return [found.asset_seconds for _, found in kept]
