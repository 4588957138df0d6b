"""Samples spread over workers: each grows batches of its own, a stretch of steps at a time.

A batch is a checkpoint between any two steps, so whatever a dead worker had begun is grown again
from there by its successor, to the same bytes.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from intarsia.errors import UsageError
from intarsia.models.batch import Batch
from intarsia.models.checkpoint import PERIOD, Checkpoint
from intarsia.models.machine_batch import MachineBatch
from intarsia.reduce.workers import Workers

if TYPE_CHECKING:
    from intarsia.models.machine import ScoreMachine
    from intarsia.models.run import Progress, Sampler

STRETCH = 2.0
"""Seconds that a worker grows a batch before it reports."""


@dataclass
class Spread:
    """Batches on their way, on several workers.

    Attributes
    ----------
    workers : who grows them.
    model : what grows them; each worker fetches it once.
    extra : what else `MachineBatch.grow` or the sampler's ``grow`` is told.
    under_way : the last state known of every batch that is not finished.
    """

    workers: Workers
    model: Sampler | ScoreMachine
    extra: dict[str, Any]
    under_way: dict[int, Batch | MachineBatch] = field(default_factory=dict)

    def grow(self, batches: Iterable[Any]) -> Iterator[tuple[Any, int, bool]]:
        """Grow batches until all are finished.

        Yields
        ------
        A batch as it is after a stretch, how many steps that was, and whether it is finished.
        """
        plain: Any = copy.copy(self.model)
        plain.threads = None  # workers know how many they have
        held, waiting = self.workers.hold(plain), iter(batches)
        promised: dict[Any, int] = {}

        def ask(worker: int, batch: Any) -> None:
            arguments = (type(batch), batch.to_arrays(), self.extra)
            self.under_way[worker] = batch
            promised[self.workers.start(worker, stretch, held, *arguments)] = worker

        for worker, batch in zip(range(len(self.workers)), waiting, strict=False):
            ask(worker, batch)
        while promised:
            promise = self.workers.first(list(promised))
            if promise is None:
                continue
            worker = promised.pop(promise)
            ((arrays, steps, done),) = self.workers.results([promise])
            batch = type(self.under_way.pop(worker)).from_arrays(arrays)
            following = next(waiting, None) if done else batch
            if following is not None:
                ask(worker, following)
            yield batch, steps, done


def grown_by(
    spread: Spread,
    batches: Iterable[Any],
    checkpoint: Checkpoint,
    progress: Progress,
    pixels: int = 1,
) -> list[Any]:
    """Grow batches on workers, saving them now and then, and at any end.

    Parameters
    ----------
    pixels : that a step draws of each canvas.
    """
    finished, saved = [], dict[int, float]()
    try:
        for batch, steps, done in spread.grow(batches):
            progress.advance(steps * len(batch.samples) * pixels)
            number, now = int(batch.samples[0]), time.monotonic()
            if done:
                finished.append(batch)
            if done or now - saved.get(number, 0) > PERIOD:
                checkpoint.keep(batch, now=True)
                saved[number] = now
    finally:
        for batch in spread.under_way.values():
            if batch.step:
                checkpoint.keep(batch, now=True)
    return finished


def stretch(
    model: Any, kind: type[Any], arrays: dict[str, Any], extra: dict[str, Any]
) -> tuple[dict[str, Any], int, bool]:
    """Grow a batch for a while; return it, the steps taken, and whether it is finished."""
    batch = kind.from_arrays({name: array.copy() for name, array in arrays.items()})
    grown = batch.grow(model, **extra) if kind is MachineBatch else model.grow(batch, **extra)
    started, steps = time.monotonic(), 0
    for _ in grown:
        steps += 1
        if time.monotonic() - started > STRETCH:
            break
    total = len(model.stops) if kind is MachineBatch else len(batch.order)
    return batch.to_arrays(), steps, batch.step >= total


def shared_out(n: int, default: int, workers: int) -> int:
    """Return how many samples make a batch, so that every worker has one."""
    return max(1, min(default, -(-n // workers)))


def refuse(**options: bool) -> None:
    """Refuse what cannot be had from workers."""
    for name, asked in options.items():
        if asked:
            raise UsageError(
                f"--{name.replace('_', '-')} needs --engine local, or --spread shards: spread over "
                "workers, steps are not seen from here."
            )
