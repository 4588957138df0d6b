"""``intarsia generate``: draw pictures from a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import parse_size, said
from intarsia.cli.crew import crew
from intarsia.cli.drawing import draw, opened, out_folder
from intarsia.cli.machine_drawing import draw_machine, sized_by_noise
from intarsia.cli.networks import encoded_by, trained_on
from intarsia.errors import UsageError


def generate_command(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="nps (paper A), efros-leung, is, es, ls, els, bbels (paper C), wiener, "
            "pca-locality, scfdm, nearest, network (one that was trained), or arvm (paper B).",
        ),
    ] = None,
    data: o.Data = "digits",
    n: o.N = 16,
    seed: o.Seed = 0,
    out: o.Out = None,
    principles: Annotated[
        str | None,
        typer.Option(help="L, NS+L, NS+H or NS+L+H (the default).", rich_help_panel=o.MODEL),
    ] = None,
    condition: Annotated[
        str | None,
        typer.Option(help="What H is: representation or class.", rich_help_panel=o.MODEL),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(help="cascade, or intersection (paper A's letter).", rich_help_panel=o.MODEL),
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
    seed_size: Annotated[
        int | None, typer.Option(help="Side of the seed; 8 by default.", rich_help_panel=o.MODEL)
    ] = None,
    seed_at: Annotated[
        str | None, typer.Option(help="center, random or ROW,COL.", rich_help_panel=o.MODEL)
    ] = None,
    allow_seed_source: Annotated[
        bool,
        typer.Option(
            "--allow-seed-source",
            help="Let the seed's own picture be a source.",
            rich_help_panel=o.MODEL,
        ),
    ] = False,  # fmt: skip
    size: Annotated[
        str | None,
        typer.Option(help="HxW to draw, where place is not used.", rich_help_panel=o.MODEL),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(help="Draw this class, by number or name.", rich_help_panel=o.MODEL),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Named settings: table-2.", rich_help_panel=o.MODEL)
    ] = None,
    schedule: o.Schedule = None,
    steps: o.Steps = None,
    scales: o.Scales = None,
    scales_from: o.ScalesFrom = None,
    noise: o.Noise = None,
    dictionary: o.DictionaryOf = None,
    group: o.GroupOf = None,
    mask_threshold: o.MaskThreshold = None,
    temperature: o.Temperature = None,
    smoothing: o.Smoothing = None,
    smoothing_draws: o.SmoothingDraws = None,
    network: o.NetworkFolder = None,
    gamma: o.Gamma = None,
    blae: o.BlaeFolder = None,
    keep_steps: o.KeepSteps = False,
    wandb: o.Wandb = None,
    split: o.Split = "train",
    limit: o.Limit = None,
    classes: o.Classes = None,
    resize: o.Resize = None,
    fit: o.Fit = "resize",
    grey: o.Grey = False,
    device: o.Device = "cpu",
    threads: o.Threads = None,
    batch: o.Batch = None,
    memory: o.Memory = None,
    engine: o.Engine = "local",
    workers: o.Workers = None,
    spread: o.SpreadOver = "samples",
    resume: o.Resume = False,
    config: Annotated[
        Path | None,
        typer.Option(help="Repeat the run of this config.yaml.", rich_help_panel=o.RUN),
    ] = None,
    movie: o.Movie = None,
    keep_pools: o.KeepPools = False,
    json: o.Json = False,
) -> None:
    """Draw pictures, each pixel from training patches that fit.

    --json prints {"run": folder, "model", "data", "n", "seed", "seconds", "images_per_second",
    "files": [...], "metrics": {...}}.
    """
    from intarsia.models.catalogue import MACHINES
    from intarsia.models.memory import BUDGET, in_bytes
    from intarsia.models.recipe import Recipe

    settings: dict[str, Any] = {
        "principles": principles,
        "condition": condition,
        "threshold": threshold,
        "window": window,
        "sigma": sigma,
        "border": border,
        "epsilon": epsilon,
        "min_pool": min_pool,
        "radius": radius,
        "encoder": encoder,
        "keep": keep,
        "refresh": refresh,
        "seed_size": seed_size,
        "seed_at": seed_at,
        "allow_seed_source": allow_seed_source or None,
        "size": parse_size(size),
        "label": label,
        "schedule": schedule,
        "steps": steps,
        "scales": scales,
        "scales_from": scales_from,
        "noise": noise,
        "dictionary": dictionary,
        "group": group,
        "mask_threshold": mask_threshold,
        "temperature": temperature,
        "smoothing": smoothing,
        "smoothing_draws": smoothing_draws,
        "network": None if network is None else str(network),
        "gamma": gamma,
        "blae": None if blae is None else str(blae),
    }
    how = {
        "data": data,
        "split": split,
        "limit": limit,
        "classes": classes,
        "resize": resize,
        "fit": fit,
        "grey": grey,
    }
    given = {name for name in context.params if said(context, name)}
    tokens_of = blae if model == "arvm" or blae is not None else None
    if network is not None and config is None and tokens_of is None:
        how = trained_on(network, how, given)
    if blae is not None and config is None:
        how = encoded_by(blae, how, given)
    recipe = Recipe.of(config, model, n, seed, how, settings, preset, given)
    if wandb is not None and not (keep_steps and recipe.is_machine):
        raise UsageError("--wandb logs the steps of a score machine: add --keep-steps.")
    budget = BUDGET if memory is None else in_bytes(memory)
    if memory is not None and recipe.model not in ("nps", *MACHINES):
        raise UsageError(f"{recipe.model} has no option --memory; --batch bounds what it takes.")
    if memory is not None and engine != "local" and not recipe.is_machine:
        raise UsageError(
            f"--memory of {recipe.model} bounds one process: drop it, or --engine {engine}."
        )
    if keep_steps and not recipe.is_machine:
        raise UsageError(
            f"{recipe.model} has no option --keep-steps; --keep-pools keeps its pools."
        )
    with crew(engine, workers, spread, threads) as team:
        if recipe.is_machine:
            recipe = sized_by_noise(recipe, given)
            machine = recipe.build_machine(opened(recipe), device, threads, budget)
            draw_machine(
                machine,
                recipe,
                out_folder(out, recipe),
                batch=batch,
                resume=resume,
                movie=movie,
                keep_pools=keep_pools,
                keep_steps=keep_steps,
                wandb=wandb,
                json=json,
                workers=team.for_samples(machine),
            )
            return
        most = None if memory is None else budget
        sampler = recipe.build(opened(recipe), device, threads, allow_torchscript, most)
        draw(
            sampler,
            recipe,
            out_folder(out, recipe),
            batch=batch,
            resume=resume,
            movie=movie,
            keep_pools=keep_pools,
            json=json,
            workers=team.for_samples(sampler),
        )
