"""The equivariant score (ES) machine, which draws training pictures moved by a group.

M. Kamb, S. Ganguli, "An analytic theory of creativity in convolutional diffusion models"
(paper C), section 3.1, eqs. 5 and 6; theorem 5 for any finite unitary group.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from jaxtyping import Float32

from intarsia.dictionary import Orbit, Pictures
from intarsia.dictionary.orbit import named_group
from intarsia.models.machine import ScoreMachine
from intarsia.models.schedule import Stop
from intarsia.reduce.posterior import Belief, orbit_posterior, orbit_room
from intarsia.reduce.posterior_state import Level


class EquivariantScore(ScoreMachine):
    """Believes that the whole canvas is one picture of the training set's orbit under noise."""

    name = "es"
    can_share = True

    @cached_property
    def orbit(self) -> Orbit:
        """The group of the settings, as a stage."""
        return Orbit(named_group(self.settings.group, self.size, self.corpus.channels))

    def check(self) -> None:
        """Refuse a group that does not fit the pictures."""
        assert len(self.orbit.group)

    @property
    def canvas_bytes(self) -> int:
        """Memory that one canvas takes, from above: turned by some elements at a time."""
        length = self.corpus.channels * self.size[0] * self.size[1]
        return orbit_room(len(self.orbit.group), length, len(self.corpus))

    def believe(self, pictures: Pictures, x: Float32[np.ndarray, "b c h w"], stop: Stop) -> Belief:
        """Weigh every training picture under every element (eqs. 5 and 6)."""
        level = Level(stop.alpha_bar)
        return orbit_posterior(
            pictures, self.orbit.group, x, level, threads=self.threads, far=self.far(pictures)
        )
