"""Noise schedules, and the times at which a reverse process stops.

``cosine``: paper C's released code. ``linear``: J. Ho et al., NeurIPS 2020, as diffusers'
DDIMScheduler has it at its defaults.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from intarsia.errors import UsageError


@dataclass(frozen=True)
class Stop:
    """One step of a reverse process, from noise level ab to ab'.

    Attributes
    ----------
    index : i; a machine's window has side scales[i] here.
    t : the time, as the schedule counts it.
    alpha_bar, alpha_bar_next : ab before the step, ab' after it.
    clips : whether the clean estimate is clipped to [-1, 1] inside the step.
    """

    index: int
    t: float
    alpha_bar: float
    alpha_bar_next: float
    clips: bool = False


@runtime_checkable
class Schedule(Protocol):
    """How much of the picture is left at a time."""

    @property
    def name(self) -> str:
        """Return ``cosine`` or ``linear``."""
        ...

    def alpha_bar(self, t: float) -> float:
        """Return ab at a time."""
        ...

    def index(self, t: float, steps: int) -> int:
        """Return the stop nearest to a time."""
        ...

    def stops(self, steps: int) -> list[Stop]:
        """Return the steps of a reverse process, noisiest first."""
        ...


SHIFT = 1.008
"""What keeps a trace of the picture at t = 1."""


@dataclass(frozen=True)
class Cosine:
    """beta(t) = 1 - cos^2(pi t / (2 * 1.008)), alpha_bar = 1 - beta, 0 < t <= 1."""

    name: str = "cosine"

    def alpha_bar(self, t: float) -> float:
        """Return 1 - beta(t)."""
        if not 0 <= t <= 1:
            raise UsageError(f"t is {t}; with the cosine schedule it lies in 0 < t <= 1.")
        return math.cos(math.pi * t / (2 * SHIFT)) ** 2

    def time_of(self, alpha_bar: float) -> float:
        """Return the time of a noise level, 1 of those beyond it."""
        return min(1.0, 2 * SHIFT / math.pi * math.acos(math.sqrt(alpha_bar)))

    def index(self, t: float, steps: int) -> int:
        """Return i with i / T nearest to t, from 1 on."""
        return min(max(round(t * steps), 1), steps - 1)

    def stops(self, steps: int) -> list[Stop]:
        """Return i = T-1, ..., 1 at t = i / T, each going to t - 1 / T."""
        if steps < 2:
            raise UsageError(
                f"--steps is {steps}; the cosine schedule starts one step below pure noise, so it "
                "needs at least 2."
            )
        level = [self.alpha_bar(i / steps) for i in range(steps)]
        return [Stop(i, i / steps, level[i], level[i - 1]) for i in range(steps - 1, 0, -1)]

    def first(self, steps: int) -> Stop:
        """Return the step i = T, from t = 1, that paper C's networks take before the others."""
        return Stop(steps, 1.0, self.alpha_bar(1.0), self.alpha_bar((steps - 1) / steps))


TRAINED = 1000
"""Training steps of the linear schedule."""


@dataclass(frozen=True)
class Linear:
    """beta from 1e-4 to 0.02 over 1,000 training steps, t = 0, ..., 999.

    The steps are those of diffusers' DDIMScheduler at its defaults: leading spacing, alpha_bar 1
    behind the last step, and estimates clipped inside the step, while the last one is the result.
    """

    name: str = "linear"

    @cached_property
    def levels(self) -> Float64[np.ndarray, " t"]:
        """alpha_bar at every training step, from single-precision betas as diffusers has them."""
        betas = np.linspace(1e-4, 0.02, TRAINED, dtype=np.float32)
        return np.cumprod(1 - betas.astype(np.float64))

    def alpha_bar(self, t: float) -> float:
        """Return the product of 1 - beta up to training step t."""
        if t != int(t) or not 0 <= t < TRAINED:
            raise UsageError(f"t is {t}; with the linear schedule it is a whole number, 0 to 999.")
        return float(self.levels[int(t)])

    def index(self, t: float, steps: int) -> int:
        """Return the stop at or below training step t."""
        return min(int(t) // (TRAINED // steps), steps - 1)

    def stops(self, steps: int) -> list[Stop]:
        """Return t = (T-1) r, ..., r, 0 with r = 1000 // T."""
        if not 1 <= steps <= TRAINED:
            raise UsageError(f"--steps is {steps}; the linear schedule takes 1 to {TRAINED}.")
        ratio = TRAINED // steps
        found = []
        for i in range(steps - 1, -1, -1):
            t = float(i * ratio)
            after = self.alpha_bar(t - ratio) if i else 1.0
            found.append(Stop(i, t, self.alpha_bar(t), after, clips=i > 0))
        return found


def schedule(name: str) -> Schedule:
    """Return a schedule by name.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name == "cosine":
        return Cosine()
    if name == "linear":
        return Linear()
    raise UsageError(f"--schedule is {name!r}; it must be cosine or linear.")
