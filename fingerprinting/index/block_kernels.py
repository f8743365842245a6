"""What kernels over blocks of bytes are made of: reading a word anywhere, and comparing 64 bytes at once.

Each function is an intrinsic: it exists inside kernels only, and positions are not checked. LLVM's portable vectors:
AVX-512, AVX2 and NEON each get their own code. Bytes are read as little-endian numbers, as they lie in the files.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.np.arrayobj import make_array

from fingerprinting.index.kernels_layout import BLOCK_BYTES
from fingerprinting.index.lane_kernels import intrinsic

_I8, _I32, _I64 = (ir.IntType(bits) for bits in (8, 32, 64))
_BYTES = ir.VectorType(_I8, BLOCK_BYTES)
_SPLAT = ir.Constant(ir.VectorType(_I32, BLOCK_BYTES), [0] * BLOCK_BYTES)


@intrinsic
def read_word(_context: Any, array: Any, position: Any) -> Any:
    """Read the 8 bytes from `position` on, wherever they lie, as a uint64."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.bitcast(_place(context, builder, signature, arguments), _I64.as_pointer())
        return builder.load(place, align=1)

    return types.uint64(array, types.int64), emit


@intrinsic
def equal_bytes(_context: Any, array: Any, position: Any, value: Any) -> Any:
    """Compare the 64 bytes from `position` on with one value: a uint64 with a bit for each that is equal."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.bitcast(_place(context, builder, signature, arguments), _BYTES.as_pointer())
        undefined = ir.Constant(_BYTES, ir.Undefined)
        first = builder.insert_element(undefined, arguments[2], _I32(0))
        equal = builder.icmp_unsigned(
            "==", builder.load(place, align=1), builder.shuffle_vector(first, undefined, _SPLAT)
        )
        return builder.bitcast(equal, _I64)

    return types.uint64(array, types.int64, types.uint8), emit


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Point to the item of the first argument at the position that is the second."""
    array = make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])
