"""Many queries, one dictionary: partial distances shortlist, survivors are finished (Numba).

Gaussian weights are concentrated, so the heaviest pixels (the *head*) hold most of a distance.
Their weighted squared differences are a lower bound of it, in exact integers: a candidate whose
head alone exceeds the threshold, which only falls, is in no pool. The few others are finished
with the remaining pixels (the *tail*) before anything is decided.

A distance left unfinished is above the threshold, and so at least the m-th least distance: it
can neither enter a pool nor lower a threshold, whatever its tail.
"""

from __future__ import annotations

from collections import namedtuple

import numpy as np

from intarsia.reduce.kernels import (
    SPAN,
    _compiled,
    _finish,
    _fold_span,
    _least,
    _merged,
    _shut_out,
    _word,
)
from intarsia.reduce.vectors import LANES, QUERIES, TILE, distances, pack

Split = namedtuple("Split", "coefs norms head_weights tail_weights tail_values")
"""A batch of queries, cut in two.

``coefs`` int32 [B', depth]: -2 x weight x pixel of the head, two 16-bit numbers packed in each;
``norms`` int32 [B']: weight x pixel^2, summed over the head. B' is B rounded up to `QUERIES`.
``head_weights`` int32 [depth], packed; ``tail_weights`` int32 [T], ``tail_values`` int8 [B, T].
"""


@_compiled
def _gather(planes, starts, weights, at, n, pairs, norms):
    """Pack the head's pixels of ``n`` candidates into ``pairs``, and sum w c^2 to ``norms``."""
    norms[:n] = 0
    pack(planes, starts, weights, at, pairs, norms, n // LANES)
    for j in range(n // LANES * LANES, n):
        for k in range(pairs.shape[0]):
            a, b = planes[starts[2 * k] + at + j], planes[starts[2 * k + 1] + at + j]
            pairs[k, j] = (np.int32(a) & np.int32(0xFFFF)) | (np.int32(b) << np.int32(16))
            norms[j] += (weights[k] & 0xFFFF) * a * a + (weights[k] >> 16) * b * b


@_merged
def _take(
    dist, limit, b, planes, tail, at, split, names, j0, code, salts, barred, open_, state, rule
):
    """Finish a span's distances from query ``b``, and take them into its pool.

    ``j0``: the span's first run position; ``at``: how far its pixels lie from those in ``tail``.
    """
    if tail.size > 0:
        _finish(dist, limit, planes, tail, at, split.tail_weights,
                split.tail_values[b])  # fmt: skip
    _shut_out(dist, j0, barred[b, 0], barred[b, 1], open_)
    j1 = j0 + dist.size
    _fold_span(dist, limit, b, names.codes[0, j0:j1], names.words[0, j0:j1], code,
               salts[b] + _word(code), state, rule)  # fmt: skip


@_compiled
def fold(planes, head, tail, row_stride, rows, split, row_code, j0, n, names, salts, barred,
         usable, state, rule):  # fmt: skip
    """Fold ``n`` candidates a row, from run position ``j0``, into every query's pool.

    ``planes`` flat int8; ``head``, ``tail`` int64: where the pixels of the first row's run
    position ``j0`` lie. ``barred`` [B, 2]: first run position and stride of what each query may
    not use; -1 for none. ``usable`` bool [rows, n], or [0, 0] where nothing touches a hole.
    """
    # Rows a power of two apart would compete for the same lines of the cache.
    pairs = np.zeros((split.coefs.shape[1], SPAN + 16), np.int32)
    norms = np.empty(SPAN, np.int32)
    buffer = np.empty((QUERIES, SPAN), np.int32)
    coefs, query_norms = split.coefs, split.norms
    open_ = np.empty(0, np.bool_)
    for r in range(rows):
        for lo in range(0, n, SPAN):
            span = min(SPAN, n - lo)
            at = r * row_stride + lo
            _gather(planes, head, split.head_weights, at, span, pairs, norms)
            if usable.shape[0] > 0:
                open_ = usable[r, lo : lo + span]
            for b in range(0, salts.size, QUERIES):
                distances(buffer, pairs, norms, coefs, query_norms, b, -(-span // TILE))
                for q in range(b, min(b + QUERIES, salts.size)):
                    limit = state.limit[q]
                    if _least(buffer[q - b, :span]) <= limit:
                        _take(buffer[q - b, :span], limit, q, planes, tail, at, split, names,
                              j0 + lo, row_code + (r << 16), salts, barred, open_, state,
                              rule)  # fmt: skip
