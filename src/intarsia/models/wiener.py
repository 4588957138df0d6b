"""The Wiener filter: the best linear denoiser of the training set.

N. Wiener, 1949. The Analytic Diffusion Studio's ``wiener`` (github.com/analytic-diffusion).
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32

from intarsia.dictionary import Pictures
from intarsia.models.schedule import Stop
from intarsia.models.studio import StudioMethod, unsourced
from intarsia.reduce.posterior import Belief


class Wiener(StudioMethod):
    """Believes that pictures are Gaussian, with the training set's mean and covariance."""

    name = "wiener"
    evidence = "none"

    def check(self) -> None:
        """Refuse a corpus without a covariance."""
        self.covariance(self.pictures(self.settings.label))

    def believe(self, pictures: Pictures, x: Float32[np.ndarray, "b c h w"], stop: Stop) -> Belief:
        """Shrink every direction by its share of signal: mean + M (x / sqrt(ab) - mean)."""
        gaussian = self.covariance(pictures)
        shrinkage = gaussian.shrinkage(stop.alpha_bar)
        clean = np.empty_like(x)
        for b, canvas in enumerate(x):
            rest = canvas.reshape(-1) / math.sqrt(stop.alpha_bar) - gaussian.mean
            found = gaussian.directions @ (shrinkage * (gaussian.directions.T @ rest))
            clean[b] = (gaussian.mean + found).reshape(canvas.shape)
        return unsourced(clean, len(pictures))
