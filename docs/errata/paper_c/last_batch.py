"""What averaging within loader batches, and then adding, does to a posterior mean.

Paper C's equations (4), (8) and (10) add over all training pictures. If numerator and denominator
are averaged within each batch of a loader first, pictures of a smaller last batch weigh more. 200
of scikit-learn's digits, in batches of 64 (the last has 8) and of 50, against the equations.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

COUNT, SIDE = 200, 3


def windows(pictures: np.ndarray) -> np.ndarray:
    """All windows, zeros outside: [n, H, W, SIDE * SIDE]."""
    half = SIDE // 2
    padded = np.pad(pictures, ((0, 0), (half, half), (half, half)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (SIDE, SIDE), axis=(1, 2))
    return view.reshape(*pictures.shape, SIDE * SIDE)


def local_mean(
    x: np.ndarray, pictures: np.ndarray, alpha_bar: float, batch: int | None
) -> np.ndarray:
    """The clean estimate of LS, with terms averaged within batches where there are any."""
    far = ((windows(x[None]) - np.sqrt(alpha_bar) * windows(pictures)) ** 2).sum(axis=3)
    weight = np.exp(-(far - far.min(axis=0)) / (2 * (1 - alpha_bar)))
    if batch is not None:
        for first in range(0, len(pictures), batch):
            weight[first : first + batch] /= len(weight[first : first + batch])
    return (weight * pictures).sum(axis=0) / weight.sum(axis=0)


def main() -> None:
    """Print the largest difference from the equations, over canvases of three noise levels."""
    pictures = load_digits().images[:COUNT] / 8 - 1
    rng = np.random.default_rng(0)
    for alpha_bar in (0.3, 0.7, 0.95):
        apart = {64: 0.0, 50: 0.0}
        for clean in pictures[:50]:
            x = np.sqrt(alpha_bar) * clean
            x = x + np.sqrt(1 - alpha_bar) * rng.standard_normal(clean.shape)
            exact = local_mean(x, pictures, alpha_bar, None)
            for batch in apart:
                other = local_mean(x, pictures, alpha_bar, batch)
                apart[batch] = max(apart[batch], float(np.abs(other - exact).max()))
        print(
            f"alpha_bar {alpha_bar}: batches of 64 differ by up to {apart[64]:.2f}, batches of 50 "
            f"by {apart[50]:.0e} (units of [-1, 1])"
        )


if __name__ == "__main__":
    main()
