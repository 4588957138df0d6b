"""The equivariant local score (ELS) machine: patch mosaics on a canvas that wraps.

M. Kamb, S. Ganguli, "An analytic theory of creativity in convolutional diffusion models"
(paper C), section 3.3, eqs. 9 and 10.
"""

from __future__ import annotations

from intarsia.dictionary import Everywhere
from intarsia.models.local_machine import LocalMachine


class EquivariantLocalScore(LocalMachine):
    """Believes that each window is a training patch from any place."""

    name = "els"

    @property
    def stage(self) -> Everywhere:
        """All places: those whose patch wraps too, or not (``--dictionary``)."""
        return Everywhere(self.settings.dictionary)
