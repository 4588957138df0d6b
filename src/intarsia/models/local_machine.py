"""What LS, ELS and boundary-broken ELS share: windows around every pixel, and a stage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from intarsia.dictionary import Pictures, Sharing, SharingStage
from intarsia.models.machine import ScoreMachine
from intarsia.models.schedule import Stop
from intarsia.reduce.posterior import Belief, posterior
from intarsia.reduce.posterior_state import Level


class LocalMachine(ScoreMachine):
    """A machine that sees a P x P window around each pixel, and differs in its stage alone."""

    can_share = True

    @property
    @abstractmethod
    def stage(self) -> SharingStage:
        """Which places a pixel's patches may come from."""

    def check(self) -> None:
        """Refuse window sides that do not fit the pictures."""
        for stop in self.stops:
            self.stage.sharing(self.size, self.side(stop))

    def believe(self, pictures: Pictures, x: Float32[np.ndarray, "b c h w"], stop: Stop) -> Belief:
        """Weigh training patches by how well they explain each pixel's window."""
        sharing = self.stage.sharing(self.size, self.side(stop))
        return posterior(
            pictures, sharing, x, Level(stop.alpha_bar), threads=self.threads,
            far=self.far(pictures),
        )  # fmt: skip

    def sharings(self) -> Sequence[Sharing]:
        """Return the sharing of every window side."""
        sides = sorted({self.side(stop) for stop in self.stops})
        return [self.stage.sharing(self.size, side) for side in sides]
