"""What a query costs among many recordings: real peaks and codes, dealt out to recordings of 4 minutes.

    ./run bench audio.scale --material FOLDER --recordings 10000

What a term of an index has of postings is measured on real recordings and multiplied; where they stand is drawn.
100,000 recordings take some 14 GB of memory. Queries are of recordings that are among the works and of others, as they
are and under a voice; each is fingerprinted before, and only the search is timed.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.audio import material
from benchmarks.audio.material import Track
from benchmarks.audio.measure import known_at
from benchmarks.audio.transformations import KINDS, RATE_HZ, Others
from fingerprinting import thresholds
from fingerprinting.audio import print_bytes
from fingerprinting.audio.fingerprints import fingerprint_audio
from fingerprinting.index import (
    bandenergy,
    chromaprint,
    copies,
    inverted,
    keys_places,
    landmark,
    landmark_pairs,
    soundtracks,
)
from fingerprinting.index.algorithm import Searcher
from fingerprinting.index.bandenergy import BandSearcher
from fingerprinting.index.chromaprint import ChromaprintSearcher, Recordings
from fingerprinting.index.inverted import InvertedIndex
from fingerprinting.index.landmark import LandmarkSearcher
from fingerprinting.index.segment import Index, grouped_by_version
from fingerprinting.index.soundtracks import Soundtracks
from fingerprinting.types import Depth, Fingerprint, Role

_SECONDS = 240
_DIFFERENT = 100
_CHROMAPRINT_BITS = np.uint32(0xAAAAAAAA)

Numbers = NDArray[np.uint32]


def main() -> None:
    arguments = _arguments()
    tracks = material.tracks("tuning", arguments.material)
    works, others = tracks[: len(tracks) * 2 // 3], tracks[len(tracks) * 2 // 3 :]
    index, size = _index([fingerprint_audio(track.path).fingerprints for track in works], arguments.recordings)
    queries = list(_queries(works, others, arguments))
    result: dict[str, object] = {"recordings": arguments.recordings, "seconds": arguments.seconds, **size}
    for depth in Depth:
        times = []
        for prints in queries:
            grouped = grouped_by_version([known_at(prints, depth)])
            index.search_grouped(grouped, depth=depth, registry_size=None)
            began = time.process_time()
            index.search_grouped(grouped, depth=depth, registry_size=None)
            times.append((time.process_time() - began) * 1000)
        result[depth.value] = {"median_ms": round(float(np.median(times)), 1), "most_ms": round(max(times), 1)}
        print(f"{depth.value}: {result[depth.value]}", flush=True)
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(result) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--material", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--recordings", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each query")
    parser.add_argument("--output", type=Path, metavar="RESULT.json")
    return parser.parse_args()


def _queries(
    works: Sequence[Track], others: Sequence[Track], arguments: argparse.Namespace
) -> Iterator[Sequence[Fingerprint]]:
    dice = np.random.default_rng(1)
    voices = [material.load(track.path) for track in others if track.package in material.VOICES][:4]
    place = arguments.material / "scale.wav"
    for number in range(arguments.queries):
        track = (works, others)[number % 2][number]
        sound = material.load(track.path)
        sound = np.tile(sound, int(arguments.seconds * RATE_HZ / len(sound)) + 1)[: int(arguments.seconds * RATE_HZ)]
        kind = ("unchanged", "a voice as loud")[number // 2 % 2] if arguments.seconds < 60 else "unchanged"
        material.write(place, KINDS[kind].make(sound, Others(voices, []), dice))
        yield fingerprint_audio(place, role=Role.QUERY, depth=Depth.THOROUGH).fingerprints


def _index(prints: Sequence[Sequence[Fingerprint]], recordings: int) -> tuple[Index, dict[str, float]]:
    """Make searchers of many recordings out of the prints of a few, and say how large they are."""
    by_name = {
        name: [one.value for each in prints for one in each if one.algorithm == name]
        for name in ("chromaprint-2", print_bytes.LANDMARK_ALGORITHM, print_bytes.BAND_ALGORITHM)
    }
    codes = np.concatenate([np.frombuffer(value, "<u4") for value in by_name["chromaprint-2"]])
    codes = codes[codes != thresholds.CHROMAPRINT_SILENCE]
    peaks = [print_bytes.read_peaks(value) for value in by_name[print_bytes.LANDMARK_ALGORITHM]]
    bands = np.concatenate([print_bytes.read_codes(value).codes for value in by_name[print_bytes.BAND_ALGORITHM]])
    seconds = sum(int(each.frames[-1]) for each in peaks) * print_bytes.LANDMARK_SECONDS
    pairs = np.concatenate([landmark_pairs.pairs_of_work(each)[0] for each in peaks])
    each_has = round(_SECONDS / thresholds.CHROMAPRINT_CODE_SECONDS)
    held = copies.Copies(np.arange(recordings), np.arange(recordings + 1))
    known = Recordings(
        codes=_dealt(codes, recordings * each_has),
        starts=np.arange(recordings + 1) * each_has,
        copies=held,
        works=np.arange(recordings),
        begins=np.zeros(recordings),
    )
    steps = round(_SECONDS / print_bytes.BAND_SECONDS)
    by_code = _postings((codes & _CHROMAPRINT_BITS).astype(np.uint64), seconds, recordings, each_has)
    by_pair = _postings(pairs, seconds, recordings, steps)
    print(f"{len(by_code.rows) / 1e6:.0f} and {len(by_pair.rows) / 1e6:.0f} million postings", flush=True)
    energies = _dealt(bands, _DIFFERENT * steps)
    some = _peaks_of_one(by_name[print_bytes.LANDMARK_ALGORITHM])
    postings = len(by_code.rows) + len(by_pair.rows)
    size = {
        "million_postings": round(postings / 1e6, 1),
        "gigabytes": round((postings * 8 + known.codes.nbytes + recordings * (steps * 4 + some.nbytes)) / 1e9, 2),
    }
    searchers: dict[str, Searcher] = {
        chromaprint.SPEC.id: ChromaprintSearcher(known, by_code),
        landmark.SPEC.id: LandmarkSearcher(_tracks(held, len(some)), _repeated(some), by_pair),
        bandenergy.SPEC.id: BandSearcher(_tracks(held, steps), _repeated(energies)),
    }
    return Index(searchers, recordings), size


class _Repeated:
    """As many numbers as anyone asks for, of which only the first are held: they are read a part at a time."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def __getitem__(self, part: slice) -> Numbers:
        first = part.start % len(self._numbers)
        return self._numbers[first : first + part.stop - part.start]


def _repeated(numbers: Numbers) -> Numbers:
    return cast("Numbers", _Repeated(numbers))


def _peaks_of_one(values: Sequence[bytes]) -> Numbers:
    """Give the peaks of some recordings, one after the other: as many as one of 4 minutes has."""
    joined, seconds = np.empty(0, np.uint32), 0.0
    for value in values:
        packed = np.frombuffer(value, "<u4", offset=print_bytes.HEADER_BYTES)
        joined = np.concatenate((joined, packed + np.uint32(round(seconds / print_bytes.LANDMARK_SECONDS) << 10)))
        seconds = int(joined[-1] >> 10) * print_bytes.LANDMARK_SECONDS
        if seconds >= _SECONDS:
            break
    return joined


def _tracks(held: copies.Copies, numbers: int) -> Soundtracks:
    rows = np.arange(len(held.entries))
    return soundtracks.Soundtracks(rows, np.zeros(len(rows)), rows, held, np.arange(len(rows) + 1) * numbers)


def _dealt(values: Numbers, count: int) -> Numbers:
    """Repeat real codes until there are enough: none is searched, some are compared."""
    return np.resize(values.astype(np.uint32), count)


def _postings(terms: NDArray[np.uint64], seconds: float, recordings: int, positions: int) -> InvertedIndex:
    """Give each term as many postings as it has in real recordings of so many seconds, times how many there are."""
    dice = np.random.default_rng(2)
    found, counts = np.unique(keys_places.mixed(terms), return_counts=True)
    many = np.rint(counts * (_SECONDS * recordings / seconds)).astype(np.int64)
    starts = np.concatenate(([0], np.cumsum(many)))
    rows, at = np.empty(int(starts[-1]), np.uint32), np.empty(int(starts[-1]), np.uint32)
    for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        steps = dice.random(last - first, dtype=np.float32)
        rows[first:last] = np.sort(steps) * recordings
        at[first:last] = steps[::-1] * positions
    return inverted.InvertedIndex(keys_places.build(found), starts, np.minimum(rows, recordings - 1), at)


if __name__ == "__main__":
    main()
