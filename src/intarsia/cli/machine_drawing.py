"""From a recipe of a score machine to a run folder, with a bar, words and JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from intarsia.cli.drawing import carry_out
from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.models.machine import ScoreMachine
    from intarsia.models.recipe import Recipe
    from intarsia.models.run import Progress
    from intarsia.reduce.workers import Workers
    from intarsia.samples import Samples


def sized_by_noise(recipe: Recipe, given: set[str]) -> Recipe:
    """Let ``--noise`` say how many pictures to draw, where ``--n`` does not."""
    from intarsia.models.starting_noise import read

    if "noise" not in given or "n" in given:
        return recipe
    noise = read(str(recipe.settings["noise"]))
    return replace(recipe, n=len(noise)) if noise.ndim == 4 and len(noise) else recipe


def draw_machine(
    machine: ScoreMachine,
    recipe: Recipe,
    out: Path,
    *,
    batch: int | None,
    resume: bool,
    movie: str | None,
    keep_pools: bool,
    keep_steps: bool,
    wandb: str | None,
    json: bool,
    workers: Workers | None = None,
) -> None:
    """Draw into a run folder, with a bar, and say where everything is."""
    from intarsia.models.machine_run import run_machine
    from intarsia.provenance.wandb_log import check_wandb, log_steps

    if movie is not None or keep_pools:
        option = "--movie" if movie is not None else "--keep-pools"
        raise UsageError(
            f"{recipe.model} has no option {option}: all pixels are drawn together, and no pool is "
            "drawn from. --keep-steps keeps every step."
        )

    if wandb is not None:
        check_wandb()

    def session(update: Callable[[Progress], None]) -> Samples:
        samples = run_machine(
            machine,
            recipe.n,
            recipe.seed,
            out,
            batch=batch,
            resume=resume,
            keep_steps=keep_steps,
            notes=recipe.notes(),
            on_progress=update,
            workers=workers,
        )
        if wandb is not None:
            log_steps(out, wandb, samples.settings)
        return samples

    carry_out(session, recipe, out, machine.pixels(recipe.n, recipe.seed), json)
