"""The innermost loops of the pool reduction, in vector registers (Numba, LLVM).

Plain loops leave most of a processor's integer arithmetic idle: what it does fastest is the sum
of two products of 16-bit numbers, and LLVM finds that instruction (x86 ``pmaddwd``, with VNNI
``vpdpwssd``) only in vectors written out. So these loops are written in LLVM's vectors, which it
translates for every processor; all others are Python.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

_WIDE = bool(llvm.get_host_cpu_features().get("avx512bw", False))
LANES = 16 if _WIDE else 8
"""Candidates in one vector."""

WORDS = LANES // 2
"""Keys in one vector."""

VECTORS = 4 if _WIDE else 2
"""Vectors in one tile: with four queries their sums just fit the registers."""

QUERIES = 4
"""Queries taken at a time, so that each candidate loaded is used four times."""

TILE = LANES * VECTORS
"""Candidates in one tile."""

_I32 = ir.IntType(32)
_SUMS = ir.VectorType(_I32, LANES)
_PAIRS = ir.VectorType(ir.IntType(16), 2 * LANES)
_PRODUCTS = ir.VectorType(_I32, 2 * LANES)


def _picked(builder: Any, vector: Any, lanes: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(_I32, len(lanes)), lanes)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _splat(builder: Any, scalar: Any, lanes: int = LANES) -> Any:
    empty = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    return _picked(
        builder, builder.insert_element(empty, scalar, ir.Constant(_I32, 0)), [0] * lanes
    )


def _dot(builder: Any, left: Any, right: Any) -> Any:
    """Sum neighbouring products of 16-bit numbers: LLVM makes one instruction of it."""
    wide = [builder.sext(builder.bitcast(v, _PAIRS), _PRODUCTS) for v in (left, right)]
    products = builder.mul(*wide, flags=("nsw",))
    even, odd = (_picked(builder, products, list(range(i, 2 * LANES, 2))) for i in (0, 1))
    return builder.add(even, odd)


class _Arrays:
    """The arrays handed to an intrinsic, and the addresses of their elements."""

    def __init__(self, context: Any, builder: Any, kinds: Any, values: Any) -> None:
        self.context, self.builder, self.kinds = context, builder, kinds
        pairs = zip(kinds, values, strict=True)
        self.arrays = [context.make_array(kind)(context, builder, value) for kind, value in pairs]

    def size(self, i: int) -> Any:
        """The length of array ``i`` along its first axis."""
        return cgutils.unpack_tuple(self.builder, self.arrays[i].shape)[0]

    def address(self, i: int, *index: Any) -> Any:
        """Where an element of array ``i`` lies."""
        return cgutils.get_item_pointer(
            self.context, self.builder, self.kinds[i], self.arrays[i], list(index), wraparound=False
        )

    def vector(self, i: int, kind: Any, *index: Any) -> Any:
        """The same, as the address of a vector."""
        return self.builder.bitcast(self.address(i, *index), ir.PointerType(kind))

    def load(self, i: int, kind: Any, *index: Any) -> Any:
        """The vector that starts at an element of array ``i``."""
        return self.builder.load(self.vector(i, kind, *index), align=kind.element.width // 8)


@intrinsic
def pack(typingctx, planes, starts, weights, at, pairs, norms, vectors):  # type: ignore[no-untyped-def]
    """Pack pixels of candidates in pairs, and add w c^2 to ``norms``.

    Parameters
    ----------
    planes : int8, flat.
    starts : int64 [2 depth], where the pixels of the first candidate lie, less ``at``.
    weights : int32 [depth], two 16-bit numbers packed in each.
    pairs : int32 [depth, N], written.
    norms : int32 [N].
    vectors : how many times `LANES` candidates.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        where = (0, 1, 2, 4, 5)
        arrays = _Arrays(context, builder, *([v[i] for i in where] for v in (signature.args, args)))
        at, vectors = args[3], args[6]
        pixel = ir.VectorType(ir.IntType(8), LANES)
        low, half = (ir.Constant(_SUMS, [value] * LANES) for value in (0xFFFF, 16))
        one, lanes = (context.get_constant(types.intp, value) for value in (1, LANES))
        with cgutils.for_range(builder, arrays.size(3)) as outer:
            even = builder.shl(outer.index, one)
            rows = [
                builder.add(builder.load(arrays.address(1, k)), at)
                for k in (even, builder.add(even, one))
            ]
            weight = _splat(builder, builder.load(arrays.address(2, outer.index)))
            with cgutils.for_range(builder, vectors) as inner:
                j = builder.mul(inner.index, lanes)
                first, second = (
                    builder.sext(arrays.load(0, pixel, builder.add(row, j)), _SUMS) for row in rows
                )
                both = builder.or_(builder.and_(first, low), builder.shl(second, half))
                builder.store(both, arrays.vector(3, _SUMS, outer.index, j), align=4)
                halves = builder.bitcast(both, _PAIRS)
                squares = builder.mul(halves, halves)  # at most 2^14
                norm = builder.add(arrays.load(4, _SUMS, j), _dot(builder, weight, squares))
                builder.store(norm, arrays.vector(4, _SUMS, j), align=4)
        return context.get_dummy_value()

    whole = types.intp
    return types.void(planes, starts, weights, whole, pairs, norms, whole), generate


@intrinsic
def add_squares(typingctx, dist, planes, starts, at, weights, values, tiles):  # type: ignore[no-untyped-def]
    """Add w (v - c)^2 of some pixels to the distances of a run of candidates, two at a time.

    A difference times its weight fits 16 bits: 255 x 127 < 2^15.

    Parameters
    ----------
    dist : int32 or int64 [tiles * `TILE` or more].
    planes : int8, flat.
    starts : int64 [K], where the pixels of the first candidate lie, less ``at``.
    weights : int32 [K], from 0 to 127.
    values : int8 [K].
    tiles : how many times `TILE` candidates.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        where = (0, 1, 2, 4, 5)
        arrays = _Arrays(context, builder, *([v[i] for i in where] for v in (signature.args, args)))
        at, tiles = args[3], args[6]
        pixel = ir.VectorType(ir.IntType(8), LANES)
        sums = ir.VectorType(ir.IntType(signature.args[0].dtype.bitwidth), LANES)
        low, half = (ir.Constant(_SUMS, [value] * LANES) for value in (0xFFFF, 16))

        def number(value: int) -> Any:
            return context.get_constant(types.intp, value)

        def both(first: Any, second: Any) -> Any:
            return builder.or_(builder.and_(first, low), builder.shl(second, half))

        def add(total: list[Any], place: list[Any], k: Any, other: Any | None) -> None:
            """Add the k-th pixel and another, or none."""
            known = []
            for i, kind in ((3, None), (4, _I32)):
                one = builder.load(arrays.address(i, k))
                two = ir.Constant(one.type, 0)
                if other is not None:
                    two = builder.load(arrays.address(i, other))
                pair = [v if kind is None else builder.sext(v, kind) for v in (one, two)]
                known.append(builder.bitcast(both(*(_splat(builder, v) for v in pair)), _PAIRS))
            weight, value = known
            for slot, p in zip(total, place, strict=True):
                cells = []
                for which in (k, other):
                    if which is None:
                        cells.append(ir.Constant(_SUMS, [0] * LANES))
                        continue
                    start = builder.add(builder.load(arrays.address(2, which)), at)
                    cells.append(builder.sext(arrays.load(1, pixel, builder.add(start, p)), _SUMS))
                apart = builder.sub(value, builder.bitcast(both(*cells), _PAIRS))
                more = _dot(builder, builder.mul(apart, weight), apart)
                if sums != _SUMS:
                    more = builder.sext(more, sums)
                builder.store(builder.add(builder.load(slot), more), slot)

        count = arrays.size(2)
        pairs = builder.ashr(count, number(1))
        with cgutils.for_range(builder, tiles) as loop:
            start = builder.mul(loop.index, number(TILE))
            place = [builder.add(start, number(v * LANES)) for v in range(VECTORS)]
            total = [cgutils.alloca_once_value(builder, arrays.load(0, sums, p)) for p in place]
            with cgutils.for_range(builder, pairs) as some:
                k = builder.shl(some.index, number(1))
                add(total, place, k, builder.add(k, number(1)))
            odd = builder.icmp_signed("!=", builder.and_(count, number(1)), number(0))
            with builder.if_then(odd):
                add(total, place, builder.sub(count, number(1)), None)
            for slot, p in zip(total, place, strict=True):
                builder.store(builder.load(slot), arrays.vector(0, sums, p), align=4)
        return context.get_dummy_value()

    whole = types.intp
    return types.void(dist, planes, starts, whole, weights, values, whole), generate


@intrinsic
def encode(typingctx, codes, pairs, norms, coefs, half, filter, shift, at, tiles, counts):  # type: ignore[no-untyped-def]
    """Write what `QUERIES` filters see of a run of candidates, rounded, in pairs.

    Parameters
    ----------
    codes : int32 [filters / 2, N or more], z = (M x + half) >> shift, two of 16 bits in each.
    pairs : int32 [depth, n], candidates' pixels, packed alike.
    norms : int32 [N or more]; |z|^2 is added to them if ``counts`` is not 0.
    coefs : int32 [filters, depth], rows of M, packed alike.
    half : int32 [filters].
    filter : the first of the filters.
    at : the first candidate's column of ``codes`` and ``norms``; in ``pairs`` it is 0.
    tiles : how many times `TILE` candidates.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        arrays = _Arrays(context, builder, signature.args[:5], args[:5])
        filter, shift, at, tiles, counts = args[5:]

        def number(value: int) -> Any:
            return context.get_constant(types.intp, value)

        filters = [builder.add(filter, number(q)) for q in range(QUERIES)]
        first_row = builder.ashr(filter, number(1))
        low, high = (ir.Constant(_SUMS, [value] * LANES) for value in (0xFFFF, 16))
        steps = _splat(builder, shift)
        every = builder.icmp_signed("!=", counts, ir.Constant(counts.type, 0))
        wanted = _splat(builder, builder.sext(every, _I32))
        with cgutils.for_range(builder, tiles) as loop:
            start = builder.mul(loop.index, number(TILE))
            place = [builder.add(start, number(v * LANES)) for v in range(VECTORS)]
            sums = []
            for q in filters:
                own = _splat(builder, builder.load(arrays.address(4, q)))
                sums.append([own] * VECTORS)
            total = _products(builder, arrays, place, filters, sums)
            z = [[builder.ashr(builder.load(slot), steps) for slot in row] for row in total]
            for v, p in enumerate(place):
                column = builder.add(at, p)
                norm = arrays.load(2, _SUMS, column)
                for pair in range(QUERIES // 2):
                    even, odd = z[2 * pair][v], z[2 * pair + 1][v]
                    both = builder.or_(builder.and_(even, low), builder.shl(odd, high))
                    row = builder.add(first_row, number(pair))
                    builder.store(both, arrays.vector(0, _SUMS, row, column), align=4)
                    norm = builder.add(norm, builder.and_(_dot(builder, both, both), wanted))
                builder.store(norm, arrays.vector(2, _SUMS, column), align=4)
        return context.get_dummy_value()

    whole = types.intp
    return types.void(
        codes, pairs, norms, coefs, half, whole, types.int32, whole, whole, whole
    ), generate


@intrinsic
def mix(typingctx, planes, starts, plane, at, pairs, vectors):  # type: ignore[no-untyped-def]
    """Pack mixtures of three channels (`reduce.filters.MIXTURES`) of candidates' pixels in pairs.

    Parameters
    ----------
    planes : int8, flat.
    starts : int64 [2 depth], where the pixels of the first candidate lie, less ``at``, in the
        first channel; ``plane``, how far apart channels lie.
    pairs : int32 [3, depth, N], written.
    vectors : how many times `LANES` candidates.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        where = (0, 1, 4)
        arrays = _Arrays(context, builder, *([v[i] for i in where] for v in (signature.args, args)))
        plane, at, vectors = args[2], args[3], args[5]
        pixel = ir.VectorType(ir.IntType(8), LANES)
        low, half = (ir.Constant(_SUMS, [value] * LANES) for value in (0xFFFF, 16))

        def number(value: int) -> Any:
            return context.get_constant(types.intp, value)

        def channels(start: Any) -> list[Any]:
            places = [builder.add(start, builder.mul(plane, number(c))) for c in range(3)]
            return [builder.sext(arrays.load(0, pixel, place), _SUMS) for place in places]

        def mixtures(start: Any) -> list[Any]:
            red, green, blue = channels(start)
            ends = builder.add(red, blue)
            return [
                builder.add(ends, green),
                builder.sub(red, blue),
                builder.sub(builder.add(green, green), ends),
            ]

        depth = cgutils.unpack_tuple(builder, arrays.arrays[2].shape)[1]
        with cgutils.for_range(builder, depth) as outer:
            even = builder.mul(outer.index, number(2))
            rows = [
                builder.add(builder.load(arrays.address(1, k)), at)
                for k in (even, builder.add(even, number(1)))
            ]
            with cgutils.for_range(builder, vectors) as inner:
                j = builder.mul(inner.index, number(LANES))
                first, second = (mixtures(builder.add(row, j)) for row in rows)
                for m in range(3):
                    both = builder.or_(builder.and_(first[m], low), builder.shl(second[m], half))
                    target = arrays.vector(2, _SUMS, number(m), outer.index, j)
                    builder.store(both, target, align=4)
        return context.get_dummy_value()

    whole = types.intp
    return types.void(planes, starts, whole, whole, pairs, whole), generate


def _products(
    builder: Any, arrays: _Arrays, place: list[Any], queries: list[Any], sums: list[list[Any]]
) -> list[list[Any]]:
    """Add the products of pairs (array 1) and coefficients (array 3) to ``sums``, in memory."""
    total = [[cgutils.alloca_once_value(builder, v) for v in row] for row in sums]
    with cgutils.for_range(builder, arrays.size(1)) as k:
        some = [arrays.load(1, _SUMS, k.index, p) for p in place]
        for q, row in zip(queries, total, strict=True):
            coef = _splat(builder, builder.load(arrays.address(3, q, k.index)))
            for slot, pixels in zip(row, some, strict=True):
                more = _dot(builder, coef, pixels)
                builder.store(builder.add(builder.load(slot), more), slot)
    return total


@intrinsic
def distances(typingctx, out, pairs, norms, coefs, query_norms, query, tiles):  # type: ignore[no-untyped-def]
    """Write |q|^2 + |c|^2 - 2 q.c for `QUERIES` queries and a run of candidates.

    Parameters
    ----------
    out : int32 [QUERIES, tiles * TILE or more].
    pairs : int32 [depth, N], candidates' pixels, two 16-bit numbers packed in each.
    norms : int32 [N], weight x pixel^2, summed.
    coefs : int32 [B, depth], -2 x weight x pixel, packed alike.
    query_norms : int32 [B].
    query : the first of the queries.
    tiles : how many times `TILE` candidates.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        arrays = _Arrays(context, builder, signature.args[:5], args[:5])
        query, tiles = args[5:]

        def number(value: int) -> Any:
            return context.get_constant(types.intp, value)

        def one_tile(at: Any) -> None:
            place = [builder.add(at, number(v * LANES)) for v in range(VECTORS)]
            norm = [arrays.load(2, _SUMS, p) for p in place]
            sums = []
            for q in queries:
                own = _splat(builder, builder.load(arrays.address(4, q)))
                sums.append([builder.add(own, n) for n in norm])
            total = _products(builder, arrays, place, queries, sums)
            for q, row in enumerate(total):
                for p, slot in zip(place, row, strict=True):
                    target = arrays.vector(0, _SUMS, number(q), p)
                    builder.store(builder.load(slot), target, align=4)

        queries = [builder.add(query, number(q)) for q in range(QUERIES)]
        with cgutils.for_range(builder, tiles) as loop:
            one_tile(builder.mul(loop.index, number(TILE)))
        return context.get_dummy_value()

    whole = types.intp
    return types.void(out, pairs, norms, coefs, query_norms, whole, whole), generate


def _key(builder: Any, x: Any) -> Any:
    """SplitMix64's finaliser, halved: `reduce.keys.mix` shifted right by one."""

    def every(value: int) -> Any:
        return ir.Constant(x.type, [value] * x.type.count)

    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = builder.mul(builder.xor(x, builder.lshr(x, every(shift))), every(factor))
    return builder.lshr(builder.xor(x, builder.lshr(x, every(31))), every(1))


@intrinsic
def count_within(typingctx, dist, words, floor, start):  # type: ignore[no-untyped-def]
    """Count distances up to ``floor``, and find the least key of those candidates.

    Parameters
    ----------
    dist : int32 or int64 [n]; only whole vectors of `WORDS` are looked at.
    words : int64 [n], what each candidate adds to ``start`` before it is mixed to a key.

    Returns
    -------
    (count, least key), the greatest int64 if there is none.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        arrays = _Arrays(context, builder, signature.args[:2], args[:2])
        near = ir.VectorType(ir.IntType(signature.args[0].dtype.bitwidth), WORDS)
        wide = ir.VectorType(ir.IntType(64), WORDS)
        none = ir.Constant(wide, [2**63 - 1] * WORDS)
        limit = _splat(
            builder,
            builder.trunc(args[2], near.element) if near.element.width < 64 else args[2],
            WORDS,
        )
        base = _splat(builder, args[3], WORDS)
        best = cgutils.alloca_once_value(builder, none)
        count = cgutils.alloca_once_value(builder, context.get_constant(types.int64, 0))
        step = context.get_constant(types.intp, WORDS)
        with cgutils.for_range(builder, builder.sdiv(arrays.size(0), step)) as loop:
            at = builder.mul(loop.index, step)
            inside = builder.icmp_signed("<=", arrays.load(0, near, at), limit)
            key = _key(builder, builder.add(base, arrays.load(1, wide, at)))
            key = builder.select(inside, key, none)
            least = builder.load(best)
            less = builder.icmp_signed("<", key, least)
            builder.store(builder.select(less, key, least), best)
            ones = builder.ctpop(builder.bitcast(inside, ir.IntType(WORDS)))
            ones = builder.zext(ones, ir.IntType(64))
            builder.store(builder.add(builder.load(count), ones), count)
        lanes, least = builder.load(best), context.get_constant(types.int64, 2**63 - 1)
        for lane in range(WORDS):
            key = builder.extract_element(lanes, ir.Constant(_I32, lane))
            least = builder.select(builder.icmp_signed("<", key, least), key, least)
        return context.make_tuple(builder, signature.return_type, [builder.load(count), least])

    result = types.UniTuple(types.int64, 2)
    return result(dist, words, types.int64, types.int64), generate


WORD = 64
"""Candidates in one word of a mask."""


@intrinsic
def within(typingctx, dist, bound, masks, words):  # type: ignore[no-untyped-def]
    """Write which distances are at most ``bound``, a bit each, and return all words or-ed.

    Parameters
    ----------
    dist : int32 [words * `WORD` or more].
    bound : int32.
    masks : int64 [words or more], written; the lowest bit is the first candidate.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        arrays = _Arrays(
            context, builder, *([v[i] for i in (0, 2)] for v in (signature.args, args))
        )
        limit, word = _splat(builder, args[1]), ir.IntType(64)
        any_of = cgutils.alloca_once_value(builder, ir.Constant(word, 0))
        with cgutils.for_range(builder, args[3]) as loop:
            first = builder.mul(loop.index, context.get_constant(types.intp, WORD))
            mask = ir.Constant(word, 0)
            for at in range(0, WORD, LANES):
                some = builder.add(first, context.get_constant(types.intp, at))
                inside = builder.icmp_signed("<=", arrays.load(0, _SUMS, some), limit)
                bits = builder.zext(builder.bitcast(inside, ir.IntType(LANES)), word)
                mask = builder.or_(mask, builder.shl(bits, ir.Constant(word, at)))
            builder.store(mask, arrays.address(1, loop.index))
            builder.store(builder.or_(builder.load(any_of), mask), any_of)
        return builder.load(any_of)

    return types.int64(dist, types.int32, masks, types.intp), generate


@intrinsic
def lowest_bit(typingctx, mask):  # type: ignore[no-untyped-def]
    """Return where the lowest set bit of an int64 other than 0 stands."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate
