"""The pool reduction on the CPU: int8 products and compiled loops, thread by thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce as fold

import numpy as np
import torch

from intarsia.dictionary import Query
from intarsia.reduce.fit import View
from intarsia.reduce import kernels
from intarsia.reduce.crew import each
from intarsia.reduce.pool import Pool, narrow

FEW = 4
"""Up to this many queries, direct differences beat two products and their sums."""

_NOTHING = np.empty(0, np.bool_)


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
    names = kernels.Names(view.codes, view.words)
    size = block or max(1024, min(8192, 2**19 // max(1, len(query))))
    tasks = [
        (row, at, min(size, view.run - at))
        for row in range(view.rows[0], view.rows[1] + 1)
        for at in range(0, view.run, size)
    ]
    by_products = len(query) > FEW and narrow(query.known_weight) and len(query.offsets) > 0
    work = _by_products if by_products else _by_differences

    def share(mine: Iterable[tuple[int, int, int]]) -> Pool:
        return work(view, query, names, fresh(2 * size), mine, size)

    return fold(Pool.merge, each(share, tasks, threads))


def _usable(view: View, row: int, at: int, n: int) -> np.ndarray:
    if view.usable is None:
        return _NOTHING
    return view.usable.numpy()[0, row - view.rows[0], at : at + n]


def _by_products(
    view: View,
    query: Query,
    names: kernels.Names,
    pool: Pool,
    tasks: Iterable[tuple[int, int, int]],
    size: int,
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
    keys_ = torch.zeros((depth, size), dtype=torch.int8)
    norms = np.empty(size, np.int32)
    products = torch.empty((2 * queries, size), dtype=torch.int32)
    for row, at, n in tasks:
        k, out = keys_, products
        if n < size:
            k = torch.zeros((depth, n), dtype=torch.int8)
            out = torch.empty((2 * queries, n), dtype=torch.int32)
        kernels.gather(pixels, view.starts(query, row) + at, weights, n, k.numpy(), norms)
        torch._int_mm(limbs, k, out=out)
        pool.reserve(n)
        kernels.fold_products(
            out.numpy(), norms, query_norms, view.row_code(row), at, n, names, query.salts,
            view.barred, _usable(view, row, at, n), pool.state, pool.rule,
        )  # fmt: skip
    return pool


def _buffer(query: Query) -> np.ndarray:
    dtype = np.int32 if narrow(query.known_weight) else np.int64
    return np.empty(kernels.SPAN, dtype)


def _by_differences(
    view: View,
    query: Query,
    names: kernels.Names,
    pool: Pool,
    tasks: Iterable[tuple[int, int, int]],
    size: int,
) -> Pool:
    """Few queries, or none to compare: plain sums of squared differences."""
    values = query.values.reshape(len(query), -1)
    weights = np.tile(query.weights, query.values.shape[1])
    pixels = view.stack.pixels.reshape(-1).numpy()
    buffer = _buffer(query)
    for row, at, n in tasks:
        pool.reserve(n)
        kernels.fold_shared(
            pixels, view.starts(query, row) + at, weights, values, view.row_code(row), at, n,
            names, query.salts, view.barred, _usable(view, row, at, n), pool.state, pool.rule,
            buffer,
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
    rows = view.rows[1] - view.rows[0] + 1
    starts = view.starts(query, 0)
    row_stride = int(np.prod(view.stack.pixels.shape[3:]))
    pool = fresh(max(2 * view.run, 4096))
    first = 0
    while first < queries:
        share = max(1, -(-(queries - first) // 16))
        chunks = [(b, min(b + share, queries)) for b in range(first, queries, share)]

        def work(mine: Iterable[tuple[int, int]], pool: Pool = pool) -> int:
            full = queries
            for b0, b1 in mine:
                reached = kernels.fold_own(
                    pixels, starts, row_stride, weights, values, view.rows[0], rows,
                    view.row_code(view.rows[0]), view.run, names, query.salts, view.barred,
                    usable, pool.state, pool.rule, _buffer(query), b0, b1,
                )  # fmt: skip
                if reached < b1:
                    full = min(full, reached)
            return full

        first = min(each(work, chunks, threads))
        if first < queries:
            # A band ran out of room: start over with as much as could ever be needed.
            pool, first = fresh(rows * view.run), 0
    return pool
