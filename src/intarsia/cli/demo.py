"""``intarsia demo``: see it work, with nothing to download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from intarsia.cli import options as o
from intarsia.cli.common import emit, stderr_console


def demo_command(
    out: Annotated[Path, typer.Option(help="Folder for the demo's run.")] = Path("runs/demo"),
    seed: o.Seed = 0,
    json: o.Json = False,
) -> None:
    """Draw handwritten digits pixel by pixel, each pixel traced to its source.

    Uses the 1,797 digits inside scikit-learn, enlarged to 24x24, so nothing is downloaded.
    --json prints {"run": folder, "n": number, "files": [...], "metrics": {...}}.
    """
    from intarsia.cli.common import drawing_progress
    from intarsia.models import run
    from intarsia.models.recipe import Recipe

    # 8x8 pixels are too few to see a picture grow; smoothly enlarged they read as digits.
    recipe = Recipe("nps", 36, seed, {"data": "digits", "resize": 24}, {})
    model = recipe.build(recipe.open_corpus())
    with drawing_progress("drawing 36 digits") as update:
        samples = run(
            model,
            recipe.n,
            seed,
            out,
            resume=True,
            movie="gif",
            notes=recipe.notes(),
            on_progress=update,
        )
    samples.check_pixel_law()
    files = sorted(path.name for path in out.iterdir() if path.is_file())
    if json:
        from json import loads

        metrics = loads((out / "metrics.json").read_text())
        emit({"run": str(out), "n": len(samples), "files": files, "metrics": metrics})
        return
    console = stderr_console(markup=False)
    console.print(
        f"\n{len(samples)} digits, {samples.sources.image.size:,} pixels, every one a copy of the "
        "training pixel its source names (checked).\n"
    )
    for name, what in (
        ("grid.png", "the pictures"),
        ("maps.png", "the pictures beside their sources: which image, which class"),
        ("movie.gif", "the pictures growing from their seeds"),
        ("report.html", "all of it with explanations; open it in a browser"),
    ):
        console.print(f"  {out / name}  {what}")
    console.print(
        "\nNext: intarsia generate nps --data mnist --n 16 --out runs/mnist"
        "\n      intarsia texture YOUR_PICTURE.jpg --size 128x128"
    )
