"""A run: samples into a folder, with checkpoints, so that any interruption can be resumed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from intarsia.errors import UsageError
from intarsia.models.batch import Batch
from intarsia.models.checkpoint import Checkpoint
from intarsia.models.nonparametric import NonparametricSampler, Step
from intarsia.models.spread import Spread, grown_by, refuse, shared_out
from intarsia.models.token_sampler import TokenSampler
from intarsia.provenance.movie import write_movie
from intarsia.reduce.workers import Workers
from intarsia.samples import Origin, Samples

log = logging.getLogger("intarsia")

Sampler = NonparametricSampler | TokenSampler
"""Models that fill one place of their canvases after another."""


@dataclass
class Progress:
    """How far a run is, for progress bars.

    Attributes
    ----------
    pixels : pixels to draw in all.
    done : pixels drawn, including by earlier sessions.
    resumed : pixels that earlier sessions drew.
    """

    pixels: int
    done: int = 0
    resumed: int = 0
    callbacks: list[Callable[[Progress], None]] = field(default_factory=list)

    def advance(self, pixels: int) -> None:
        """Count pixels and tell whoever listens."""
        self.done += pixels
        for callback in self.callbacks:
            callback(self)


def run(
    model: Sampler,
    n: int,
    seed: int,
    out: str | Path,
    *,
    batch: int | None = None,
    resume: bool = False,
    keep_pools: bool = False,
    movie: str | None = None,
    notes: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    callback_on_step_end: Callable[[Step], None] | None = None,
    workers: Workers | None = None,
) -> Samples:
    """Draw ``n`` samples into a run folder.

    A run that was cut short, by Ctrl-C or by ``kill -9``, is finished by the same call with
    ``resume``, to the same bytes.

    Parameters
    ----------
    model : what draws.
    n, seed, batch : as for `NonparametricSampler.sample`.
    out : the run folder; new, or with ``resume`` the one of the same run.
    resume : take up the run in ``out``; a finished one is only read.
    keep_pools : write pools.npz: every pixel's nearest thousand candidates.
    movie : ``gif`` or ``mp4`` for a movie of the growth.
    notes : settings to record in config.yaml beside the model's own, such as how the corpus was
        opened.
    on_progress : called after every step.
    callback_on_step_end : called after every step with all of it.
    workers : processes to spread the samples over. No result depends on them.

    Returns
    -------
    Samples

    Raises
    ------
    UsageError
        If ``out`` holds something else.
    IntarsiaError
        If nothing can be written there, or no patch fits.
    """
    if workers is not None:
        refuse(keep_pools=keep_pools, callback_on_step_end=callback_on_step_end is not None)
        batch = batch or shared_out(n, model.default_batch, len(workers))
    next(model.batches(n, seed, batch))  # refuses what cannot be drawn before anything is written
    settings = model.resolved_settings(n, seed) | dict(notes or {})
    checkpoint = Checkpoint.open(Path(out), settings, Origin.of(model.pictures), resume)
    if checkpoint.finished:
        return _read_back(model, Path(out), movie, keep_pools)
    if keep_pools and batch is None:
        batch = min(8, model.default_batch)  # whole pools of many canvases take memory

    started = time.perf_counter()
    earlier = [Batch.from_arrays(arrays) for arrays in checkpoint.batches()]
    drawn_before = sum(b.step * len(b.samples) for b in earlier)
    progress = Progress(model.pixels(n, seed), drawn_before, drawn_before)
    if on_progress is not None:
        progress.callbacks.append(on_progress)
        on_progress(progress)
    everything = _all_batches(model, earlier, n, seed, batch)
    try:
        if workers is not None:
            spread = Spread(workers, model, {"seed": seed})
            finished = grown_by(spread, everything, checkpoint, progress)
        else:
            told = callback_on_step_end
            finished = _grown_here(model, everything, seed, checkpoint, keep_pools, progress, told)
    except Exception:
        if checkpoint.fresh and progress.done == 0:
            checkpoint.abandon()
        raise

    seconds = time.perf_counter() - started
    samples = replace(model.gather(finished, n, seed), settings=settings)
    figures: dict[str, Any] = {
        "seconds": round(seconds, 3),
        "pixels_per_second": round((progress.done - drawn_before) / max(seconds, 1e-9), 1),
    }
    figures |= model.figures(finished)
    samples.save(out, pools=checkpoint.pools() if keep_pools else None, movie=movie, extra=figures)
    checkpoint.clear()
    return samples


def _read_back(model: Sampler, out: Path, movie: str | None, keep_pools: bool) -> Samples:
    """Read a finished run, and add a movie if one is asked for now."""
    if keep_pools and not (out / "pools.npz").exists():
        raise UsageError(
            f"{out} was finished without --keep-pools, and pools cannot be added later. Choose "
            "another --out; nothing was changed."
        )
    samples = Samples.load(out, corpus=model.pictures)
    if movie is not None and not (out / f"movie.{movie}").exists():
        write_movie(samples, out / f"movie.{movie}")
    log.info("%s was finished before; nothing was drawn anew", out)
    return samples


def _grown_here(
    model: Sampler,
    batches: Iterator[Batch],
    seed: int,
    checkpoint: Checkpoint,
    keep_pools: bool,
    progress: Progress,
    callback_on_step_end: Callable[[Step], None] | None,
) -> list[Batch]:
    """Grow batches in this process, one after another."""
    finished = []
    for one in batches:
        if keep_pools:
            checkpoint.align(one)
        # Closed at once: whatever ends the loop, the batch is saved before anything else.
        with closing(_grown(model, one, seed, checkpoint, keep_pools)) as steps:
            for step in steps:
                progress.advance(len(one.samples))
                if callback_on_step_end is not None:
                    callback_on_step_end(step)
        finished.append(one)
    return finished


def _grown(
    model: Sampler,
    batch: Batch,
    seed: int,
    checkpoint: Checkpoint,
    keep_pools: bool,
) -> Generator[Step, None, None]:
    """Grow a batch, saving it now and then, and at any end."""
    try:
        for step in model.grow(batch, seed, keep_members=keep_pools):
            if keep_pools:
                assert step.drawn.members is not None
                checkpoint.note_pools(batch, step.place, step.drawn.members)
            yield step
            checkpoint.keep(batch)
    finally:
        checkpoint.keep(batch, now=True)


def _all_batches(
    model: Sampler, earlier: list[Batch], n: int, seed: int, size: int | None
) -> Iterator[Batch]:
    """Return what earlier sessions began, then the samples nobody began."""
    yield from earlier
    begun = [b.samples for b in earlier]
    skip = np.concatenate(begun) if begun else None
    yield from model.batches(n, seed, size, skip)
