"""Compiled loops of the nearest-k reduction for many queries and one dictionary (Numba).

`reduce.filters` proves what is left out here; everything that is kept is finished in integers.
"""

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np

from intarsia.reduce.kernels import SPAN, _compiled, _inlined, _least, _merged
from intarsia.reduce.nearest_kernels import FAR, insert, reach
from intarsia.reduce.shortlist import _gather
from intarsia.reduce.vectors import QUERIES, TILE, distances

INT32_MAX = 2.0**31 - 1

Sieve = namedtuple("Sieve", "coefs starts shift first gain_first gain_all")
"""Filters, ready for the loops: ``coefs`` int32 [D, depth], two 16-bit numbers in each; ``starts``
int64 [2 depth], where their pixels lie from a centre; the rest as in `reduce.filters.Filters`."""

Asked = namedtuple("Asked", "number rows cols coefs norms codes kind values")
"""Queries: ``number`` [Q] of their lists; ``rows``, ``cols`` [Q] their places; ``coefs`` int32
[Q, first / 2], -2 z in pairs; ``norms`` int32 [Q], |z|^2, both of the first filters; ``codes``
int32 [Q, D], z; ``kind`` [Q], which row of `Kinds`; ``values`` int8 [Q, K], heaviest first."""

Kinds = namedtuple("Kinds", "count starts weights box")
"""Sets of compared pixels: ``count`` [T] of them, ``starts`` int64 and ``weights`` int32 [T, K],
heaviest first; ``box`` [T, 4]: first and last row, first and last column where they fit."""


@_inlined
def _bound(gain, limit, dimensions):
    """Greatest |z_q - z_c|^2 of a candidate within ``limit``."""
    reach = gain * math.sqrt(np.float64(limit)) + math.sqrt(np.float64(dimensions))
    return np.int64(min(reach * reach * (1 + 1e-12) + 1, INT32_MAX))


@_merged
def _code(sieve, planes, at, span, pairs, zeros, raw, codes, norms):
    """Write z of a span of candidates in pairs, and |z|^2 over the first filters."""
    none = np.zeros(pairs.shape[0], np.int32)
    _gather(planes, sieve.starts, none, at, span, pairs, zeros)
    half = np.full(sieve.coefs.shape[0], (1 << sieve.shift) >> 1, np.int32)
    norms[:span] = 0
    for d in range(0, sieve.coefs.shape[0], QUERIES):
        distances(raw, pairs, zeros, sieve.coefs, half, d, -(-span // TILE))
        for e in range(0, QUERIES, 2):
            even, odd = raw[e], raw[e + 1]
            both = codes[(d + e) // 2]
            for j in range(span):
                a, b = even[j] >> sieve.shift, odd[j] >> sieve.shift
                both[j] = (a & np.int32(0xFFFF)) | (b << np.int32(16))
                if d < sieve.first:
                    norms[j] += a * a + b * b


@_inlined
def _is_near(asked, q, codes, j, first, dist, bound):
    """Whether the other filters too leave the candidate within the bound."""
    for p in range(first // 2, codes.shape[0]):
        both = codes[p, j]
        a = np.int64(asked.codes[q, 2 * p]) - np.int64(np.int16(both))
        b = np.int64(asked.codes[q, 2 * p + 1]) - np.int64(both >> 16)
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
        if k % 16 == 15 and total > limit:
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
def _take(j, dist, bound_all, q, asked, kinds, sieve, planes, centre, codes, col, pictures, j0,
          names, base, lists):  # fmt: skip
    """Take one candidate into query ``q``'s list if it belongs there; return its distance."""
    kind = asked.kind[q]
    at = col + (j0 + j) // pictures
    if at < kinds.box[kind, 2] or at > kinds.box[kind, 3]:
        return FAR
    if not _is_near(asked, q, codes, j, sieve.first, np.int64(dist[j]), bound_all):
        return FAR
    number = asked.number[q]
    limit = lists.limit[number]
    total = _distance(asked, kinds, q, planes, centre + j, limit)
    if total <= limit:
        insert(lists, number, total, names[j] + base)
    return total


@_merged
def _survivors(dist, bound, q, asked, kinds, sieve, planes, centre, codes, row, col, pictures, j0,
               names, base, lists):  # fmt: skip
    """Finish what the first filters leave of a span of candidates."""
    kind = asked.kind[q]
    if row < kinds.box[kind, 0] or row > kinds.box[kind, 1]:
        return
    number, keep = asked.number[q], lists.distance.shape[1]
    filters = sieve.coefs.shape[0]
    limit = lists.limit[number]
    # The most promising go first, one from each part of the span: what they leave is little.
    tried = -np.ones(keep, np.int64)
    parts = keep if limit == FAR and dist.size >= keep else 1
    for part in range(parts):
        j = _argmin(dist, part * dist.size // parts, (part + 1) * dist.size // parts)
        if dist[j] <= bound:
            tried[part] = j
            _take(j, dist, _bound(sieve.gain_all, lists.limit[number], filters), q, asked, kinds,
                  sieve, planes, centre, codes, col, pictures, j0, names, base, lists)  # fmt: skip
    limit = lists.limit[number]
    bound = min(bound, _bound(sieve.gain_first, limit, sieve.first))
    bound_all = _bound(sieve.gain_all, limit, filters)
    for j in range(dist.size):
        if dist[j] > bound:
            continue
        again = False
        for part in range(parts):
            again |= tried[part] == j
        if again:
            continue
        total = _take(j, dist, bound_all, q, asked, kinds, sieve, planes, centre, codes, col,
                      pictures, j0, names, base, lists)  # fmt: skip
        if total <= limit:
            limit = lists.limit[number]
            bound = min(bound, _bound(sieve.gain_first, limit, sieve.first))
            bound_all = _bound(sieve.gain_all, limit, filters)


@_compiled
def fold_filtered(planes, width, pictures, row, col, j0, n, names, base, radius, sieve, asked,
                  kinds, lists):  # fmt: skip
    """Fold ``n`` candidates of one row of places into the lists of the queries they may serve.

    Parameters
    ----------
    planes : int8, flat; ``width`` columns, ``pictures`` side by side.
    row, col : place of run position 0.
    j0, n : run positions j0 to j0 + n - 1.
    names : int64 [run]; ``base`` is what the row adds to them.
    radius : queries farther from the candidates' place are left out (then the run is one column);
        -1 for none.
    """
    depth, filters = sieve.coefs.shape[1], sieve.coefs.shape[0]
    # Rows a power of two apart would compete for the same lines of the cache.
    pairs = np.zeros((depth, SPAN + 16), np.int32)
    codes = np.zeros((filters // 2, SPAN + 16), np.int32)
    zeros, norms = np.zeros(SPAN, np.int32), np.zeros(SPAN, np.int32)
    buffer = np.zeros((QUERIES, SPAN), np.int32)
    count = asked.number.size
    padded = -(-count // QUERIES) * QUERIES
    which, bounds = np.empty(padded, np.int64), np.empty(padded, np.int64)
    coefs = np.zeros((padded, sieve.first // 2), np.int32)
    own = np.zeros(padded, np.int32)
    for lo in range(j0, j0 + n, SPAN):
        span = min(SPAN, j0 + n - lo)
        earliest = _least(names[lo : lo + span]) + base
        active = 0
        for q in range(count):
            if radius >= 0 and (
                abs(asked.rows[q] - row) > radius or abs(asked.cols[q] - col) > radius
            ):
                continue
            limit = reach(lists, asked.number[q], earliest)
            if limit < 0:
                continue
            which[active] = q
            bounds[active] = _bound(sieve.gain_first, limit, sieve.first)
            coefs[active] = asked.coefs[q]
            own[active] = asked.norms[q]
            active += 1
        if active == 0:
            continue
        centre = (row * width + col) * pictures + lo
        _code(sieve, planes, centre, span, pairs, zeros, buffer, codes, norms)
        for b in range(0, active, QUERIES):
            distances(buffer, codes[: sieve.first // 2], norms, coefs, own, b, -(-span // TILE))
            for a in range(b, min(b + QUERIES, active)):
                dist = buffer[a - b, :span]
                if _least(dist) <= bounds[a]:
                    _survivors(dist, bounds[a], which[a], asked, kinds, sieve, planes, centre,
                               codes, row, col, pictures, lo, names[lo : lo + span], base,
                               lists)  # fmt: skip
