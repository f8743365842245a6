"""Codes of 128 bits in lists of like ones, so that the nearest are found without looking at all of them."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index.folder import Array

COARSE: Final = 256
FINE: Final = 65_536
CENTRES: Final = Path(__file__).parent / "sift-itq-128.v1.centres.npy"
"""256 coarse centres, then 256 fine ones below each."""

_WHOLE: Final = 20_000
"""So many codes or fewer are scanned whole: that is quicker than to choose lists."""

MOST_CODES: Final = (1 << 32) - 1  # rows and positions are 32-bit numbers

PARENTS: Final = 8
PROBES: Final = 48

SHAPES: Final = {"codes": ("<u8", 2), "rows": ("<u4", 1), "starts": ("<i8", 1)}


@dataclass(frozen=True, slots=True)
class CodeLists:
    """C codes, list by list.

    Attributes:
        codes: uint64, shape (C, 2).
        rows: uint32, shape (C,): whose each is.
        starts: int64, shape (FINE + 1,), or (2,) where there is one list.
    """

    codes: NDArray[np.uint64]
    rows: NDArray[np.uint32]
    starts: NDArray[np.int64]

    def find(
        self, asked: NDArray[np.uint64], wanted: int, most: int, passed: NDArray[np.uint8] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Find the `wanted` nearest codes of each of Q, within `most` bits. `passed` has 1 for rows that don't count.

        Returns:
            Positions among the codes, shape (Q, wanted), -1 where there are fewer; and distances.
        """
        from fingerprinting.index import feature_kernels  # noqa: PLC0415 - numba takes half a second to load

        found = np.empty((len(asked), wanted), np.int64)
        distances = np.empty((len(asked), wanted), np.uint8)
        coarse, fine = _halves()
        feature_kernels.find(
            np.ascontiguousarray(asked),
            coarse,
            fine,
            self._idle(),
            self.starts,
            self.codes,
            self.rows,
            np.empty(0, np.uint8) if passed is None else passed,
            PARENTS,
            PROBES,
            most,
            found,
            distances,
        )
        return found, distances

    def _idle(self) -> NDArray[np.uint8]:
        """Which lists hold nothing, as `feature_kernels.find` wants it."""
        from fingerprinting.index import feature_kernels  # noqa: PLC0415 - as above

        return np.where(self.starts[1:] > self.starts[:-1], 0, feature_kernels.IDLE).astype(np.uint8)

    def arrays(self) -> dict[str, Array]:
        """Give the arrays to be saved, by name."""
        return {"codes": self.codes, "rows": self.rows, "starts": self.starts}

    def parameters(self) -> dict[str, int]:
        """Give what the lists depend on: of which centres they are, where there is more than one list."""
        return {"centres": centres_id()} if len(self.starts) == FINE + 1 else {}

    def fits(self) -> bool:
        """Say whether the arrays belong together. For what was read from a disk."""
        count = len(self.codes)
        lengths = len(self.starts) in (2, FINE + 1) and self.codes.shape == (count, 2) and self.rows.shape == (count,)
        if not lengths or int(self.starts[0]) != 0 or int(self.starts[-1]) != count:
            return False
        return bool((np.diff(self.starts) >= 0).all())


def build(codes: NDArray[np.uint64], rows: NDArray[np.uint32]) -> tuple[CodeLists, NDArray[np.uint32]]:
    """Sort codes into lists; the second result says where each has come to lie.

    Raises:
        ValueError: there are more than can be numbered.
    """
    if len(codes) > MOST_CODES:
        raise ValueError(
            f"an index holds at most {MOST_CODES:,} local features, not {len(codes):,}: make several of them"
        )
    if len(codes) <= _WHOLE:
        return CodeLists(codes, rows, np.array([0, len(codes)], np.int64)), np.arange(len(codes), dtype=np.uint32)
    from fingerprinting.index import feature_kernels  # noqa: PLC0415 - numba takes half a second to load

    coarse, fine = centres()
    lists = np.empty(len(codes), np.uint16)
    feature_kernels.assign(np.ascontiguousarray(codes), coarse, fine, 2, lists)
    order = np.argsort(lists, kind="stable")
    starts = np.zeros(FINE + 1, np.int64)
    np.cumsum(np.bincount(lists, minlength=FINE), out=starts[1:])
    places = np.empty(len(codes), np.uint32)
    places[order] = np.arange(len(codes), dtype=np.uint32)
    return CodeLists(codes[order], rows[order], starts), places


@cache
def centres_id() -> int:
    """Give a number that stands for the centres: the first 48 bits of the SHA-256 of their file."""
    return int.from_bytes(hashlib.sha256(CENTRES.read_bytes()).digest()[:6], "big")


@cache
def centres() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Load the coarse and the fine centres."""
    stored = np.load(CENTRES, allow_pickle=False).astype(np.uint64)
    return np.ascontiguousarray(stored[:COARSE]), np.ascontiguousarray(stored[COARSE:])


@cache
def _halves() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The same with the first halves of all before their second ones, shapes (2 * 256,) and (2 * 65536,)."""
    coarse, fine = centres()
    return coarse.T.ravel(), fine.T.ravel()
