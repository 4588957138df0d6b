"""``intarsia texture`` and ``intarsia inpaint``: the sampler on pictures of one's own."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import parse_size
from intarsia.cli.drawing import draw, opened, out_folder
from intarsia.errors import UsageError


def texture_command(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="One picture, or several of any size.")
    ],
    size: Annotated[str, typer.Option(help="HxW to draw.", rich_help_panel=o.MODEL)] = "96x96",
    window: o.Window = 11,
    sigma: o.Sigma = None,
    border: o.Border = None,
    epsilon: o.Epsilon = None,
    min_pool: o.MinPool = None,
    seed_size: Annotated[int, typer.Option(help="Side of the seed.", rich_help_panel=o.MODEL)] = 3,
    n: o.N = 1,
    seed: o.Seed = 0,
    out: o.Out = None,
    grey: o.Grey = False,
    device: o.Device = "cpu",
    threads: o.Threads = None,
    batch: o.Batch = None,
    resume: o.Resume = False,
    movie: o.Movie = None,
    keep_pools: o.KeepPools = False,
    json: o.Json = False,
) -> None:
    """Draw more of a texture, outward from a small seed (Efros and Leung 1999).

    --json prints {"run": folder, "model", "data", "n", "seed", "seconds", "images_per_second",
    "files": [...], "metrics": {...}}.
    """
    from intarsia.models.recipe import Recipe

    settings: dict[str, Any] = {
        "size": parse_size(size),
        "window": window,
        "sigma": sigma,
        "border": border,
        "epsilon": epsilon,
        "min_pool": min_pool,
        "seed_size": seed_size,
    }
    chosen = {name: value for name, value in settings.items() if value is not None}
    recipe = Recipe("texture", n, seed, {"data": list(images), "grey": grey}, chosen)
    draw(
        recipe.build(opened(recipe), device, threads),
        recipe,
        out_folder(out, recipe),
        batch=batch,
        resume=resume,
        movie=movie,
        keep_pools=keep_pools,
        json=json,
    )


def inpaint_command(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="The picture.")],
    mask: Annotated[
        str | None,
        typer.Option(help="A picture of the same size: white marks what is to be drawn."),
    ] = None,
    data: Annotated[
        str,
        typer.Option(help="Where pixels come from: self, or any corpus.", rich_help_panel=o.CORPUS),
    ] = "self",
    extend: Annotated[
        str | None,
        typer.Option(help="Draw beyond the edges: pixels, or TOP,RIGHT,BOTTOM,LEFT."),
    ] = None,
    principles: Annotated[
        str | None,
        typer.Option(help="L, NS+L, NS+H or NS+L+H; L from self.", rich_help_panel=o.MODEL),
    ] = None,
    window: o.Window = None,
    sigma: o.Sigma = None,
    border: o.Border = None,
    epsilon: o.Epsilon = None,
    min_pool: o.MinPool = None,
    radius: o.Radius = None,
    encoder: o.Encoder = None,
    allow_torchscript: o.AllowTorchScript = False,
    keep: Annotated[
        int | None, typer.Option(help="Similar pictures phi leaves.", rich_help_panel=o.MODEL)
    ] = None,
    refresh: Annotated[
        int | None, typer.Option(help="Pixels between look-ups.", rich_help_panel=o.MODEL)
    ] = None,
    n: o.N = 1,
    seed: o.Seed = 0,
    out: o.Out = None,
    split: o.Split = "train",
    limit: o.Limit = None,
    classes: o.Classes = None,
    resize: o.Resize = None,
    fit: o.Fit = "resize",
    grey: o.Grey = False,
    device: o.Device = "cpu",
    threads: o.Threads = None,
    batch: o.Batch = None,
    resume: o.Resume = False,
    movie: o.Movie = None,
    keep_pools: o.KeepPools = False,
    json: o.Json = False,
) -> None:
    """Fill the holes of a picture, or continue it beyond its edges. Holes are never sources.

    --json prints {"run": folder, "model", "data", "n", "seed", "seconds", "images_per_second",
    "files": [...], "metrics": {...}}.
    """
    from intarsia.models.recipe import Recipe

    if mask is None and extend is None:
        raise UsageError(
            "Say what to draw: --mask MASK (white marks a hole), --extend PIXELS, or both."
        )
    how = {
        "data": data,
        "split": split,
        "limit": limit,
        "classes": classes,
        "resize": resize,
        "fit": fit,
        "grey": grey,
    }
    settings: dict[str, Any] = {
        "principles": principles,
        "window": 11 if window is None and data == "self" else window,
        "sigma": sigma,
        "border": border,
        "epsilon": epsilon,
        "min_pool": min_pool,
        "radius": radius,
        "encoder": encoder,
        "keep": keep,
        "refresh": refresh,
    }
    chosen = {name: value for name, value in settings.items() if value is not None}
    margins = None if extend is None else list(_margins(extend))
    given = {"picture": image, "mask": mask, "extend": margins}
    given = {name: value for name, value in given.items() if value is not None}
    recipe = Recipe("inpaint", n, seed, how, chosen, given)
    draw(
        recipe.build(opened(recipe), device, threads, allow_torchscript),
        recipe,
        out_folder(out, recipe),
        batch=batch,
        resume=resume,
        movie=movie,
        keep_pools=keep_pools,
        json=json,
    )


def _margins(text: str) -> tuple[int, int, int, int]:
    parts = text.split(",")
    if len(parts) in (1, 4) and all(part.strip().isdecimal() for part in parts):
        numbers = [int(part) for part in parts] * (4 // len(parts))
        return numbers[0], numbers[1], numbers[2], numbers[3]
    raise UsageError(f"--extend is {text!r}; give one number of pixels, or TOP,RIGHT,BOTTOM,LEFT.")
