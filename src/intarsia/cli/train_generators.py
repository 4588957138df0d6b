"""``intarsia train vae`` and ``train gan``: paper B's appendix on priors and memorization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, emit, stderr_console
from intarsia.cli.train import TRAINING, command_line, train_app

if TYPE_CHECKING:
    from intarsia.networks.gan import GanSettings
    from intarsia.networks.vae import VaeSettings

Out = Annotated[
    Path | None, typer.Option(help="Folder to write; runs/vae-DATA or gan-DATA by default.")
]
Dims = Annotated[int, typer.Option(help="Latent values.")]
Drawn = Annotated[int, typer.Option("--n", "-n", help="Samples to draw in the end.")]
Epochs = Annotated[
    int | None, typer.Option(help="Passes over the pictures.", rich_help_panel=TRAINING)
]
Batch = Annotated[int | None, typer.Option(help="Pictures a step.", rich_help_panel=TRAINING)]
Rate = Annotated[
    float | None, typer.Option(help="Highest learning rate.", rich_help_panel=TRAINING)
]


@train_app.command("vae")
def vae_command(
    data: o.Data = "digits",
    out: Out = None,
    dims: Dims = 20,
    latents: Annotated[
        str,
        typer.Option(
            help="gaussian, with a Gaussian prior; or triangular: tanh under triangular noise "
            "of half-width sigma, no prior."
        ),
    ] = "gaussian",
    sigma: Annotated[float, typer.Option(help="Of the prior, or of the noise.")] = 1.0,
    prior: Annotated[
        str,
        typer.Option(
            help="scaled: N(0, sigma^2). unit: N(0, 1), and sigma scales the noise alone, so that "
            "latents overlap less."
        ),
    ] = "scaled",
    hidden: Annotated[int, typer.Option(help="Values of the hidden layers.")] = 400,
    n: Drawn = 100,
    epochs: Epochs = None,
    batch: Batch = None,
    rate: Rate = None,
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
    from intarsia.networks.vae import VaeSettings

    opened: dict[str, Any] = {
        "data": data, "limit": limit, "classes": classes, "resize": resize, "fit": fit,
        "grey": grey,
    }  # fmt: skip
    asked: dict[str, Any] = {"epochs": epochs, "batch": batch, "rate": rate, "seed": seed}
    _train(
        "vae", opened, asked, out, n, device, resume, json,
        lambda shape: VaeSettings(shape, dims, hidden, latents, sigma, prior),
    )  # fmt: skip


@train_app.command("gan")
def gan_command(
    data: o.Data = "digits",
    out: Out = None,
    dims: Dims = 64,
    components: Annotated[
        int,
        typer.Option(
            help="Gaussians whose mixture is the input; their means are learned too. 0: plain "
            "noise, as usual."
        ),
    ] = 0,
    spread: Annotated[
        float, typer.Option(help="Standard deviation of each Gaussian of the mixture.")
    ] = 0.1,
    width: Annotated[int, typer.Option(help="Channels at the finest scale.")] = 32,
    n: Drawn = 100,
    epochs: Epochs = None,
    batch: Batch = None,
    rate: Rate = None,
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
    """Train a small GAN and draw from it; audit its samples with ``intarsia audit FOLDER``.

    Writes model.safetensors, config.json, curves.png, samples.npz and grid.png. --json prints
    {"folder", "parameters", "pictures", "seconds", "loss", "generator", "discriminator" (nats a
    picture), "fingerprint", "epochs": [{"epoch", "loss", "generator", "discriminator",
    "seconds"}]}.
    """
    from intarsia.networks.gan import GanSettings

    opened: dict[str, Any] = {
        "data": data, "limit": limit, "classes": classes, "resize": resize, "fit": fit,
        "grey": grey,
    }  # fmt: skip
    asked: dict[str, Any] = {"epochs": epochs, "batch": batch, "rate": rate, "seed": seed}
    _train(
        "gan", opened, asked, out, n, device, resume, json,
        lambda shape: GanSettings(shape, dims, components, spread, width),
    )  # fmt: skip


def _train(
    kind: str,
    opened: dict[str, Any],
    asked: dict[str, Any],
    out: Path | None,
    n: int,
    device: str,
    resume: bool,
    json: bool,
    settings: Callable[[tuple[int, int, int]], VaeSettings | GanSettings],
) -> None:
    from intarsia.corpus import Corpus
    from intarsia.models.device import torch_device
    from intarsia.networks.saved_generator import RECIPES, train_generator

    given = {name: value for name, value in asked.items() if value is not None}
    recipe = replace(RECIPES[kind], **given)
    recipe.check()
    torch_device(device)
    opened = {name: value for name, value in opened.items() if value is not None}
    data = str(opened["data"])
    folder = out or Path("runs") / f"{kind}-{Path(data).stem or data}"
    with decoding_progress() as progress:
        options = {name: value for name, value in opened.items() if name != "data"}
        corpus = Corpus.open(data, progress=progress(f"reading {data}"), **options)
        shape = settings((corpus.channels, *corpus.size))
        bar = progress("training")
        saved, history = train_generator(
            corpus,
            folder,
            opened=opened,
            settings=shape,
            recipe=recipe,
            n=n,
            resume=resume,
            device=device,
            command=command_line(),
            on_step=lambda state: bar(state.done, state.steps),
        )
    last = history.rows[-1]
    if json:
        measured = {name: last[name] for name in last if name not in ("epoch", "seconds")}
        emit(
            {
                "folder": str(folder),
                "parameters": sum(p.numel() for p in saved.network.parameters()),
                "pictures": len(corpus),
                "seconds": history.seconds,
                **measured,
                "fingerprint": corpus.fingerprint,
                "epochs": list(history.rows),
            }
        )
        return
    stderr_console(markup=False).print(
        f"{folder}: {last['loss']:.4g} nats a picture; samples in {folder / 'grid.png'}"
    )
