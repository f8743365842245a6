"""A compact filter of 64-bit keys: "certainly not there", or "very likely there", in about nine bits a key.

For clients that can't hold the keys themselves. What it lets through is confirmed by an exact lookup; what it keeps
back is certainly not among the keys: it never loses one. With 8 bits it takes 1.13 bytes a key and lets 1 of 256 others
through, with 16 bits twice as much and 1 of 65,536.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fingerprinting.index import folder as folders
from fingerprinting.index import keys_places

_KIND = "fuse"
_LAYOUT = 1
_TYPES: Mapping[int, np.dtype[Any]] = {8: np.dtype(np.uint8), 16: np.dtype(np.uint16)}
_COMPILED_FROM_KEYS = 20_000
_LONGEST_SEGMENT = 1 << 18
_MOST_PLACES = (1 << 32) - 1
_TRIES = 64  # each fails with a chance of a few per cent, unless somebody chose keys against the first seeds
_HALF, _LOW_HALF = np.uint64(32), np.uint64(0xFFFFFFFF)

Bits = Literal[8, 16]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where keys have their places.

    Attributes:
        segment: places in a segment, a power of two.
        segments: segments that a key can begin in; there are two more.
        seed: added to each key before it is mixed.
    """

    segment: int
    segments: int
    seed: int

    @property
    def size(self) -> int:
        """Places in all."""
        return self.segment * (self.segments + 2)

    def mixed(self, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Mix keys, by a bijection that the seed chooses."""
        return keys_places.mixed(keys + np.uint64(self.seed))

    def places(self, mixed: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Give the three places of each of N mixed keys. Shape (N, 3)."""
        segment, length = np.uint64(self.segment), np.uint64(self.segment * self.segments)
        first = ((mixed >> _HALF) * length + (((mixed & _LOW_HALF) * length) >> _HALF)) >> _HALF
        mask = segment - np.uint64(1)
        second = (first + segment) ^ ((mixed >> np.uint64(18)) & mask)
        third = (first + np.uint64(2) * segment) ^ (mixed & mask)
        return np.stack([first, second, third], axis=1).astype(np.int64)


class FuseFilter:
    """A filter of N distinct keys. Made by `build` or `open`. Immutable; safe to ask from several threads."""

    def __init__(self, keys: int, shape: _Shape, fingerprints: NDArray[Any]) -> None:
        self._keys = keys
        self._shape = shape
        self._fingerprints = fingerprints

    def __len__(self) -> int:
        """How many distinct keys it was made of."""
        return self._keys

    @property
    def bits(self) -> int:
        """Bits kept a place: 1 of 2**bits keys that are not there passes."""
        return self._fingerprints.dtype.itemsize * 8

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return self._fingerprints.nbytes

    def contains(self, queries: ArrayLike) -> NDArray[np.bool_]:
        """Say for each of Q keys (uint64, shape (Q,)) whether it may be there: False is certain. Shape (Q,)."""
        asked = keys_places.as_keys(queries)
        if not self._keys:
            return np.zeros(len(asked), dtype=np.bool_)
        if self._keys < _COMPILED_FROM_KEYS:
            mixed = self._shape.mixed(asked)
            there = np.bitwise_xor.reduce(self._fingerprints[self._shape.places(mixed)], axis=1)
            found: NDArray[np.bool_] = there == _values(mixed).astype(self._fingerprints.dtype)
            return found
        from fingerprinting.index import fuse_kernels  # noqa: PLC0415 - loads numba

        passed = np.empty(len(asked), dtype=np.bool_)
        shape = (np.uint64(self._shape.segment), np.uint64(self._shape.segments), np.uint64(self._shape.seed))
        kept = np.uint64((1 << self.bits) - 1)
        fuse_kernels.contains(self._fingerprints, kept, *shape, np.ascontiguousarray(asked), passed)
        return passed

    def save(self, folder: str | PathLike[str]) -> None:
        """Write it into a new folder.

        Raises:
            FileExistsError: there is something at that place.
        """
        shape = {"segment": self._shape.segment, "segments": self._shape.segments, "seed": self._shape.seed}
        with folders.new_folder(folder) as scratch:
            parameters = {"layout": _LAYOUT, "keys": self._keys, **shape}
            folders.write(scratch, _KIND, {"fingerprints": self._fingerprints}, parameters)


def build(keys: ArrayLike, bits: Bits = 8) -> FuseFilter:
    """Make a filter of keys (uint64, shape (N,)); equal ones count once.

    Raises:
        ValueError: not a one-dimensional array of unsigned 64-bit integers, too many of them, or other `bits`.
    """
    if bits not in _TYPES:
        raise ValueError(f"a filter keeps 8 or 16 bits a key, not {bits}")
    given = keys_places.as_keys(keys)
    keys_places.check_number(len(given))
    distinct = 0
    for attempt in range(_TRIES):
        shape = _shape(distinct or len(given), attempt)
        mixed, _ = keys_places.ascending(shape.mixed(given))
        mixed = mixed[np.append(True, mixed[1:] != mixed[:-1])] if len(mixed) else mixed
        if len(mixed) < len(given) and not distinct:
            shape = _shape(len(mixed), attempt)  # the same seed, so the same mixed keys
        distinct = len(mixed)
        if shape.size > _MOST_PLACES:
            raise ValueError(f"a filter holds at most 3,800,000,000 keys, not {distinct:,}: make several of them")
        fingerprints = np.zeros(shape.size, dtype=_TYPES[bits])
        fill = _fill if distinct < _COMPILED_FROM_KEYS else _fill_many
        if fill(mixed, shape, fingerprints):
            return FuseFilter(distinct, shape, fingerprints)
    raise ValueError("these keys were chosen so that no filter can be made of them")


def open(folder: str | PathLike[str], *, verify: bool = True) -> FuseFilter:  # noqa: A001 - `fuse.open` is its public name
    """Open what `FuseFilter.save` wrote, memory-mapped.

    Raises:
        CorruptIndexError: incomplete, altered or of an unknown format.
    """
    folder = Path(folder)
    contents = folders.read(folder, _KIND, verify=verify)
    parameters, fingerprints = contents.parameters, contents.arrays.get("fingerprints")
    if fingerprints is None or fingerprints.dtype not in _TYPES.values() or fingerprints.ndim != 1:
        raise folders.corrupt(folder, "fingerprints.npy is missing or of another type")
    folders.require_layout(folder, contents, _LAYOUT)
    if not parameters.keys() >= {"keys", "segment", "segments", "seed"}:
        raise folders.corrupt(folder, f"{folders.MANIFEST} lacks a part")
    shape = _Shape(parameters["segment"], parameters["segments"], parameters["seed"])
    # What is read by position without a check must not lead outside of the array.
    well_formed = (
        0 < shape.segment <= _LONGEST_SEGMENT
        and shape.segment.bit_count() == 1
        and shape.segments > 0
        and 0 <= shape.seed < 1 << 64
        and shape.size == len(fingerprints) <= _MOST_PLACES
        and 0 <= parameters["keys"] <= len(fingerprints)
    )
    if not well_formed:
        raise folders.corrupt(folder, "its parts do not belong together")
    return FuseFilter(parameters["keys"], shape, fingerprints)


def _shape(keys: int, attempt: int) -> _Shape:
    """Choose the segments for so many keys.

    Source: sizes as in the authors' own program, by which nearly every first attempt succeeds.
    """
    several = max(keys, 2)
    segment = min(_LONGEST_SEGMENT, 1 << int(math.log(several) / math.log(3.33) + 2.25))
    factor = max(1.125, 0.875 + 0.25 * math.log(1_000_000) / math.log(several))
    segments = max(1, -(-round(keys * factor) // segment) - 2)
    seed = keys_places.mixed(np.array([attempt + 1], dtype=np.uint64))
    return _Shape(segment, segments, int(seed[0]))


def _values(mixed: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values: NDArray[np.uint64] = mixed ^ (mixed >> _HALF)
    return values


def _fill(mixed: NDArray[np.uint64], shape: _Shape, fingerprints: NDArray[Any]) -> bool:
    """Give every key its value, round by round: those that are alone at a place now are set after all others."""
    places = shape.places(mixed)
    left = np.arange(len(mixed))
    rounds: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    while len(left):
        alone = np.bincount(places[left].ravel(), minlength=shape.size)[places[left]] == 1
        free = alone.any(axis=1)
        if not free.any():
            return False
        rounds.append((left[free], alone[free].argmax(axis=1)))
        left = left[~free]
    values = _values(mixed).astype(fingerprints.dtype)
    for keys, own in reversed(rounds):
        there = np.bitwise_xor.reduce(fingerprints[places[keys]], axis=1)
        fingerprints[places[keys, own]] = values[keys] ^ there
    return True


def _fill_many(mixed: NDArray[np.uint64], shape: _Shape, fingerprints: NDArray[Any]) -> bool:
    """Do the same as `_fill`, key by key, compiled."""
    from fingerprinting.index import fuse_kernels  # noqa: PLC0415 - loads numba

    segment, segments = np.uint64(shape.segment), np.uint64(shape.segments)
    order, which = np.empty(len(mixed), np.uint64), np.empty(len(mixed), np.uint8)
    if not fuse_kernels.peel(mixed, segment, segments, order, which):
        return False
    fuse_kernels.assign(order, which, segment, segments, fingerprints)
    return True
