"""Whether pictures are mosaics: each pixel the centre of the training patch nearest to its window.

M. Kamb, S. Ganguli, "An analytic theory of creativity in convolutional diffusion models"
(paper C), theorems 3 and 6, and section 4.1 for two pictures, where a majority says the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32

if TYPE_CHECKING:
    from intarsia.models.machine import ScoreMachine

NOISELESS = 1e-3
"""The time at which a belief counts as the nearest patch: ties apart, one patch holds it."""


def consistent(
    machine: ScoreMachine, x: Float32[np.ndarray, "b c h w"], tolerance: float
) -> Bool[np.ndarray, "b h w"]:
    """Return which pixels equal the centre of the nearest of their training patches.

    Parameters
    ----------
    machine : LS, ELS or bbELS; windows have the side of its last step.
    x : pictures in [-1, 1] units, unclipped.
    tolerance : largest difference in any channel, in those units: a run of finite steps ends on a
        mean over patches, not in the limit.
    """
    nearest = machine.estimate(x, NOISELESS).belief
    named = machine.corpus[nearest.image, nearest.row, nearest.col]
    centres = np.moveaxis(named, 3, 1) / np.float32(127.5) - 1
    return np.asarray((np.abs(x - centres) <= tolerance).all(axis=1))


@dataclass(frozen=True)
class Majority:
    """Black and white pixels against their neighbourhoods; shares of all pixels.

    Attributes
    ----------
    agreeing : those of the colour of more than half of their window, themselves included.
    tied : those whose window is half black, half white.
    against : all others.
    unfinished : those that are neither black nor white, by more than a tolerance. They are also
        counted in one of the others, by the colour they are nearer to.
    """

    agreeing: float
    tied: float
    against: float
    unfinished: float


def majority(
    x: Float32[np.ndarray, "b 1 h w"], side: int, wraps: bool, tolerance: float = 0.02
) -> Majority:
    """Count pixels that have the colour of most of their window.

    Parameters
    ----------
    x : pictures in [-1, 1] units, unclipped; black below 0, white above.
    side : P of the window.
    wraps : whether windows go round; else they are cut at the border.
    tolerance : how far from -1 or 1 a finished pixel is, at most.

    Examples
    --------
    >>> stripe = np.full((1, 1, 4, 4), -1, np.float32)
    >>> stripe[..., 1] = 1
    >>> majority(stripe, 3, wraps=True).against
    0.25
    """
    colour = np.where(x[:, 0] > 0, 1, -1)
    half = side // 2
    around = ((0, 0), (half, half), (half, half))
    # Outside a border is nothing: it votes for neither colour.
    padded = np.pad(colour, around, mode="wrap") if wraps else np.pad(colour, around)
    votes = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2)).sum((3, 4))
    return Majority(
        agreeing=float(np.mean(votes * colour > 0)),
        tied=float(np.mean(votes == 0)),
        against=float(np.mean(votes * colour < 0)),
        unfinished=float(np.mean(np.abs(np.abs(x) - 1) > tolerance)),
    )
