"""``intarsia train vae``: paper B's appendix on priors and memorization."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, emit, stderr_console
from intarsia.cli.train import TRAINING, command_line, train_app


@train_app.command("vae")
def vae_command(
    data: o.Data = "digits",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the VAE; runs/vae-DATA by default.")
    ] = None,
    dims: Annotated[int, typer.Option(help="Latent values.")] = 20,
    latents: Annotated[
        str,
        typer.Option(
            help="gaussian, with a prior N(0, sigma^2); or triangular: tanh under triangular noise "
            "of half-width sigma, no prior."
        ),
    ] = "gaussian",
    sigma: Annotated[float, typer.Option(help="Of the prior, or of the noise.")] = 1.0,
    hidden: Annotated[int, typer.Option(help="Values of the hidden layers.")] = 400,
    n: Annotated[int, typer.Option("--n", "-n", help="Samples to draw in the end.")] = 100,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the pictures.", rich_help_panel=TRAINING)
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Pictures a step.", rich_help_panel=TRAINING)
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Highest learning rate.", rich_help_panel=TRAINING)
    ] = None,
    seed: o.Seed = 0,
    limit: o.Limit = None,
    classes: o.Classes = None,
    resize: o.Resize = None,
    fit: o.Fit = "resize",
    grey: o.Grey = False,
    device: o.Device = "cpu",
    resume: o.Resume = False,
    json: o.Json = False,
) -> None:
    """Train a small VAE and draw from it; audit its samples with ``intarsia audit FOLDER``.

    Writes model.safetensors, config.json, curves.png, samples.npz and grid.png. --json prints
    {"folder", "parameters", "pictures", "seconds", "loss" (nats a picture), "mse", "fingerprint",
    "epochs": [{"epoch", "loss", "mse", "seconds"}]}.
    """
    from intarsia.corpus import Corpus
    from intarsia.models.device import torch_device
    from intarsia.networks.train_vae import RECIPE, train_vae
    from intarsia.networks.vae import VaeSettings

    asked: dict[str, Any] = {"epochs": epochs, "batch": batch, "rate": rate, "seed": seed}
    recipe = replace(RECIPE, **{name: value for name, value in asked.items() if value is not None})
    recipe.check()
    torch_device(device)
    folder = out or Path("runs") / f"vae-{Path(data).stem or data}"
    opened: dict[str, Any] = {
        "data": data, "limit": limit, "classes": classes, "resize": resize, "fit": fit,
        "grey": grey,
    }  # fmt: skip
    opened = {name: value for name, value in opened.items() if value is not None}
    with decoding_progress() as progress:
        options = {name: value for name, value in opened.items() if name != "data"}
        corpus = Corpus.open(data, progress=progress(f"reading {data}"), **options)
        shape = (corpus.channels, *corpus.size)
        settings = VaeSettings(shape, dims, hidden, latents, sigma)
        bar = progress("training")
        saved, history = train_vae(
            corpus,
            folder,
            opened=opened,
            settings=settings,
            recipe=recipe,
            n=n,
            resume=resume,
            device=device,
            command=command_line(),
            on_step=lambda state: bar(state.done, state.steps),
        )
    last = history.rows[-1]
    if json:
        emit(
            {
                "folder": str(folder),
                "parameters": sum(p.numel() for p in saved.network.parameters()),
                "pictures": len(corpus),
                "seconds": history.seconds,
                "loss": last["loss"],
                "mse": last["mse"],
                "fingerprint": corpus.fingerprint,
                "epochs": list(history.rows),
            }
        )
        return
    stderr_console(markup=False).print(
        f"{folder}: {last['loss']:.1f} nats a picture; samples in {folder / 'grid.png'}"
    )
