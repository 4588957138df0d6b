"""The local score (LS) machine, whose patches keep their places.

M. Kamb, S. Ganguli, "An analytic theory of creativity in convolutional diffusion models"
(paper C), section 3.2, eqs. 7 and 8.
"""

from __future__ import annotations

from intarsia.dictionary import SamePlace
from intarsia.models.local_machine import LocalMachine


class LocalScore(LocalMachine):
    """Believes that each window is that of one training picture at the same place."""

    name = "ls"
    stage = SamePlace()
