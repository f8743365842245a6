"""Arrays that kernels are told of by their addresses: numba takes a third of a microsecond for each that it is given.

For work of a few microseconds over a dozen arrays, that is most of it. Whoever notes addresses keeps the arrays.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.lane_kernels import intrinsic


def addresses(*arrays: NDArray[Any]) -> NDArray[np.int64]:
    """Note where arrays, C-contiguous, lie: for each its address and its shape, one behind the other."""
    noted: list[int] = []
    for array in arrays:
        assert array.flags.c_contiguous, "a kernel would read another array"  # noqa: S101 - of the program itself
        noted += [array.__array_interface__["data"][0], *array.shape]
    return np.array(noted, np.int64)


@intrinsic
def pointer(_context: Any, address: Any) -> Any:
    """Turn an address, an int64, into what `numba.carray` takes."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), emit


@intrinsic
def frozen(_context: Any, array: Any) -> Any:
    """See an array as one that is only read, as kernels have it in their signatures."""

    def emit(_context: Any, _builder: Any, _signature: Any, arguments: Any) -> Any:
        return arguments[0]

    return types.Array(array.dtype, array.ndim, array.layout, readonly=True)(array), emit
