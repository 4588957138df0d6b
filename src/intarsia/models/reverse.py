"""The deterministic reverse process (J. Song, C. Meng, S. Ermon, DDIM, arXiv 2010.02502, eq. 12).

Paper C's released sampler and diffusers' DDIMScheduler at eta = 0 are this loop over different
stops (`models.schedule`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from intarsia.models.schedule import Stop

if TYPE_CHECKING:
    from intarsia.models.machine import Estimate


@dataclass(frozen=True, eq=False)
class ReverseStep:
    """What a step callback gets.

    Attributes
    ----------
    stop : where the step stood.
    x : float32 [B, C, H, W], the canvases before it.
    estimate : what the machine said of them.
    after : the canvases after it; of the last step, the result.
    """

    stop: Stop
    x: Float32[np.ndarray, "b c h w"]
    estimate: Estimate
    after: Float32[np.ndarray, "b c h w"]


def reverse(
    estimate: Callable[[Float32[np.ndarray, "b c h w"], Stop], Estimate],
    x: Float32[np.ndarray, "b c h w"],
    stops: Sequence[Stop],
) -> Iterator[ReverseStep]:
    """Take noise to pictures.

    Parameters
    ----------
    estimate : what a machine believes of canvases at a stop.
    x : the canvases at the first stop; unit Gaussian noise is taken as they come.
    stops : the steps, noisiest first.
    """
    for stop in stops:
        believed = estimate(x, stop)
        after = ddim_step(x, believed.clean, stop)
        yield ReverseStep(stop, x, believed, after)
        x = after


def ddim_step(
    x: Float32[np.ndarray, "b c h w"], clean: Float32[np.ndarray, "b c h w"], stop: Stop
) -> Float32[np.ndarray, "b c h w"]:
    """Go from ab to ab' along the noise that the clean estimate implies.

    sqrt(ab') clean + sqrt(1 - ab') eps is x sqrt(ab'/ab) + (sqrt(1 - ab') - sqrt(ab'/ab)
    sqrt(1 - ab)) eps, and ends on the estimate itself where ab' = 1.
    """
    eps = implied_noise(x, clean, stop.alpha_bar)
    kept = np.clip(clean, -1, 1) if stop.clips else clean
    signal, noise = math.sqrt(stop.alpha_bar_next), math.sqrt(1 - stop.alpha_bar_next)
    return (signal * kept.astype(np.float64) + noise * eps).astype(np.float32)


def implied_noise(
    x: Float32[np.ndarray, "b c h w"], clean: Float32[np.ndarray, "b c h w"], alpha_bar: float
) -> Float32[np.ndarray, "b c h w"]:
    """Return eps with x = sqrt(ab) clean + sqrt(1 - ab) eps."""
    signal, noise = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
    return ((x - signal * clean.astype(np.float64)) / noise).astype(np.float32)


def clean_behind(
    x: Float32[np.ndarray, "b c h w"], noise: Float32[np.ndarray, "b c h w"], alpha_bar: float
) -> Float32[np.ndarray, "b c h w"]:
    """Return the clean picture with x = sqrt(ab) clean + sqrt(1 - ab) eps."""
    rest = x - math.sqrt(1 - alpha_bar) * noise.astype(np.float64)
    return (rest / math.sqrt(alpha_bar)).astype(np.float32)
