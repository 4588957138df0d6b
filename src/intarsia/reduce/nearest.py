"""The nearest-k reduction over codes of an encoder phi, exact in integers."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Bool, Int8, Int32, Int64

from intarsia.dictionary import CodeBook
from intarsia.reduce import kernels
from intarsia.reduce.crew import each

_BLOCK = 4096
_INSERTION = 512
"""Lists up to this long are kept sorted by insertion; longer ones are sorted whole."""

_LONG = 2**17
"""Coordinates from which a sum of squares may pass 32 bits."""

OUT_OF_REACH = np.iinfo(np.int64).max


def code_distances(
    book: CodeBook,
    query: Int8[np.ndarray, "b d"],
    known: Bool[np.ndarray, " d"],
    threads: int | None = None,
) -> Int64[np.ndarray, "b n"]:
    """Squared distances between codes over the coordinates the query knows, exact."""
    rows = np.flatnonzero(known)
    out = np.empty((len(query), book.values.shape[1]), np.int64)
    if book.values.device.type != "cpu" or rows.size >= _LONG:
        from intarsia.reduce import device

        return device.code_distances(book.values, query, rows)
    depth = -(-max(1, rows.size) // 16) * 16
    values = torch.zeros((max(len(query), 1), depth), dtype=torch.int8)
    values[:, : rows.size] = torch.from_numpy(np.ascontiguousarray(query[:, rows]))
    norms = (query[:, rows].astype(np.int64) ** 2).sum(axis=1)
    flat = book.values.reshape(-1).numpy()
    starts = rows * book.values.shape[1]
    ones = np.ones(rows.size, np.int32)

    def share(blocks: Iterable[int]) -> None:
        code_norms = np.empty(_BLOCK, np.int32)
        for at in blocks:
            n = min(_BLOCK, out.shape[1] - at)
            block = torch.zeros((depth, n), dtype=torch.int8)
            kernels.gather(flat, starts + at, 0, 1, ones, n, block.numpy(), code_norms)
            products = torch._int_mm(values, block)
            kernels.code_distances(products.numpy(), code_norms, norms, out[:, at : at + n])

    each(share, range(0, out.shape[1], _BLOCK), threads)
    return out


def put_out_of_reach(
    dist: Int64[np.ndarray, "b n"],
    barred: Int64[np.ndarray, " b"],
    allowed: Bool[np.ndarray, " n"] | None,
) -> None:
    """Leave out an index a query (-1 for none), and for all queries what is not allowed."""
    rows = np.flatnonzero(barred >= 0)
    dist[rows, barred[rows]] = OUT_OF_REACH
    if allowed is not None:
        dist[:, ~allowed] = OUT_OF_REACH


def nearest_codes(
    book: CodeBook,
    query: Int8[np.ndarray, "b d"],
    known: Bool[np.ndarray, " d"],
    keep: int,
    barred: Int64[np.ndarray, " b"],
    allowed: Bool[np.ndarray, " n"] | None = None,
    threads: int | None = None,
) -> Int64[np.ndarray, "b m"]:
    """Return the indices of each query's ``keep`` nearest codes, as `nearest` would.

    Distances are never written where they fit 32 bits. Coordinates that are not known are zeros
    in the query, so that one product serves every mask.

    Parameters
    ----------
    barred : an index each query leaves out; -1 for none.
    allowed : which may be found; all by default.
    """
    depth = query.shape[1]
    if book.upright is None or depth * 255**2 >= 2**31 - 1:
        dist = code_distances(book, query, known, threads)
        put_out_of_reach(dist, barred, allowed)
        return nearest(dist, keep, threads=threads)
    upright = book.upright
    shown = np.where(known, query, 0)
    values = torch.zeros((len(query), upright.shape[1]), dtype=torch.int8)
    values[:, :depth] = torch.from_numpy(shown.astype(np.int8))
    norms = _norms(book, known)
    own = (shown.astype(np.int32) ** 2).sum(axis=1, dtype=np.int32)
    bounds = np.full(len(query), kernels.NO_KEY)
    shape = len(query), min(keep, len(upright))

    def share(blocks: Iterable[int]) -> Int64[np.ndarray, "b k"]:
        heaps = np.full(shape, kernels.NO_KEY)
        for at in blocks:
            some = slice(at, at + _BLOCK)
            products = torch._int_mm(values, upright[some].t())
            mask = np.empty(0, np.bool_) if allowed is None else allowed[some]
            kernels.select_codes(
                products.numpy(), norms[some], own, at, barred, mask, bounds, heaps
            )
        return heaps

    found = np.concatenate(each(share, range(0, len(upright), _BLOCK), threads), axis=1)
    if found.shape[1] > shape[1]:
        found = np.partition(found, shape[1] - 1, axis=1)[:, : shape[1]]
    return _in_order(np.where(found == kernels.NO_KEY, -1, found & (2**32 - 1)))


_kept: WeakKeyDictionary[CodeBook, tuple[np.ndarray, np.ndarray]] = WeakKeyDictionary()


def _norms(book: CodeBook, known: Bool[np.ndarray, " d"]) -> Int32[np.ndarray, " n"]:
    """Return |c|^2 over known coordinates, summed on from those of the last look-up."""
    before, norms = _kept.get(book, (np.zeros_like(known), None))
    if norms is None or (before & ~known).any():
        before, norms = np.zeros_like(known), np.zeros(book.values.shape[1], np.int32)
    norms = norms.copy()
    kernels.add_code_norms(book.values.numpy(), np.flatnonzero(known & ~before), norms)
    _kept[book] = known.copy(), norms
    return norms


def nearest(
    dist: Int64[np.ndarray, "b n"],
    keep: int,
    epsilon: Fraction | None = None,
    threads: int | None = None,
) -> Int64[np.ndarray, "b m"]:
    """Return the indices of each row's ``keep`` least (distance, index).

    Parameters
    ----------
    dist : squared distances; `OUT_OF_REACH` for what may not be chosen.
    keep : how many at most.
    epsilon : keep only those whose distance (not squared) is within 1 + epsilon of the least.

    Returns
    -------
    int64 [B, M], ascending in index; -1 fills rows that have fewer than M.
    """
    k = min(keep, dist.shape[1])
    indices = np.full((len(dist), k), -1, np.int64)
    distances = np.full((len(dist), k), OUT_OF_REACH, np.int64)

    def share(rows: Iterable[int]) -> None:
        for b in rows:
            if k <= _INSERTION:
                kernels.select_least(dist[b], k, indices[b], distances[b])
                continue
            order = np.argsort(dist[b], kind="stable")[:k]
            inside = dist[b, order] < OUT_OF_REACH
            indices[b, inside], distances[b, inside] = order[inside], dist[b, order[inside]]

    each(share, range(len(dist)), threads)
    if epsilon is not None:
        # The paper's distances are not squared: d <= (1 + eps) d0 with eps = a / b.
        top = (epsilon.numerator + epsilon.denominator) ** 2
        for b in range(len(dist)):
            limit = int(distances[b, 0]) * top // epsilon.denominator**2
            indices[b, distances[b] > limit] = -1
    return _in_order(indices)


def _in_order(indices: Int64[np.ndarray, "b k"]) -> Int64[np.ndarray, "b m"]:
    """Sort indices; -1 fills up to the longest row."""
    longest = max(1, int((indices >= 0).sum(axis=1).max(initial=0)))
    chosen = np.where(indices < 0, OUT_OF_REACH, indices)
    chosen.sort(axis=1)
    chosen = chosen[:, :longest]
    return np.where(chosen == OUT_OF_REACH, -1, chosen)
