"""Pictures drawn from the page: small runs into folders of their own."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from intarsia.errors import UsageError
from intarsia.explorer.corpora import Opening
from intarsia.explorer.jobs import Job
from intarsia.files import png_bytes
from intarsia.provenance import draw

if TYPE_CHECKING:
    from intarsia.models.run import Progress

SAMPLES = 16
MACHINE_PICTURES = 500
"""Training pictures that a score machine drawn from the page may have: its price is per pair."""

Model = Literal["nps", "els", "bbels", "ls", "is"]


class Wish(BaseModel):
    """What to draw.

    Attributes
    ----------
    model : as ``intarsia generate`` names it.
    data : a key of the corpora offered.
    n, seed : how many, and what decides every draw.
    principles : of nps.
    label : class asked for, by number.
    limit : use the first so many training pictures.
    """

    model_config = ConfigDict(extra="forbid")

    model: Model = "nps"
    data: str = Field(max_length=300)
    n: int = Field(4, ge=1, le=SAMPLES)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    principles: Literal["L", "NS+L", "NS+H", "NS+L+H"] = "NS+L+H"
    label: int | None = Field(None, ge=0, le=32767)
    limit: int | None = Field(None, ge=10, le=1_000_000)


def draw_wish(wish: Wish, opening: Opening, folder: Path, job: Job) -> Path:
    """Draw into a new folder below ``folder``; a run that was stopped leaves nothing.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    Stopped
        If the job was cancelled.
    UsageError
        If the wish cannot be drawn.
    """
    from intarsia.models.recipe import Recipe

    machine = wish.model != "nps"
    settings: dict[str, Any] = {} if machine else {"principles": wish.principles}
    settings["label"] = wish.label
    corpus = {"data": opening.data, **dict(opening.options)}
    if wish.limit is not None:
        corpus["limit"] = wish.limit
    recipe = Recipe.of(None, wish.model, wish.n, wish.seed, corpus, settings, None, set())
    opened = recipe.open_corpus()
    assert opened is not None
    if machine and len(opened) > MACHINE_PICTURES:
        raise UsageError(
            f"{wish.model} compares every pixel with every training pixel: from the page it takes "
            f"at most {MACHINE_PICTURES} training pictures. Give a smaller number of them, or use "
            "the command line."
        )
    out = _fresh(folder, f"{wish.model}-{Path(opening.data).stem}-{wish.seed}")

    def progress(state: Progress) -> None:
        job.advance(state.done, state.pixels)

    try:
        if machine:
            from intarsia.models.machine_run import run_machine

            run_machine(
                recipe.build_machine(opened),
                wish.n,
                wish.seed,
                out,
                keep_steps=True,
                notes=recipe.notes(),
                on_progress=progress,
                callback_on_step_end=lambda step: _preview(job, _pictures(step.estimate.clean)),
            )
        else:
            from intarsia.models.run import run

            run(
                recipe.build(opened),
                wish.n,
                wish.seed,
                out,
                keep_pools=True,
                notes=recipe.notes(),
                on_progress=progress,
                callback_on_step_end=lambda step: _preview(job, step.batch.canvas),
            )
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)  # made above, under a name nobody had
        raise
    return out


def _pictures(canvases: np.ndarray) -> np.ndarray:
    from intarsia.dictionary.whole import to_pixels

    return np.asarray(to_pixels(canvases))


def _preview(job: Job, canvases: np.ndarray) -> None:
    """Show how far the canvases are."""
    pictures = draw.to_rgb(np.asarray(canvases))
    columns = math.ceil(math.sqrt(len(pictures)))
    job.preview = png_bytes(draw.tile(list(pictures), columns, gap=2))


def _fresh(folder: Path, name: str) -> Path:
    number, out = 2, folder / name
    while out.exists():
        out, number = folder / f"{name}-{number}", number + 1
    return out
