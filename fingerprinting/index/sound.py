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
from fingerprinting.index import (
    band_stretches,
    bandenergy,
    chromaprint,
    landmark,
    landmark_pairs,
    landmark_support,
    sound_found,
)
from fingerprinting.index.algorithm import Entry, SearchContext, Searcher
from fingerprinting.index.band_stretches import Stretch
from fingerprinting.index.bandenergy import BandSearcher
from fingerprinting.index.chromaprint import ChromaprintSearcher
from fingerprinting.index.landmark import LandmarkSearcher
from fingerprinting.index.landmark_support import Grid, Support
from fingerprinting.index.sound_found import Found
from fingerprinting.types import Depth, EvidenceValue, Fingerprint, Match, Strength

_BLOCK_SECONDS: Final = 20.0
_OVERLAP_SECONDS: Final = 5.0
_SPANS_SHOWN: Final = 20
_MEASURED_CODES: Final = 100
_SEEN_CODES: Final = 8
"""Steps beyond the last code of a part whose sound it sees."""

_CHANGED_POSTINGS: Final = 1 << 19
_LEAST_POSTINGS: Final = 1 << 16
_ALL_POSTINGS: Final = 1 << 28
"""Postings read for a part under one change, at most and at least, and under all changes of the whole asset: an hour of
sound has 240 parts, each asked for under 24 changes by its rarest pairs of peaks."""

_FAINT_SHARE: Final = 4
"""A quarter of that is read for faint peaks, of an asset as it is alone."""

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

    @property
    def length(self) -> float:
        """How long it is, in seconds, also where it is only asked about as changed."""
        codes = self.codes.get((0, 0)) or next(iter(self.codes.values()))
        return round(sound_found.seconds(0, len(codes.codes), 1 + codes.tempo / 1000)[1], 1)

    def peaks_of(self, begin: float, end: float) -> Peaks | None:
        """Give the peaks of a part, in steps of codes of the asset itself."""
        if self.peaks is None:
            return None
        steps = BAND_SECONDS / LANDMARK_SECONDS
        first, last = np.searchsorted(self.peaks.frames, [begin * steps, (end + _SEEN_CODES) * steps])
        return self.peaks.take(slice(first, last))


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
            by_work: defaultdict[int, list[tuple[int, Found]]] = defaultdict(list)
            for found in sound_found.outshone(sound_found.merged(self._found(sound, context.depth))):
                for entry in self._bands.tracks.copies.of(found.row):
                    by_work[int(self._bands.tracks.works[entry])].append((entry, found))
            for work, entries in by_work.items():
                match = self._match(sound, work, entries)
                if match.strength is Strength.MATCH or context.depth is not Depth.FAST:
                    matches.append(match)
        return _best(matches)

    def _found(self, sound: _Sound, depth: Depth) -> Iterator[Found]:
        unchanged = sound.codes.get((0, 0))
        settled: list[Found] = []
        if unchanged is not None:
            settled = list(self._under(sound, unchanged, _blocks(len(unchanged.codes)), depth, landmark.MOST_POSTINGS))
            yield from settled
        changes = [codes for change, codes in sound.codes.items() if change != (0, 0)]
        if depth is not Depth.THOROUGH or not changes:
            return
        blocks = len(list(_blocks(len(changes[0].codes))))
        budget = min(_CHANGED_POSTINGS, max(_ALL_POSTINGS // (blocks * len(changes)), _LEAST_POSTINGS))
        known = sound_found.sure_places(settled) if blocks > _FEW_BLOCKS else []
        for codes in changes:
            faster = 1 + codes.tempo / 1000
            open_ = (
                each
                for each in _blocks(len(codes.codes))
                if not sound_found.within(sound_found.seconds(*each, faster), known)
            )
            yield from self._under(sound, codes, open_, depth, budget)

    def _under(
        self, sound: _Sound, asked: BandCodes, blocks: Iterable[tuple[int, int]], depth: Depth, budget: int
    ) -> Iterator[Found]:
        """Find what there is under one change."""
        faster, higher = 1 + asked.tempo / 1000, 1 + asked.pitch / 1000
        for begin, end in blocks:
            proposed = set() if asked.tempo or asked.pitch else self._by_chromaprint(sound, begin, end)
            peaks = sound.peaks_of(begin / faster, end / faster)
            if depth is not Depth.FAST:
                proposed |= self._by_landmarks(peaks, (faster, higher), budget)
            grid = None
            sure: set[int] = set()
            for row, offset in sorted(proposed):
                known = self._bands.codes_of(row)
                for stretch in band_stretches.stretches(asked.codes, known, offset, begin, end):
                    if grid is None and peaks is not None:
                        grid = Grid(peaks, faster, higher)
                    support = self._support(grid, row, stretch, (begin, end))
                    found = Found(row, asked.tempo, asked.pitch, stretch, support, end - begin)
                    if found.is_match or not stretch.is_faint:
                        yield found
                    if found.is_match:
                        sure.add(row)
            if depth is not Depth.FAST and not (asked.tempo or asked.pitch) and peaks is not None:
                yield from self._barely_heard(
                    asked, peaks, {each for each in proposed if each[0] not in sure}, (begin, end)
                )

    def _barely_heard(
        self, asked: BandCodes, peaks: Peaks, proposed: Iterable[tuple[int, int]], part: tuple[int, int]
    ) -> Iterator[Found]:
        """Find what lies under a voice or noise so loud that landmarks alone tell where."""
        if self._landmarks is None:
            return
        grid = Grid(peaks, 1.0, 1.0, bins=0)
        for row, offset in sorted(proposed):
            like = self._landmarks.tracks.rows_like(self._bands.tracks, row)
            if not like:
                continue
            known = self._landmarks.peaks_of(like[0])
            support = landmark_support.barely_heard(grid, known, offset, *part)
            if support is None:
                continue
            first, last = landmark_support.heard_positions(grid, known, support, *part)
            at = round(support.shift / landmark_pairs.FRAMES_A_POSITION)
            laid = band_stretches.between(asked.codes, self._bands.codes_of(row), at, *part)
            if laid is not None:
                stretch = laid.within(max(first, part[0]), min(last, part[1]))
                found = Found(row, 0, 0, stretch, support, part[1] - part[0], is_barely_heard=True)
                if found.is_match:
                    yield found

    def _by_landmarks(self, peaks: Peaks | None, change: tuple[float, float], budget: int) -> set[tuple[int, int]]:
        """Ask for the peaks of a part, under a change of tempo and pitch."""
        if self._landmarks is None or peaks is None:
            return set()
        proposed = self._landmarks.propose(peaks.clear(), *change, budget)
        if change == (1.0, 1.0):
            # Faint peaks are many, and most of them are those of what else is heard.
            proposed = [*proposed, *self._landmarks.propose(peaks, *change, budget // _FAINT_SHARE)]
        return {
            (row, each.offset)
            for each in proposed
            for row in self._bands.tracks.rows_like(self._landmarks.tracks, each.row)
        }

    def _support(self, grid: Grid | None, row: int, stretch: Stretch, part: tuple[int, int]) -> Support | None:
        """Give what landmarks say of a stretch: in the whole part, or there alone where that says much more."""
        if grid is None or self._landmarks is None:
            return None
        like = self._landmarks.tracks.rows_like(self._bands.tracks, row)
        if not like:
            return None
        known = self._landmarks.peaks_of(like[0])
        whole = landmark_support.support(grid, known, stretch.offset, *part)
        there = landmark_support.support(grid, known, stretch.offset, stretch.first, stretch.last + _SEEN_CODES)
        return landmark_support.surer(whole, there)

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

    def _match(self, sound: _Sound, work: int, entries: Sequence[tuple[int, Found]]) -> Match:
        """Report the surest stretch, and where else the work is heard."""
        spans = sound_found.apart(sorted(entries, key=lambda each: (each[1].is_match, each[1].weight), reverse=True))
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
            "asset_seconds": sound.length,
            "work_seconds": _length(len(self._bands.codes_of(best.row))),
        }
        if best.support is not None:
            evidence["landmarks"] = f"{best.support.hits}/{best.support.count}"
            evidence["landmark_log10_p"] = round(-best.support.decades, 1)
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

    def _work_span(self, entry: int, found: Found) -> tuple[float, float]:
        begin = float(self._bands.tracks.begins[entry])
        return _shifted(sound_found.seconds(found.stretch.work_first, found.stretch.work_last, 1.0), begin)


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


def _best(matches: Sequence[Match]) -> list[Match]:
    best: dict[tuple[int, int], Match] = {}
    for match in matches:
        known = best.get((match.asset, match.work))
        if known is None or _order(match) > _order(known):
            best[match.asset, match.work] = match
    return list(best.values())


def _order(match: Match) -> tuple[bool, float]:
    return match.strength is Strength.MATCH, float(match.evidence["z"])


def _shifted(span: tuple[float, float], begin: float) -> tuple[float, float]:
    return round(begin + span[0], 2), round(begin + span[1], 2)


def _length(codes: int) -> float:
    """Say how long the recording is, in seconds."""
    return round(codes * BAND_SECONDS + BAND_REACH_SECONDS, 1)


def _tempo_percent(found: Found) -> float:
    """Say how much faster than the work it is; over long stretches nearer than the change that was assumed."""
    stretch = found.stretch
    drift = (stretch.work_last - stretch.work_first) / (stretch.last - stretch.first)
    is_measured = found.tempo != 0 and stretch.last - stretch.first >= _MEASURED_CODES
    return round((1 + found.tempo / 1000) * (drift if is_measured else 1.0) * 100 - 100, 1)


def _log10_p(z: float) -> float:
    """Give the decadic logarithm of the chance that a normal variable is at least z."""
    return -(z * z / 2 + math.log(z * math.sqrt(2 * math.pi))) / math.log(10)
