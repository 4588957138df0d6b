"""Why a sampler that may use the seed's own picture copies it (paper A, figure 11).

The seed's window occurs in its picture at distance 0, and (1 + eps) x 0 admits nothing else that
differs at all. NS+L of section 2.4 on made-up strokes with a little noise: window 7, radius 1,
eps 0.1, a 6 x 6 seed in the middle; with the seed's picture allowed or barred, and with the
threshold's floor of 1e-4 x 255^2 x known weight or without. Slow and plain on purpose; the
package's own engine is not used.
"""

from __future__ import annotations

import numpy as np
from strokes import SIDE, strokes

EPSILON, RADIUS, HALF, SEED = 0.1, 1, 3, 6
OFFSETS = [(dy, dx) for dy in range(-HALF, HALF + 1) for dx in range(-HALF, HALF + 1)]
SIGMA = (2 * HALF + 1) / 6.4
WEIGHT = {k: np.exp(-(k[0] ** 2 + k[1] ** 2) / (2 * SIGMA**2)) for k in OFFSETS}


def grow(
    corpus: np.ndarray, first: int, barred: bool, floor: float, draw: np.random.Generator
) -> np.ndarray:
    """Grow one picture; return the image each of its grown pixels came from."""
    low = (SIDE - SEED) // 2
    canvas = np.zeros((SIDE, SIDE), np.int64)
    known = np.zeros((SIDE, SIDE), bool)
    known[low : low + SEED, low : low + SEED] = True
    canvas[known] = corpus[first][known]
    pad = np.pad(corpus.astype(float), ((0, 0), (HALF, HALF), (HALF, HALF)), constant_values=np.inf)
    sources = []
    while not known.all():
        row, col = fullest(known)
        query = [
            (k, canvas[row + k[0], col + k[1]])
            for k in OFFSETS
            if 0 <= row + k[0] < SIDE and 0 <= col + k[1] < SIDE and known[row + k[0], col + k[1]]
        ]
        rows = range(max(0, row - RADIUS), min(SIDE, row + RADIUS + 1))
        cols = range(max(0, col - RADIUS), min(SIDE, col + RADIUS + 1))
        places = [(r, c) for r in rows for c in cols]
        distance = np.stack(
            [
                sum(
                    WEIGHT[k] * (pad[:, HALF + r + k[0], HALF + c + k[1]] - v) ** 2
                    for k, v in query
                )
                for r, c in places
            ],
            axis=1,
        )
        if barred:
            distance[first] = np.inf
        admitted = (1 + EPSILON) * distance.min() + floor * sum(WEIGHT[k] for k, _ in query)
        image, place = draw.choice(np.argwhere(distance <= admitted))
        canvas[row, col] = corpus[(image, *places[place])]
        known[row, col] = True
        sources.append(image)
    return np.array(sources)


def fullest(known: np.ndarray) -> tuple[int, int]:
    """Return the unknown pixel whose window holds most known weight."""
    pad = np.pad(known.astype(float), HALF)
    held = sum(
        w * pad[HALF + dy : HALF + dy + SIDE, HALF + dx : HALF + dx + SIDE]
        for (dy, dx), w in WEIGHT.items()
    )
    row, col = np.unravel_index(np.argmax(np.where(known, -1.0, held)), known.shape)
    return int(row), int(col)


def main() -> None:
    """Print how much of a picture its seed's image and its most used image give."""
    pictures, _ = strokes(150, seed=0)
    noise = np.random.default_rng(1).integers(-3, 4, pictures.shape)
    corpus = np.clip(pictures + noise, 0, 255)
    for barred in (False, True):
        for floor in (0.0, 1e-4 * 255**2):
            draw = np.random.default_rng(3)
            runs = [grow(corpus, first, barred, floor, draw) for first in range(8)]
            own = np.mean([np.mean(run == first) for first, run in enumerate(runs)])
            top = np.mean([np.bincount(run).max() / len(run) for run in runs])
            print(
                f"seed's picture {'barred ' if barred else 'allowed'}, "
                f"floor {'stated' if floor else 'none  '}: "
                f"{own:6.1%} of the grown pixels from it; top source {top:6.1%}"
            )


if __name__ == "__main__":
    main()
