"""Registers recordings, alters parts of others and of the same, asks at every depth, and counts what comes back."""

import contextlib
import multiprocessing
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import acoustid
import numpy as np

from benchmarks.audio import material, strangers
from benchmarks.audio.audfprint import Audfprint
from benchmarks.audio.cost import mp3_seconds_a_second
from benchmarks.audio.material import Track
from benchmarks.audio.shared import likeness
from benchmarks.audio.strangers import Stranger
from benchmarks.audio.transformations import KINDS, RATE_HZ, Others, Sound
from fingerprinting.audio import chromaprint, print_bytes
from fingerprinting.audio.decode import Recording
from fingerprinting.audio.fingerprints import fingerprint_audio
from fingerprinting.index import band_stretches
from fingerprinting.index.bandenergy import SPEC as BAND
from fingerprinting.index.chromaprint import SPEC as CODES
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match, Role, Strength

Json: TypeAlias = dict[str, object]
AUDFPRINT = "audfprint"
PEERS = ("Chromaprint", "compare_fingerprints", AUDFPRINT)
NEAR_SECONDS = 0.25
_SAME_BITS, _MOST = 6.0, 0.8
"""A work has nearly the same again where at most so many bits of 32 differ over so much of a part."""

_ACOUSTID_SCORE = 0.5


@dataclass
class Cell:
    """What came of one transformation at one length and depth."""

    asked: int = 0
    found: int = 0
    starts: list[float] = field(default_factory=list)
    repeated: int = 0
    """Of the starts, those elsewhere, where the work has nearly the same again."""
    ends: list[float] = field(default_factory=list)
    votes: list[int] = field(default_factory=list)


@dataclass
class Tally:
    """Everything counted in one run."""

    cells: dict[tuple[str, float, str], Cell] = field(default_factory=lambda: defaultdict(Cell))
    wrong: list[Json] = field(default_factory=list)
    asked: int = 0
    strangers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    strangers_named: int = 0
    unidentifiable: int = 0
    stranger_votes: list[int] = field(default_factory=list)
    search_seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    print_seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    hashes: int = 0

    def add(self, other: "Tally") -> None:
        """Add what another process counted of other sounds."""
        self.cells |= other.cells
        self.wrong += other.wrong
        self.stranger_votes += other.stranger_votes
        for name, number in other.strangers.items():
            self.strangers[name] += number
        for mine, its in (
            (self.search_seconds, other.search_seconds),
            (self.print_seconds, other.print_seconds),
        ):
            for name, times in its.items():
                mine[name] += times
        self.asked += other.asked
        self.strangers_named += other.strangers_named
        self.unidentifiable += other.unidentifiable
        self.hashes = max(self.hashes, other.hashes)


@dataclass(frozen=True)
class Plan:
    """What a run is made of."""

    works: int
    copied: int
    strangers: int
    lengths: Sequence[float]
    kinds: Sequence[str]
    seed: int
    audfprint: Path | None = None
    """A Python in which audfprint is installed."""


def measure(tracks: Sequence[Track], plan: Plan) -> Json:
    """Run a plan and give its figures."""
    dice = np.random.default_rng(plan.seed)
    voices = [each for each in tracks if each.package in material.MIXED_IN]
    tracks = [each for each in tracks if each.package not in material.MIXED_IN]
    order = dice.permutation(len(tracks)).tolist()
    works = [tracks[each] for each in order[: plan.works]]
    unregistered = [tracks[each] for each in order[plan.works :]]
    tally = Tally()
    others = _others(voices, unregistered)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        copied = dice.permutation(len(works))[: plan.copied].tolist()
        works += strangers.registered_pieces(scratch)
        index, stored = _register(works, tally)
        tally.print_seconds["work as MP3"] = mp3_seconds_a_second(works, scratch)

        def ask_copies(asker: _Asker) -> None:
            for row in copied:
                sound = material.load(works[row].path)
                for kind in plan.kinds:
                    for seconds in plan.lengths:
                        asker.ask_copy(row, sound, kind, seconds, others, dice)

        def ask_strangers(asker: _Asker) -> None:
            other_dice = np.random.default_rng([plan.seed, 1])
            for stranger in strangers.strangers(unregistered, plan.strangers, plan.lengths, others, other_dice):
                asker.ask_stranger(stranger)

        for part in _at_once([ask_copies, ask_strangers], index, works, plan.audfprint):
            tally.add(part)
        if tally.hashes:
            stored[AUDFPRINT] = round(tally.hashes * 4 * 60 / sum(work.seconds for work in works))
    return _figures(tally, plan, works, unregistered, stored)


def _at_once(
    asks: Sequence[Callable[["_Asker"], None]], index: Index, works: Sequence[Track], audfprint: Path | None
) -> list[Tally]:
    """Run each in a process of its own, which has what was loaded before it began."""
    context = multiprocessing.get_context("fork")
    queues = [context.SimpleQueue() for _ in asks]
    children = [
        context.Process(target=_ask, args=(ask, index, works, audfprint, queue))
        for ask, queue in zip(asks, queues, strict=True)
    ]
    for child in children:
        child.start()
    told: list[Tally | None] = [queue.get() for queue in queues]
    for child in children:
        child.join()
    found = [each for each in told if each is not None]
    if len(found) < len(asks):
        raise RuntimeError("a part of the run has failed; its error stands above")
    return found


def _ask(
    ask: Callable[["_Asker"], None], index: Index, works: Sequence[Track], audfprint: Path | None, queue: Any
) -> None:
    """Ask what there is to ask, and send what was counted; None if that failed."""
    tally: Tally | None = None
    try:
        with contextlib.ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            asker = _Asker(index, works, Tally(), scratch / "asked.wav")
            if audfprint is not None:
                asker.audfprint = stack.enter_context(Audfprint(audfprint, scratch))
                asker.tally.hashes = sum(asker.audfprint.register(row, each.path) for row, each in enumerate(works))
            ask(asker)
        tally = asker.tally
        tally.cells, tally.strangers = dict(tally.cells), dict(tally.strangers)
        tally.search_seconds, tally.print_seconds = dict(tally.search_seconds), dict(tally.print_seconds)
    finally:
        queue.put(tally)


class _Asker:
    """Asks an index about sounds, and keeps count."""

    def __init__(self, index: Index, works: Sequence[Track], tally: Tally, path: Path) -> None:
        self._index, self._works, self.tally, self._path = index, works, tally, path
        entries = [entry for entry in index.entries() if entry[1].algorithm == CODES.name]
        self._chromaprint = Index.build(entries)
        self._bands = {
            work: print_bytes.read_codes(one.value).codes for work, one in index.entries() if one.algorithm == BAND.name
        }
        self._codes = {work: np.frombuffer(one.value, "<u4").tolist() for work, one in entries}
        self.audfprint: Audfprint | None = None
        self._is_identifiable = True

    def ask_copy(
        self, row: int, sound: Sound, kind: str, seconds: float, others: Others, dice: np.random.Generator
    ) -> None:
        made = KINDS[kind]
        samples = int(seconds * made.longer * RATE_HZ)
        start = int(dice.integers(max(1, len(sound) - samples)))
        altered = made.make(sound[start : start + samples], others, dice)
        answers = self._answers(altered)
        self.tally.unidentifiable += not self._is_identifiable
        self._ask_peers(row, kind, seconds)
        for depth, matches in answers:
            cell = self.tally.cells[kind, seconds, depth.value]
            cell.asked += 1
            sure = [match for match in matches if match.strength is not Strength.LIKELY]
            right = [match for match in sure if match.work == row]
            cell.found += bool(right)
            for match in right:
                if match.algorithm == BAND.name and match.query_span and match.work_span:
                    begins, ends = match.query_span[0] - made.lead, match.query_span[1] + made.lead
                    cell.starts.append(match.work_span[0] - start / RATE_HZ - begins * made.longer)
                    if abs(cell.starts[-1]) > NEAR_SECONDS:
                        part = sound[start : start + samples]
                        cell.repeated += self._has_again(row, part, start / RATE_HZ + cell.starts[-1])
                    cell.ends.append(ends - len(altered) / RATE_HZ)
            self._note_wrong(sure, row, f"{kind}, {seconds} s of {self._named(self._works[row])}", depth, altered)

    def _has_again(self, row: int, part: Sound, at: float) -> bool:
        """Whether a work has nearly the same as a part of it at another place, in seconds: of that part, unaltered."""
        path = self._path.with_name("part.wav")
        material.write(path, part)
        prints = fingerprint_audio(path, role=Role.QUERY, depth=Depth.FAST).fingerprints
        codes = next((print_bytes.read_codes(one.value).codes for one in prints if one.algorithm == BAND.name), None)
        if codes is None:
            return False
        offset = round(at / print_bytes.BAND_SECONDS)
        laid = band_stretches.stretches(codes, self._bands[row], offset, 0, len(codes))
        return any(one.mean <= _SAME_BITS and one.last - one.first >= _MOST * len(codes) for one in laid)

    def _ask_peers(self, row: int, kind: str, seconds: float) -> None:
        """Ask Chromaprint alone: by our search and alignment, and by pyacoustid's comparison with the right work."""
        codes = chromaprint.codes(Recording(self._path))
        found = False
        if len(codes):
            value = codes.astype("<u4").tobytes()
            matches = self._chromaprint.search([[Fingerprint(CODES.name, CODES.version, value)]])
            found = any(match.work == row for match in matches)  # what is only worth a look for us counts here
        score = acoustid._match_fingerprints(codes.tolist(), self._codes[row]) if len(codes) else 0.0  # noqa: SLF001
        for name, is_found in zip(PEERS, (found, score > _ACOUSTID_SCORE), strict=False):
            cell = self.tally.cells[kind, seconds, name]
            cell.asked += 1
            cell.found += is_found
        if self.audfprint is not None:
            best, votes = self._ask_audfprint(self.audfprint)
            cell = self.tally.cells[kind, seconds, AUDFPRINT]
            cell.asked += 1
            cell.found += best == row
            cell.votes.append(votes if best == row else 0)

    def _ask_audfprint(self, audfprint: Audfprint) -> tuple[int | None, int]:
        best, votes, took = audfprint.ask(self._path)
        self.tally.search_seconds[AUDFPRINT].append(took)
        return best, votes

    def ask_stranger(self, stranger: Stranger) -> None:
        self.tally.strangers[stranger.group] += 1
        for depth, matches in self._answers(stranger.sound):
            sure = [match for match in matches if match.strength is not Strength.LIKELY]
            asked = f"{len(stranger.sound) / RATE_HZ:g} s of {stranger.name}"
            self._note_wrong(sure, None, asked, depth, stranger.sound, stranger.group)
            self.tally.strangers_named += depth is Depth.THOROUGH and bool(sure)
        if self.audfprint is not None:
            self.tally.stranger_votes.append(self._ask_audfprint(self.audfprint)[1])

    def _named(self, track: Track) -> str:
        return f"{track.package}/{track.path.stem}"

    def _answers(self, sound: Sound) -> list[tuple[Depth, list[Match]]]:
        material.write(self._path, sound)
        began = time.process_time()
        heard = fingerprint_audio(self._path, role=Role.QUERY, depth=Depth.THOROUGH)
        prints, self._is_identifiable = heard.fingerprints, heard.identifiable
        self.tally.print_seconds["thorough query"].append((time.process_time() - began) / (len(sound) / RATE_HZ))
        self.tally.asked += 1
        answers = []
        for depth in Depth:
            began = time.process_time()
            answers.append((depth, self._index.search([known_at(prints, depth)], depth=depth)))
            self.tally.search_seconds[depth.value].append(time.process_time() - began)
        return answers

    def _note_wrong(
        self, sure: Sequence[Match], right: int | None, asked: str, depth: Depth, sound: Sound, group: str = "copies"
    ) -> None:
        for match in sure:
            if match.work == right:
                continue
            alike = None
            if match.query_span and match.work_span:
                known = material.load(self._works[match.work].path)
                alike = likeness(sound, known, match.query_span, match.work_span)
            self.tally.wrong.append(
                {
                    "asked": asked,
                    "group": group,
                    "named": self._named(self._works[match.work]),
                    "depth": depth.value,
                    "algorithm": match.algorithm,
                    "spans": [match.query_span, match.work_span],
                    "evidence": dict(match.evidence),
                    "correlation": None if alike is None else [round(alike.there, 2), round(alike.elsewhere, 2)],
                    "is_shared": alike is not None and alike.is_shared,
                }
            )


def known_at(prints: Sequence[Fingerprint], depth: Depth) -> list[Fingerprint]:
    """Leave out what a query of this depth does not carry: codes under changes stand after the plain ones."""
    kept, plain = [], 0
    for one in prints:
        plain += one.algorithm == BAND.name
        if depth is Depth.THOROUGH or one.algorithm != BAND.name or plain == 1:
            kept.append(one)
    return kept


def _register(works: Sequence[Track], tally: Tally) -> tuple[Index, Json]:
    entries: list[tuple[int, Fingerprint]] = []
    sizes: defaultdict[str, int] = defaultdict(int)
    for row, work in enumerate(works):
        began = time.process_time()
        prints = fingerprint_audio(work.path).fingerprints
        tally.print_seconds["work"].append((time.process_time() - began) / work.seconds)
        entries += [(row, one) for one in prints]
        for one in prints:
            sizes[one.algorithm] += len(one.value)
    minutes = sum(work.seconds for work in works) / 60
    return Index.build(entries), {name: round(size / minutes) for name, size in sizes.items()}


def _others(voices: Sequence[Track], unregistered: Sequence[Track]) -> Others:
    """Voices and music that nobody registered, to be mixed in."""
    music = [each for each in unregistered if each.package not in material.VOICES]
    return Others([material.load(each.path) for each in voices[:8]], [material.load(each.path) for each in music[:8]])


def _figures(tally: Tally, plan: Plan, works: Sequence[Track], others: Sequence[Track], stored: Json) -> Json:
    rows = [
        {
            "kind": kind,
            "row": KINDS[kind].row,
            "seconds": seconds,
            "depth": depth,
            "asked": cell.asked,
            "found": cell.found,
            "starts": [round(each, 3) for each in cell.starts],
            "repeated": cell.repeated,
            "ends": [round(each, 3) for each in cell.ends],
            "votes": cell.votes,
        }
        for (kind, seconds, depth), cell in tally.cells.items()
    ]
    return {
        "works": plan.works,
        "work_hours": round(sum(each.seconds for each in works[: plan.works]) / 3600, 2),
        "other_recordings": len(others),
        "seed": plan.seed,
        "asked": tally.asked,
        "stranger_windows": dict(tally.strangers),
        "stranger_votes": tally.stranger_votes,
        "strangers_named": tally.strangers_named,
        "unidentifiable": tally.unidentifiable,
        "rows": rows,
        "wrong": tally.wrong,
        "bytes_a_minute": stored,
        "search_ms": {depth: _spread(times, 1000) for depth, times in tally.search_seconds.items()},
        "times_real_time": {name: round(1 / float(np.median(times)), 1) for name, times in tally.print_seconds.items()},
    }


def _spread(times: Sequence[float], factor: float) -> Json:
    return {f"p{part}": round(float(np.percentile(times, part)) * factor, 1) for part in (50, 95)}
