"""The pool reduction on the CPU: compiled loops, thread by thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce as fold

import numpy as np

from intarsia.dictionary import Query
from intarsia.reduce import kernels, shortlist
from intarsia.reduce.crew import each
from intarsia.reduce.fit import View
from intarsia.reduce.state import Pool, narrow
from intarsia.reduce.vectors import QUERIES

FEW = 4
"""Up to this many queries, direct differences beat two products and their sums."""

HEAD = 48
"""Pixels (times channels) whose distances shortlist: 16 hold nine tenths of half a window."""

OWN_HEAD = 32
"""The same where every query has few candidates of its own, and thresholds have hardly fallen."""


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
    shortlisted = len(query) > FEW and narrow(query.known_weight) and len(query.offsets) > 0
    work = _by_shortlist if shortlisted else _by_differences

    first = fresh(0)

    def share(mine: Iterable[_Block]) -> Pool:
        pool = fresh(len(query) * largest).beside(first)
        return work(view, query, pool, mine)

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


def _heaviest_first(query: Query) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the order of the query's pixels by weight, and weights and values in that order."""
    weights = np.tile(query.weights, query.values.shape[1])
    order = np.argsort(-weights, kind="stable")
    values = query.values.reshape(len(query), -1)[:, order]
    return order, weights[order], np.ascontiguousarray(values)


def _packed(numbers: np.ndarray) -> np.ndarray:
    """Pack neighbouring numbers of 16 bits in one of 32."""
    return (numbers[..., 0::2] & 0xFFFF) | (numbers[..., 1::2] << 16)


def _split(query: Query) -> tuple[shortlist.Split, np.ndarray, np.ndarray]:
    """Cut the query's pixels at `HEAD`, heaviest first; return the places of head and tail too."""
    queries = len(query)
    order, weights, values = _heaviest_first(query)
    cut = min(HEAD, len(order))
    # Pairs, and whole groups of queries: pixels of weight 0 and queries of zeros change nothing.
    depth = -(-cut // 2)
    held = np.zeros(2 * depth, np.int32)
    held[:cut] = weights[:cut]
    places = np.full(2 * depth, order[0])
    places[:cut] = order[:cut]
    some = np.zeros((-(-queries // QUERIES) * QUERIES, 2 * depth), np.int32)
    some[:queries, :cut] = values[:, :cut]
    coefs = -2 * held * some  # 16 bits: 2 x 127 x 128 < 2^15
    norms = (held * some**2).sum(axis=1, dtype=np.int32)
    rest = np.ascontiguousarray(values[:, cut:])
    parts = shortlist.Split(_packed(coefs), norms, _packed(held), weights[cut:], rest)
    return parts, places, order[cut:]


def _by_shortlist(view: View, query: Query, pool: Pool, blocks: Iterable[_Block]) -> Pool:
    """Many queries: the heaviest pixels' products, then the survivors' differences."""
    split, head, tail = _split(query)
    pixels = view.stack.pixels.reshape(-1).numpy()
    names = kernels.Names(view.codes, view.words)
    for block in blocks:
        pool.reserve(len(query) * block.rows * block.n)
        starts = view.starts(query, block.row) + block.at
        shortlist.fold(
            pixels, starts[head], starts[tail], view.row_stride, block.rows, split,
            view.row_code(block.row), block.at, block.n, names, query.salts, view.barred,
            _usable(view, block), pool.state, pool.rule,
        )  # fmt: skip
    return pool


def _buffer(query: Query) -> np.ndarray:
    dtype = np.int32 if narrow(query.known_weight) else np.int64
    return np.empty(kernels.SPAN, dtype)


def _by_differences(view: View, query: Query, pool: Pool, blocks: Iterable[_Block]) -> Pool:
    """Few queries, or none to compare: plain sums of squared differences."""
    order, weights, values = _heaviest_first(query)
    head = min(HEAD, len(order))
    pixels = view.stack.pixels.reshape(-1).numpy()
    names = kernels.Names(view.codes, view.words)
    buffer = _buffer(query)
    for block in blocks:
        pool.reserve(len(query) * block.rows * block.n)
        kernels.fold_shared(
            pixels, view.starts(query, block.row)[order] + block.at, view.row_stride, block.rows,
            weights, values, head, view.row_code(block.row), block.at, block.n, names,
            query.salts, view.barred, _usable(view, block), pool.state, pool.rule, buffer,
        )  # fmt: skip
    return pool


def _own(view: View, query: Query, fresh: Callable[[int], Pool], threads: int | None) -> Pool:
    """Every query has pictures of its own: threads share out the queries."""
    queries = len(query)
    order, weights, values = _heaviest_first(query)
    head = min(OWN_HEAD, len(order))
    names = kernels.Names(view.codes, view.words)
    pixels = view.stack.pixels.reshape(queries, -1).numpy()
    usable = np.empty((0, 0, 0), np.bool_) if view.usable is None else view.usable.numpy()
    first, last = view.rows
    rows = last - first + 1
    starts = view.starts(query, first)[order]
    size = max(1, queries // 8)
    chunks = [(b, min(b + size, queries)) for b in range(0, queries, size)]

    def share(mine: Iterable[tuple[int, int]]) -> Pool:
        pool, buffer = fresh(size * rows * view.run), _buffer(query)
        for b0, b1 in mine:
            pool.reserve((b1 - b0) * rows * view.run)
            kernels.fold_own(
                pixels, starts, view.row_stride, rows, weights, values, head,
                view.row_code(first), view.run, names, query.salts, view.barred, usable, pool.state,
                pool.rule, buffer, b0, b1,
            )  # fmt: skip
        return pool

    return fold(Pool.merge, each(share, chunks, threads))
