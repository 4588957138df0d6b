"""Reductions over whole training pictures: the nearest, and softmaxes under masks."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int64

from intarsia.dictionary import Pictures
from intarsia.dictionary.whole import to_unit
from intarsia.reduce.posterior_state import Level

_BLOCK = 256
"""Pictures taken at a time."""


def nearest_pictures(
    pictures: Pictures, x: Float32[np.ndarray, "b c h w"]
) -> tuple[Int64[np.ndarray, " b"], Float64[np.ndarray, " b"]]:
    """Return the position of each canvas's nearest picture, and its squared distance.

    Differences are taken in float64; of equals the first wins.
    """
    best = np.full(len(x), -1, np.int64)
    least = np.full(len(x), np.inf)
    canvases = x.reshape(len(x), -1).astype(np.float64)
    for first in range(0, len(pictures), _BLOCK):
        some = _unit_rows(pictures, first)
        for b, canvas in enumerate(canvases):
            squares = ((canvas - some) ** 2).sum(axis=1)
            at = int(squares.argmin())
            if squares[at] < least[b]:
                best[b], least[b] = first + at, squares[at]
    return best, least


def masked_posterior(
    pictures: Pictures,
    mask: Float64[np.ndarray, "d d"],
    x: Float32[np.ndarray, "b c h w"],
    level: Level,
    temperature: float,
) -> tuple[Float64[np.ndarray, "b d"], Int64[np.ndarray, "b d"], Float64[np.ndarray, "b d"],
           Float64[np.ndarray, "b d"]]:  # fmt: skip
    """Return the posterior mean of every number of a picture, each under a mask of its own.

    Parameters
    ----------
    mask : [n, m], how much a difference at n counts for the number m.
    temperature : what squared distances are divided by besides 2 (1 - alpha_bar).

    Returns
    -------
    mean [B, D], position of the heaviest picture [B, D], its weight [B, D] and squared distance
    """
    weights = torch.from_numpy(np.ascontiguousarray(mask))
    shape = len(x), mask.shape[0]
    top = torch.full(shape, -torch.inf, dtype=torch.float64)
    total, mean = torch.zeros_like(top), torch.zeros_like(top)
    source = torch.zeros(shape, dtype=torch.int64)
    canvases = torch.from_numpy(x.reshape(len(x), -1).astype(np.float64))
    for first in range(0, len(pictures), _BLOCK):
        some = torch.from_numpy(_unit_rows(pictures, first))
        for b, canvas in enumerate(canvases):
            squares = (canvas - level.signal * some) ** 2
            logits = squares @ weights * (-level.scale / temperature)
            highest, at = logits.max(dim=0)
            source[b] = torch.where(highest > top[b], first + at, source[b])
            high = torch.maximum(top[b], highest)
            shrink, share = torch.exp(top[b] - high), torch.exp(logits - high)
            total[b] = total[b] * shrink + share.sum(dim=0)
            mean[b] = mean[b] * shrink + (share * some).sum(dim=0)
            top[b] = high
    squares = -top * temperature / level.scale
    return (mean / total).numpy(), source.numpy(), (1 / total).numpy(), squares.numpy()


def seen(
    matrix: Float64[np.ndarray, "d d"], threshold: float, least: float = 1e-6
) -> Bool[np.ndarray, "d d"] | Float64[np.ndarray, "d d"]:
    """Return which numbers n each number m sees: |M[n, m] / M[n, n]| at or over a threshold.

    Parameters
    ----------
    matrix : M.
    threshold : share of the largest magnitude; 0 returns the scaled matrix itself.
    least : diagonal entries smaller than this are taken as 1.
    """
    diagonal = np.diagonal(matrix).copy()
    diagonal[np.abs(diagonal) < least] = 1
    scaled = matrix / diagonal[:, None]
    if threshold == 0:
        return scaled
    size = np.abs(scaled)
    return size >= threshold * size.max()


def _unit_rows(pictures: Pictures, first: int) -> Float64[np.ndarray, "n d"]:
    some = to_unit(pictures.pixels[first : first + _BLOCK], np.float64)
    return some.reshape(len(some), -1)
