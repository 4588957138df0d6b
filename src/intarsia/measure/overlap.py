"""Overlap of noisy latents, and what it says about reconstruction (paper B, section 3)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.spatial.distance import cdist

from intarsia.errors import UsageError

Density = Callable[[float], float]


def gaussian_overlap(distance: float, sigma: float) -> float:
    """Return the overlap of two Gaussians of one sigma (paper B, eq. 20), in [0, 1].

    Raises
    ------
    UsageError
        If sigma is not above 0.
    """
    _check_scale(sigma)
    return math.erfc(abs(distance) / (2 * math.sqrt(2) * sigma))


def triangular_overlap(distance: float, sigma: float) -> float:
    """Return the overlap of two triangles of half-width sigma (paper B, eq. 22), in [0, 1].

    This is eq. 6 with kappa = 1/2; the kappa = 2 that the paper names is U-shaped.

    Raises
    ------
    UsageError
        If sigma is not above 0.
    """
    _check_scale(sigma)
    return max(0.0, 1 - abs(distance) / (2 * sigma)) ** 2


def gtd_density(value: float, kappa: float) -> float:
    """Return the density of the noise of paper B's eq. 6 as printed, at a value.

    It is (1 - |e|)^(1/kappa - 1) / (2 kappa) on (-1, 1), derived from the printed sampler.

    Raises
    ------
    UsageError
        If kappa is not above 0.
    """
    if not kappa > 0:
        raise UsageError(f"kappa is {kappa}; it must be above 0 (1/2 is the triangle).")
    if not abs(value) < 1:
        return 0.0
    return (1 - abs(value)) ** (1 / kappa - 1) / (2 * kappa)


def numerical_overlap(density: Density, distance: float, low: float, high: float) -> float:
    """Integrate eq. 1 for a 1-D density and its copy shifted by a distance.

    Parameters
    ----------
    density : the density, 0 or negligible outside [low, high].
    distance : between the copies; its sign does not matter.
    low, high : ends of the support.
    """
    shift = abs(distance)
    if low + shift >= high:
        return 0.0
    middle = (low + high + shift) / 2  # where symmetric copies cross
    kinks = sorted({middle, (low + high) / 2, (low + high) / 2 + shift})
    ends = [low + shift, *(k for k in kinks if low + shift < k < high), high]
    return sum(
        quad(lambda z: min(density(z), density(z - shift)), a, b, epsabs=1e-10, limit=200)[0]
        for a, b in zip(ends, ends[1:], strict=False)
    )


def is_exclusive(overlaps: NDArray[np.float64], tolerance: float) -> bool:
    """Return whether no two different latents overlap by more (paper B, definition 3.1).

    Parameters
    ----------
    overlaps : [N, N], pairwise overlaps; the diagonal is ignored.
    tolerance : epsilon of eq. 2; 0 asks for a strict space.
    """
    apart = overlaps[~np.eye(len(overlaps), dtype=bool)]
    return bool((apart <= tolerance).all())


def least_mse(overlaps: NDArray[np.float64], images: NDArray[np.float64]) -> float:
    """Return the lower bound of theorem 3.3 (paper B, eq. 3).

    It bounds the squared error summed over a picture's values, averaged over pictures.

    Parameters
    ----------
    overlaps : [N, N], pairwise overlaps.
    images : [N, D], the targets.

    Raises
    ------
    UsageError
        If the numbers of latents and of images differ.
    """
    if overlaps.shape != (len(images), len(images)):
        raise UsageError(
            f"The overlaps have shape {overlaps.shape} for {len(images)} images; "
            f"give one row and one column an image."
        )
    apart = cdist(images, images, "sqeuclidean")
    return float((overlaps * apart).sum() / (4 * len(images) ** 2))


def _check_scale(sigma: float) -> None:
    if not sigma > 0:
        raise UsageError(f"sigma is {sigma}; the scale of the noise must be above 0.")
