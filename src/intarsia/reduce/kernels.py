"""Compiled loops of the pool reduction on the CPU (Numba).

Everything here is integer arithmetic, so no result depends on the order in which candidates are
seen. Annotations are left off: Numba infers the types. Loops read through slices, because that is
what lets LLVM vectorise them.

Candidates of one row of places are contiguous in memory: *run position* ``j`` stands for
(column ``j // N``, picture ``j % N``); ``Names.codes[j]`` names it.
"""

from __future__ import annotations

from collections import namedtuple

import numba
import numpy as np

from intarsia.reduce.vectors import (
    TILE,
    WORD,
    WORDS,
    add_squares,
    count_within,
    lowest_bit,
    within,
)

SPAN = 1024
"""Candidates whose distances are held in the first-level cache at a time."""

CROWD = 32
"""From one survivor in so many on, a whole span's tail by vectors beats picking pixels."""

NO_KEY = np.int64(2**63 - 1)

State = namedtuple(
    "State",
    "least limit fixed sure_count sure_key sure_code sure_dist "
    "band_n band_query band_dist band_key band_code",
)
"""Pools in the making for a batch of B queries.

``least`` [B, m]: the m least distances, ascending. ``limit`` [B]: the threshold T
as far as it is known; it only falls (and not at all where ``fixed``), and threads share it: one
that reads or leaves an older, higher one keeps more candidates, which the merge drops. ``sure_*``
[B]: candidates at or below the constant floor are in every possible pool, so they
are counted and the least key among them is kept. ``band_*`` [capacity], of which
the first ``band_n[0]`` are in use: candidates between floor and T, one by one,
since T may fall and shut them out.
"""

Rule = namedtuple("Rule", "eps_num eps_den floor_num floor far")
"""The threshold's constants: eps = eps_num / eps_den; ``floor`` = floor_num // 400 in every
case below T, or -1 to keep all candidates one by one; ``far`` exceeds every true distance."""

Names = namedtuple("Names", "codes words")
"""Who the candidates of a row are: codes [g, run], and codes times the golden constant."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _compiled(function):
    """Compile, and keep the result where there is a folder to keep it in."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return numba.njit(nogil=True)(function)


_inlined = numba.njit(inline="always")

_merged = numba.njit(nogil=True, forceinline=True)
"""For what runs once a span: handing all the arrays of a pool to a function takes as long."""


@_inlined
def _key(salt, word):
    x = np.uint64(salt + word)
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return np.int64(x >> np.uint64(1))


@_inlined
def _word(code):
    return np.int64(np.uint64(code) * GOLDEN)


@_inlined
def _threshold(least, mth, rule):
    whole = least * (rule.eps_num // rule.eps_den)
    part = 400 * (rule.eps_num % rule.eps_den) * least + rule.floor_num * rule.eps_den
    return min(max(least + whole + part // (400 * rule.eps_den), mth), rule.far - 1)


@_merged
def _least(dist):
    least = dist[0]
    for j in range(dist.size):
        least = min(least, dist[j])
    return least


@_merged
def _note_least(dist, limit, b, state, rule):
    """Take distances up to ``limit`` into the m least, and let the threshold fall."""
    least = state.least[b]
    last = least.size - 1
    for j in range(dist.size):
        d = np.int64(dist[j])
        if d < least[last] and d <= limit:
            i = last
            while i > 0 and least[i - 1] > d:
                least[i] = least[i - 1]
                i -= 1
            least[i] = d
    if least[last] < rule.far:
        state.limit[b] = min(state.limit[b], _threshold(least[0], least[last], rule))


@_merged
def _note_sure(dist, b, codes, words, base_code, start, state, rule):
    """Count the candidates at or below the floor and keep the least key."""
    count, best = count_within(dist, words, rule.floor, start)
    for j in range(dist.size // WORDS * WORDS, dist.size):
        if dist[j] <= rule.floor:
            count += 1
            best = min(best, _key(start, words[j]))
    state.sure_count[b] += count
    if best > state.sure_key[b]:
        return
    for j in range(dist.size):
        if dist[j] <= rule.floor and _key(start, words[j]) == best:
            code = codes[j] + base_code
            if best < state.sure_key[b] or code < state.sure_code[b]:
                state.sure_key[b] = best
                state.sure_code[b] = code
                state.sure_dist[b] = dist[j]


@_merged
def _note_band(dist, limit, b, codes, words, base_code, start, state, rule):
    """Keep the candidates between floor and ``limit`` one by one."""
    inside = np.int64(0)
    for j in range(dist.size):
        inside += np.int64((dist[j] <= limit) & (dist[j] > rule.floor))
    at = state.band_n[0]
    end = at + inside
    j = 0
    while at < end:
        d = dist[j]
        if d <= limit and d > rule.floor:
            state.band_query[at] = b
            state.band_dist[at] = d
            state.band_key[at] = _key(start, words[j])
            state.band_code[at] = codes[j] + base_code
            at += 1
        j += 1
    state.band_n[0] = end


@_merged
def _fold_span(dist, limit, b, codes, words, base_code, start, state, rule):
    """Take the distances of one span of candidates into query ``b``'s pool.

    ``limit``: the threshold as it was when they were computed; those above it may be unfinished.
    """
    nearest = _least(dist)
    if nearest > limit:
        return
    if not state.fixed and nearest < state.least[b, state.least.shape[1] - 1]:
        _note_least(dist, limit, b, state, rule)
        limit = min(limit, state.limit[b])
    if nearest <= rule.floor:
        _note_sure(dist, b, codes, words, base_code, start, state, rule)
    if limit > rule.floor:
        _note_band(dist, limit, b, codes, words, base_code, start, state, rule)


@_merged
def _shut_out(dist, j0, barred, pictures, usable):
    """Put out of reach: the barred picture (its index in the planes), and what touches a hole."""
    beyond = np.iinfo(dist.dtype).max
    if barred >= 0:
        j = (barred - j0) % pictures
        while j < dist.size:
            dist[j] = beyond
            j += pictures
    for j in range(usable.size):
        if not usable[j]:
            dist[j] = beyond


@_compiled
def gather(planes, starts, row_stride, rows, weights, n, keys, norms):
    """Copy candidates' known pixels to ``keys`` [K, rows * n], and sum w c^2 to ``norms``.

    ``planes`` is flat int8; the k-th known pixel of row r's first candidate is at
    ``starts[k] + r * row_stride``, and its n candidates are contiguous.
    """
    for r in range(rows):
        for lo in range(0, n, SPAN):
            hi = min(n, lo + SPAN)
            norm = norms[r * n + lo : r * n + hi]
            norm[:] = 0
            for k in range(starts.size):
                w = weights[k]
                at = starts[k] + r * row_stride
                source = planes[at + lo : at + hi]
                row = keys[k, r * n + lo : r * n + hi]
                for j in range(row.size):
                    v = source[j]
                    row[j] = v
                    norm[j] += w * (np.int32(v) * np.int32(v))


@_inlined
def _add_squares(dist, planes, starts, at, weights, values):
    """Add w (v - c)^2 of the given pixels to every distance of a span."""
    tiles = dist.size // TILE
    add_squares(dist, planes, starts, at, weights, values, tiles)
    rest = dist[tiles * TILE :]
    for k in range(starts.size):
        w, v = weights[k], np.int32(values[k])
        first = starts[k] + at + tiles * TILE
        source = planes[first : first + rest.size]
        for j in range(rest.size):
            t = v - np.int32(source[j])
            rest[j] += w * (t * t)


@_merged
def _finish(dist, limit, planes, starts, at, weights, values):
    """Add the last pixels to the distances within ``limit``: the others are beyond it without."""
    survivors = 0
    for j in range(dist.size):
        survivors += np.int64(dist[j] <= limit)
    if survivors * CROWD > dist.size:
        _add_squares(dist, planes, starts, at, weights, values)
        return
    for j in range(dist.size):
        if dist[j] <= limit:
            d = dist[j]
            for k in range(starts.size):
                t = np.int32(values[k]) - np.int32(planes[starts[k] + at + j])
                d += weights[k] * (t * t)
            dist[j] = d


@_inlined
def _fold_squares(planes, starts, at, weights, values, head, b, g, row_code, j0, n, names, salt,
                  barred, usable, state, rule, buffer):  # fmt: skip
    for lo in range(0, n, SPAN):
        hi = min(n, lo + SPAN)
        dist = buffer[: hi - lo]
        dist[:] = 0
        limit = state.limit[b]
        _add_squares(dist, planes, starts[:head], at + lo, weights[:head], values[:head])
        if head < starts.size:
            if _least(dist) > limit:
                continue
            _finish(dist, limit, planes, starts[head:], at + lo, weights[head:],
                    values[head:])  # fmt: skip
        _shut_out(dist, j0 + lo, barred[0], barred[1], usable[lo:hi])
        _fold_span(dist, limit, b, names.codes[g, j0 + lo : j0 + hi],
                   names.words[g, j0 + lo : j0 + hi], row_code, salt + _word(row_code), state,
                   rule)  # fmt: skip


@_compiled
def fold_shared(planes, starts, row_stride, rows, weights, values, head, row_code, j0, n, names,
                salts, barred, usable, state, rule, buffer):  # fmt: skip
    """Fold ``n`` candidates a row by direct differences, query by query.

    ``planes`` flat int8; ``starts`` [K]: where the known pixels of the first row's run position
    ``j0`` lie. ``values`` int8 [B, K]; what exceeds the threshold by its first ``head`` pixels is
    left unfinished (`reduce.shortlist` says why that is exact). ``usable`` as for
    `shortlist.fold`. ``buffer`` [SPAN]: int32, or int64 where distances need it.
    """
    nothing = np.empty(0, np.bool_)
    for b in range(values.shape[0]):
        for r in range(rows):
            open_ = usable[r] if usable.shape[0] > 0 else nothing
            _fold_squares(planes, starts, r * row_stride, weights, values[b], head, b, 0,
                          row_code + (r << 16), j0, n, names, salts[b], barred[b], open_, state,
                          rule, buffer)  # fmt: skip


@_compiled
def fold_own(planes, starts, row_stride, rows, weights, values, head, first_code, run, names,
             salts, barred, usable, state, rule, buffer, b0, b1):  # fmt: skip
    """Fold every query's own candidates: queries b0 to b1 - 1, all rows of places.

    ``planes`` int8 [B, P]; ``usable`` bool [B or 0, rows, run]; ``head`` as for `fold_shared`.
    """
    nothing = np.empty(0, np.bool_)
    for b in range(b0, b1):
        for r in range(rows):
            open_ = usable[b, r] if usable.shape[0] > 0 else nothing
            _fold_squares(planes[b], starts, r * row_stride, weights, values[b], head, b, b,
                          first_code + (r << 16), 0, run, names, salts[b], barred[b], open_, state,
                          rule, buffer)  # fmt: skip


@_compiled
def compact(state):
    """Drop the band entries that a fallen threshold shut out."""
    kept = 0
    for i in range(state.band_n[0]):
        if state.band_dist[i] <= state.limit[state.band_query[i]]:
            state.band_query[kept] = state.band_query[i]
            state.band_dist[kept] = state.band_dist[i]
            state.band_key[kept] = state.band_key[i]
            state.band_code[kept] = state.band_code[i]
            kept += 1
    state.band_n[0] = kept


@_compiled
def take_pictures(pictures, lists, to, source, out):
    """Lay out some pixels of listed pictures side by side, as int8: value - 128.

    pictures : uint8 [N, P], each picture flat.
    lists : int32 [B, M].
    to, source : int64 [K], which pixel of ``out`` [B, Q, M] is written, and from which pixel of a
        picture; -1 for padding.
    """
    for b in range(lists.shape[0]):
        which = lists[b]
        for k in range(to.size):
            target, pixel = out[b, to[k]], source[k]
            if pixel < 0:
                target[:] = -128
                continue
            for m in range(which.size):
                target[m] = np.int8(pictures[which[m], pixel] ^ 128)


@_compiled
def add_code_norms(values, rows, norms):
    """Add the squares of some coordinates of all codes: int8 [D, N] to ``norms`` int32 [N]."""
    for d in rows:
        row = values[d]
        for j in range(row.size):
            norms[j] += np.int32(row[j]) * np.int32(row[j])


@_inlined
def _displace(heap, key):
    """Put a key in the place of a heap's greatest."""
    i, size = 0, heap.size
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= key:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = key


@_compiled
def select_codes(products, norms, query_norms, at, barred, allowed, bounds, heaps):
    """Take a block of codes into each query's least (|q|^2 + |c|^2 - 2 q.c, index).

    Parameters
    ----------
    products, norms : int32 [B, n] and [n], q.c and |c|^2 of the codes from the ``at``-th on.
    query_norms : int32 [B].
    barred : int64 [B], an index that is left out, or -1.
    allowed : bool [n], which may be taken, or [0] for all.
    bounds : int64 [B], shared by threads: what exceeds it is not among the least.
    heaps : int64 [B, k], the greatest first: distance << 32 | index; `NO_KEY` where there is none.
    """
    far = np.int32(2**31 - 1)
    dist, masks = np.empty(SPAN, np.int32), np.empty(SPAN // WORD, np.int64)
    for b in range(query_norms.size):
        heap, own = heaps[b], query_norms[b]
        for lo in range(0, norms.size, SPAN):
            row, norm = products[b, lo : lo + SPAN], norms[lo : lo + SPAN]
            for j in range(norm.size):
                dist[j] = own + norm[j] - np.int32(2) * row[j]
            if at + lo <= barred[b] < at + lo + norm.size:
                dist[barred[b] - at - lo] = far
            for j in range(lo, min(lo + norm.size, allowed.size)):
                if not allowed[j]:
                    dist[j - lo] = far
            words = -(-norm.size // WORD)
            dist[norm.size : words * WORD] = far
            bound = min(heap[0], bounds[b])
            if within(dist, np.int32(min(bound >> 32, np.int64(far) - 1)), masks, words) == 0:
                continue
            for word in range(words):
                left = masks[word]
                while left != 0:
                    j = word * WORD + lowest_bit(left)
                    left &= left - 1
                    key = (np.int64(dist[j]) << 32) | (at + lo + j)
                    if key < heap[0]:
                        _displace(heap, key)
        bounds[b] = min(bounds[b], heap[0])


@_compiled
def code_distances(products, norms, query_norms, out):
    """Write |q|^2 + |c|^2 - 2 q.c, for products int32 [B, n], into ``out`` int64 [B, n]."""
    for b in range(query_norms.size):
        row = products[b]
        target = out[b]
        for j in range(row.size):
            target[j] = query_norms[b] + norms[j] - 2 * row[j]


@_compiled
def select_least(dist, k, indices, distances):
    """Keep the ``k`` least (distance, index) of one row, ascending; return how many there are.

    Indices arrive in ascending order, so an equal distance never displaces an earlier one.
    Entries of the greatest int64 are out of reach.
    """
    count = 0
    worst = np.iinfo(np.int64).max
    for j in range(dist.size):
        d = dist[j]
        if d >= worst:
            continue
        i = min(count, k - 1)
        while i > 0 and distances[i - 1] > d:
            distances[i] = distances[i - 1]
            indices[i] = indices[i - 1]
            i -= 1
        distances[i] = d
        indices[i] = j
        if count < k:
            count += 1
        if count == k:
            worst = distances[k - 1]
    return count


@_compiled
def merge_into(into, other, rule):
    """Merge the state ``other`` into ``into``, whose band has room."""
    for b in range(into.limit.size):
        if not into.fixed:
            _note_least(other.least[b], rule.far, b, into, rule)
            into.limit[b] = min(into.limit[b], other.limit[b])
        into.sure_count[b] += other.sure_count[b]
        key, code = other.sure_key[b], other.sure_code[b]
        mine = into.sure_key[b]
        if key < mine or (key == mine and code < into.sure_code[b]):
            into.sure_key[b] = key
            into.sure_code[b] = code
            into.sure_dist[b] = other.sure_dist[b]
    at = into.band_n[0]
    for i in range(other.band_n[0]):
        b = other.band_query[i]
        if other.band_dist[i] <= into.limit[b]:
            into.band_query[at] = b
            into.band_dist[at] = other.band_dist[i]
            into.band_key[at] = other.band_key[i]
            into.band_code[at] = other.band_code[i]
            at += 1
    into.band_n[0] = at


@_compiled
def settle(state):
    """Return each query's winner (code, distance) and the number of candidates within T."""
    count = state.sure_count.copy()
    key = state.sure_key.copy()
    code = state.sure_code.copy()
    distance = state.sure_dist.copy()
    for i in range(state.band_n[0]):
        b = state.band_query[i]
        if state.band_dist[i] > state.limit[b]:
            continue
        count[b] += 1
        k, c = state.band_key[i], state.band_code[i]
        if k < key[b] or (k == key[b] and c < code[b]):
            key[b], code[b], distance[b] = k, c, state.band_dist[i]
    return code, distance, count
