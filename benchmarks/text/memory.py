"""What an index of texts takes: beside its fingerprints while it is built, on the disk, and while it is merged."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fingerprinting.index.segment import Index
from fingerprinting.text.fingerprints import VERSION
from fingerprinting.text.shingle_bytes import HASH_BITS, Shingles
from fingerprinting.types import Fingerprint

_WAYS = ("memory", "disk")
_MIB = 1 << 20


def show(mebibytes: float, shingles: int) -> None:
    """Print a table: of so many MiB of fingerprints of so many shingles each, built in both ways, each in a process."""
    print("| built | beside the fingerprints | index | read for a merge |")
    print("|---|---|---|---|")
    for way in _WAYS:
        command = [sys.executable, "-m", "benchmarks.text.memory", way, str(mebibytes), str(shingles)]
        sizes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        told = [f"{float(size):.0f} MiB ({float(size) / mebibytes:.2f})" for size in sizes]
        print(f"| in {way} | {' | '.join(told)} |")


def _entries(mebibytes: float, shingles: int) -> Iterator[tuple[int, Fingerprint]]:
    rng = np.random.default_rng(1)
    positions = np.arange(shingles, dtype=np.uint32)
    made = work = 0
    while made < mebibytes * _MIB:
        value = Shingles(rng.integers(0, 1 << HASH_BITS, shingles, dtype=np.uint32), positions, shingles).pack()
        yield work, Fingerprint("shingle-3", VERSION, value)
        made, work = made + len(value), work + 1


def _measure(way: str, mebibytes: float, shingles: int) -> Iterator[float]:
    from fingerprinting.index import postings_kernels  # noqa: F401, PLC0415 - loaded before anything is measured

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "index"
        held = list(_entries(mebibytes, shingles)) if way == "memory" else []
        before = _peak()
        if way == "memory":
            index = Index.build(held, is_valid=True)
            yield _peak() - before
            index.save(place)
        else:
            Index.write(place, _entries(mebibytes, shingles))
            yield _peak() - before
        yield sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) / _MIB
        before = _peak()
        for _ in Index.open(place, verify=False).entries():
            pass
        yield max(0.0, _peak() - before)


def _peak() -> float:
    """MiB that this process has had at most."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    for size in _measure(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])):
        print(size)
