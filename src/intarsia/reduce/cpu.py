"""The pool reduction on the CPU: int8 products and compiled loops, thread by thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce as fold

import numpy as np
import torch

from intarsia.dictionary import Query
from intarsia.reduce import kernels
from intarsia.reduce.crew import each
from intarsia.reduce.fit import View
from intarsia.reduce.state import Pool, narrow

FEW = 4
"""Up to this many queries, direct differences beat two products and their sums."""


@dataclass(frozen=True)
class _Block:
    """Candidates taken at a time: part of one row of places, or several whole rows."""

    row: int
    rows: int
    at: int
    n: int


def reduce(
    view: View,
    query: Query,
    fresh: Callable[[int], Pool],
    block: int | None,
    threads: int | None,
) -> Pool:
    """Reduce one view.

    Parameters
    ----------
    view, query : candidates and what they are compared with.
    fresh : makes an empty pool with room for so many band entries.
    block : candidates taken at a time.
    threads : CPU threads.
    """
    if not view.stack.shared:
        return _own(view, query, fresh, threads)
    size = block or max(1024, min(8192, 2**19 // max(1, len(query))))
    blocks = list(_blocks(view, size))
    largest = max(b.rows * b.n for b in blocks)
    by_products = len(query) > FEW and narrow(query.known_weight) and len(query.offsets) > 0
    work = _by_products if by_products else _by_differences

    def share(mine: Iterable[_Block]) -> Pool:
        return work(view, query, fresh(len(query) * largest), mine, largest)

    return fold(Pool.merge, each(share, blocks, threads))


def _blocks(view: View, size: int) -> Iterator[_Block]:
    first, last = view.rows
    if view.run >= size:
        for row in range(first, last + 1):
            for at in range(0, view.run, size):
                yield _Block(row, 1, at, min(size, view.run - at))
        return
    several = max(1, size // view.run)
    for row in range(first, last + 1, several):
        yield _Block(row, min(several, last + 1 - row), 0, view.run)


def _usable(view: View, block: _Block) -> np.ndarray:
    if view.usable is None:
        return np.empty((0, 0), np.bool_)
    first = block.row - view.rows[0]
    part = view.usable.numpy()[0, first : first + block.rows, block.at : block.at + block.n]
    return np.ascontiguousarray(part)


def _by_products(
    view: View, query: Query, pool: Pool, blocks: Iterable[_Block], largest: int
) -> Pool:
    """|q|^2 + |c|^2 - 2 q.c, with q.c as two exact int8 products.

    A weight times a centred pixel needs 15 bits: weight x pixel = 128 high + low, both int8.
    """
    queries, channels = query.values.shape[:2]
    values = query.values.reshape(queries, -1).astype(np.int32)
    weights = np.tile(query.weights, channels)
    weighted = values * weights
    high = (weighted + 64) >> 7
    # Whole vectors of products: rows of zeros change nothing.
    depth = -(-weights.size // 16) * 16
    limbs = torch.zeros((2 * queries, depth), dtype=torch.int8)
    limbs[:queries, : weights.size] = torch.from_numpy(high.astype(np.int8))
    limbs[queries:, : weights.size] = torch.from_numpy((weighted - (high << 7)).astype(np.int8))
    query_norms = (values * weighted).sum(axis=1, dtype=np.int32)

    pixels = view.stack.pixels.reshape(-1).numpy()
    names = kernels.Names(view.codes, view.words)
    norms = np.empty(largest, np.int32)
    patches = torch.zeros(depth * largest, dtype=torch.int8)
    products = torch.empty(2 * queries * largest, dtype=torch.int32)
    width = 0
    for block in blocks:
        n = block.rows * block.n
        if n != width:
            patches.zero_()
            width = n
        some = patches[: depth * n].view(depth, n)
        out = products[: 2 * queries * n].view(2 * queries, n)
        starts = view.starts(query, block.row) + block.at
        kernels.gather(
            pixels, starts, view.row_stride, block.rows, weights, block.n, some.numpy(), norms
        )
        torch._int_mm(limbs, some, out=out)
        pool.reserve(queries * n)
        kernels.fold_products(
            out.numpy(), norms, query_norms, view.row_code(block.row), block.rows, block.at,
            block.n, names, query.salts, view.barred, _usable(view, block), pool.state, pool.rule,
        )  # fmt: skip
    return pool


def _buffer(query: Query) -> np.ndarray:
    dtype = np.int32 if narrow(query.known_weight) else np.int64
    return np.empty(kernels.SPAN, dtype)


def _by_differences(
    view: View, query: Query, pool: Pool, blocks: Iterable[_Block], largest: int
) -> Pool:
    """Few queries, or none to compare: plain sums of squared differences."""
    values = query.values.reshape(len(query), -1)
    weights = np.tile(query.weights, query.values.shape[1])
    pixels = view.stack.pixels.reshape(-1).numpy()
    names = kernels.Names(view.codes, view.words)
    buffer = _buffer(query)
    for block in blocks:
        pool.reserve(len(query) * block.rows * block.n)
        kernels.fold_shared(
            pixels, view.starts(query, block.row) + block.at, view.row_stride, block.rows,
            weights, values, view.row_code(block.row), block.at, block.n, names, query.salts,
            view.barred, _usable(view, block), pool.state, pool.rule, buffer,
        )  # fmt: skip
    return pool


def _own(view: View, query: Query, fresh: Callable[[int], Pool], threads: int | None) -> Pool:
    """Every query has pictures of its own: threads share out the queries."""
    queries = len(query)
    values = query.values.reshape(queries, -1)
    weights = np.tile(query.weights, query.values.shape[1])
    names = kernels.Names(view.codes, view.words)
    pixels = view.stack.pixels.reshape(queries, -1).numpy()
    usable = np.empty((0, 0, 0), np.bool_) if view.usable is None else view.usable.numpy()
    first, last = view.rows
    rows = last - first + 1
    starts = view.starts(query, first)
    size = max(1, queries // 16)
    chunks = [(b, min(b + size, queries)) for b in range(0, queries, size)]

    def share(mine: Iterable[tuple[int, int]]) -> Pool:
        pool, buffer = fresh(size * rows * view.run), _buffer(query)
        for b0, b1 in mine:
            pool.reserve((b1 - b0) * rows * view.run)
            kernels.fold_own(
                pixels, starts, view.row_stride, rows, weights, values, view.row_code(first),
                view.run, names, query.salts, view.barred, usable, pool.state, pool.rule, buffer,
                b0, b1,
            )  # fmt: skip
        return pool

    return fold(Pool.merge, each(share, chunks, threads))
