"""What walling a decoder in costs: the same small pictures, fingerprinted in this process and in the sandbox.

    python -m benchmarks.sandbox [--pictures 200] [--output RESULT.json]

It is measured with every wall that this machine has, and again without bubblewrap. Pictures are JPEGs of 320 x 240
made here, each different; the two ways take turns, so that whatever else the machine does disturbs both.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from fingerprinting.extract import extract
from fingerprinting.types import Role
from workers import sandbox

_WARM_UP = 10


def main() -> None:
    arguments = _arguments()
    if arguments.one_way:
        print(json.dumps(_measured(arguments.pictures)))
        return
    paths = {"all walls": os.environ["PATH"]}
    if shutil.which("bwrap") is not None:
        paths["without bubblewrap"] = "/nowhere"
    found = {name: _in_a_process_with(path, arguments.pictures) for name, path in paths.items()}
    for name, figures in found.items():
        print(f"{name}: {figures['isolation']}")
        print(f"  in this process {figures['in_process_ms']:.1f} ms, in the sandbox {figures['sandboxed_ms']:.1f} ms")
        print(f"  overhead: median {figures['overhead_ms']:.1f} ms, 95 % below {figures['overhead_p95_ms']:.1f} ms")
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench sandbox", description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=200, help="how many pictures (default: 200)")
    parser.add_argument("--output", type=Path, help="a JSON file for the figures")
    parser.add_argument("--one-way", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process_with(path: str, pictures: int) -> dict[str, float | str]:
    """Measure in a process that finds programs along a path: what it chooses as a sandbox, it keeps."""
    command = [sys.executable, "-m", "benchmarks.sandbox", "--one-way", "--pictures", str(pictures)]
    # One thread for linear algebra, as in the sandbox, or it is the threads that are measured.
    environment = {**os.environ, "PATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, float | str] = json.loads(ended.stdout)
    return found


def _measured(pictures: int) -> dict[str, float | str]:
    here: list[float] = []
    there: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(pictures + _WARM_UP):
            path = _picture(Path(folder), number)
            started = time.perf_counter()
            extract(path, role=Role.QUERY)
            between = time.perf_counter()
            sandbox.extract(path, role=Role.QUERY)
            here.append(1000 * (between - started))
            there.append(1000 * (time.perf_counter() - between))
    here, there = here[_WARM_UP:], there[_WARM_UP:]
    overhead = sorted(mine - theirs for theirs, mine in zip(here, there, strict=True))
    return {
        "isolation": sandbox.isolation().sentence,
        "in_process_ms": statistics.median(here),
        "sandboxed_ms": statistics.median(there),
        "overhead_ms": statistics.median(overhead),
        "overhead_p95_ms": overhead[int(0.95 * len(overhead))],
    }


def _picture(folder: Path, seed: int) -> Path:
    blocks = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    path = folder / f"{seed}.jpg"
    Image.fromarray(blocks).resize((320, 240), Image.Resampling.BICUBIC).save(path, quality=85)
    return path


if __name__ == "__main__":
    main()
