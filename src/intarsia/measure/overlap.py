"""Overlap of noisy latents, and what it says about reconstruction (paper B, section 3)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.spatial.distance import cdist
from scipy.special import erfc

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


def gaussian_overlaps(latents: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Return the overlaps of all pairs of latents under Gaussian noise, in any dimension.

    Two Gaussians of one spherical covariance overlap as those on the line through their means do.

    Parameters
    ----------
    latents : [N, D], means.
    sigma : standard deviation of the noise in every dimension.

    Returns
    -------
    [N, N], in [0, 1]; 1 on the diagonal.
    """
    _check_scale(sigma)
    return np.asarray(erfc(cdist(latents, latents) / (2 * math.sqrt(2) * sigma)))


def sampled_overlap(
    shift: NDArray[np.float64],
    law: str,
    sigma: float,
    *,
    draws: int = 10_000,
    seed: int = 0,
) -> tuple[float, float]:
    """Estimate eq. 1 in many dimensions: the mean over z ~ p of min(1, q(z) / p(z)).

    Parameters
    ----------
    shift : [D], from one latent to the other.
    law : ``gaussian``, or ``triangular`` in every dimension, half-width sigma.
    sigma : strength of the noise.
    draws : of the estimate.
    seed : decides them.

    Returns
    -------
    the estimate, and its standard error.

    Raises
    ------
    UsageError
        If the law is not known, or sigma is not above 0.
    """
    _check_scale(sigma)
    if law not in ("gaussian", "triangular"):
        raise UsageError(f"The law {law!r} is not known: gaussian or triangular.")
    generator = np.random.default_rng(seed)
    size = (draws, len(shift))
    if law == "gaussian":
        noise = generator.standard_normal(size)
        logs = (noise**2 - (noise - shift / sigma) ** 2).sum(axis=1) / 2
    else:
        noise = generator.random(size) - generator.random(size)
        with np.errstate(divide="ignore"):
            there = np.log(np.clip(1 - np.abs(noise - shift / sigma), 0, None))
        logs = (there - np.log1p(-np.abs(noise))).sum(axis=1)
    shares = np.exp(np.minimum(logs, 0.0))
    return float(shares.mean()), float(shares.std(ddof=1) / math.sqrt(draws))


def latent_distances(latents: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and least Euclidean distance of pairs of latents (paper B, figure 3).

    Parameters
    ----------
    latents : [N, D], N at least 2.
    """
    apart = cdist(latents, latents)[np.triu_indices(len(latents), 1)]
    return float(apart.mean()), float(apart.min())


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
