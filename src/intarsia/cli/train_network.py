"""``intarsia train resnet`` and ``intarsia train unet``: paper C's networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, emit, stderr_console
from intarsia.cli.train import TRAINING, command_line, train_app
from intarsia.errors import UsageError

Width = Annotated[
    str | None,
    typer.Option(
        help="Channels inside: one number for the ResNet (256), three for the UNet (64,128,256).",
        rich_help_panel=TRAINING,
    ),
]
Padding = Annotated[
    str, typer.Option(help="Of the convolutions: zero or circular.", rich_help_panel=TRAINING)
]
Conditional = Annotated[
    bool,
    typer.Option(
        "--conditional", help="Tell the network each picture's class.", rich_help_panel=TRAINING
    ),
]
Epochs = Annotated[
    int | None, typer.Option(help="Passes over the pictures; 300.", rich_help_panel=TRAINING)
]
Batch = Annotated[int | None, typer.Option(help="Pictures a step; 128.", rich_help_panel=TRAINING)]
Rate = Annotated[
    float | None, typer.Option(help="First learning rate; 1e-4.", rich_help_panel=TRAINING)
]
HalveEvery = Annotated[
    float | None,
    typer.Option(help="Epochs in which the rate halves; 50.", rich_help_panel=TRAINING),
]
Precision = Annotated[
    str, typer.Option(help="auto, float32 or bfloat16.", rich_help_panel=TRAINING)
]
OutFolder = Annotated[
    Path | None, typer.Option(help="Folder for the network; runs/KIND-DATA by default.")
]


@train_app.command("resnet")
def resnet_command(
    data: o.Data = "digits",
    out: OutFolder = None,
    width: Width = None,
    padding: Padding = "zero",
    conditional: Conditional = False,
    epochs: Epochs = None,
    batch: Batch = None,
    rate: Rate = None,
    halve_every: HalveEvery = None,
    precision: Precision = "auto",
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
    """Train paper C's ResNet (8 convolutions, field 17x17) to predict noise.

    Writes model.safetensors, config.json and curves.png. An interrupted training goes on with
    --resume. --json prints {"folder", "kind", "parameters", "pictures", "seconds", "loss",
    "fingerprint", "epochs": [{"epoch", "loss", "seconds"}]}.
    """
    _train(
        "resnet",
        {"data": data, "limit": limit, "classes": classes, "resize": resize, "fit": fit,
         "grey": grey},
        {"epochs": epochs, "batch": batch, "rate": rate, "halve_every": halve_every,
         "precision": precision, "seed": seed},
        {"padding": padding, "conditional": conditional, "device": device, "resume": resume},
        width, out, json,
    )  # fmt: skip


@train_app.command("unet")
def unet_command(
    data: o.Data = "digits",
    out: OutFolder = None,
    width: Width = None,
    padding: Padding = "zero",
    conditional: Conditional = False,
    epochs: Epochs = None,
    batch: Batch = None,
    rate: Rate = None,
    halve_every: HalveEvery = None,
    precision: Precision = "auto",
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
    """Train paper C's UNet (three scales, residual blocks) to predict noise.

    Files and --json are those of ``intarsia train resnet``.
    """
    _train(
        "unet",
        {"data": data, "limit": limit, "classes": classes, "resize": resize, "fit": fit,
         "grey": grey},
        {"epochs": epochs, "batch": batch, "rate": rate, "halve_every": halve_every,
         "precision": precision, "seed": seed},
        {"padding": padding, "conditional": conditional, "device": device, "resume": resume},
        width, out, json,
    )  # fmt: skip


def _train(
    kind: str,
    corpus_options: dict[str, Any],
    recipe_options: dict[str, Any],
    how: dict[str, Any],
    width: str | None,
    out: Path | None,
    json: bool,
) -> None:
    from intarsia.corpus import Corpus
    from intarsia.models.device import torch_device
    from intarsia.networks.train import RECIPE, train_denoiser

    asked = {name: value for name, value in recipe_options.items() if value is not None}
    recipe = replace(RECIPE, **asked)
    recipe.check()
    widths = None if width is None else _widths(width)
    torch_device(how["device"])
    data = corpus_options["data"]
    folder = out or Path("runs") / f"{kind}-{Path(data).stem or data}"
    opened = {name: value for name, value in corpus_options.items() if value is not None}
    with decoding_progress() as progress:
        options = {name: value for name, value in opened.items() if name != "data"}
        corpus = Corpus.open(data, progress=progress(f"reading {data}"), **options)
        bar = progress("training")
        trained = train_denoiser(
            kind,
            corpus,
            folder,
            opened=opened,
            widths=widths,
            recipe=recipe,
            command=command_line(),
            on_step=lambda state: bar(state.done, state.steps),
            **how,
        )
    rows = trained.history.rows
    if json:
        emit(
            {
                "folder": str(folder),
                "kind": kind,
                "parameters": sum(p.numel() for p in trained.saved.network.parameters()),
                "pictures": len(corpus),
                "seconds": trained.history.seconds,
                "loss": rows[-1]["loss"],
                "fingerprint": corpus.fingerprint,
                "epochs": list(rows),
            }
        )
        return
    stderr_console(markup=False).print(
        f"{folder}: loss {rows[-1]['loss']:.4f} after {len(rows)} epochs; use it with "
        f"--network {folder}"
    )


def _widths(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--width is {text!r}; give numbers above 0, such as 64 or 16,32,64.")
    return tuple(int(part) for part in parts)
