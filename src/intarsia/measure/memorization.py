"""How many samples are copies of whole training pictures (paper B, section 5.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from intarsia.errors import UsageError
from intarsia.measure.nearest import Nearest, nearest
from intarsia.provenance.calibration import interval

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

PSNR = 30.0
"""Decibel above which paper B takes two pictures for the same."""

SSIM = 0.95
"""Structural similarity above which this project does; it is reported beside, not instead."""


@dataclass(frozen=True, eq=False)
class Memorization:
    """Which samples are copies, by each rule.

    Attributes
    ----------
    by_psnr : bool [n], the nearest training picture is closer than the PSNR rule asks.
    by_ssim : bool [n], the same by SSIM.
    by_bits : bool [n], the sample's tokens are those of a training picture; None for a model
        without tokens.
    nearest : the nearest training pictures themselves.
    """

    by_psnr: Bool[np.ndarray, " n"]
    by_ssim: Bool[np.ndarray, " n"]
    by_bits: Bool[np.ndarray, " n"] | None
    nearest: Nearest

    def summary(self) -> dict[str, float | list[float] | None]:
        """Return shares and their 95 % intervals in plain JSON types.

        ``rate`` is by PSNR, ``rate_interval`` its Clopper-Pearson interval, then ``rate_ssim``,
        ``rate_bits`` (None without tokens) and ``psnr_median``.
        """
        finite = np.minimum(self.nearest.psnr, 100.0)  # an equal picture has no finite one
        return {
            "rate": float(self.by_psnr.mean()),
            "rate_interval": list(interval(int(self.by_psnr.sum()), len(self.by_psnr))),
            "rate_ssim": float(self.by_ssim.mean()),
            "rate_bits": None if self.by_bits is None else float(self.by_bits.mean()),
            "psnr_median": float(np.median(finite)),
        }


def memorization(
    images: UInt8[np.ndarray, "n h w c"],
    corpus: Corpus,
    *,
    tokens: Int64[np.ndarray, "n gh gw"] | None = None,
    training_tokens: Int64[np.ndarray, "m gh gw"] | None = None,
    psnr: float = PSNR,
    ssim: float = SSIM,
    progress: Callable[[int, int], None] | None = None,
) -> Memorization:
    """Find copies of whole training pictures among samples.

    Parameters
    ----------
    images : the samples.
    corpus : what the model was trained on.
    tokens, training_tokens : both as numbers, for the exact rule.
    psnr : in decibel; a copy is nearer than that (paper B: 30).
    ssim : a copy is more similar than that.
    progress : called with (pictures compared, all of them).

    Raises
    ------
    UsageError
        If sizes differ, or only one of the token arrays is given.
    """
    if (tokens is None) != (training_tokens is None):
        raise UsageError("Give the tokens of samples and of training pictures, or neither.")
    found = nearest(images, corpus, progress=progress)
    by_bits = None
    if tokens is not None and training_tokens is not None:
        known = {grid.tobytes() for grid in np.ascontiguousarray(training_tokens, np.int64)}
        by_bits = np.array([grid.tobytes() in known for grid in tokens.astype(np.int64)])
    return Memorization(found.psnr > psnr, found.ssim > ssim, by_bits, found)


def novelty(found: Nearest) -> Float64[np.ndarray, " n"]:
    """Return how far each sample is from the nearest training picture, from 0 to 1.

    Root of the mean squared difference, in units of 255.
    """
    return np.asarray(10.0 ** (-np.minimum(found.psnr, 200.0) / 20.0))
