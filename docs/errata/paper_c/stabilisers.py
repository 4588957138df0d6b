"""What an orbit has to count in theorem 5 of paper C (arXiv 2412.20292).

Two training pictures of 4 x 4, one blank and one with a single bright pixel, under the 16
translations. All 16 leave the blank picture as it is. The best equivariant denoiser is found here
by its definition: the posterior mean under the density averaged over the *group*.
"""

from __future__ import annotations

import numpy as np

SIZE, ALPHA_BAR = 4, 0.3
BLANK = -np.ones((SIZE, SIZE))
DOT = BLANK.copy()
DOT[1, 2] = 1.0
SHIFTS = [(i, j) for i in range(SIZE) for j in range(SIZE)]


def mean(x: np.ndarray, orbit: list[np.ndarray]) -> np.ndarray:
    """Posterior mean over a list of pictures, each counted as often as it occurs."""
    far = np.array([((x - np.sqrt(ALPHA_BAR) * one) ** 2).sum() for one in orbit])
    weight = np.exp(-(far - far.min()) / (2 * (1 - ALPHA_BAR)))
    return np.tensordot(weight / weight.sum(), np.array(orbit), 1)


def main() -> None:
    """Compare a set, and a multiset, with the average over the group; then their losses."""
    multiset = [np.roll(one, shift, (0, 1)) for one in (BLANK, DOT) for shift in SHIFTS]
    distinct = list(np.unique(np.array(multiset), axis=0))
    print(f"group elements times pictures: {len(multiset)}; distinct pictures: {len(distinct)}")
    rng = np.random.default_rng(0)
    loss = {"every element": 0.0, "distinct pictures": 0.0}
    n, apart = 20_000, 0.0
    for _ in range(n):
        shift = SHIFTS[rng.integers(len(SHIFTS))]
        clean = np.roll((BLANK, DOT)[rng.integers(2)], shift, (0, 1))
        x = np.sqrt(ALPHA_BAR) * clean + np.sqrt(1 - ALPHA_BAR) * rng.standard_normal(clean.shape)
        ours, other = mean(x, multiset), mean(x, distinct)
        apart = max(apart, float(np.abs(ours - other).max()))
        loss["every element"] += ((ours - clean) ** 2).sum() / n
        loss["distinct pictures"] += ((other - clean) ** 2).sum() / n
    for name, value in loss.items():
        print(f"mean squared error, orbit as {name}: {value:.4f}")
    print(f"their estimates differ by up to {apart:.2f} in [-1, 1] units")


if __name__ == "__main__":
    main()
