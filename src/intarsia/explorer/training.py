"""Training pictures for the page: those that samples came from, small enough to send."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intarsia.corpus import Corpus
from intarsia.explorer.pack import pack

SIDE = 160
"""Pixels of the longer side, at most; larger pictures are thinned out."""
BUDGET = 4 << 20
"""Bytes of pixels in one block, about."""


def training_block(corpus: Corpus, numbers: Sequence[int]) -> bytes:
    """Pack training pictures, in the order asked for, as far as `BUDGET` goes.

    Parameters
    ----------
    corpus : of N pictures.
    numbers : which; those outside 0 to N - 1 are left out.

    Returns
    -------
    bytes
        As `pack`: ``number``, ``height`` and ``width`` as sent, ``stride`` (every how many pixels
        of the original were taken), ``start`` in ``pixels`` and ``label``, one entry a picture;
        ``pixels`` uint8, each picture [height, width, channels].
    """
    kept, sizes, strides, total = [], [], [], 0
    parts: list[np.ndarray] = []
    for number in numbers:
        if not 0 <= number < len(corpus):
            continue
        plane = corpus[int(number)]
        stride = -(-max(plane.shape[:2]) // SIDE)
        plane = plane[::stride, ::stride]
        if parts and total + plane.size > BUDGET:
            break
        kept.append(int(number))
        sizes.append(plane.shape[:2])
        strides.append(stride)
        parts.append(np.ascontiguousarray(plane).reshape(-1))
        total += plane.size
    lengths = np.array([len(part) for part in parts], np.int64)
    labels = corpus.labels
    return pack(
        {"channels": corpus.channels, "left_out": len(numbers) - len(kept)},
        {
            "number": np.array(kept, np.int64),
            "height": np.array([size[0] for size in sizes], np.int64),
            "width": np.array([size[1] for size in sizes], np.int64),
            "stride": np.array(strides, np.int64),
            "start": np.cumsum(lengths) - lengths,
            "label": np.full(len(kept), -1) if labels is None else labels[kept],
            "pixels": np.concatenate(parts) if parts else np.zeros(0, np.uint8),
        },
    )
