"""How often paper A's thresholds (arXiv 2510.22196, section 2.4) intersect to nothing.

Each threshold is (1 + eps) times the least distance over the whole set, taken by itself; a patch
must meet all of them. First two candidates by hand, then made-up strokes: for pictures outside
the corpus, some rows of the canvas known, the pool of the next pixel is built as the paper writes.
"""

from __future__ import annotations

import numpy as np
from strokes import SIDE, strokes

EPSILON = 0.1
RADIUS = 1
HALF = 3  # a 7 x 7 window


def by_hand() -> None:
    """Two candidates: one is best by appearance, the other by representation."""
    appearance = np.array([1.0, 4.0])
    representation = np.array([9.0, 1.0])
    near = appearance <= (1 + EPSILON) * appearance.min()
    alike = representation <= (1 + EPSILON) * representation.min()
    print(f"by hand: appearance admits {near}, representation {alike}, both {near & alike}")


def codes(images: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean grey of each 2 x 2 block of the known part: [N, 14, 14] -> [N, 49]."""
    blocks = (images * known).reshape(len(images), SIDE // 2, 2, SIDE // 2, 2)
    return blocks.mean((2, 4)).reshape(len(images), -1)


def pools(corpus: np.ndarray, picture: np.ndarray, row: int, col: int) -> tuple[int, int, int]:
    """Sizes of three pools for one pixel: by appearance; and near it; and alike as a whole."""
    known = np.arange(SIDE * SIDE).reshape(SIDE, SIDE) < row * SIDE + col
    offsets = [
        (dy, dx)
        for dy in range(-HALF, HALF + 1)
        for dx in range(-HALF, HALF + 1)
        if 0 <= row + dy < SIDE and 0 <= col + dx < SIDE and known[row + dy, col + dx]
    ]
    sigma = (2 * HALF + 1) / 6.4
    centres = range(HALF, SIDE - HALF)
    distance = np.zeros((len(corpus), len(centres), len(centres)))
    for dy, dx in offsets:
        weight = np.exp(-(dy * dy + dx * dx) / (2 * sigma * sigma))
        rows = slice(HALF + dy, SIDE - HALF + dy)
        cols = slice(HALF + dx, SIDE - HALF + dx)
        distance += weight * (corpus[:, rows, cols] - picture[row + dy, col + dx]) ** 2
    appearance = distance <= (1 + EPSILON) * distance.min()
    off = np.abs(np.array(centres)[:, None] - [row, col])
    place = (off[:, None, 0] <= RADIUS) & (off[None, :, 1] <= RADIUS)
    gap = np.linalg.norm(codes(corpus, known) - codes(picture[None], known), axis=1)
    alike = gap <= (1 + EPSILON) * gap.min()
    near = appearance & place
    return int(appearance.sum()), int(near.sum()), int((near & alike[:, None, None]).sum())


def main() -> None:
    """Count the empty pools over 200 pictures, one random inner pixel each."""
    by_hand()
    corpus, _ = strokes(400, seed=0)
    pictures, _ = strokes(200, seed=1)
    draw = np.random.default_rng(2)
    places = draw.integers(HALF, SIDE - HALF, (len(pictures), 2))
    sizes = np.array(
        [pools(corpus, picture, *place) for picture, place in zip(pictures, places, strict=True)]
    )
    for name, column in zip(("L", "NS+L", "NS+L+H"), sizes.T, strict=True):
        print(f"{name:>6}: {np.mean(column == 0):6.1%} of {len(column)} pools are empty")


if __name__ == "__main__":
    main()
