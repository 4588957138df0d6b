"""Compiled loops of the posterior reduction (Numba).

A *row* is what one query sees of a block of keys: logits, of which sums are taken. Logits of a
block are first cut into spans of `SPAN`; a span whose largest logit is too small to matter is
left out whole. Loops read through slices, because that is what lets LLVM vectorise them.
Annotations are left off: Numba infers the types.
"""

from __future__ import annotations

import numba
import numpy as np

SPAN = 128
"""Keys whose exponentials are taken together, or not at all."""

VECTOR = 16
"""Numbers that are copied at once."""

_F = np.float32

_FLAGS = {"reassoc", "contract", "nsz", "arcp", "afn"}
"""What LLVM may assume of arithmetic: sums may be regrouped, but infinities are real."""


def _compiled(function):
    """Compile, and keep the result where there is a folder to keep it in."""
    try:
        return numba.njit(cache=True, nogil=True, fastmath=_FLAGS)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return numba.njit(nogil=True, fastmath=_FLAGS)(function)


_inlined = numba.njit(inline="always", fastmath=_FLAGS)
"""Into the caller before LLVM sees it: otherwise how its sums are grouped would depend on whether
it was compiled in this process or read from Numba's cache."""


@_inlined
def _exp(x):
    """Return e^x for -80 < x <= 0, within 2e-6 of it, in arithmetic that vectorises."""
    turned = x * _F(1.44269504)
    whole = np.floor(turned + _F(0.5))
    part = turned - whole
    power = _F(1.5403530e-4)
    power = power * part + _F(1.3333558e-3)
    power = power * part + _F(9.6181291e-3)
    power = power * part + _F(5.5504109e-2)
    power = power * part + _F(2.4022651e-1)
    power = power * part + _F(6.9314718e-1)
    power = power * part + _F(1.0)
    return power * np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)


@_inlined
def exp_sum(row, top, out):
    """Write e^(row - top) and return the sum."""
    total = _F(0)
    for k in range(row.shape[0]):
        x = _F(row[k] - top)
        value = _exp(x if x > _F(-60) else _F(-60))  # 1e-26 of the largest: no subnormals
        out[k] = value
        total += value
    return total


@_inlined
def dot(left, right):
    """Return the scalar product of two runs."""
    total = _F(0)
    for k in range(right.shape[0]):
        total += left[k] * right[k]
    return total


@_inlined
def _raise(i, best, code, top, denominator, numerator, source):
    """Let the largest logit of a row rise: what was summed so far shrinks."""
    if top[i] > -np.inf:
        shrink = np.exp(top[i] - best)
        denominator[i] *= shrink
        for v in range(numerator.shape[1]):
            numerator[i, v] *= shrink
    top[i] = best
    source[i] = code


@_compiled
def fold(logits, peaks, values, codes, cut, top, denominator, numerator, source):
    """Take a block of keys into running sums.

    Parameters
    ----------
    logits : float32 [M, K], K a multiple of SPAN; ``peaks`` [M, K / SPAN] their largest.
    values : float32 [V, K].
    codes : int64 [K], names of the keys, ascending.
    cut : what is further than this below a row's largest logit weighs nothing.
    top, denominator, numerator, source : float64 [M], [M], [M, V], int64 [M], changed in place.
    """
    weights = np.empty(SPAN, np.float32)
    for i in range(logits.shape[0]):
        at = 0
        for s in range(1, peaks.shape[1]):
            if peaks[i, s] > peaks[i, at]:
                at = s
        best = np.float64(peaks[i, at])
        if best <= top[i] - cut:
            continue
        if best > top[i]:
            k = at * SPAN
            while logits[i, k] != peaks[i, at]:
                k += 1
            _raise(i, best, codes[k], top, denominator, numerator, source)
        least = _F(top[i] - cut)
        for s in range(peaks.shape[1]):
            if peaks[i, s] <= least:
                continue
            span = slice(s * SPAN, (s + 1) * SPAN)
            denominator[i] += exp_sum(logits[i, span], _F(top[i]), weights)
            for v in range(values.shape[0]):
                numerator[i, v] += dot(weights, values[v, span])


@_compiled
def exact_logit(query, key, signal, scale):
    """Return -|query - signal key|^2 scale in float64, the key unrounded: it was a whole number."""
    total = 0.0
    for j in range(query.shape[0]):
        pixel = np.rint((np.float64(key[j]) + 1.0) * 127.5)
        difference = np.float64(query[j]) - signal * (pixel * (1 / 127.5) - 1.0)
        total += difference * difference
    return -total * scale


@_compiled
def fold_exactly(
    logits, peaks, values, codes, cut, top, denominator, numerator, source,
    queries, keys, signal, scale, offsets, margins,
):  # fmt: skip
    """Do the same, but let ``logits`` only say which keys may matter, and compare those directly.

    Parameters
    ----------
    queries, keys : float32 [M, D], [K, D or more].
    signal, scale : sqrt(ab), and 1 / (2 (1 - ab)).
    offsets : float64 [M], what a row's ``logits`` lack, the same for all keys.
    margins : float64 [M], how far a row's ``logits`` may be from the truth.
    """
    width = queries.shape[1]
    for i in range(logits.shape[0]):
        at = 0
        for s in range(1, peaks.shape[1]):
            if peaks[i, s] > peaks[i, at]:
                at = s
        if np.float64(peaks[i, at]) + offsets[i] <= top[i] - cut - margins[i]:
            continue
        k = at * SPAN
        while logits[i, k] != peaks[i, at]:
            k += 1
        # A lower bound of the largest logit, so that few keys are looked at below.
        bound = max(top[i], exact_logit(queries[i], keys[k, :width], signal, scale))
        for s in range(peaks.shape[1]):
            if np.float64(peaks[i, s]) + offsets[i] <= bound - cut - margins[i]:
                continue
            for k in range(s * SPAN, (s + 1) * SPAN):
                if np.float64(logits[i, k]) + offsets[i] <= bound - cut - margins[i]:
                    continue
                logit = exact_logit(queries[i], keys[k, :width], signal, scale)
                if logit > top[i]:
                    _raise(i, logit, codes[k], top, denominator, numerator, source)
                if logit > top[i] - cut:
                    weight = np.exp(logit - top[i])
                    denominator[i] += weight
                    for v in range(values.shape[0]):
                        numerator[i, v] += weight * values[v, k]


@_compiled
def merge(top, denominator, numerator, source, top2, denominator2, numerator2, source2):
    """Take other sums over the same queries into these; of equal tops the lesser name stays."""
    for i in range(top.shape[0]):
        if top2[i] == -np.inf:
            continue
        lead = top2[i] > top[i] or (top2[i] == top[i] and source2[i] < source[i])
        high = max(top[i], top2[i])
        mine = np.exp(top[i] - high) if top[i] > -np.inf else 0.0
        theirs = np.exp(top2[i] - high)
        denominator[i] = denominator[i] * mine + denominator2[i] * theirs
        for v in range(numerator.shape[1]):
            numerator[i, v] = numerator[i, v] * mine + numerator2[i, v] * theirs
        top[i] = high
        if lead:
            source[i] = source2[i]


@_inlined
def _copy(source, out, width):
    """Copy ``width`` numbers, a vector at a time: up to `VECTOR` - 1 more are written."""
    for at in range(0, width, VECTOR):
        part, place = source[at : at + VECTOR], out[at : at + VECTOR]
        for j in range(VECTOR):
            place[j] = part[j]


@_compiled
def _strip(pixels, picture, row, above, first_col, strip, squares):
    """Write the lines under one row of windows as [-1, 1] numbers, and the sums of their squares.

    ``strip`` [C * height, length] begins at column ``first_col``; ``squares`` [length].
    """
    channels, high, wide = pixels.shape[1:]
    height = strip.shape[0] // channels
    length = squares.shape[0]
    squares[:] = 0
    for c in range(channels):
        for dy in range(height):
            line = pixels[picture, c, (row - above + dy) % high]
            out = strip[c * height + dy]
            if first_col >= 0 and first_col + length <= wide:
                part = line[first_col : first_col + length]
                for x in range(length):
                    out[x] = _F(part[x]) * _F(1 / 127.5) - _F(1)
            else:
                for x in range(length):
                    out[x] = _F(line[(first_col + x) % wide]) * _F(1 / 127.5) - _F(1)
            for x in range(length):
                squares[x] += np.float64(out[x]) * np.float64(out[x])


@_compiled
def cut_out(
    pixels, first, count, first_row, first_col, rows, cols, above, left, height, width, room,
    length, values, codes,
):  # fmt: skip
    """Cut patches ``first`` to ``first + count - 1`` out of their pictures.

    Patches are numbered by (picture, row, column), ``rows`` by ``cols`` of them in a picture, their
    centres from (first_row, first_col) on. Coordinates beyond an edge go on at the opposite one.

    Parameters
    ----------
    pixels : uint8 [N, C, H, W].
    above, left, height, width : the window around a centre.
    room : float32, K * length + VECTOR of them. Key k is written from k * length on: values in
        [-1, 1], then -|key|^2 / 2. Keys from ``count`` on get a last coordinate
        that shuts them out.
    length : C * height * width + 1.
    values : float32 [C, K], written: the centre pixels.
    codes : int64 [K], written: (picture * H + row) * W + column.
    """
    channels, high, wide = pixels.shape[1:]
    lines = channels * height
    strip = np.zeros((lines, cols + width - 1 + VECTOR), np.float32)
    squares = np.empty(cols + width - 1)
    shown = -1
    for k in range(count):
        at_row, at_col = (first + k) // cols, (first + k) % cols
        picture, row = at_row // rows, first_row + at_row % rows
        if at_row != shown:
            _strip(pixels, picture, row, above, first_col - left, strip, squares)
            shown = at_row
        codes[k] = (picture * high + row) * wide + first_col + at_col
        for c in range(channels):
            values[c, k] = strip[c * height + above, at_col + left]
        for j in range(lines):
            _copy(strip[j, at_col:], room[k * length + j * width :], width)
        norm = 0.0
        for x in range(at_col, at_col + width):
            norm += squares[x]
        room[(k + 1) * length - 1] = -norm / 2
    for k in range(count, codes.shape[0]):
        room[k * length : (k + 1) * length - 1] = 0
        room[(k + 1) * length - 1] = _F(-1e30)
        values[:, k] = 0
        codes[k] = 2**62


@_compiled
def same_place(
    query, pictures, alone, half, signal, scale, cut, first, top, denominator, numerator, source
):
    """Compare a canvas with pictures at every place at once, at relative shift zero.

    Sums over windows are box filters: along rows, then along columns. Beyond the edge canvas and
    picture are both zero, so that nothing is added there.

    Parameters
    ----------
    query : float32 [C, H, W], or float64 to sum in that.
    pictures : the same type, [H, W, C, n], n at most SPAN: the pictures from number ``first`` on.
    alone : bool [H, W], the pixels that are asked for.
    half : half the window's side.
    signal, scale : as for `fold_exactly`, of the same type again.
    top, denominator, numerator, source : as for `fold`, row H * W of them for each pixel.
    """
    high, wide, channels, n = pictures.shape
    squares = np.zeros((high, wide, n), pictures.dtype)
    across = np.empty((wide, n), pictures.dtype)
    logits = np.empty(n, pictures.dtype)
    weights = np.empty(n, np.float32)
    for y in range(high):
        across[:] = 0
        for x in range(wide):
            sums = across[x]
            for c in range(channels):
                seen, other = query[c, y, x], pictures[y, x, c]
                for k in range(n):
                    difference = seen - signal * other[k]
                    sums[k] += difference * difference
        for x in range(wide):
            sums = squares[y, x]
            for x2 in range(max(0, x - half), min(wide, x + half + 1)):
                part = across[x2]
                for k in range(n):
                    sums[k] += part[k]
    for y in range(high):
        for x in range(wide):
            if not alone[y, x]:
                continue
            logits[:] = 0
            for y2 in range(max(0, y - half), min(high, y + half + 1)):
                part = squares[y2, x]
                for k in range(n):
                    logits[k] += part[k]
            at = 0
            for k in range(n):
                logits[k] *= -scale
                if logits[k] > logits[at]:
                    at = k
            i = y * wide + x
            best = np.float64(logits[at])
            if best <= top[i] - cut:
                continue
            if best > top[i]:
                code = ((first + at) * high + y) * wide + x
                _raise(i, best, code, top, denominator, numerator, source)
            denominator[i] += exp_sum(logits, top[i], weights)
            for c in range(channels):
                numerator[i, c] += dot(weights, pictures[y, x, c])
