"""Exact keys and filters: nanoseconds a lookup in a batch, bytes a key, keys lost and strangers let through.

    ./run bench catalogue.keys --keys 10000000 --output RESULT.json

All of them in one run, one after the other in each round, CPU time of one thread; the median of the rounds counts. Half
of the queries are keys and half are strangers ("half"), or all are strangers ("strangers"), as for nearly all of what a
pipeline asks. Peers that want Python lists get them made beforehand. Ours is asked in memory and from a mapped file.
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

import numpy as np

from benchmarks.catalogue.keys_peers import PEERS, Keys, OurFuse8, OurKeys, Peer
from fingerprinting.index import fuse, keys


def main() -> None:
    arguments = _arguments()
    for variable in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    rng = np.random.default_rng(arguments.seed)
    given = rng.integers(0, 2**64, arguments.keys, dtype=np.uint64)
    strangers = rng.integers(0, 2**64, arguments.queries, dtype=np.uint64)  # one of them in 10^12 is a key by chance
    half = np.concatenate([rng.choice(given, arguments.queries // 2), strangers[: arguments.queries // 2]])
    rng.shuffle(half)
    queries = {"half": half, "strangers": strangers}
    measured = {}
    for kind in PEERS:
        if arguments.only and not any(name in kind.name for name in arguments.only):
            continue
        built = _built(kind, given)
        if built is not None:
            measured[kind.name] = built
    with tempfile.TemporaryDirectory() as folder:
        measured |= _mapped(Path(folder), measured)
        rows = _measure(measured, queries, given, arguments.rounds)
    result = {"keys": len(given), "queries": len(half), "rounds": arguments.rounds, "rows": rows}
    _print(result)
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=10_000_000)
    parser.add_argument("--queries", type=int, default=1_000_000, help="in one batch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="peers with this in their names")
    parser.add_argument("--output", type=Path, help="write the result as JSON")
    return parser.parse_args()


def _cpu(action: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    answer = action()
    return time.process_time() - began, answer


def _built(kind: type[Peer], given: Keys) -> tuple[Peer, float] | None:
    """Build a peer; None where it is not installed."""
    peer = kind()
    try:
        if isinstance(peer, OurKeys | OurFuse8):
            peer.build(given[:200_000])  # what is compiled is compiled once a machine, not once an index
        prepared = peer.prepare(given)
        seconds, _ = _cpu(lambda: peer.build(prepared))
    except ImportError as error:
        print(f"left out: {kind.name}: {error}")
        return None
    return peer, seconds


def _mapped(folder: Path, measured: dict[str, tuple[Peer, float]]) -> dict[str, tuple[Peer, float]]:
    """Save ours and open it again: the same, from mapped files."""
    mapped: dict[str, tuple[Peer, float]] = {}
    for name, (peer, _) in measured.items():
        place = folder / str(len(mapped))
        again = type(peer)()
        if isinstance(peer, OurKeys) and isinstance(again, OurKeys):
            peer.index.save(place)
            seconds, again.index = _cpu(lambda place=place: keys.open(place, verify=False))
        elif isinstance(peer, OurFuse8) and isinstance(again, OurFuse8):
            peer.filter.save(place)
            seconds, again.filter = _cpu(lambda place=place: fuse.open(place, verify=False))
        else:
            continue
        mapped[f"{name}, mapped"] = (again, seconds)
    return mapped


def _measure(
    measured: dict[str, tuple[Peer, float]], queries: dict[str, Keys], given: Keys, rounds: int
) -> list[dict[str, Any]]:
    times: dict[tuple[str, str], list[float]] = {}
    answers: dict[tuple[str, str], Any] = {}
    prepared: dict[tuple[str, str], Any] = {}
    for name, (peer, _) in measured.items():
        for case, asked in queries.items():
            part = asked[: int(len(asked) * peer.share)]
            prepared[name, case] = peer.prepare(part)
    for _ in range(rounds):
        for case, asked in queries.items():
            for name, (peer, _) in measured.items():
                values = prepared[name, case]
                seconds, answer = _cpu(lambda peer=peer, values=values: peer.ask(values))
                times.setdefault((name, case), []).append(seconds / (len(asked) * peer.share) * 1e9)
                answers[name, case] = np.asarray(answer, dtype=np.bool_)
    is_key = np.isin(queries["half"], given)
    rows = []
    for name, (peer, seconds) in measured.items():
        half, strangers = answers[name, "half"], answers[name, "strangers"]
        lost = int((~half & is_key[: len(half)]).sum())
        if lost and name.startswith("ours"):
            raise AssertionError(f"{name} lost {lost} keys")
        if peer.exact and strangers.any():
            raise AssertionError(f"{name} took a stranger for a key")
        rows.append(
            {
                "name": name,
                "bytes_a_key": round(peer.nbytes() / len(given), 2),
                "build_us_a_key": None if name.endswith("mapped") else round(seconds / len(given) * 1e6, 3),
                "open_ms": round(seconds * 1e3, 1) if name.endswith("mapped") else None,
                **{
                    f"{case}_ns": [round(statistics.median(times[name, case]), 1), round(min(times[name, case]), 1)]
                    for case in queries
                },
                "recall": 1 - lost / int(is_key[: len(half)].sum()),
                "let_through": float(strangers.mean()),
            }
        )
    return rows


def _print(result: dict[str, Any]) -> None:
    print(
        f"{result['keys']:,} keys, batches of {result['queries']:,}; ns a lookup: median (least) of {result['rounds']}"
    )
    print(f"{'':38}{'B/key':>7}{'build us':>10}{'half':>16}{'strangers':>16}{'recall':>9}{'let through':>13}")
    for row in result["rows"]:
        half, strangers = ("{} ({})".format(*row[f"{case}_ns"]) for case in ("half", "strangers"))
        build = row["build_us_a_key"] if row["build_us_a_key"] is not None else "-"
        print(
            f"{row['name']:38}{row['bytes_a_key']:>7}{build:>10}{half:>16}{strangers:>16}"
            f"{row['recall']:>9.6f}{row['let_through']:>13.6f}"
        )


if __name__ == "__main__":
    main()
