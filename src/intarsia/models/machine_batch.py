"""A batch of canvases on their way from noise to pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Int64

from intarsia.dictionary.whole import to_pixels
from intarsia.errors import UsageError
from intarsia.models.memory import in_words
from intarsia.models.reverse import ReverseStep
from intarsia.samples import SOURCE_FIELDS, Samples, Sources

if TYPE_CHECKING:
    from intarsia.models.machine import ScoreMachine

log = logging.getLogger("intarsia")


@dataclass
class MachineBatch:
    """Canvases that take the same steps.

    Attributes
    ----------
    samples : int64 [B], their numbers within the run.
    noise : float32 [B, C, H, W], where they started.
    x : the canvases now.
    labels : int64 [B], classes asked for; -1 for none.
    step : steps taken.
    sources : the arrays of `Sources`, each [B, H, W], as of the last step.
    kept : by name, arrays of every step so far; empty unless they are kept.
    """

    samples: Int64[np.ndarray, " b"]
    noise: Float32[np.ndarray, "b c h w"]
    x: Float32[np.ndarray, "b c h w"]
    labels: Int64[np.ndarray, " b"]
    step: int = 0
    sources: dict[str, np.ndarray] = field(default_factory=dict)
    kept: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def grow(self, machine: ScoreMachine, *, keep_steps: bool = False) -> Iterator[ReverseStep]:
        """Take the steps that are left; the batch is a checkpoint between any two of them."""
        labels = self.labels if (self.labels >= 0).all() else None
        for step in machine.reverse(self.x, labels, self.step):
            self.sources = _sources(machine, step)
            if keep_steps:
                self._keep(step)
            self.x, self.step = step.after, self.step + 1
            yield step

    def _keep(self, step: ReverseStep) -> None:
        belief = step.estimate.belief
        entry = {
            "x": step.x,
            "clean": step.estimate.clean,
            "image": belief.image.astype(np.int32),
            "row": belief.row.astype(np.int16),
            "col": belief.col.astype(np.int16),
            "transform": belief.transform.astype(np.int32),
            "weight": belief.weight,
        }
        for name, value in entry.items():
            self.kept.setdefault(name, [])[self.step :] = [value]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the batch as plain arrays."""
        own = {
            "samples": self.samples,
            "noise": self.noise,
            "x": self.x,
            "labels": self.labels,
            "step": np.array(self.step),
        }
        sources = {f"sources_{name}": value for name, value in self.sources.items()}
        kept = {f"kept_{name}": np.stack(value) for name, value in self.kept.items()}
        return own | sources | kept

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> MachineBatch:
        """Read what `to_arrays` returned."""
        batch = cls(arrays["samples"], arrays["noise"], arrays["x"], arrays["labels"])
        batch.step = int(arrays["step"])
        for name, value in arrays.items():
            if name.startswith("sources_"):
                batch.sources[name.removeprefix("sources_")] = value
            if name.startswith("kept_"):
                batch.kept[name.removeprefix("kept_")] = list(value)
        return batch


def batches(
    machine: ScoreMachine,
    n: int,
    seed: int,
    noise: Float32[np.ndarray, "n c h w"] | None = None,
    labels: Sequence[int] | None = None,
    size: int | None = None,
    skip: Sequence[int] | Int64[np.ndarray, " m"] = (),
) -> Iterator[MachineBatch]:
    """Start samples 0 to n - 1, less those to ``skip``, batch by batch.

    Raises
    ------
    UsageError
        If a number makes no sense, or noise or labels do not fit.
    """
    _check(machine, n, seed, labels, size)
    start = machine.starting_noise(n, seed, noise)
    asked = np.full(n, -1 if machine.settings.label is None else machine.settings.label)
    if labels is not None:
        asked = np.asarray(labels, np.int64)
    left = np.setdiff1d(np.arange(n), np.asarray(skip, np.int64))
    most = int(max(1, machine.memory // machine.canvas_bytes))
    if size is not None and size > most:
        log.info(
            "%d canvases side by side, not %d: one takes up to %s, and --memory is %s",
            most, size, in_words(machine.canvas_bytes), in_words(machine.memory),
        )  # fmt: skip
    together = machine.default_batch if size is None else min(size, most)
    for at in range(0, len(left), together):
        some = left[at : at + together]
        yield MachineBatch(some, start[some], start[some], asked[some])


def gathered(machine: ScoreMachine, finished: list[MachineBatch], n: int, seed: int) -> Samples:
    """Put finished batches in order of sample."""
    order = np.argsort(np.concatenate([batch.samples for batch in finished]))

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(batch, name) for batch in finished])[order]

    sources = {
        name: np.concatenate([batch.sources[name] for batch in finished])[order]
        for name in SOURCE_FIELDS
    }
    raw, labels = joined("x"), joined("labels")
    return Samples(
        images=to_pixels(raw),
        sources=Sources(**sources, evidence=machine.evidence, grid=None),
        settings=machine.resolved_settings(n, seed),
        labels=labels.astype(np.int16) if (labels >= 0).all() else None,
        corpus=machine.corpus,
        extra={"raw": raw, "noise": joined("noise")},
    )


def kept_steps(finished: list[MachineBatch]) -> dict[str, np.ndarray]:
    """Return the arrays of steps.npz: [n, T, ...], noisiest step first."""
    order = np.argsort(np.concatenate([batch.samples for batch in finished]))
    return {
        name: np.concatenate([np.stack(batch.kept[name], axis=1) for batch in finished])[order]
        for name in finished[0].kept
    }


def _sources(machine: ScoreMachine, step: ReverseStep) -> dict[str, np.ndarray]:
    """Return the source map of a step."""
    belief = step.estimate.belief
    known = machine.corpus.labels
    label = np.full(belief.image.shape, -1)
    if known is not None:
        label = np.where(belief.image >= 0, known[np.maximum(belief.image, 0)], -1)
    values: dict[str, Any] = {
        "image": belief.image,
        "row": belief.row,
        "col": belief.col,
        "transform": belief.transform,
        "label": label,
        "step": np.zeros(belief.image.shape, np.int32),  # all pixels are drawn at once
        "pool": np.minimum(belief.candidates, 2**31 - 1),
        "distance": belief.distance,
        "weight": belief.weight,
    }
    return {name: np.asarray(values[name]).astype(kind) for name, kind in SOURCE_FIELDS.items()}


def _check(
    machine: ScoreMachine, n: int, seed: int, labels: Sequence[int] | None, size: int | None
) -> None:
    if n < 1:
        raise UsageError(f"--n is {n}; ask for at least 1 picture.")
    if n > 10**6:
        raise UsageError(f"--n is {n}; one run draws at most 1,000,000. Use several --seed.")
    if not 0 <= seed < 2**63:
        raise UsageError(f"--seed is {seed}; it must be a whole number from 0 to 2^63 - 1.")
    if size is not None and size < 1:
        raise UsageError(f"--batch is {size}; at least 1 canvas is taken at a time.")
    if labels is not None:
        if len(labels) != n:
            raise UsageError(f"There are {len(labels)} labels for {n} pictures.")
        for label in set(labels):
            machine.pictures(int(label))
