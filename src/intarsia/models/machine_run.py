"""A score machine's run: samples into a folder, with checkpoints, so that it can be resumed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from intarsia.errors import UsageError
from intarsia.files import save_npz
from intarsia.models.checkpoint import Checkpoint
from intarsia.models.machine import ScoreMachine
from intarsia.models.machine_batch import MachineBatch, batches, gathered, kept_steps
from intarsia.models.reverse import ReverseStep
from intarsia.models.run import Progress
from intarsia.models.spread import Spread, grown_by, refuse, shared_out
from intarsia.models.starting_noise import fingerprint_of
from intarsia.reduce.workers import Workers
from intarsia.samples import Origin, Samples

log = logging.getLogger("intarsia")


def run_machine(
    machine: ScoreMachine,
    n: int,
    seed: int,
    out: str | Path,
    *,
    noise: Float32[np.ndarray, "n c h w"] | None = None,
    batch: int | None = None,
    resume: bool = False,
    keep_steps: bool = False,
    notes: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    callback_on_step_end: Callable[[ReverseStep], None] | None = None,
    workers: Workers | None = None,
) -> Samples:
    """Draw ``n`` samples into a run folder; cut short, it is finished by ``resume``.

    Parameters
    ----------
    machine : what draws.
    n, seed, noise, batch : as for `ScoreMachine.sample`.
    out : the run folder; new, or with ``resume`` the one of the same run.
    resume : take up the run in ``out``; a finished one is only read.
    keep_steps : write steps.npz: ``x`` and ``clean`` [n, T, C, H, W], the heaviest source
        (``image``, ``row``, ``col``, ``transform``) and its ``weight`` [n, T, H, W] at every
        step, noisiest first, with ``t`` and ``alpha_bar`` [T].
    notes : settings to record in config.yaml beside the machine's own.
    on_progress, callback_on_step_end : called after every step.
    workers : processes to spread the samples over. No result depends on them.

    Raises
    ------
    UsageError
        If ``out`` holds something else, or what is asked for cannot be drawn; nothing is written
        then.
    """
    if workers is not None:
        refuse(callback_on_step_end=callback_on_step_end is not None)
        batch = batch or shared_out(n, machine.default_batch, len(workers))
    next(batches(machine, n, seed, noise, None, batch))
    settings = machine.resolved_settings(n, seed) | dict(notes or {})
    if noise is not None or machine.settings.noise is not None:
        start = machine.starting_noise(n, seed, noise)
        settings["noise_fingerprint"] = fingerprint_of(start)
    checkpoint = Checkpoint.open(Path(out), settings, Origin.of(machine.corpus), resume)
    if checkpoint.finished:
        return _read_back(machine, Path(out), keep_steps)

    started = time.perf_counter()
    earlier = [MachineBatch.from_arrays(arrays) for arrays in checkpoint.batches()]
    pixels = machine.size[0] * machine.size[1]
    if keep_steps:
        for one in earlier:
            _align(one)
    before = sum(one.step * len(one.samples) for one in earlier) * pixels
    progress = Progress(machine.pixels(n, seed), before, before)
    if on_progress is not None:
        progress.callbacks.append(on_progress)
        on_progress(progress)
    begun = [number for one in earlier for number in one.samples.tolist()]
    everything = [*earlier, *batches(machine, n, seed, noise, None, batch, begun)]
    try:
        if workers is not None:
            spread = Spread(workers, machine, {"keep_steps": keep_steps})
            finished = grown_by(spread, everything, checkpoint, progress, pixels)
        else:
            told = callback_on_step_end
            finished = _grown_here(machine, everything, checkpoint, keep_steps, progress, told)
    except Exception:
        if checkpoint.fresh and progress.done == 0:
            checkpoint.abandon()
        raise

    seconds = time.perf_counter() - started
    samples = replace(gathered(machine, finished, n, seed), settings=settings)
    if keep_steps:
        times = np.array([(stop.t, stop.alpha_bar) for stop in machine.stops])
        kept = kept_steps(finished)
        save_npz(Path(out) / "steps.npz", t=times[:, 0], alpha_bar=times[:, 1], **kept)
    figures = {
        "seconds": round(seconds, 3),
        "pixels_per_second": round((progress.done - before) / max(seconds, 1e-9), 1),
    }
    samples.save(out, extra=figures)
    checkpoint.clear()
    return samples


def _grown_here(
    machine: ScoreMachine,
    batches: list[MachineBatch],
    checkpoint: Checkpoint,
    keep_steps: bool,
    progress: Progress,
    callback_on_step_end: Callable[[ReverseStep], None] | None,
) -> list[MachineBatch]:
    """Grow batches in this process, one after another."""
    for one in batches:
        try:
            for step in one.grow(machine, keep_steps=keep_steps):
                progress.advance(len(one.samples) * machine.size[0] * machine.size[1])
                if callback_on_step_end is not None:
                    callback_on_step_end(step)
                checkpoint.keep(one)
        finally:
            if one.step:
                checkpoint.keep(one, now=True)
    return batches


def _align(batch: MachineBatch) -> None:
    """Start a batch over whose steps were not kept."""
    if len(batch.kept.get("x", ())) != batch.step:
        batch.x, batch.step, batch.kept = batch.noise, 0, {}


def _read_back(machine: ScoreMachine, out: Path, keep_steps: bool) -> Samples:
    """Read a finished run."""
    if keep_steps and not (out / "steps.npz").exists():
        raise UsageError(
            f"{out} was finished without --keep-steps, and steps cannot be added later. Choose "
            "another --out; nothing was changed."
        )
    log.info("%s was finished before; nothing was drawn anew", out)
    return Samples.load(out, corpus=machine.corpus)
