"""A small made-up corpus for the computations of the errata page: grey pictures of one stroke.

Four classes (upright bar, level bar, slanted bar, ring), 14 x 14 pixels, black paper, soft edges,
so that it shares with MNIST what matters here: much exact black, and shapes near the centre.
"""

from __future__ import annotations

import numpy as np

SIDE = 14


def strokes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a corpus of strokes.

    Parameters
    ----------
    count : int
        Number of pictures.
    seed : int
        Seed of the generator that places and thickens the strokes.

    Returns
    -------
    images : int64 array [count, 14, 14]
        Grey levels from 0 to 255.
    labels : int64 array [count]
        0 upright, 1 level, 2 slanted, 3 ring.
    """
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 4, count)
    row, col = np.mgrid[0:SIDE, 0:SIDE] - (SIDE - 1) / 2
    images = np.empty((count, SIDE, SIDE), np.int64)
    for i, label in enumerate(labels):
        down, right = draw.normal(0, 0.8, 2)
        y, x = row - down, col - right
        turn = (0.0, np.pi / 2, np.pi / 4, 0.0)[label] + draw.normal(0, 0.12)
        across = x * np.cos(turn) - y * np.sin(turn)
        along = x * np.sin(turn) + y * np.cos(turn)
        if label == 3:
            distance = np.abs(np.hypot(y, x * draw.uniform(0.9, 1.3)) - draw.uniform(3, 4))
        else:
            distance = np.maximum(np.abs(across), np.abs(along) - draw.uniform(3.5, 5))
        ink = np.clip(draw.uniform(1.2, 2.0) - distance, 0, 1)
        images[i] = np.rint(255 * ink)
    return images, labels
