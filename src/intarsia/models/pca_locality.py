"""The analytic denoiser whose locality follows from the data's covariance.

A. Lukoianov et al., "Locality in Image Diffusion Models Emerges from Data Statistics",
arXiv 2509.09672. The Analytic Diffusion Studio's ``pca_locality``, but with one softmax over all
training pictures, as the equation has it, not a mean of softmaxes over loader batches.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from intarsia.dictionary import Pictures
from intarsia.models.schedule import Stop
from intarsia.models.studio import StudioMethod
from intarsia.reduce.posterior import Belief
from intarsia.reduce.posterior_state import Level
from intarsia.reduce.whole_pictures import masked_posterior, seen


class PCALocality(StudioMethod):
    """Lets each number of a picture see those that the Wiener filter reads it from."""

    name = "pca-locality"

    def check(self) -> None:
        """Refuse a corpus without a covariance."""
        self.covariance(self.pictures(self.settings.label))

    def believe(self, pictures: Pictures, x: Float32[np.ndarray, "b c h w"], stop: Stop) -> Belief:
        """Weigh whole pictures, anew for each number, by what it sees of them."""
        assert self.settings.mask_threshold is not None
        matrix = self.covariance(pictures).wiener_matrix(stop.alpha_bar)
        mask = seen(matrix, self.settings.mask_threshold).astype(np.float64)
        level = Level(stop.alpha_bar)
        mean, source, weight, squares = masked_posterior(
            pictures, mask, x, level, self.settings.temperature
        )
        belief = Belief.blank(len(x), x.shape[1], self.size)
        belief.clean[:] = mean.reshape(x.shape)
        # Each channel has a belief of its own: the surest one is named.
        surest = weight.reshape(x.shape).argmax(axis=1)[:, None]

        def of_surest(values: np.ndarray) -> np.ndarray:
            return np.take_along_axis(values.reshape(x.shape), surest, axis=1)[:, 0]

        numbers = np.maximum(np.abs(mask).sum(axis=0), 1)
        belief.image[:] = pictures.numbers[of_surest(source)]
        belief.weight[:] = of_surest(weight)
        belief.distance[:] = of_surest(squares / numbers / 4)
        belief.row[:] = np.arange(self.size[0])[:, None]
        belief.col[:] = np.arange(self.size[1])
        belief.candidates[:] = len(pictures)
        return belief
