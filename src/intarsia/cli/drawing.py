"""From a recipe to a run folder, with a bar, words and JSON."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.cli.common import MOVIES, decoding_progress, drawing_progress, emit, stderr_console
from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.models import NonparametricSampler
    from intarsia.models.recipe import Recipe


def out_folder(out: Path | None, model: str, data: str, seed: int) -> Path:
    """Return ``--out``, or a name under ``runs`` that says what is in it."""
    if out is not None:
        return out
    return Path("runs") / f"{model}-{Path(data.replace(':', '-')).stem}-{seed}"


def opened(recipe: Recipe) -> Corpus:
    """Open the recipe's corpus, with a bar while pictures are decoded."""
    with decoding_progress() as progress:
        return recipe.open_corpus(progress(f"reading {recipe.corpus['data']}"))


def draw(
    model: NonparametricSampler,
    recipe: Recipe,
    out: Path,
    *,
    batch: int | None,
    resume: bool,
    movie: str | None,
    keep_pools: bool,
    json: bool,
    notes: dict[str, Any] | None = None,
) -> None:
    """Draw into a run folder, with a bar, and say where everything is."""
    from intarsia.models import run

    if movie is not None and movie not in MOVIES:
        raise UsageError(f"--movie is {movie!r}; it must be gif or mp4.")
    console = stderr_console()
    started = time.perf_counter()
    try:
        with drawing_progress(f"drawing {recipe.n}") as update:
            samples = run(
                model,
                recipe.n,
                recipe.seed,
                out,
                batch=batch,
                resume=resume,
                keep_pools=keep_pools,
                movie=movie,
                notes=recipe.notes() | (notes or {}),
                on_progress=update,
            )
    except KeyboardInterrupt:
        console.print(f"Stopped. The same command with --resume finishes {out}.")
        raise
    seconds = time.perf_counter() - started
    if json:
        emit(_report(recipe, out, len(samples), seconds))
        return
    pictures = "1 picture" if len(samples) == 1 else f"{len(samples)} pictures"
    console.print(f"{pictures} in {seconds:.1f} s: {out}")
    console.print(f"  pictures {out / 'grid.png'}")
    console.print(f"  sources  {out / 'maps.png'}")
    console.print(f"  report   {out / 'report.html'}")


def _report(recipe: Recipe, out: Path, n: int, seconds: float) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    import json

    return {
        "run": str(out),
        "model": recipe.model,
        "data": recipe.corpus["data"],
        "n": n,
        "seed": recipe.seed,
        "seconds": round(seconds, 3),
        "images_per_second": round(n / max(seconds, 1e-9), 3),
        "files": sorted(path.name for path in out.iterdir() if path.is_file()),
        "metrics": json.loads((out / "metrics.json").read_text()),
    }
