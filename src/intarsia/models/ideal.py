"""The ideal score (IS) machine, which only memorises.

M. Kamb, S. Ganguli, "An analytic theory of creativity in convolutional diffusion models"
(paper C), section 2, eqs. 3 and 4.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from intarsia.dictionary import Orbit, Pictures
from intarsia.dictionary.orbit import trivial
from intarsia.models.machine import ScoreMachine
from intarsia.models.schedule import Stop
from intarsia.reduce.posterior import Belief, orbit_posterior, orbit_room
from intarsia.reduce.posterior_state import Level


class IdealScore(ScoreMachine):
    """Believes that the whole canvas is one training picture under noise."""

    name = "is"
    can_share = True

    @property
    def canvas_bytes(self) -> int:
        """Memory that one canvas takes, from above: it is the only query."""
        length = self.corpus.channels * self.size[0] * self.size[1]
        return orbit_room(1, length, len(self.corpus))

    def believe(self, pictures: Pictures, x: Float32[np.ndarray, "b c h w"], stop: Stop) -> Belief:
        """Weigh whole training pictures (eqs. 3 and 4)."""
        orbit = Orbit(trivial(self.size))
        level = Level(stop.alpha_bar)
        return orbit_posterior(
            pictures, orbit.group, x, level, threads=self.threads, far=self.far(pictures)
        )
