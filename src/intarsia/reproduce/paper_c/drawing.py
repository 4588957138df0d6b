"""What items that need machines alone share: drawing with progress, and sides for more steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from intarsia.corpus import Corpus

if TYPE_CHECKING:
    from intarsia.models.machine import ScoreMachine
    from intarsia.reproduce.book import Book


def opened(book: Book, data: str, limit: int, side: int) -> Corpus:
    """Open the first ``limit`` pictures of a data set, resized to ``side``."""
    options: dict[str, Any] = {"resize": side} | book.scale.corpus(data, limit)
    return Corpus.open(options.pop("data"), **options)


def drawn(
    book: Book, machine: ScoreMachine, n: int, title: str, seed: int = 0
) -> Float32[np.ndarray, "n c h w"]:
    """Draw n samples and return them unclipped, in [-1, 1] units."""
    from intarsia.models.run import Progress

    pixels = machine.size[0] * machine.size[1]
    progress = Progress(machine.pixels(n, seed), 0, 0)
    with book.teller.drawing(title) as on_progress:
        if on_progress is not None:
            progress.callbacks.append(on_progress)
        samples = machine.sample(
            n, seed, callback_on_step_end=lambda step: progress.advance(len(step.x) * pixels)
        )
    return np.asarray(samples.extra["raw"])


def stretched(sides: Sequence[int], steps: int) -> tuple[int, ...]:
    """Return sides that were found for some steps for a multiple of them, at the same times.

    Examples
    --------
    >>> stretched((3, 5, 7), 6)
    (3, 5, 5, 7, 7, 7)
    """
    ratio = steps // len(sides)
    return tuple(sides[min(-(-i // ratio), len(sides) - 1)] for i in range(steps))
