"""A finished picture taken back to any of its steps, and the obvious draw there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from intarsia.samples import Samples


class Moment(NamedTuple):
    """A canvas just before a step; pixels not yet filled are 0."""

    step: int
    place: tuple[int, int]
    canvas: np.ndarray
    known: np.ndarray


def moments(samples: Samples, b: int) -> Iterator[Moment]:
    """Replay sample ``b`` from its source map alone."""
    steps = samples.sources.step[b]
    for step in range(int(steps.max()) + 1):
        ((row, col),) = np.argwhere(steps == step)
        known = steps < step
        canvas = np.where(known[..., None], samples.images[b], 0).astype(np.uint8)
        yield Moment(step, (int(row), int(col)), canvas, known)


def drawn_at(samples: Samples, b: int, place: tuple[int, int]) -> dict[str, float]:
    """What the sources say of one pixel."""
    return {name: value[(b, *place)].item() for name, value in samples.sources.arrays().items()}
