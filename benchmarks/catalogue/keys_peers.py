"""What the exact keys and the filter are compared with: other structures, each asked in its quickest way."""

import sys
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import fuse, keys

Keys = NDArray[np.uint64]
RATE = 0.004  # of strangers that a Bloom filter may let through: that of a filter with 8 bits


class Peer(ABC):
    """One structure.

    Attributes:
        name: as it appears in the result.
        exact: whether it must let no stranger through.
        share: which part of the queries it is asked; those that are called key by key are asked fewer.
    """

    name: str
    exact = False
    share = 1.0

    def prepare(self, values: Keys) -> Any:
        """Bring keys into the form that it wants them in; not measured, in its favour."""
        return values

    @abstractmethod
    def build(self, prepared: Any) -> None: ...

    @abstractmethod
    def ask(self, prepared: Any) -> Any: ...

    @abstractmethod
    def nbytes(self) -> float: ...


class OurKeys(Peer):
    name, exact = "ours: keys", True

    def build(self, prepared: Keys) -> None:
        self.index = keys.build(prepared)

    def ask(self, prepared: Keys) -> Any:
        return self.index.contains(prepared)

    def nbytes(self) -> float:
        return sum(array.nbytes for array in self.index._places.arrays().values())  # noqa: SLF001 - rows aside


class OurFind(OurKeys):
    name = "ours: keys, rows found"

    def ask(self, prepared: Keys) -> Any:
        pairs = self.index.find(prepared)
        found = np.zeros(len(prepared), dtype=np.bool_)
        found[pairs.query] = True
        return found

    def nbytes(self) -> float:
        return super().nbytes() + 4 * len(self.index)


class OurFuse8(Peer):
    name, bits = "ours: fuse, 8 bits", 8

    def build(self, prepared: Keys) -> None:
        self.filter = fuse.build(prepared, 8 if self.bits == 8 else 16)

    def ask(self, prepared: Keys) -> Any:
        return self.filter.contains(prepared)

    def nbytes(self) -> float:
        return self.filter.nbytes


class OurFuse16(OurFuse8):
    name, bits = "ours: fuse, 16 bits", 16


class Searchsorted(Peer):
    name, exact = "numpy: sort, searchsorted", True

    def build(self, prepared: Keys) -> None:
        self.sorted = np.sort(prepared)

    def ask(self, prepared: Keys) -> Any:
        at = np.minimum(np.searchsorted(self.sorted, prepared), len(self.sorted) - 1)
        return self.sorted[at] == prepared

    def nbytes(self) -> float:
        return self.sorted.nbytes


class SortedSearchsorted(Searchsorted):
    name = "numpy: the same, queries sorted"

    def ask(self, prepared: Keys) -> Any:
        order = np.argsort(prepared)
        found = np.empty(len(prepared), dtype=np.bool_)
        found[order] = super().ask(prepared[order])
        return found


class Polars(Peer):
    name, exact = "polars: is_in", True

    def prepare(self, values: Keys) -> Any:
        import polars as pl  # noqa: PLC0415

        return pl.Series(values)

    def build(self, prepared: Any) -> None:
        self.series = prepared

    def ask(self, prepared: Any) -> Any:
        return prepared.is_in(self.series.implode()).to_numpy()

    def nbytes(self) -> float:
        return 8.0 * len(self.series)


class Arrow(Peer):
    name, exact = "pyarrow: is_in", True

    def prepare(self, values: Keys) -> Any:
        import pyarrow as pa  # noqa: PLC0415

        return pa.array(values)

    def build(self, prepared: Any) -> None:
        self.array = prepared

    def ask(self, prepared: Any) -> Any:
        from pyarrow import compute  # noqa: PLC0415

        return np.asarray(compute.is_in(prepared, self.array))

    def nbytes(self) -> float:
        return 8.0 * len(self.array)


class PythonSet(Peer):
    name, exact, share = "python: set", True, 0.2

    def prepare(self, values: Keys) -> Any:
        return values.tolist()

    def build(self, prepared: Any) -> None:
        self.set = set(prepared)

    def ask(self, prepared: Any) -> Any:
        held = self.set
        return [key in held for key in prepared]

    def nbytes(self) -> float:
        return sys.getsizeof(self.set) + 36 * len(self.set)


class FastBloom(Peer):
    """The only filter on PyPI that answers batches."""

    name = "fastbloom-rs, a batch"

    def prepare(self, values: Keys) -> Any:
        # It takes signed numbers of 64 bits.
        return values.view(np.int64).tolist()

    def build(self, prepared: Any) -> None:
        from fastbloom_rs import FilterBuilder  # noqa: PLC0415

        self.filter = FilterBuilder(len(prepared), RATE).build_bloom_filter()
        self.filter.add_int_batch(prepared)

    def ask(self, prepared: Any) -> Any:
        return self.filter.contains_int_batch(prepared)

    def nbytes(self) -> float:
        return len(self.filter.get_bytes())


class RBloom(Peer):
    name, share = "rbloom", 0.2

    def prepare(self, values: Keys) -> Any:
        return values.tolist()

    def build(self, prepared: Any) -> None:
        import rbloom  # noqa: PLC0415

        self.filter = rbloom.Bloom(len(prepared), RATE)
        self.filter.update(prepared)

    def ask(self, prepared: Any) -> Any:
        held = self.filter
        return [key in held for key in prepared]

    def nbytes(self) -> float:
        return self.filter.size_in_bits / 8


class PyBloom(RBloom):
    name = "pybloomfiltermmap3"

    def build(self, prepared: Any) -> None:
        import pybloomfilter  # noqa: PLC0415

        self.filter = pybloomfilter.BloomFilter(len(prepared), RATE)
        self.filter.update(prepared)

    def nbytes(self) -> float:
        return self.filter.num_bits / 8


class PyFuse(Peer):
    """The C library inside pyfusefilter, called as its package does: its own classes fail with today's xxhash."""

    name, share = "pyfusefilter (C library)", 0.2

    def prepare(self, values: Keys) -> Any:
        return values

    def build(self, prepared: Keys) -> None:
        from pyfusefilter import _xorfilter  # noqa: PLC0415

        self.ffi, self.library = _xorfilter.ffi, _xorfilter.lib
        self.filter = self.ffi.new("binary_fuse8_t *")
        self.library.binary_fuse8_allocate(len(prepared), self.filter)
        copied = prepared.copy()  # it sorts them in place
        if not self.library.binary_fuse8_populate(
            self.ffi.cast("uint64_t *", copied.ctypes.data), len(copied), self.filter
        ):
            raise RuntimeError("pyfusefilter could not build its filter")

    def ask(self, prepared: Keys) -> Any:
        contain, held = self.library.binary_fuse8_contain, self.filter
        return [contain(key, held) for key in prepared.tolist()]

    def nbytes(self) -> float:
        return float(self.library.binary_fuse8_size_in_bytes(self.filter))


PEERS: tuple[type[Peer], ...] = (
    OurKeys,
    OurFind,
    OurFuse8,
    OurFuse16,
    Searchsorted,
    SortedSearchsorted,
    Polars,
    Arrow,
    PythonSet,
    FastBloom,
    RBloom,
    PyBloom,
    PyFuse,
)
