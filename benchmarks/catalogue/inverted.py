"""Voting in the inverted index: recordings a second, beside numpy code that copies every posting.

    ./run bench catalogue.inverted --works 300000 --codes 120 --output RESULT.json

Both in one run on one index, one after the other in each round, CPU time of one thread; the median of the rounds
counts, and both must find the same. Half of the assets are excerpts of a work with 30 % of the terms left, half are
strangers. Terms are drawn as unevenly as those of real recordings are: two frames agree once in 2**14.6.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import inverted
from fingerprinting.index.inverted import Hits, InvertedIndex

_TERMS = 1 << 16
_BUDGET = 1 << 21
_VOTES = 4
_KEPT = 0.3
_UNEVEN = 0.45  # of Zipf's law: gives the 14.6 bits
_BIAS = 1 << 31

Terms = NDArray[np.uint64]


def main() -> None:
    arguments = _arguments()
    rng = np.random.default_rng(arguments.seed)
    shares = np.arange(1, _TERMS + 1) ** -_UNEVEN
    shares /= shares.sum()
    names = rng.permutation(_TERMS).astype(np.uint64)

    def draw(count: int) -> Terms:
        return names[np.searchsorted(np.cumsum(shares), rng.random(count))]

    codes = draw(arguments.works * arguments.codes)
    rows = np.repeat(np.arange(arguments.works, dtype=np.uint32), arguments.codes)
    positions = np.tile(np.arange(arguments.codes, dtype=np.uint32), arguments.works)
    inverted.build(codes[:300_000], rows[:300_000], positions[:300_000])  # what is compiled is compiled once
    began = time.process_time()
    index = inverted.build(codes, rows, positions)
    built = time.process_time() - began
    assets, expected = [], []
    for number in range(arguments.assets):
        asset, work = draw(arguments.query), None
        if number % 2 == 0:
            work = int(rng.integers(arguments.works))
            copied = codes[work * arguments.codes :][: arguments.query]
            asset = np.where(rng.random(len(copied)) < _KEPT, copied, asset[: len(copied)])
        assets.append(asset)
        expected.append(work)
    result = {
        "works": arguments.works,
        "codes_a_work": arguments.codes,
        "codes_an_asset": arguments.query,
        "agreement_bits": round(float(-np.log2((shares**2).sum())), 1),
        "build_us_a_posting": round(built / len(codes) * 1e6, 3),
        "bytes_a_posting": round(sum(each.nbytes for each in index.arrays().values()) / len(codes), 2),
        **_measure(index, assets, expected, arguments.rounds),
    }
    print(json.dumps(result, indent=1))
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=300_000)
    parser.add_argument("--codes", type=int, default=120, help="of each work; 1,450 are 3 minutes")
    parser.add_argument("--query", type=int, default=120, help="codes of each asset; 59 are 10 seconds")
    parser.add_argument("--assets", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="write the result as JSON")
    return parser.parse_args()


def _measure(
    index: InvertedIndex, assets: list[Terms], expected: list[int | None], rounds: int
) -> dict[str, float | list[float]]:
    ways: dict[str, Callable[[Terms], Hits]] = {
        "ours": lambda asked: index.agreeing(index.find(asked), _BUDGET, _VOTES, by_offset=True),
        "numpy": lambda asked: index.gather(index.find(asked), _BUDGET),
    }
    for fetch in ways.values():
        _candidates(fetch(assets[0]))
    times: dict[str, list[float]] = {name: [] for name in ways}
    found: dict[str, list[list[tuple[int, int]]]] = {}
    for _ in range(rounds):
        for name, fetch in ways.items():
            began = time.process_time()
            found[name] = [_candidates(fetch(asset)) for asset in assets]
            times[name].append((time.process_time() - began) / len(assets))
    if found["ours"] != found["numpy"]:
        raise AssertionError("both must find the same")
    copies = [(number, work) for number, work in enumerate(expected) if work is not None]
    seen = sum(any(row == work for row, _ in found["ours"][number]) for number, work in copies)
    seconds = {name: statistics.median(times[name]) for name in ways}
    return {
        **{f"{name}_assets_a_second": [round(1 / each, 1) for each in sorted(times[name])] for name in ways},
        "times_as_fast": round(seconds["numpy"] / seconds["ours"], 1),
        "postings_an_asset": round(float(np.mean([_postings(index, asset) for asset in assets]))),
        "recall": seen / max(1, len(copies)),
        "candidates_an_asset": float(np.mean([len(each) for each in found["ours"]])),
    }


def _candidates(hits: Hits) -> list[tuple[int, int]]:
    """Count votes for (row, offset) as the searcher of recordings does."""
    if not len(hits.row):
        return []
    offsets = hits.position - hits.query + _BIAS
    cells, votes = np.unique(hits.row << 32 | offsets, return_counts=True)
    cells = cells[votes >= _VOTES]
    return list(zip((cells >> 32).tolist(), (cells & 0xFFFFFFFF).tolist(), strict=True))


def _postings(index: InvertedIndex, asked: Terms) -> int:
    found = index.find(asked)
    found = found[found >= 0]
    return int((index.starts[found + 1] - index.starts[found]).sum())


if __name__ == "__main__":
    main()
