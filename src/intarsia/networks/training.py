"""One harness for every network of this project: epochs, checkpoints, resuming, curves."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from intarsia.errors import IntarsiaError, UsageError
from intarsia.files import make_folder
from intarsia.networks.checkpoint import Checkpoint, Row
from intarsia.networks.curves import draw_curves
from intarsia.networks.precision import PRECISIONS, autocast

log = logging.getLogger("intarsia.networks")

CHECKPOINT = "checkpoint.safetensors"

SAVE_EVERY = 5.0
"""Seconds between checkpoints at least; epochs of few pictures would write more than they train."""

_SCHEDULES = ("cosine", "halving", "constant")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; together with the task it decides the weights.

    Attributes
    ----------
    epochs : passes over the training pictures.
    batch : pictures a step; a rest smaller than a batch is left out of the epoch.
    rate : highest learning rate of AdamW.
    decay : its weight decay; without, it is Adam.
    warm_up : share of all steps in which the rate rises from 0; afterwards ``schedule`` rules.
    momentum : the first of Adam's two decay rates.
    schedule : ``cosine`` falls to 0; ``halving`` halves the rate every ``halve_every`` epochs;
        ``constant`` keeps it.
    halve_every : epochs.
    precision : ``bfloat16`` (autocast), ``float32``, or ``auto``: bfloat16 on accelerators and
        on processors that multiply it faster than float32, which is measured once.
    seed : decides first weights, order and augmentations.
    """

    epochs: int = 10
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-4
    momentum: float = 0.9
    warm_up: float = 0.05
    schedule: str = "cosine"
    halve_every: float = 50.0
    precision: str = "auto"
    seed: int = 0

    def check(self) -> None:
        """Raise UsageError for values no training can have."""
        for name, least in (("epochs", 1), ("batch", 2)):
            if getattr(self, name) < least:
                raise UsageError(f"--{name} is {getattr(self, name)}; at least {least} is needed.")
        if not self.rate > 0:
            raise UsageError(f"--rate is {self.rate}; a learning rate is above 0.")
        if not self.halve_every > 0:
            raise UsageError(f"--halve-every is {self.halve_every}; it must be above 0 epochs.")
        if self.precision not in PRECISIONS:
            raise UsageError(
                f"--precision is {self.precision!r}; it must be one of {', '.join(PRECISIONS)}."
            )
        if self.schedule not in _SCHEDULES:
            raise UsageError(
                f"The schedule {self.schedule!r} is not known: {', '.join(_SCHEDULES)}."
            )

    def rate_at(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        rising = max(1, round(self.warm_up * steps))
        if step < rising:
            return self.rate * (step + 1) / rising
        if self.schedule == "constant":
            return self.rate
        if self.schedule == "halving":
            return self.rate * 0.5 ** (step / steps_per_epoch / self.halve_every)
        done = (step - rising) / max(1, steps - rising)
        return self.rate * 0.5 * (1 + float(torch.cos(torch.tensor(done * torch.pi))))


class Task(Protocol):
    """What is trained: a network, its batches and its loss."""

    @property
    def network(self) -> nn.Module:
        """What is trained."""

    def describe(self) -> dict[str, Any]:
        """Return all that decides the result beside the recipe, in plain JSON types."""

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Any]:
        """Yield the batches of one epoch; all randomness comes from the generator."""

    def batch_count(self, size: int) -> int:
        """Return how many batches an epoch has."""

    def loss(self, batch: Any) -> Tensor:
        """Return the scalar to minimise."""

    def figures(self) -> Row:
        """Measure the network after an epoch, such as the accuracy of nearest neighbours."""


@dataclass(frozen=True)
class TrainingProgress:
    """What a progress callback gets: steps done and in all, epoch, the epoch's mean loss."""

    done: int
    steps: int
    epoch: int
    loss: float


@dataclass(frozen=True)
class History:
    """What was measured, an entry an epoch."""

    rows: tuple[Row, ...]

    @property
    def seconds(self) -> float:
        """Time spent in all epochs, interrupted ones left out."""
        return float(sum(row["seconds"] for row in self.rows))


def train(
    task: Task,
    recipe: Recipe,
    folder: str | Path,
    *,
    resume: bool = False,
    device: str = "cpu",
    progress: Callable[[TrainingProgress], None] | None = None,
) -> History:
    """Train a network, with a checkpoint after an epoch, `SAVE_EVERY` seconds apart.

    An interrupted training (Ctrl-C, kill -9) goes on with ``resume`` after the last checkpoint,
    and ends with the weights of one that was not interrupted.

    Parameters
    ----------
    task : what is trained. Its network is trained in place.
    recipe : how.
    folder : for ``checkpoint.safetensors`` and ``curves.png``.
    resume : go on with the checkpoint in the folder.
    device : "cpu", "cuda" or "mps".
    progress : called after every step.

    Raises
    ------
    UsageError
        If the folder holds another training, or one and not ``resume``.
    IntarsiaError
        If the loss is no longer a finite number.
    """
    recipe.check()
    if task.batch_count(recipe.batch) < 1:
        raise UsageError(
            f"--batch is {recipe.batch}, more than the pictures there are. Use a smaller one."
        )
    folder = make_folder(folder)
    network = task.network.to(device)
    optimizer = torch.optim.AdamW(
        [weight for weight in network.parameters() if weight.requires_grad],
        lr=recipe.rate,
        betas=(recipe.momentum, 0.999),
        weight_decay=recipe.decay,
    )
    what = {"recipe": asdict(recipe), "task": task.describe()}
    checkpoint = Checkpoint(folder / CHECKPOINT, what)
    rows = checkpoint.restore(network, optimizer) if checkpoint.found(resume) else []
    per_epoch = task.batch_count(recipe.batch)
    steps = recipe.epochs * per_epoch
    saved = float("-inf")
    for epoch in range(len(rows), recipe.epochs):
        started, total = time.perf_counter(), 0.0
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + epoch)
        network.train()
        for at, batch in enumerate(task.batches(recipe.batch, generator)):
            step = epoch * per_epoch + at
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate_at(step, steps, per_epoch)
            with autocast(recipe.precision, device):
                loss = task.loss(batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += float(loss.detach())
            if not total < float("inf"):
                raise IntarsiaError(
                    f"The loss is no longer a number, in epoch {epoch + 1} at step {at + 1}. Use a "
                    f"smaller --rate than {recipe.rate}, or --precision float32."
                )
            if progress is not None:
                progress(TrainingProgress(step + 1, steps, epoch + 1, total / (at + 1)))
        network.eval()
        row: Row = {"epoch": float(epoch + 1), "loss": total / per_epoch}
        with torch.inference_mode():
            row |= task.figures()
        rows.append(row | {"seconds": time.perf_counter() - started})
        log.info("%s", _in_words(rows[-1]))
        if epoch + 1 == recipe.epochs or time.monotonic() - saved > SAVE_EVERY:
            checkpoint.save(network, optimizer, rows)
            draw_curves(rows, folder / "curves.png")
            saved = time.monotonic()
    network.eval()
    return History(tuple(rows))


def _in_words(row: Row) -> str:
    numbers = {name: value for name, value in row.items() if isinstance(value, int | float)}
    return "  ".join(f"{name} {value:.4g}" for name, value in numbers.items())
