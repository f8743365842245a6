"""The Hamming index beside others: one core, CPU time, the same data, taking turns, recall beside speed.

    ./run bench catalogue.hamming [--rows 10000000] [--queries 200000] [--output RESULT.json]

Peers: faiss's IndexBinaryFlat (a scan of everything, by vector instructions) and threatexchange's PDQIndex (what HMA
searches with, over faiss's IndexBinaryMultiHash). All find every hash within the radius; what they found is compared.
With NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx2,+popcnt,+bmi,+bmi2,+fma,+avx,+sse4.2 in the environment our kernels
use AVX2 only, as on a processor without AVX-512; faiss goes on using all that there is.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Whatever was set for other programs' linear algebra must not decide what is measured here.
for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(_name, None)

import faiss  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from threatexchange.signal_type.pdq.pdq_index import PDQIndex  # noqa: E402

from benchmarks.catalogue.hamming_data import Batch, batch, clustered, uniform  # noqa: E402
from fingerprinting.index import hamming, kernels  # noqa: E402
from fingerprinting.index.hamming import HammingIndex, Mode  # noqa: E402

_SCANNED = 200  # queries are enough to time a scan, which takes each one by itself
_SINGLE = 300
_FLOORS = {
    "uniform": 1000,
    "clustered, any": 1000,
    "clustered, all": 300,
    "batch of 1,000": 250,
    "64 bits, clustered": 600,
    "single, PDQIndex": 30,
}


def main() -> None:
    arguments = _arguments()
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[arguments.core]})
    faiss.omp_set_num_threads(1)
    warmup = [(one.module, round(one.seconds, 2)) for one in kernels.compile_all()]
    result: dict[str, Any] = {
        "rows": arguments.rows,
        "queries": arguments.queries,
        "rounds": arguments.rounds,
        "seed": arguments.seed,
        "cpu": _cpu(),
        "kernels_for": os.environ.get("NUMBA_CPU_NAME", "this processor"),
        "load": os.getloadavg()[0],
        "versions": {"faiss": faiss.__version__, "numpy": np.__version__},
        "compiled_s": dict(warmup),
        "cases": {},
    }
    rng = np.random.default_rng(arguments.seed)
    for part in (_uniform, _clustered, _short, _single):
        if arguments.only and part.__name__.strip("_") not in arguments.only:
            continue
        for name, figures in part(rng, arguments).items():
            result["cases"][name] = figures
            print(f"{name}: {json.dumps(figures)}", flush=True)
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench catalogue.hamming", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="hashes in the index (default: 10,000,000)")
    parser.add_argument("--queries", type=int, default=200_000, help="in the large batches (default: 200,000)")
    parser.add_argument(
        "--single-rows", type=int, default=1_000_000, help="hashes beside PDQIndex (default: 1,000,000)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many counts (default: 3)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--core", type=int, default=0, help="which of the cores that we may use")
    parser.add_argument("--only", nargs="*", choices=["uniform", "clustered", "short", "single"])
    parser.add_argument("--output", type=Path, help="a JSON file for the figures")
    return parser.parse_args()


def _uniform(rng: np.random.Generator, arguments: argparse.Namespace) -> dict[str, Any]:
    hashes = uniform(rng, arguments.rows, 32)
    index, built = _built(hashes)
    flat = _flat(hashes)
    large = batch(rng, hashes, arguments.queries, 31)
    small = batch(rng, hashes, 1000, 31)
    return {
        "index": {**built, **_opened(index, small)},
        "uniform": _beside_flat("uniform", index, flat, large, 31, "all", arguments.rounds),
        "batch of 1,000": _beside_flat("batch of 1,000", index, flat, small, 31, "all", arguments.rounds),
    }


def _clustered(rng: np.random.Generator, arguments: argparse.Namespace) -> dict[str, Any]:
    hashes, centres = clustered(rng, arguments.rows, 32, 31)
    index, _ = _built(hashes)
    flat = _flat(hashes)
    asked = batch(rng, hashes, arguments.queries, 31, centres)
    modes: tuple[Mode, ...] = ("any", "best", "all")
    return {
        f"clustered, {mode}": _beside_flat(f"clustered, {mode}", index, flat, asked, 31, mode, arguments.rounds)
        for mode in modes
    }


def _short(rng: np.random.Generator, arguments: argparse.Namespace) -> dict[str, Any]:
    hashes, centres = clustered(rng, arguments.rows, 8, 6)
    index, built = _built(hashes)
    asked = batch(rng, hashes, arguments.queries, 6, centres)
    name = "64 bits, clustered"
    return {"64 bits, index": built, name: _beside_flat(name, index, _flat(hashes), asked, 6, "all", arguments.rounds)}


def _single(rng: np.random.Generator, arguments: argparse.Namespace) -> dict[str, Any]:
    """One query at a time, each a call of its own."""
    hashes = uniform(rng, arguments.single_rows, 32)
    index, _ = _built(hashes)
    peer = PDQIndex((one.tobytes().hex(), row) for row, one in enumerate(hashes))
    asked = batch(rng, hashes, _SINGLE, 31)
    texts = [one.tobytes().hex() for one in asked.queries]
    ours: list[Any] = []
    theirs: list[Any] = []

    def ask_us() -> None:
        ours[:] = [index.search(asked.queries[number : number + 1], 31) for number in range(_SINGLE)]

    def ask_them() -> None:
        theirs[:] = [peer.query(text) for text in texts]

    seconds = _taking_turns([ask_us, ask_them], arguments.rounds)
    found = {(query, row) for query, pairs in enumerate(ours) for row in pairs.row.tolist()}
    known = {(query, match.metadata) for query, matches in enumerate(theirs) for match in matches}
    rates = [[_SINGLE / one for one in each] for each in seconds]
    return {
        "single, PDQIndex": {
            **_speeds(rates, "single, PDQIndex"),
            "recall_of_what_the_peer_found": len(found & known) / max(1, len(known)),
            "not_found_by_the_peer": len(found - known),
            **_recall_of_planted(asked, found),
        }
    }


def _built(hashes: NDArray[np.uint8]) -> tuple[HammingIndex, dict[str, float]]:
    started = time.process_time()
    index = hamming.build(hashes)
    seconds = time.process_time() - started
    tables = index._tables  # noqa: SLF001 - nothing else has to know what they take
    size = sum(array.nbytes for array in tables) if tables is not None else hashes.nbytes
    return index, {
        "build_us_a_hash": round(seconds / len(hashes) * 1e6, 3),
        "bytes_a_hash": round(size / len(hashes), 1),
    }


def _opened(index: HammingIndex, asked: Batch) -> dict[str, float]:
    """How long it takes to open a saved index, without comparing checksums, and to answer its first batch."""
    with tempfile.TemporaryDirectory() as folder:
        index.save(Path(folder) / "index")
        started = time.perf_counter()
        opened = hamming.open(Path(folder) / "index", verify=False)
        open_ms = (time.perf_counter() - started) * 1e3
        started = time.process_time()
        opened.search(asked.queries, 31)
        first_ms = (time.process_time() - started) * 1e3
        return {"open_ms": round(open_ms, 1), "first_batch_of_1000_cpu_ms": round(first_ms)}


def _flat(hashes: NDArray[np.uint8]) -> Any:
    flat = faiss.IndexBinaryFlat(hashes.shape[1] * 8)
    flat.add(hashes)
    return flat


def _beside_flat(
    name: str, index: HammingIndex, flat: Any, asked: Batch, radius: int, mode: Mode, rounds: int
) -> dict[str, Any]:
    sample = np.unique(np.concatenate([asked.planted[:20], np.arange(min(_SCANNED, len(asked.queries)))]))[:_SCANNED]
    found: list[Any] = [None, None]

    def ask_us() -> None:
        found[0] = index.search(asked.queries, radius, mode)

    def ask_flat() -> None:
        found[1] = flat.range_search(asked.queries[sample], radius + 1)  # below that distance

    ask_us()
    seconds = _taking_turns([ask_us, ask_flat], rounds)
    rates = [[len(asked.queries) / one for one in seconds[0]], [len(sample) / one for one in seconds[1]]]
    pairs = found[0]
    ours = set(zip(pairs.query.tolist(), pairs.row.tolist(), pairs.distance.tolist(), strict=True))
    ends, distances, labels = found[1]
    truth = {
        (int(query), int(labels[at]), int(distances[at]))
        for number, query in enumerate(sample)
        for at in range(int(ends[number]), int(ends[number + 1]))
    }
    here = {pair for pair in ours if pair[0] in set(sample.tolist())}
    if mode == "all":
        recall = len(here & truth) / max(1, len(truth))
        planted = _recall_of_planted(asked, {(query, row) for query, row, _ in ours})
    else:
        recall = len({pair[0] for pair in here}) / max(1, len({pair[0] for pair in truth}))
        planted = {"planted_found": float(np.isin(asked.planted, pairs.query).mean())}
    return {
        **_speeds(rates, name),
        "pairs_a_query": round(len(ours) / len(asked.queries), 2),
        "recall": recall,
        "false_pairs": len(here - truth),
        **planted,
    }


def _recall_of_planted(asked: Batch, found: set[tuple[int, int]]) -> dict[str, float]:
    members = list(zip(asked.planted.tolist(), asked.rows.tolist(), strict=True))
    return {"planted_found": sum(each in found for each in members) / max(1, len(members))}


def _taking_turns(ways: list[Callable[[], None]], rounds: int) -> list[list[float]]:
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, each in zip(ways, seconds, strict=True):
            started = time.process_time()
            way()
            each.append(time.process_time() - started)
    return seconds


def _speeds(rates: list[list[float]], name: str) -> dict[str, Any]:
    ours, theirs = (statistics.median(each) for each in rates)
    return {
        "ours_per_cpu_s": round(ours),
        "ours_range": [round(min(rates[0])), round(max(rates[0]))],
        "peer_per_cpu_s": round(theirs, 2),
        "peer_range": [round(min(rates[1]), 2), round(max(rates[1]), 2)],
        "times_as_fast": round(ours / theirs, 1),
        "floor": _FLOORS.get(name),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


if __name__ == "__main__":
    main()
