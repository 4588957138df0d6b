"""What the Analytic Diffusion Studio's methods share: its defaults, and a covariance."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from intarsia.dictionary import Pictures
from intarsia.models.covariance import Covariance
from intarsia.models.machine import ScoreMachine
from intarsia.reduce.posterior import Belief


class StudioMethod(ScoreMachine):
    """A closed-form denoiser at the Studio's defaults: the linear schedule and 10 steps."""

    default_schedule: ClassVar[str] = "linear"
    default_steps: ClassVar[int] = 10

    def covariance(self, pictures: Pictures) -> Covariance:
        """Return the covariance of some pictures, factorised once."""
        if not hasattr(self, "_covariances"):
            self._covariances: dict[int, Covariance] = {}
        if id(pictures) not in self._covariances:
            label = next((k for k, some in self._pictures.items() if some is pictures), None)
            found = Covariance.of(pictures, self.corpus.fingerprint, label)
            self._covariances[id(pictures)] = found
        return self._covariances[id(pictures)]


def unsourced(clean: Float32[np.ndarray, "b c h w"], candidates: int) -> Belief:
    """Return an estimate that names no training picture."""
    belief = Belief.blank(len(clean), clean.shape[1], (clean.shape[2], clean.shape[3]))
    belief.clean[:] = clean
    for place in (belief.image, belief.row, belief.col):
        place[:] = -1
    belief.candidates[:] = candidates
    return belief
