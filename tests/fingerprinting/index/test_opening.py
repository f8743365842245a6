"""Opening an index costs next to nothing: what is compiled is loaded by the first search and not before."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fingerprinting.index import hamming, keys

pytestmark = pytest.mark.heavy  # the first one in a fresh cache compiles what builds tables

OPEN_AND_ASK = """
import sys, numpy as np
from pathlib import Path
from fingerprinting.index import hamming, keys
tables, known = hamming.open(Path(sys.argv[1])), keys.open(Path(sys.argv[2]))
assert "numba" not in sys.modules, "opening loaded numba"
assert len(tables) == 20_000 and tables.width == 32 and len(known) == 150_000
assert tables.search(np.zeros((1, 32), np.uint8), 0).row.tolist() == [7]
assert "numba" in sys.modules, "these were meant to be large enough"
"""


def test_large_indexes_are_opened_without_numba(tmp_path: Path, rng: np.random.Generator) -> None:
    hashes = rng.integers(0, 256, (20_000, 32), dtype=np.uint8)
    hashes[7] = 0
    hamming.build(hashes).save(tmp_path / "hashes")
    keys.build(np.arange(150_000, dtype=np.uint64)).save(tmp_path / "keys")

    words = [sys.executable, "-c", OPEN_AND_ASK, str(tmp_path / "hashes"), str(tmp_path / "keys")]
    subprocess.run(words, check=True)
