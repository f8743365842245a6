"""Vector instructions for kernels, written as LLVM's portable vectors: AVX-512, AVX2 and NEON each get their own code.

Each function is an intrinsic: it exists inside kernels only. Positions are not checked, as everywhere in kernels: an
array that is read in lanes ends with `LANES` items that no row owns.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils

from fingerprinting.index.kernels_layout import LANES

RUN = 8  # queries that are copied at once

_I1, _I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
_VALUES = ir.VectorType(_I16, LANES)

intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = extending.intrinsic


@intrinsic
def bits_set(_context: Any, value: Any) -> Any:
    """Count the bits that are set in a uint64, as int64."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), emit


@intrinsic
def lowest_bit(_context: Any, value: Any) -> Any:
    """Give the position of the lowest bit that is set in a uint64 other than 0, as int64."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(_I1, 1))

    return types.int64(types.uint64), emit


@intrinsic
def prefetch(_context: Any, array: Any, position: Any) -> Any:
    """Ask for the cache line of `array[position]`, without waiting for it."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.bitcast(_place(context, builder, signature, arguments, 0, arguments[1]), _I8.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [_I8.as_pointer(), _I32, _I32, _I32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [place, _I32(0), _I32(3), _I32(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), emit


@intrinsic
def meet_values(
    _context: Any,
    entries: Any,
    entry: Any,
    lanes: Any,
    values: Any,
    first: Any,
    count: Any,
    limit: Any,
    tag: Any,
    hits: Any,
    found: Any,
) -> Any:
    """Compare `LANES` entries with each of some values: who differs in at most `limit` bits?

    Args:
        entries: uint16; those from position `entry` on are compared, where `lanes` (uint64) has a bit.
        values: uint64, whose lower half is a 16-bit value twice; `count` of them are compared, from `first` on.
        hits: uint64, written behind the first `found` ones; has room for `count` + 1. For each value that has a hit:
            in the upper half `tag` + its position from `first`, in the lower one a bit for each entry that it hits.

    Returns:
        `found` and how many values have a hit.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, entry, lanes, _, first, count, limit, tag, _, found = arguments
        seen = _load_lanes(builder, _place(context, builder, signature, arguments, 0, entry))
        limits = _splat(builder, builder.trunc(limit, _I16), LANES)
        value_at = _place(context, builder, signature, arguments, 3, first)
        hit_at = _places(context, builder, signature, arguments, 8)

        def step(position: Any, found: Any) -> Any:
            pair = builder.trunc(builder.load(builder.gep(value_at, [position])), _I32)
            value = builder.bitcast(_splat(builder, pair, LANES // 2), _VALUES)
            mask = builder.and_(_near(builder, seen, value, limits), lanes)
            hit = builder.or_(builder.shl(builder.add(tag, position), _I64(LANES)), mask)
            builder.store(hit, builder.gep(hit_at, [found]))
            return builder.add(found, builder.zext(builder.icmp_unsigned("!=", mask, _I64(0)), _I64))

        return _loop(builder, count, step, found)

    whole = types.int64
    signature = whole(entries, whole, types.uint64, values, whole, whole, whole, whole, hits, whole)
    return signature, emit


@intrinsic
def meet_entries(
    _context: Any, entries: Any, entry: Any, count: Any, value: Any, limit: Any, tag: Any, hits: Any, found: Any
) -> Any:
    """Compare the `count` entries from position `entry` on with one value: which differ in at most `limit` bits?

    Args:
        entries: uint16.
        value: a 16-bit value.
        hits: uint64, written behind the first `found` ones; has room for one more than there are blocks of `LANES`. For
            each block that has a hit: in the upper half `tag` + its number, in the lower one a bit for each entry that
            is hit.

    Returns:
        `found` and how many blocks have a hit.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, entry, count, value, limit, tag, _, found = arguments
        entry_at = _place(context, builder, signature, arguments, 0, entry)
        values = _splat(builder, builder.trunc(value, _I16), LANES)
        limits = _splat(builder, builder.trunc(limit, _I16), LANES)
        hit_at = _places(context, builder, signature, arguments, 6)
        blocks = builder.lshr(builder.add(count, _I64(LANES - 1)), _I64(LANES.bit_length() - 1))
        full = _I64((1 << LANES) - 1)

        def step(block: Any, found: Any) -> Any:
            first = builder.mul(block, _I64(LANES))
            left = builder.sub(count, first)
            unused = builder.and_(builder.sub(_I64(LANES), left), _I64(LANES - 1))
            lanes = builder.select(builder.icmp_signed("<", left, _I64(LANES)), builder.lshr(full, unused), full)
            seen = _load_lanes(builder, builder.gep(entry_at, [first]))
            mask = builder.and_(_near(builder, seen, values, limits), lanes)
            hit = builder.or_(builder.shl(builder.add(tag, block), _I64(LANES)), mask)
            builder.store(hit, builder.gep(hit_at, [found]))
            return builder.add(found, builder.zext(builder.icmp_unsigned("!=", mask, _I64(0)), _I64))

        return _loop(builder, blocks, step, found)

    whole = types.int64
    return whole(entries, whole, whole, whole, whole, whole, hits, whole), emit


@intrinsic
def append_run(_context: Any, values: Any, first: Any, count: Any, to_values: Any, to_positions: Any, end: Any) -> Any:
    """Copy `count` values from position `first` on behind the first `end` ones of another array, with their positions.

    Up to `RUN` more items are read and written than that: both have room for them.

    Args:
        values, to_values, to_positions: uint64, uint64 and uint32.

    Returns:
        The new end.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, first, count, _, _, end = arguments
        run, numbers = ir.VectorType(_I64, RUN), ir.VectorType(_I32, RUN)
        steps = ir.Constant(numbers, list(range(RUN)))
        source = _place(context, builder, signature, arguments, 0, first)
        value_to = _place(context, builder, signature, arguments, 3, end)
        position_to = _place(context, builder, signature, arguments, 4, end)

        def step(block: Any, total: Any) -> Any:
            at = builder.mul(block, _I64(RUN))
            loaded = builder.load(builder.bitcast(builder.gep(source, [at]), run.as_pointer()))
            loaded.align = 8
            builder.store(loaded, builder.bitcast(builder.gep(value_to, [at]), run.as_pointer()), align=8)
            position = builder.trunc(builder.add(first, at), _I32)
            positions = builder.add(_splat(builder, position, RUN), steps)
            builder.store(positions, builder.bitcast(builder.gep(position_to, [at]), numbers.as_pointer()), align=4)
            return total

        blocks = builder.lshr(builder.add(count, _I64(RUN - 1)), _I64(RUN.bit_length() - 1))
        _loop(builder, blocks, step)
        return builder.add(end, count)

    signature = types.int64(values, types.int64, types.int64, to_values, to_positions, types.int64)
    return signature, emit


@intrinsic
def permuted(_context: Any, hashes: Any, byte: Any, table: Any, out: Any, word: Any) -> Any:
    """Put the bits of the 256-bit hash that begins at a byte of `hashes` in another order, into 4 words of `out`.

    Args:
        hashes: uint8.
        table: uint64, shape (64, 16, 4), flat: what each value of each half byte (the upper one first) becomes.
        out: uint64.
    """
    return _permuted(32, hashes, table, out)


@intrinsic
def short_permuted(_context: Any, hashes: Any, byte: Any, table: Any, out: Any, word: Any) -> Any:
    """Do what `permuted` does, for a hash of 64 bits; `table` is of shape (16, 16, 1)."""
    return _permuted(8, hashes, table, out)


def _permuted(width: int, hashes: Any, table: Any, out: Any) -> Any:
    kind = ir.VectorType(_I64, width // 8)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, byte, _, _, word = arguments
        source = _place(context, builder, signature, arguments, 0, byte)
        row_at = builder.bitcast(_places(context, builder, signature, arguments, 2), kind.as_pointer())
        total = ir.Constant(kind, [0] * (width // 8))
        for half in range(2 * width):
            value = builder.load(builder.gep(source, [_I64(half // 2)]))
            value = builder.and_(value, _I8(15)) if half % 2 else builder.lshr(value, _I8(4))
            place = builder.add(builder.zext(value, _I64), _I64(16 * half))
            part = builder.load(builder.gep(row_at, [place]))
            part.align = 8
            total = builder.or_(total, part)
        target = _place(context, builder, signature, arguments, 3, word)
        builder.store(total, builder.bitcast(target, kind.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(hashes, types.int64, table, out, types.int64), emit


@intrinsic
def chains(_context: Any, words: Any, word: Any, others: Any, other: Any, limits: Any) -> Any:
    """Find the chunks from which two hashes are near enough, over one, two and three chunks of the ring.

    Args:
        words, others: uint64; a hash of as many 16-bit chunks as `limits` has columns begins at a position of each.
        limits: int16, shape (3, chunks), C order, flat: most bits over the 1, 2, 3 chunks from each one on.

    Returns:
        A bit for each such chunk.
    """
    return _chains_of(16, words, others, limits)


@intrinsic
def short_chains(_context: Any, words: Any, word: Any, others: Any, other: Any, limits: Any) -> Any:
    """Do what `chains` does, for hashes of 4 chunks."""
    return _chains_of(4, words, others, limits)


def _chains_of(chunks: int, words: Any, others: Any, limits: Any) -> Any:
    kind = ir.VectorType(_I16, chunks)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, word, _, other, _ = arguments

        def loaded(argument: int, position: Any, alignment: int) -> Any:
            place = _place(context, builder, signature, arguments, argument, position)
            value = builder.load(builder.bitcast(place, kind.as_pointer()))
            value.align = alignment
            return value

        distances = _count_bits(builder, builder.xor(loaded(0, word, 8), loaded(2, other, 8)))
        total, holds = distances, None
        for length in range(3):
            if length:
                turn = [(chunk + length) % chunks for chunk in range(chunks)]
                order = ir.Constant(ir.VectorType(_I32, chunks), turn)
                total = builder.add(total, builder.shuffle_vector(distances, distances, order))
            near = builder.icmp_signed("<=", total, loaded(4, _I64(length * chunks), 2))
            holds = near if holds is None else builder.and_(holds, near)
        return builder.zext(builder.bitcast(holds, ir.IntType(chunks)), _I64)

    return types.uint64(words, types.int64, others, types.int64, limits), emit


def _near(builder: Any, seen: Any, values: Any, limits: Any) -> Any:
    """A bit for each lane whose distance is within its limit."""
    distances = _count_bits(builder, builder.xor(seen, values))
    return builder.zext(builder.bitcast(builder.icmp_unsigned("<=", distances, limits), ir.IntType(LANES)), _I64)


def _count_bits(builder: Any, values: Any) -> Any:
    name = f"llvm.ctpop.v{values.type.count}i16"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(values.type, [values.type]), name)
    return builder.call(function, [values])


def _load_lanes(builder: Any, place: Any) -> Any:
    loaded = builder.load(builder.bitcast(place, _VALUES.as_pointer()))
    loaded.align = 2  # a bucket begins anywhere
    return loaded


def _splat(builder: Any, value: Any, lanes: int) -> Any:
    kind = ir.VectorType(value.type, lanes)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _I32(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_I32, lanes), [0] * lanes))


def _places(context: Any, builder: Any, signature: Any, arguments: Any, argument: int) -> Any:
    """A pointer to the first item of an array that is an argument."""
    return context.make_array(signature.args[argument])(context, builder, arguments[argument]).data


def _place(context: Any, builder: Any, signature: Any, arguments: Any, argument: int, position: Any) -> Any:
    return builder.gep(_places(context, builder, signature, arguments, argument), [position])


def _loop(builder: Any, count: Any, step: Callable[[Any, Any], Any], start: Any = None) -> Any:
    """Emit a loop from 0 to `count`, whose step turns a sum into the next one; the sum at the end."""
    start = _I64(0) if start is None else start
    before, body, after = builder.block, builder.append_basic_block("step"), builder.append_basic_block("done")
    builder.cbranch(builder.icmp_signed(">", count, _I64(0)), body, after)
    builder.position_at_end(body)
    position, total = builder.phi(_I64), builder.phi(_I64)
    result = step(position, total)
    following = builder.add(position, _I64(1))
    position.add_incoming(_I64(0), before)
    position.add_incoming(following, builder.block)
    total.add_incoming(start, before)
    total.add_incoming(result, builder.block)
    last = builder.block
    builder.cbranch(builder.icmp_signed("<", following, count), body, after)
    builder.position_at_end(after)
    end = builder.phi(_I64)
    end.add_incoming(start, before)
    end.add_incoming(result, last)
    return end
