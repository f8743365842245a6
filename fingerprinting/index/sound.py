"""Which recordings an asset holds: proposed by Chromaprint and landmarks, decided by band energies."""

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fingerprinting import thresholds
from fingerprinting.audio import print_bytes
from fingerprinting.audio.print_bytes import BAND_REACH_SECONDS, BAND_SECONDS, LANDMARK_SECONDS, BandCodes, Peaks
from fingerprinting.index import band_stretches, bandenergy, chromaprint, landmark
from fingerprinting.index.algorithm import Entry, SearchContext, Searcher
from fingerprinting.index.band_stretches import Stretch
from fingerprinting.index.bandenergy import BandSearcher
from fingerprinting.index.chromaprint import ChromaprintSearcher
from fingerprinting.index.landmark import LandmarkSearcher
from fingerprinting.types import Depth, EvidenceValue, Fingerprint, Match, Strength

_BLOCK_SECONDS: Final = 20.0
_OVERLAP_SECONDS: Final = 5.0
_SAME_OFFSET: Final = 8
_APART_SECONDS: Final = 2.0
_SPANS_SHOWN: Final = 20
_MEASURED_CODES: Final = 100
_CHANGED_WEIGHT: Final = 0.9
_SEEN_CODES: Final = 8
"""Steps beyond the last code of a part whose sound it sees."""

_CHANGED_POSTINGS: Final = 1 << 19
_LEAST_POSTINGS: Final = 1 << 16
_ALL_POSTINGS: Final = 1 << 28
"""Postings read for a part under one change, at most and at least, and under all changes of the whole asset: an hour of
sound has 240 parts, each asked for under 24 changes by its rarest pairs of peaks."""

_FEW_BLOCKS: Final = 8
"""Of an asset of more parts (2 minutes), those that hold a work as it is are not searched for changed ones."""


@dataclass(frozen=True, slots=True)
class _Sound:
    """One recording of an asset, in all of its prints; those of band energies by (tempo, pitch)."""

    asset: int
    begin: float
    codes: Mapping[tuple[int, int], BandCodes]
    peaks: Peaks | None
    chromaprint: Fingerprint | None


@dataclass(frozen=True, slots=True)
class _Found:
    """A stretch of an asset found in a recording, with the change under which it was.

    `is_outshone` where another recording is heard too clearly for this one to be there as well.
    """

    row: int
    tempo: int
    pitch: int
    stretch: Stretch
    is_outshone: bool = False

    @property
    def asset_seconds(self) -> tuple[float, float]:
        """Where it lies in the asset."""
        return _seconds(self.stretch.first, self.stretch.last, 1 + self.tempo / 1000)

    @property
    def is_changed(self) -> bool:
        """Whether a change is assumed."""
        return self.tempo != 0 or self.pitch != 0

    @property
    def limit(self) -> float:
        """Up to which differing bits it is a match."""
        return self.stretch.limit - (thresholds.BAND_CHANGED_BITS if self.is_changed else 0.0)

    @property
    def weight(self) -> float:
        """More is surer; a change is believed where it explains more than none does."""
        return self.stretch.weight * (_CHANGED_WEIGHT if self.is_changed else 1.0)

    @property
    def is_match(self) -> bool:
        """Whether it identifies the recording; else it is only worth a look."""
        known = self.stretch
        is_close = known.bits <= thresholds.BAND_CLOSE_BITS
        least = thresholds.BAND_LEAST_CLOSE_CODES if is_close else thresholds.BAND_LEAST_CODES
        is_near = known.bits <= self.limit and known.sharpness >= thresholds.BAND_MIN_SHARPNESS
        return is_near and known.last - known.first >= least and not self.is_outshone


def decided(
    found: list[Match],
    bands: BandSearcher,
    searchers: Mapping[str, Searcher],
    queries: Mapping[str, Sequence[Entry]],
    context: SearchContext,
) -> list[Match]:
    """Add what band energies find to what was found, and let Chromaprint alone decide only where they can't.

    What Chromaprint calls a match and band energies do not, though they know both, is only worth a look.
    """
    searcher = SoundSearcher(bands, searchers.get(landmark.SPEC.id), searchers.get(chromaprint.SPEC.id))
    own = searcher.search(queries, context)
    heard = {asset for asset, _ in queries.get(bandenergy.SPEC.id, ())}
    sure = {(match.asset, match.work) for match in own if match.strength is Strength.MATCH}
    others: list[Match] = []
    for match in found:
        is_doubted = (
            match.algorithm == chromaprint.SPEC.name
            and match.asset in heard
            and (match.asset, match.work) not in sure
            and bands.tracks.holds(match.work)
        )
        if not is_doubted:
            others.append(match)
        elif context.depth is not Depth.FAST:
            others.append(dataclasses.replace(match, strength=Strength.LIKELY))
    return others + own


class SoundSearcher:
    """The searchers of the three prints of sound together. Any may be missing, the band energies aside."""

    def __init__(self, bands: BandSearcher, landmarks: Searcher | None, codes: Searcher | None) -> None:
        self._bands = bands
        self._landmarks = landmarks if isinstance(landmarks, LandmarkSearcher) else None
        self._chromaprint = codes if isinstance(codes, ChromaprintSearcher) else None

    def search(self, queries: Mapping[str, Sequence[Entry]], context: SearchContext) -> list[Match]:
        """Find the works that sound in assets, at most one match for each asset and work, with all spans."""
        matches: list[Match] = []
        for sound in _sounds(queries):
            by_work: defaultdict[int, list[tuple[int, _Found]]] = defaultdict(list)
            for found in _outshone(_merged(self._found(sound, context.depth))):
                for entry in self._bands.tracks.copies.of(found.row):
                    by_work[int(self._bands.tracks.works[entry])].append((entry, found))
            for work, entries in by_work.items():
                match = self._match(sound, work, entries)
                if match.strength is Strength.MATCH or context.depth is not Depth.FAST:
                    matches.append(match)
        return _best(matches)

    def _found(self, sound: _Sound, depth: Depth) -> Iterator[_Found]:
        unchanged = sound.codes.get((0, 0))
        settled: list[_Found] = []
        if unchanged is not None:
            settled = list(self._under(sound, unchanged, _blocks(len(unchanged.codes)), depth, landmark.MOST_POSTINGS))
            yield from settled
        changes = [codes for change, codes in sound.codes.items() if change != (0, 0)]
        if depth is not Depth.THOROUGH or not changes:
            return
        blocks = len(list(_blocks(len(changes[0].codes))))
        budget = min(_CHANGED_POSTINGS, max(_ALL_POSTINGS // (blocks * len(changes)), _LEAST_POSTINGS))
        known = _sure_places(settled) if blocks > _FEW_BLOCKS else []
        for codes in changes:
            faster = 1 + codes.tempo / 1000
            open_ = (each for each in _blocks(len(codes.codes)) if not _within(_seconds(*each, faster), known))
            yield from self._under(sound, codes, open_, depth, budget)

    def _under(
        self, sound: _Sound, asked: BandCodes, blocks: Iterable[tuple[int, int]], depth: Depth, budget: int
    ) -> Iterator[_Found]:
        """Find what there is under one change."""
        faster, higher = 1 + asked.tempo / 1000, 1 + asked.pitch / 1000
        for begin, end in blocks:
            proposed = set() if asked.tempo or asked.pitch else self._by_chromaprint(sound, begin, end)
            if depth is not Depth.FAST:
                proposed |= self._by_landmarks(sound, (begin / faster, end / faster), (faster, higher), budget)
            for row, offset in sorted(proposed):
                known = self._bands.codes_of(row)
                for stretch in band_stretches.stretches(asked.codes, known, offset, begin, end):
                    yield _Found(row, asked.tempo, asked.pitch, stretch)

    def _by_landmarks(
        self, sound: _Sound, part: tuple[float, float], change: tuple[float, float], budget: int
    ) -> set[tuple[int, int]]:
        """Ask for a part, in steps of codes of the asset itself, under a change of tempo and pitch."""
        if self._landmarks is None or sound.peaks is None:
            return set()
        steps = BAND_SECONDS / LANDMARK_SECONDS
        first, last = np.searchsorted(sound.peaks.frames, [part[0] * steps, (part[1] + _SEEN_CODES) * steps])
        peaks = Peaks(sound.peaks.frames[first:last], sound.peaks.bins[first:last], sound.peaks.shifted[first:last], 0)
        return {
            (row, each.offset)
            for each in self._landmarks.propose(peaks, *change, budget)
            for row in self._bands.tracks.rows_like(self._landmarks.tracks, each.row)
        }

    def _by_chromaprint(self, sound: _Sound, begin: int, end: int) -> set[tuple[int, int]]:
        if self._chromaprint is None or sound.chromaprint is None:
            return set()
        step = thresholds.CHROMAPRINT_CODE_SECONDS / BAND_SECONDS
        proposed = self._chromaprint.propose(sound.chromaprint, int(begin / step), math.ceil(end / step))
        return {
            (row, round(offset * step))
            for work, work_begin, offset in proposed
            for row in self._bands.tracks.rows_at(work, work_begin)
        }

    def _match(self, sound: _Sound, work: int, entries: Sequence[tuple[int, _Found]]) -> Match:
        """Report the surest stretch, and where else the work is heard."""
        spans = _apart(sorted(entries, key=lambda each: (each[1].is_match, each[1].weight), reverse=True))
        _, best = spans[0]
        stretch = best.stretch
        evidence: dict[str, EvidenceValue] = {
            "bit_error": round(stretch.bits, 2),
            "z": round(stretch.z, 1),
            "log10_p": round(_log10_p(stretch.z), 1),
            "window_seconds": round(stretch.window * BAND_SECONDS + BAND_REACH_SECONDS, 1),
            "sharpness": round(stretch.sharpness, 2),
            "tempo_percent": _tempo_percent(best),
            "pitch_percent": best.pitch / 10,
            "asset_seconds": _length(len(sound.codes[0, 0].codes)),
            "work_seconds": _length(len(self._bands.codes_of(best.row))),
        }
        placed = [(_shifted(each.asset_seconds, sound.begin), self._work_span(at, each)) for at, each in spans]
        if len(placed) > 1:
            evidence["spans"] = "; ".join(
                f"{asset[0]}-{asset[1]} in {known[0]}-{known[1]}" for asset, known in sorted(placed)[:_SPANS_SHOWN]
            )
        return Match(
            asset=sound.asset,
            work=work,
            algorithm=bandenergy.SPEC.name,
            version=bandenergy.SPEC.version,
            strength=Strength.MATCH if best.is_match else Strength.LIKELY,
            score=round(32 - stretch.bits, 2),
            threshold=round(32 - best.limit, 2),
            query_span=placed[0][0],
            work_span=placed[0][1],
            evidence=evidence,
        )

    def _work_span(self, entry: int, found: _Found) -> tuple[float, float]:
        begin = float(self._bands.tracks.begins[entry])
        return _shifted(_seconds(found.stretch.work_first, found.stretch.work_last, 1.0), begin)


def _sounds(queries: Mapping[str, Sequence[Entry]]) -> Iterator[_Sound]:
    """Put the prints of each recording of each asset together."""
    codes: defaultdict[tuple[int, float], dict[tuple[int, int], BandCodes]] = defaultdict(dict)
    for asset, fingerprint in queries.get(bandenergy.SPEC.id, ()):
        read = print_bytes.read_codes(fingerprint.value)
        codes[asset, _begin(fingerprint)][read.tempo, read.pitch] = read
    peaks = {
        (asset, _begin(one)): print_bytes.read_peaks(one.value) for asset, one in queries.get(landmark.SPEC.id, ())
    }
    raw = {(asset, _begin(one)): one for asset, one in queries.get(chromaprint.SPEC.id, ())}
    for key, variants in codes.items():
        yield _Sound(key[0], key[1], variants, peaks.get(key), raw.get(key))


def _begin(fingerprint: Fingerprint) -> float:
    return fingerprint.span[0] if fingerprint.span is not None else 0.0


def _blocks(codes: int) -> Iterator[tuple[int, int]]:
    """Cut a long asset into parts that overlap, so that what is in any few seconds gets enough votes."""
    length, step = round(_BLOCK_SECONDS / BAND_SECONDS), round((_BLOCK_SECONDS - _OVERLAP_SECONDS) / BAND_SECONDS)
    for begin in range(0, max(1, codes - length + step), step):
        yield begin, min(begin + length, codes)


def _sure_places(found: Iterable[_Found]) -> list[tuple[float, float]]:
    """Say where, in seconds, an asset is known to hold a work as it is; what is near is one."""
    joined: list[tuple[float, float]] = []
    for begin, end in sorted(each.asset_seconds for each in found if each.is_match):
        if joined and begin <= joined[-1][1] + _APART_SECONDS:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined


def _within(part: tuple[float, float], places: Iterable[tuple[float, float]]) -> bool:
    return any(begin <= part[0] + _APART_SECONDS and part[1] - _APART_SECONDS <= end for begin, end in places)


def _merged(found: Iterable[_Found]) -> list[_Found]:
    """Join what was found in blocks that overlap: one recording, one change, one offset."""
    merged: list[_Found] = []
    by_key: defaultdict[tuple[int, int, int], list[_Found]] = defaultdict(list)
    for each in found:
        by_key[each.row, each.tempo, each.pitch].append(each)
    for group in by_key.values():
        open_: list[_Found] = []
        for each in sorted(group, key=lambda one: one.stretch.first):
            for place, other in enumerate(open_):
                near = each.stretch.first <= other.stretch.last + _APART_SECONDS / BAND_SECONDS
                if near and abs(_end_offset(other.stretch) - each.stretch.offset) <= _SAME_OFFSET:
                    open_[place] = dataclasses.replace(other, stretch=_joined(other.stretch, each.stretch))
                    break
            else:
                open_.append(each)
        merged += open_
    return merged


def _outshone(found: Sequence[_Found]) -> Iterator[_Found]:
    """Mark what merely resembles another recording that is heard clearly at the same place."""
    clear = [each for each in found if each.is_match and each.stretch.mean <= thresholds.BAND_CLEAR_BITS]
    for each in found:
        resembles = each.is_match and each.stretch.bits > thresholds.BAND_RESEMBLING_BITS
        others = [other.asset_seconds for other in clear if other.row != each.row] if resembles else []
        yield dataclasses.replace(each, is_outshone=_within(each.asset_seconds, others))


def _end_offset(stretch: Stretch) -> int:
    return stretch.work_last - stretch.last


def _joined(one: Stretch, other: Stretch) -> Stretch:
    best = one if (one.bits <= one.limit, one.z) >= (other.bits <= other.limit, other.z) else other
    later = one if one.last >= other.last else other
    return dataclasses.replace(
        best, first=one.first, work_first=one.work_first, last=later.last, work_last=later.work_last
    )


def _apart(entries: Sequence[tuple[int, _Found]]) -> list[tuple[int, _Found]]:
    """Keep, best first, what lies elsewhere in the asset than what was kept before; of matches, matches alone."""
    kept: list[tuple[int, _Found]] = []
    for entry, found in entries:
        if kept and found.is_match != kept[0][1].is_match:
            break
        begin, end = found.asset_seconds
        if all(min(end, last) - max(begin, first) < 0.5 * (end - begin) for first, last in _places(kept)):
            kept.append((entry, found))
    return kept


def _places(kept: Sequence[tuple[int, _Found]]) -> list[tuple[float, float]]:
    return [found.asset_seconds for _, found in kept]


def _best(matches: Sequence[Match]) -> list[Match]:
    best: dict[tuple[int, int], Match] = {}
    for match in matches:
        known = best.get((match.asset, match.work))
        if known is None or _order(match) > _order(known):
            best[match.asset, match.work] = match
    return list(best.values())


def _order(match: Match) -> tuple[bool, float]:
    return match.strength is Strength.MATCH, float(match.evidence["z"])


def _seconds(first: int, last: int, faster: float) -> tuple[float, float]:
    return first * BAND_SECONDS / faster, (last * BAND_SECONDS + BAND_REACH_SECONDS) / faster


def _shifted(span: tuple[float, float], begin: float) -> tuple[float, float]:
    return round(begin + span[0], 2), round(begin + span[1], 2)


def _length(codes: int) -> float:
    """Say how long the recording is, in seconds."""
    return round(codes * BAND_SECONDS + BAND_REACH_SECONDS, 1)


def _tempo_percent(found: _Found) -> float:
    """Say how much faster than the work it is; over long stretches nearer than the change that was assumed."""
    stretch = found.stretch
    drift = (stretch.work_last - stretch.work_first) / (stretch.last - stretch.first)
    is_measured = found.tempo != 0 and stretch.last - stretch.first >= _MEASURED_CODES
    return round((1 + found.tempo / 1000) * (drift if is_measured else 1.0) * 100 - 100, 1)


def _log10_p(z: float) -> float:
    """Give the decadic logarithm of the chance that a normal variable is at least z."""
    return -(z * z / 2 + math.log(z * math.sqrt(2 * math.pi))) / math.log(10)
