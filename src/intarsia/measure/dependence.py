"""How much tokens say about each other, by distance (paper B, assumption 4.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from intarsia.errors import UsageError


@dataclass(frozen=True)
class Information:
    """Mutual information between bits of tokens so far apart.

    Attributes
    ----------
    distance : between the tokens' places, maximum norm: the gamma-LDA's radius.
    nats : mean over pairs of bits of different places, from counts.
    chance : what counts of so many grids give where there is none, by shuffling grids.
    """

    distance: int
    nats: float
    chance: float


def information_by_distance(
    bits: UInt8[np.ndarray, "n gh gw k"], seed: int = 0
) -> list[Information]:
    """Estimate eq. 7's mutual information for every distance on the grid.

    Parameters
    ----------
    bits : of token grids, 0 or 1.
    seed : of the shuffling.

    Raises
    ------
    UsageError
        If there are fewer than 2 grids, or one token a grid.
    """
    count, rows, cols, values = bits.shape
    if count < 2 or rows * cols < 2:
        raise UsageError("Mutual information needs at least 2 grids of at least 2 tokens.")
    flat = bits.reshape(count, -1).astype(np.float64)
    order = np.random.default_rng(seed).permuted(
        np.tile(np.arange(count)[:, None], (1, rows * cols)), axis=0
    )
    shuffled = np.take_along_axis(
        bits.reshape(count, rows * cols, values), order[:, :, None], axis=0
    ).reshape(count, -1)
    found, chance = _information(flat), _information(shuffled.astype(np.float64))
    row, col = (axis.repeat(values) for axis in np.divmod(np.arange(rows * cols), cols))
    apart = np.maximum(np.abs(row[:, None] - row), np.abs(col[:, None] - col))
    return [
        Information(int(d), float(found[apart == d].mean()), float(chance[apart == d].mean()))
        for d in range(1, max(rows, cols))
    ]


def _information(bits: Float64[np.ndarray, "n b"]) -> Float64[np.ndarray, "b b"]:
    """Return the mutual information of every pair of binary columns, in nats."""
    ones = bits.mean(axis=0)
    both = bits.T @ bits / len(bits)
    total = np.zeros_like(both)
    p, q = ones[:, None], ones[None]
    joints = {(1, 1): both, (0, 1): q - both, (1, 0): p - both, (0, 0): 1 - p - q + both}
    for (one, other), joint in joints.items():
        independent = (p if one else 1 - p) * (q if other else 1 - q)
        with np.errstate(divide="ignore", invalid="ignore"):
            term = joint * np.log(joint / independent)
        total += np.where(joint > 1e-15, term, 0.0)
    return total
