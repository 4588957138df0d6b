"""Integer window weights, and the hash that stands in for a random draw."""

from __future__ import annotations

import math

import numpy as np

GOLDEN = 0x9E3779B97F4A7C15
MASK = 2**64 - 1


def window_weights(side: int, sigma: float | None = None) -> np.ndarray:
    """Integer Gaussian weights of a window.

    Paper A, section 2.4, G(x) in the definition of d_SSD, scaled to 127 and rounded half up;
    the rounding never gives 0, so every known pixel of the window counts.

    Parameters
    ----------
    side : int
        Odd side of the window, in pixels.
    sigma : float, optional
        Standard deviation in pixels, by default side / 6.4 as Efros and Leung use.

    Returns
    -------
    np.ndarray
        int64 [side, side], values 1 to 127, 127 at the centre.

    Raises
    ------
    ValueError
        If the side is even or less than 1, or sigma is not positive.
    """
    if side < 1 or side % 2 == 0:
        raise ValueError(f"The window's side must be odd and positive, not {side}.")
    if sigma is None:
        sigma = side / 6.4
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, not {sigma}.")
    half = side // 2
    weights = np.zeros((side, side), dtype=np.int64)
    for dy in range(-half, half + 1):
        for dx in range(-half, half + 1):
            gaussian = math.exp(-(dy**2 + dx**2) / (2 * sigma**2))
            weights[dy + half, dx + half] = min(127, max(1, math.floor(127 * gaussian + 0.5)))
    return weights


def mix(x: int) -> int:
    """Scramble 64 bits: the finalizer of splitmix64 (Steele, Lea and Flood 2014).

    Parameters
    ----------
    x : int
        Any integer; only its low 64 bits count.

    Returns
    -------
    int
        0 to 2^64 - 1.
    """
    x &= MASK
    x ^= x >> 30
    x = (x * 0xBF58476D1CE4E5B9) & MASK
    x ^= x >> 27
    x = (x * 0x94D049BB133111EB) & MASK
    x ^= x >> 31
    return x


def salt(seed: int, sample: int, step: int) -> int:
    """What the keys of one pixel of one sample have in common.

    Parameters
    ----------
    seed : int
        The run's seed.
    sample : int
        Index of the sample in the run, from 0.
    step : int
        Place in the order of filling, from 0.

    Returns
    -------
    int
        0 to 2^64 - 1.
    """
    return mix(mix(mix(int(seed) + GOLDEN) + int(sample) + GOLDEN) + int(step) + GOLDEN)


def key(salted: int, image: int, row: int, col: int) -> int:
    """The candidate's lot: the pool's least key wins (paper A, section 2.2, x ~ f_p).

    Parameters
    ----------
    salted : int
        What `salt` returned for this pixel.
    image, row, col : int
        The candidate: corpus image, and centre within it.

    Returns
    -------
    int
        0 to 2^63 - 1.
    """
    code = int(image) * 2**32 + int(row) * 2**16 + int(col)
    return mix(salted + code * GOLDEN) >> 1
