"""How long landmarks take to propose among many recordings: real pairs of peaks, dealt out to recordings of 4 minutes.

./run bench audio.scale --material FOLDER --recordings 4000
"""

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.audio import material
from fingerprinting.audio import print_bytes
from fingerprinting.audio.decode import Recording
from fingerprinting.audio.landmarks import LandmarkPrinter
from fingerprinting.audio.print_bytes import Peaks
from fingerprinting.index import inverted, landmark_pairs, soundtracks
from fingerprinting.index.landmark import SPEC, LandmarkSearcher
from fingerprinting.types import Fingerprint, Role

_SECONDS = 240
_QUERY_SECONDS = 10
_QUERIES = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--material", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--recordings", type=int, default=4000)
    arguments = parser.parse_args()
    tracks = material.tracks("tuning", arguments.material)
    works = [_peaks(Recording(track.path), Role.WORK) for track in tracks[:40]]
    searcher, postings = _searcher(works, arguments.recordings)
    times = []
    for track in tracks[-_QUERIES:]:
        sound = np.concatenate(list(Recording(track.path)))[: _QUERY_SECONDS * print_bytes.RATE_HZ]
        asked = _peaks([sound], Role.QUERY)
        searcher.propose(asked)
        began = time.process_time()
        searcher.propose(asked)
        times.append(time.process_time() - began)
    print(
        f"{arguments.recordings} recordings, {postings / 1e6:.0f} million pairs: "
        f"{np.median(times) * 1000:.1f} ms of CPU at the median of {len(times)} queries of {_QUERY_SECONDS} s, "
        f"{max(times) * 1000:.1f} at most"
    )


def _peaks(chunks: Recording | list[NDArray[np.int16]], role: Role) -> Peaks:
    printer = LandmarkPrinter(role)
    for chunk in chunks:
        printer.feed(chunk)
    return printer.finish()


def _searcher(works: list[Peaks], recordings: int) -> tuple[LandmarkSearcher, int]:
    """Deal out the pairs of real works to many recordings, at random: the same terms as often, at other places."""
    dice = np.random.default_rng(1)
    terms = np.concatenate([landmark_pairs.pairs(each, landmark_pairs.WORK_FAN)[0] for each in works])
    seconds = sum(int(each.frames[-1]) for each in works) * print_bytes.LANDMARK_SECONDS
    each = round(len(terms) / seconds * _SECONDS)
    steps = round(_SECONDS / print_bytes.BAND_SECONDS)
    rows = np.repeat(np.arange(recordings, dtype=np.uint32), each)
    positions = np.sort(dice.integers(0, steps, (recordings, each), dtype=np.uint32), axis=1).reshape(-1)
    index = inverted.build(dice.choice(terms, len(rows)), rows, positions)
    value = print_bytes.write_peaks(works[0])
    entries = [(row, Fingerprint(SPEC.name, SPEC.version, value)) for row in range(recordings)]
    _, tracks = soundtracks.build(entries, print_bytes.HEADER_BYTES, 4)
    return LandmarkSearcher(tracks, np.empty(0, np.uint32), index), len(rows)


if __name__ == "__main__":
    main()
