"""Compiled loops of the nearest-k reduction over patches (Numba).

A query's list holds its k least (distance, code) pairs, ascending; codes are those of
`reduce.keys`, so that equal distances are settled by image, then row, then column. Free slots hold
`FAR`.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from intarsia.reduce.kernels import (
    SPAN,
    _add_squares,
    _compiled,
    _finish,
    _inlined,
    _least,
    _merged,
    _shut_out,
)

FAR = np.int64(2**62)

Lists = namedtuple("Lists", "distance code limit")
"""Lists in the making: ``distance``, ``code`` int64 [Q, k], ascending; ``limit`` int64 [Q].

``limit`` is an upper bound of the k-th least distance. It only matters how low it is, never who
found it, so threads share it and a lost update costs time alone.
"""


@_inlined
def insert(lists, q, distance, code):
    """Take one candidate into a list, if it belongs there."""
    least, codes = lists.distance[q], lists.code[q]
    i = least.size - 1
    if distance > least[i] or (distance == least[i] and code >= codes[i]):
        return
    while i > 0 and (least[i - 1] > distance or (least[i - 1] == distance and codes[i - 1] > code)):
        least[i] = least[i - 1]
        codes[i] = codes[i - 1]
        i -= 1
    least[i] = distance
    codes[i] = code
    lists.limit[q] = min(lists.limit[q], least[least.size - 1])


@_inlined
def reach(lists, q, first_code):
    """Return the greatest distance at which a candidate named ``first_code`` or later matters.

    At the k-th least distance itself only an earlier name counts. Without this a flat query, which
    equals a good part of the corpus, would keep every one of its equals.
    """
    limit = lists.limit[q]
    last = lists.distance.shape[1] - 1
    if lists.distance[q, last] == limit and first_code >= lists.code[q, last]:
        return limit - 1
    return limit


@_merged
def _note(dist, limit, q, codes, row_code, lists):
    for j in range(dist.size):
        if dist[j] <= limit:
            insert(lists, q, np.int64(dist[j]), codes[j] + row_code)


@_compiled
def fold_direct(planes, starts, row_stride, rows, weights, values, head, row_code, codes, barred,
                usable, lists, q, buffer):  # fmt: skip
    """Fold all candidates of a view into query ``q``'s list by plain differences.

    Parameters
    ----------
    planes : int8, flat.
    starts : int64 [K], where the compared pixels of the first candidate lie, heaviest first.
    weights, values : int32 [K], int8 [K].
    head : what exceeds the limit by its first ``head`` pixels is left unfinished.
    codes : int64 [run]; ``row_code`` is what the first row adds to them.
    barred : int64 [2], first run position and stride of what may not be used, or -1.
    usable : bool [rows, run], or [0, 0] where nothing touches a hole.
    buffer : [SPAN], int32, or int64 where distances need it.
    """
    for r in range(rows):
        base = row_code + (np.int64(r) << 16)
        for lo in range(0, codes.size, SPAN):
            hi = min(codes.size, lo + SPAN)
            names = codes[lo:hi]
            limit = reach(lists, q, _least(names) + base)
            if limit < 0:
                continue
            dist = buffer[: hi - lo]
            dist[:] = 0
            at = r * row_stride + lo
            _add_squares(dist, planes, starts[:head], at, weights[:head], values[:head])
            if _least(dist) > limit:
                continue
            if head < starts.size:
                _finish(dist, limit, planes, starts[head:], at, weights[head:], values[head:])
            _shut_out(dist, lo, barred[0], barred[1], usable[r, lo:hi] if usable.shape[0] > 0
                      else np.empty(0, np.bool_))  # fmt: skip
            _note(dist, limit, q, names, base, lists)
