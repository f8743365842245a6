"""Where a 64-bit key stands among sorted ones: a binary search for few keys, compiled blocks of tags for many."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fingerprinting.index import folder as folders
from fingerprinting.index.folder import Array, FolderContents
from fingerprinting.index.kernels_layout import BLOCK_BYTES, KEY_BYTES, MULTIPLIER

_COMPILED_FROM_KEYS = 150_000  # below it a search in numpy takes no longer than half a second for a million keys
_KEYS_A_BLOCK = 36  # of 59 that fit: 8.8 bytes a key, and one block of 6,000 is overfull
_FEWEST_BLOCKS = 257  # with fewer, a block would not imply the first byte of its keys
MOST_KEYS = (1 << 32) - 1
_MULTIPLIER = np.uint64(MULTIPLIER)
_INVERSE = np.uint64(pow(MULTIPLIER, -1, 1 << 64))
_HALF = np.uint64(32)
_LOW = np.uint64((1 << 56) - 1)


class Places(Protocol):
    """N keys in the order of their mixed values. Made by `build` or `read`."""

    def __len__(self) -> int: ...

    def locate(self, asked: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Give the first position of each of Q keys; -1 where it is not there. Shape (Q,)."""
        ...

    def contains(self, asked: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Say for each of Q keys whether it is there. Shape (Q,)."""
        ...

    def runs(self, asked: NDArray[np.uint64], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Count the keys equal to each of Q keys, given what `locate` says of them. Shape (Q,)."""
        ...

    def keys(self) -> NDArray[np.uint64]:
        """Give the keys themselves, in their order here."""
        ...

    def arrays(self) -> Mapping[str, Array]:
        """Give the arrays to be saved, by name."""
        ...


class FewKeys:
    """A sorted array."""

    def __init__(self, mixed_keys: NDArray[np.uint64]) -> None:
        self._mixed = mixed_keys

    def __len__(self) -> int:
        return len(self._mixed)

    def locate(self, asked: NDArray[np.uint64]) -> NDArray[np.int64]:
        """See `Places.locate`."""
        if not len(self._mixed):
            return np.full(len(asked), -1, dtype=np.int64)
        wanted = mixed(asked)
        at = np.minimum(np.searchsorted(self._mixed, wanted), len(self._mixed) - 1)
        return np.where(self._mixed[at] == wanted, at, -1).astype(np.int64)

    def contains(self, asked: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """See `Places.contains`."""
        found: NDArray[np.bool_] = self.locate(asked) >= 0
        return found

    def runs(self, asked: NDArray[np.uint64], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """See `Places.runs`."""
        ends = np.searchsorted(self._mixed, mixed(asked), side="right")
        return np.where(places < 0, 0, ends - places).astype(np.int64)

    def keys(self) -> NDArray[np.uint64]:
        """See `Places.keys`."""
        return unmixed(self._mixed)

    def arrays(self) -> Mapping[str, Array]:
        """See `Places.arrays`."""
        return {"sorted_keys": self._mixed}


class ManyKeys:
    """Blocks of tags, and the keys beside them; see `keys_kernels`."""

    def __init__(self, blocks: NDArray[np.uint8], rest: NDArray[np.uint8]) -> None:
        self._table = blocks.reshape(-1)
        self._rest = rest
        self._blocks = np.uint64(len(blocks) - 1)

    def __len__(self) -> int:
        return len(self._rest) // KEY_BYTES

    def locate(self, asked: NDArray[np.uint64]) -> NDArray[np.int64]:
        """See `Places.locate`."""
        from fingerprinting.index import keys_kernels  # noqa: PLC0415 - loads numba

        places = np.empty(len(asked), dtype=np.int64)
        keys_kernels.locate(self._table, self._rest, self._blocks, np.ascontiguousarray(asked), places)
        return places

    def contains(self, asked: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """See `Places.contains`."""
        from fingerprinting.index import keys_kernels  # noqa: PLC0415 - loads numba

        held = np.empty(len(asked), dtype=np.bool_)
        keys_kernels.contains(self._table, self._rest, self._blocks, np.ascontiguousarray(asked), held)
        return held

    def runs(self, asked: NDArray[np.uint64], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """See `Places.runs`."""
        from fingerprinting.index import keys_kernels  # noqa: PLC0415 - loads numba

        counts = np.empty(len(asked), dtype=np.int64)
        keys_kernels.runs(self._table, self._rest, self._blocks, np.ascontiguousarray(asked), places, counts)
        return counts

    def keys(self) -> NDArray[np.uint64]:
        """See `Places.keys`."""
        heads = np.ascontiguousarray(self._table.reshape(-1, BLOCK_BYTES)[:, :4]).view("<u4").reshape(-1)
        firsts: NDArray[np.int64] = heads.astype(np.int64)
        blocks = np.arange(len(heads) - 1, dtype=np.uint64)
        begins = ((blocks << _HALF) + self._blocks - np.uint64(1)) // self._blocks << _HALF
        begin = np.repeat(begins, firsts[1:] - firsts[:-1])
        low = np.zeros((len(self), 8), dtype=np.uint8)
        low[:, :KEY_BYTES] = self._rest[: len(self) * KEY_BYTES].reshape(-1, KEY_BYTES)
        # Keys of one block differ by less than 2**56, so their low bytes tell how far from its beginning each is.
        return unmixed(begin + ((low.view("<u8").reshape(-1) - begin) & _LOW))

    def arrays(self) -> Mapping[str, Array]:
        """See `Places.arrays`."""
        return {"key_blocks": self._table.reshape(-1, BLOCK_BYTES), "key_rest": self._rest}


def build(sorted_keys: NDArray[np.uint64]) -> Places:
    """Make N keys, at most `MOST_KEYS`, given as their mixed values in ascending order, searchable."""
    count = len(sorted_keys)
    if count < _COMPILED_FROM_KEYS:
        return FewKeys(sorted_keys)
    from fingerprinting.index import keys_kernels  # noqa: PLC0415 - loads numba

    blocks = -(-count // _KEYS_A_BLOCK)
    table = _aligned((blocks + 1) * BLOCK_BYTES)
    rest = np.zeros(count * KEY_BYTES + 1, dtype=np.uint8)
    keys_kernels.fill(sorted_keys, np.uint64(blocks), table, rest)
    return ManyKeys(table.reshape(-1, BLOCK_BYTES), rest)


def read(folder: Path, contents: FolderContents) -> Places:
    """Make what `Places.arrays` gave searchable again.

    Raises:
        CorruptIndexError: arrays are missing or do not belong together.
    """
    arrays = contents.arrays
    if "sorted_keys" in arrays:
        folders.require(folder, contents, {"sorted_keys": ("<u8", 1)})
        return FewKeys(arrays["sorted_keys"])
    folders.require(folder, contents, {"key_blocks": ("|u1", 2), "key_rest": ("|u1", 1)})
    blocks, rest = arrays["key_blocks"], arrays["key_rest"]
    count, over = divmod(len(rest), KEY_BYTES)
    if blocks.shape[1] != BLOCK_BYTES or len(blocks) <= _FEWEST_BLOCKS or over != 1 or not 0 < count <= MOST_KEYS:
        raise folders.corrupt(folder, "the blocks of keys do not belong together")
    return ManyKeys(blocks, rest)


def mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix each key by a bijection, so that keys of any distribution spread evenly."""
    result: NDArray[np.uint64] = (keys ^ (keys >> _HALF)) * _MULTIPLIER
    result ^= result >> _HALF
    result *= _MULTIPLIER
    result ^= result >> _HALF
    return result


def unmixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Undo `mixed`."""
    result: NDArray[np.uint64] = (keys ^ (keys >> _HALF)) * _INVERSE
    result ^= result >> _HALF
    result *= _INVERSE
    result ^= result >> _HALF
    return result


def as_keys(keys: ArrayLike) -> NDArray[np.uint64]:
    """Check that keys are uint64 of shape (N,).

    Raises:
        ValueError: they are not.
    """
    array: NDArray[np.uint64] = np.asarray(keys)
    if array.ndim != 1 or (array.size and array.dtype != np.uint64):
        raise ValueError(f"keys must be uint64 of shape (N,), not {array.dtype} of shape {array.shape}")
    return array.astype(np.uint64, copy=False)


def check_number(keys: int) -> None:
    """Refuse more keys than one index holds.

    Raises:
        ValueError: there are more than `MOST_KEYS`.
    """
    if keys > MOST_KEYS:
        raise ValueError(f"an index holds at most {MOST_KEYS:,} keys, not {keys:,}: make several of them")


def ascending(keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Sort N keys, fewer than 2**32: the keys in ascending order, and where each stood; equal ones as they were."""
    if len(keys) < _COMPILED_FROM_KEYS:
        order = np.argsort(keys, kind="stable").astype(np.uint32)
        return keys[order], order
    from fingerprinting.index import sort_kernels  # noqa: PLC0415 - loads numba

    keys = np.ascontiguousarray(keys)
    sorted_keys, spare_keys = np.empty_like(keys), np.empty_like(keys)
    order, spare_order = np.empty(len(keys), np.uint32), np.empty(len(keys), np.uint32)
    sort_kernels.sort(keys, sorted_keys, order, spare_keys, spare_order)
    return sorted_keys, order


def _aligned(size: int) -> NDArray[np.uint8]:
    """Make zeros that begin at a cache line, as files do that are mapped, so that a block lies in one."""
    memory = np.zeros(size + BLOCK_BYTES, dtype=np.uint8)
    first = -memory.ctypes.data % BLOCK_BYTES
    return memory[first : first + size]
