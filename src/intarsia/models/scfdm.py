"""The smoothed closed-form diffusion model.

C. Scarvelis, H. Saez de Ocariz Borde, J. Solomon, "Closed-Form Diffusion Models",
arXiv 2310.12395. The Analytic Diffusion Studio's ``scfdm``, over all training pictures.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from intarsia.dictionary import Pictures
from intarsia.dictionary.orbit import trivial
from intarsia.models.schedule import Stop
from intarsia.models.studio import StudioMethod, unsourced
from intarsia.reduce.posterior import Belief, orbit_posterior
from intarsia.reduce.posterior_state import Level


class SmoothedClosedForm(StudioMethod):
    """Averages the ideal machine's estimate over perturbed copies of the canvas."""

    name = "scfdm"
    evidence = "none"

    def believe(self, pictures: Pictures, x: Float32[np.ndarray, "b c h w"], stop: Stop) -> Belief:
        """Return the mean of the ideal estimates at x + smoothing * noise.

        The perturbations depend on the step alone, so that batches do not change results.
        """
        level, group = Level(stop.alpha_bar), trivial(self.size)
        draws = np.random.default_rng([stop.index, self.settings.smoothing_draws])
        total = np.zeros(x.shape)
        for _ in range(self.settings.smoothing_draws):
            noise = draws.standard_normal(x.shape[1:], np.float32)
            moved = x + np.float32(self.settings.smoothing) * noise
            total += orbit_posterior(pictures, group, moved, level, threads=self.threads).clean
        clean = (total / self.settings.smoothing_draws).astype(np.float32)
        return unsourced(clean, len(pictures))
