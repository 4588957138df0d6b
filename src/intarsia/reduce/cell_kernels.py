"""Compiled loops that sort candidates to cells of their filters' space (Numba).

Codes are those of `reduce.filters`: z, two 16-bit numbers in one of 32.
"""

from __future__ import annotations

import numpy as np

from intarsia.reduce.kernels import SPAN, _inlined, _merged
from intarsia.reduce.vectors import TILE

MAX_INT32, LEAST_INT32 = np.int32(2**31 - 1), np.int32(-(2**31))


@_inlined
def _low(both):
    return np.int32(np.int16(both))


@_inlined
def _parts(cuts, g):
    """How many parts an axis is cut to."""
    parts = 1
    while parts <= cuts.shape[1] and cuts[g, parts - 1] < MAX_INT32:
        parts += 1
    return parts


@_merged
def _cells(cuts, codes, cell):
    """Write the number of each candidate's cell."""
    high, one = np.int32(16), np.int32(1)
    cell[:] = 0
    for g in range(cuts.shape[0]):
        both, parts = codes[g // 2], np.int32(_parts(cuts, g))
        for j in range(cell.size):
            cell[j] *= parts
        for t in range(parts - 1):
            cut = cuts[g, t]
            if g % 2 == 0:
                for j in range(cell.size):
                    cell[j] += one if _low(both[j]) > cut else np.int32(0)
            else:
                for j in range(cell.size):
                    cell[j] += one if (both[j] >> high) > cut else np.int32(0)


@_merged
def sort_to_cells(cuts, codes, kept, n):
    """Sort those candidates that are kept to cells of the first filters' space.

    Returns
    -------
    order : int32 [kept], where each stood.
    ends : int64 [cells], where each cell ends.
    """
    cell = np.empty(n, np.int32)
    for lo in range(0, n, SPAN):
        _cells(cuts, codes[:, lo : lo + SPAN], cell[lo : lo + SPAN])
    count = 1
    for g in range(cuts.shape[0]):
        count *= _parts(cuts, g)
    ends = np.zeros(count, np.int64)
    for j in kept:
        ends[cell[j]] += 1
    start = np.int64(0)
    for i in range(count):
        start, ends[i] = start + ends[i], start
    order = np.empty(kept.size, np.int32)
    for j in kept:
        order[ends[cell[j]]] = j
        ends[cell[j]] += 1
    return order, ends


@_merged
def in_order(codes, norms, order):
    """Return codes and norms in another order, with room to the end of a tile."""
    room = order.size + TILE
    new_codes, new_norms = np.zeros((codes.shape[0], room), np.int32), np.zeros(room, np.int32)
    for p in range(codes.shape[0]):
        mine, theirs = new_codes[p], codes[p]
        for i in range(order.size):
            mine[i] = theirs[order[i]]
    for i in range(order.size):
        new_norms[i] = norms[order[i]]
    return new_codes, new_norms


@_merged
def gaps(codes, boxed, lo, hi, theirs, apart):
    """Write what lies between each query and the box around some candidates, squared.

    ``theirs`` int32 [boxed or more, Q], z of the queries; ``apart`` int32 [Q], over the first
    ``boxed`` filters and so never more than |z_q - z_c|^2.
    """
    high, none = np.int32(16), np.int32(0)
    apart[:] = 0
    for d in range(boxed):
        both = codes[d // 2, lo:hi]
        least, most = MAX_INT32, LEAST_INT32
        if d % 2 == 0:
            for j in range(both.size):
                z = _low(both[j])
                least, most = min(least, z), max(most, z)
        else:
            for j in range(both.size):
                z = both[j] >> high
                least, most = min(least, z), max(most, z)
        mine = theirs[d]
        for q in range(apart.size):
            gap = max(none, max(least - mine[q], mine[q] - most))
            apart[q] += gap * gap
