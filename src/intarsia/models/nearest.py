"""The nearest training picture: the Analytic Diffusion Studio's ``nearest_dataset``."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from intarsia.dictionary import Pictures
from intarsia.dictionary.whole import to_unit
from intarsia.models.schedule import Stop
from intarsia.models.studio import StudioMethod
from intarsia.reduce.posterior import Belief
from intarsia.reduce.whole_pictures import nearest_pictures


class Nearest(StudioMethod):
    """Estimates the training picture nearest to x itself, which is not rescaled first."""

    name = "nearest"
    evidence = "exact"

    def believe(self, pictures: Pictures, x: Float32[np.ndarray, "b c h w"], stop: Stop) -> Belief:
        """Return the nearest picture, with all the weight."""
        position, squares = nearest_pictures(pictures, x)
        belief = Belief.blank(len(x), x.shape[1], self.size)
        belief.clean[:] = to_unit(pictures.pixels[position])
        belief.image[:] = pictures.numbers[position][:, None, None]
        belief.row[:] = np.arange(self.size[0])[:, None]
        belief.col[:] = np.arange(self.size[1])
        belief.weight[:] = 1
        belief.distance[:] = (squares / x[0].size / 4)[:, None, None]
        belief.candidates[:] = len(pictures)
        return belief
