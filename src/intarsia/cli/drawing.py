"""From a recipe to a run folder, with a bar, words and JSON."""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.cli.common import MOVIES, decoding_progress, drawing_progress, emit, stderr_console
from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.models import Progress
    from intarsia.models.recipe import Recipe
    from intarsia.models.run import Sampler
    from intarsia.reduce.workers import Workers
    from intarsia.samples import Samples


def out_folder(out: Path | None, recipe: Recipe) -> Path:
    """Return ``--out``, or a name under ``runs`` that says what is in it."""
    if out is not None:
        return out
    data = recipe.pictures.get("picture") or recipe.corpus["data"]
    first = data[0] if isinstance(data, list) else data
    return Path("runs") / f"{recipe.model}-{Path(first.replace(':', '-')).stem}-{recipe.seed}"


def opened(recipe: Recipe) -> Corpus | None:
    """Open the recipe's corpus, with a bar while pictures are decoded."""
    with decoding_progress() as progress:
        return recipe.open_corpus(progress(f"reading {recipe.corpus['data']}"))


def draw(
    model: Sampler,
    recipe: Recipe,
    out: Path,
    *,
    batch: int | None,
    resume: bool,
    movie: str | None,
    keep_pools: bool,
    json: bool,
    workers: Workers | None = None,
) -> None:
    """Draw into a run folder, with a bar, and say where everything is."""
    from intarsia.models import run

    if movie is not None and movie not in MOVIES:
        raise UsageError(f"--movie is {movie!r}; it must be gif or mp4.")

    def session(update: Callable[[Progress], None]) -> Samples:
        return run(
            model,
            recipe.n,
            recipe.seed,
            out,
            batch=batch,
            resume=resume,
            keep_pools=keep_pools,
            movie=movie,
            notes=recipe.notes(),
            on_progress=update,
            workers=workers,
        )

    carry_out(session, recipe, out, model.pixels(recipe.n, recipe.seed), json)


def carry_out(
    session: Callable[[Callable[[Progress], None]], Samples],
    recipe: Recipe,
    out: Path,
    pixels: int,
    json: bool,
) -> None:
    """Draw with a bar, and print where everything is, or JSON.

    Parameters
    ----------
    session : draws into ``out``, and tells what it is given of its progress.
    pixels : that a whole run draws.
    """
    console = stderr_console(markup=False)
    started = time.perf_counter()
    try:
        with drawing_progress(f"drawing {in_words(recipe.n)}") as update:
            samples = session(update)
    except KeyboardInterrupt:
        console.print(f"Stopped. The same command with --resume finishes {out}.")
        raise
    seconds = time.perf_counter() - started
    if json:
        emit(report(recipe, out, len(samples), pixels, seconds))
        return
    console.print(f"{in_words(len(samples))} in {seconds:.1f} s: {out}")
    if samples.settings.get("threshold") == "intersection":
        share = _metrics(out)["run"]["empty_pool_share"]
        console.print(
            f"  {share:.1%} of the pools were empty by the paper's letter; those pixels were drawn "
            "by the cascade"
        )
    console.print(f"  pictures {out / 'grid.png'}")
    console.print(f"  sources  {out / 'maps.png'}")
    console.print(f"  report   {out / 'report.html'}")


def in_words(count: int) -> str:
    """Return "1 picture", "2 pictures" and so on."""
    return "1 picture" if count == 1 else f"{count} pictures"


def _metrics(out: Path) -> dict[str, Any]:
    metrics: dict[str, Any] = json_module.loads((out / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def report(recipe: Recipe, out: Path, n: int, pixels: int, seconds: float) -> dict[str, Any]:
    """Return what ``--json`` prints; the rate is that of the session that drew."""
    metrics = _metrics(out)
    return {
        "run": str(out),
        "model": recipe.model,
        "data": recipe.corpus["data"],
        "n": n,
        "seed": recipe.seed,
        "seconds": round(seconds, 3),
        "images_per_second": round(metrics["run"]["pixels_per_second"] * n / pixels, 3),
        "files": sorted(path.name for path in out.iterdir() if path.is_file()),
        "metrics": metrics,
    }
