"""Compiled loops of the nearest-k reduction for many queries and one dictionary (Numba).

`reduce.filters` proves what is left out here; everything that is kept is finished in integers.
"""

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np

from intarsia.reduce.cell_kernels import MAX_INT32, gaps, in_order, sort_to_cells
from intarsia.reduce.kernels import NO_KEY, _compiled, _inlined, _merged
from intarsia.reduce.nearest_kernels import FAR, insert, reach
from intarsia.reduce.shortlist import _gather
from intarsia.reduce.vectors import (
    LANES,
    QUERIES,
    TILE,
    WORD,
    distances,
    encode,
    lowest_bit,
    mix,
    within,
)

Sieve = namedtuple(
    "Sieve", "coefs starts plane mixtures mixed shift first gain_first gain_all cuts"
)
"""Filters, ready for the loops: ``coefs`` int32 [D, depth], two 16-bit numbers in each; ``starts``
int64 [2 depth], where their pixels lie from a centre in the first channel; ``plane``, how far apart
channels lie; ``mixtures``, how many are made of them; ``mixed`` int64 [D / `QUERIES`], which of
them so many filters see; the rest as in `reduce.filters.Filters`."""

Asked = namedtuple("Asked", "number rows cols coefs norms codes kind values")
"""Queries: ``number`` [Q] of their lists; ``rows``, ``cols`` [Q] their places; ``coefs`` int32
[Q, first / 2], -2 z in pairs; ``norms`` int32 [Q], |z|^2, both of the first filters; ``codes``
int32 [D, Q], z; ``kind`` [Q], which row of `Kinds`; ``values`` int8 [Q, K], most telling first."""

Kinds = namedtuple("Kinds", "count starts weights box")
"""Sets of compared pixels: ``count`` [T] of them, ``starts`` int64 and ``weights`` int32 [T, K],
most telling first; ``box`` [T, 4]: first and last row, first and last column where they fit."""

Block = namedtuple("Block", "planes centre row col pictures j0 names base codes norms rest order")
"""Candidates of one row of places in the order of their cells: the i-th stands at run position
``j0 + order[i]`` and is named ``names[order[i]] + base``; ``centre`` is where the first pixel of
``j0`` lies in ``planes``. ``codes`` int32 [first / 2, n], z in pairs, and ``norms`` int32 [n],
|z|^2, are of the first filters, in this order; ``rest`` are those of the others, as they stood."""

RUN = 512
"""Candidates taken at a time: what is read of them stays in the first-level cache."""

BOXED = 6
"""Filters by which cells are passed over, at most."""

TOGETHER = 16
"""Cells that are first looked at as one: most queries pass over all of them."""

MANY = 200
"""Queries from which sorting candidates to cells costs less than it leaves out."""


@_inlined
def _bound(gain, limit, dimensions):
    """Greatest |z_q - z_c|^2 of a candidate within ``limit``, below `MAX_INT32`."""
    reach = gain * math.sqrt(np.float64(limit)) + math.sqrt(np.float64(dimensions))
    return np.int64(min(reach * reach * (1 + 1e-12) + 1, MAX_INT32 - 1.0))


@_inlined
def _mixture(planes, at, plane, m):
    """Return one mixture of the channels of one pixel, as in `reduce.filters.MIXTURES`."""
    value = np.int32(planes[at])
    if m == 0:
        return value + np.int32(planes[at + plane]) + np.int32(planes[at + 2 * plane])
    value -= np.int32(planes[at + 2 * plane])
    if m == 1:
        return value
    ends = np.int32(planes[at]) + np.int32(planes[at + 2 * plane])
    return np.int32(2) * np.int32(planes[at + plane]) - ends


@_merged
def _seen(planes, sieve, at, span, pairs, none, zeros):
    """Write what the filters see of a span of candidates, pixels in pairs; [1 or 3, depth, RUN]."""
    if pairs.shape[0] == 1:
        _gather(planes, sieve.starts, none, at, span, pairs[0], zeros)
        return
    whole = span // LANES
    mix(planes, sieve.starts, sieve.plane, at, pairs, whole)
    for j in range(whole * LANES, span):
        for k in range(pairs.shape[1]):
            for m in range(pairs.shape[0]):
                a = _mixture(planes, sieve.starts[2 * k] + at + j, sieve.plane, m)
                b = _mixture(planes, sieve.starts[2 * k + 1] + at + j, sieve.plane, m)
                pairs[m, k, j] = (a & np.int32(0xFFFF)) | (b << np.int32(16))


@_merged
def _code(sieve, planes, at, lo, span, pairs, none, half, zeros, codes, norms):
    """Write z of a span of candidates in pairs, from the ``lo``-th on, and |z|^2 of the first."""
    _seen(planes, sieve, at, span, pairs, none, zeros)
    tiles = -(-span // TILE)
    norms[lo : lo + tiles * TILE] = 0
    for d in range(0, sieve.coefs.shape[0], QUERIES):
        encode(codes, pairs[sieve.mixed[d // QUERIES]], norms, sieve.coefs, half, d,
               np.int32(sieve.shift), lo, tiles, np.int64(d < sieve.first))  # fmt: skip


@_inlined
def _is_near(asked, q, rest, j, first, dist, bound):
    """Whether the other filters too leave the candidate within the bound."""
    for p in range(rest.shape[0]):
        both = rest[p, j]
        a = np.int64(asked.codes[first + 2 * p, q]) - np.int64(np.int16(both))
        b = np.int64(asked.codes[first + 2 * p + 1, q]) - np.int64(both >> 16)
        dist += a * a + b * b
        if dist > bound:
            return False
    return True


@_inlined
def _distance(asked, kinds, q, planes, centre, limit):
    """Return the distance, exact if it is within ``limit``."""
    kind = asked.kind[q]
    total = np.int64(0)
    for k in range(kinds.count[kind]):
        t = np.int64(asked.values[q, k]) - np.int64(planes[centre + kinds.starts[kind, k]])
        total += kinds.weights[kind, k] * t * t
        if k % 8 == 7 and total > limit:
            return total
    return total


@_inlined
def _argmin(dist, lo, hi):
    best = lo
    for j in range(lo + 1, hi):
        if dist[j] < dist[best]:
            best = j
    return best


@_merged
def _take(i, dist, bound_all, q, asked, kinds, first, block, lists):
    """Take the i-th candidate into query ``q``'s list if it belongs there; return its distance."""
    kind = asked.kind[q]
    j = np.int64(block.order[i])
    at = block.col + (block.j0 + j) // block.pictures
    if at < kinds.box[kind, 2] or at > kinds.box[kind, 3]:
        return FAR
    if not _is_near(asked, q, block.rest, j, first, np.int64(dist), bound_all):
        return FAR
    number = asked.number[q]
    limit = lists.limit[number]
    total = _distance(asked, kinds, q, block.planes, block.centre + j, limit)
    if total <= limit:
        insert(lists, number, total, block.names[j] + block.base)
    return total


@_merged
def _first(dist, lo, q, asked, kinds, sieve, block, lists):
    """Give a query's empty list the most promising of each part: what they leave is little."""
    number, keep = asked.number[q], lists.distance.shape[1]
    parts = keep if dist.size >= keep else 1
    for part in range(parts):
        j = _argmin(dist, part * dist.size // parts, (part + 1) * dist.size // parts)
        bound = _bound(sieve.gain_all, lists.limit[number], sieve.coefs.shape[0])
        _take(lo + j, dist[j], bound, q, asked, kinds, sieve.first, block, lists)
        dist[j] = MAX_INT32  # beyond every bound: taken


@_merged
def _survivors(dist, masks, lo, q, asked, kinds, sieve, block, lists):
    """Finish what the first filters leave of the candidates from the ``lo``-th on.

    ``masks`` int64 [words], bits of those within the bound when last looked at.
    """
    kind, number = asked.kind[q], asked.number[q]
    if block.row < kinds.box[kind, 0] or block.row > kinds.box[kind, 1]:
        return
    filters, first = sieve.coefs.shape[0], sieve.first
    if lists.limit[number] == FAR:
        _first(dist, lo, q, asked, kinds, sieve, block, lists)
    limit = lists.limit[number]
    bound = np.int32(_bound(sieve.gain_first, limit, first))
    bound_all = _bound(sieve.gain_all, limit, filters)
    for word in range(-(-dist.size // WORD)):
        left = masks[word]
        while left != 0:
            j = word * WORD + lowest_bit(left)
            left &= left - 1
            if j >= dist.size or dist[j] > bound:
                continue
            total = _take(lo + j, dist[j], bound_all, q, asked, kinds, first, block, lists)
            if total <= limit:
                limit = lists.limit[number]
                bound = np.int32(_bound(sieve.gain_first, limit, first))
                bound_all = _bound(sieve.gain_all, limit, filters)


@_merged
def _kept(planes, centre, pictures, j0, n, flat, keep):
    """Return which candidates are looked at: of flat ones at one place only the first few.

    They are equal, whatever is compared, and stand in the order of their names.
    """
    if flat.size == 0:
        return np.arange(n).astype(np.int32)
    kept = np.empty(n, np.int32)
    count = 0
    seen = np.zeros(256, np.int64)
    for j in range(n):
        if (j0 + j) % pictures == 0:
            seen[:] = 0
        if flat[centre + j]:
            value = np.int64(planes[centre + j]) + 128
            seen[value] += 1
            if seen[value] > keep:
                continue
        kept[count] = j
        count += 1
    return kept[:count]


@_compiled
def fold_filtered(planes, flat, width, pictures, row, col, j0, n, names, base, radius, sieve, asked,
                  kinds, lists):  # fmt: skip
    """Fold ``n`` candidates of one row of places into the lists of the queries they may serve.

    Where many queries ask, the candidates are first sorted to cells, and a query passes over the
    cells that its filters prove to be out of reach.

    Parameters
    ----------
    planes : int8, flat; ``width`` columns, ``pictures`` side by side.
    flat : bool, which patches hold one value alone, or [0] where hardly any do.
    row, col : place of run position 0.
    j0, n : run positions j0 to j0 + n - 1.
    names : int64 [run]; ``base`` is what the row adds to them.
    radius : queries farther from the candidates' place are left out (then the run is one column);
        -1 for none.
    """
    # Rows a power of two apart would compete for the same lines of the cache.
    pairs = np.zeros((sieve.mixtures, sieve.coefs.shape[1], RUN + 16), np.int32)
    none = np.zeros(sieve.coefs.shape[1], np.int32)
    half = np.full(sieve.coefs.shape[0], (1 << sieve.shift) >> 1, np.int32)
    buffer = np.zeros((QUERIES, RUN + 16), np.int32)
    zeros = np.zeros(RUN, np.int32)
    codes = np.empty((sieve.coefs.shape[0] // 2, n + TILE), np.int32)
    norms = np.empty(n + TILE, np.int32)
    count = asked.number.size
    served = np.arange(count)
    if radius >= 0:
        beside = np.maximum(np.abs(asked.rows - row), np.abs(asked.cols - col))
        served = served[beside <= radius]
    if served.size == 0:
        return
    centre = (row * width + col) * pictures + j0
    for lo in range(0, n, RUN):
        span = min(RUN, n - lo)
        _code(sieve, planes, centre + lo, lo, span, pairs, none, half, zeros, codes, norms)
    order = _kept(planes, centre, pictures, j0, n, flat, lists.distance.shape[1])
    near = codes[: sieve.first // 2]
    cells = served.size >= MANY
    ends = np.full(1, order.size)
    if cells:
        order, ends = sort_to_cells(sieve.cuts, codes, order, n)
    if cells or order.size < n:
        near, norms = in_order(near, norms, order)
    mine = names[j0 : j0 + n]
    rest = codes[sieve.first // 2 :]
    block = Block(planes, centre, row, col, pictures, j0, mine, base, near, norms, rest, order)
    limits, bounds = np.empty(count, np.int64), np.empty(count, np.int32)
    for q in served:
        limits[q] = lists.limit[asked.number[q]]
        bounds[q] = _bound(sieve.gain_first, limits[q], sieve.first)
    if cells:
        _fold_cells(block, ends, limits, bounds, sieve, asked, kinds, lists, buffer)
        return
    apart, which = np.zeros(served.size, np.int32), np.empty(served.size, np.int64)
    for lo in range(0, order.size, RUN):
        hi = min(lo + RUN, order.size)
        active = _reached(block, lo, hi, limits, bounds, sieve, asked, lists, apart, served, which)
        _fold_run(block, lo, hi, which[:active], bounds, sieve, asked, kinds, lists, buffer)


@_merged
def _reached(block, lo, hi, limits, bounds, sieve, asked, lists, apart, some, which):
    """Write which of ``some`` queries the filters leave for candidates, and return how many."""
    active, earliest = 0, np.int64(-1)
    for i in range(apart.size):
        q = some[i]
        if apart[i] > bounds[q]:
            continue
        number = asked.number[q]
        if lists.limit[number] != limits[q]:
            limits[q] = lists.limit[number]
            bounds[q] = _bound(sieve.gain_first, limits[q], sieve.first)
            if apart[i] > bounds[q]:
                continue
        if limits[q] == 0:  # equals are all that matters, and of them the earliest
            if earliest < 0:
                earliest = NO_KEY
                for j in range(lo, hi):
                    earliest = min(earliest, block.names[block.order[j]] + block.base)
            if reach(lists, number, earliest) < 0:
                continue
        which[active] = q
        active += 1
    return active


@_merged
def _fold_cells(block, ends, limits, bounds, sieve, asked, kinds, lists, buffer):
    """Fold candidates, some cells at a time, and of these cell by cell.

    ``limits`` int64 [Q], ``bounds`` int32 [Q]: distance, and |z_q - z_c|^2, within reach of a
    query when last looked at.
    """
    boxed = min(sieve.first, BOXED)
    every = np.arange(limits.size)
    some, theirs = np.empty(limits.size, np.int64), np.empty((boxed, limits.size), np.int32)
    apart, which = np.empty(limits.size, np.int32), np.empty(limits.size, np.int64)
    begin = np.int64(0)
    for cell in range(0, ends.size, TOGETHER):
        last = min(cell + TOGETHER, ends.size)
        if ends[last - 1] == begin:
            continue
        gaps(block.codes, boxed, begin, ends[last - 1], asked.codes, apart)
        count = _reached(block, begin, ends[last - 1], limits, bounds, sieve, asked, lists, apart,
                         every, some)  # fmt: skip
        for d in range(boxed):
            for i in range(count):
                theirs[d, i] = asked.codes[d, some[i]]
        for end in ends[cell:last]:
            for lo in range(begin, end, RUN):
                hi = min(lo + RUN, end)
                gaps(block.codes, boxed, lo, hi, theirs, apart[:count])
                active = _reached(block, lo, hi, limits, bounds, sieve, asked, lists,
                                  apart[:count], some, which)  # fmt: skip
                _fold_run(block, lo, hi, which[:active], bounds, sieve, asked, kinds, lists, buffer)
            begin = end


@_merged
def _fold_run(block, lo, hi, which, bounds, sieve, asked, kinds, lists, buffer):
    """Fold a run of candidates into the lists of the queries they may serve."""
    depth = sieve.first // 2
    coefs, own = np.zeros((QUERIES, depth), np.int32), np.zeros(QUERIES, np.int32)
    codes, norms = block.codes[:, lo:], block.norms[lo:]
    words = -(-(hi - lo) // WORD)
    masks = np.empty(words, np.int64)
    for b in range(0, which.size, QUERIES):
        together = min(QUERIES, which.size - b)
        for a in range(together):
            own[a] = asked.norms[which[b + a]]
            for p in range(depth):
                coefs[a, p] = asked.coefs[which[b + a], p]
        distances(buffer, codes, norms, coefs, own, 0, -(-(hi - lo) // TILE))
        for a in range(together):
            q = which[b + a]
            if within(buffer[a], bounds[q], masks, words) != 0:
                _survivors(buffer[a, : hi - lo], masks, lo, q, asked, kinds, sieve, block, lists)
