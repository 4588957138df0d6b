"""The boundary-broken ELS machine: patches know how much of them the border cuts off.

M. Kamb, S. Ganguli, "An analytic theory of creativity in convolutional diffusion models"
(paper C), section 3.4 and its appendix on broken equivariance.
"""

from __future__ import annotations

from intarsia.dictionary import SameBorder
from intarsia.models.local_machine import LocalMachine


class BoundaryBrokenScore(LocalMachine):
    """Believes that each window is a training patch that loses the same rows and columns."""

    name = "bbels"
    stage = SameBorder()
