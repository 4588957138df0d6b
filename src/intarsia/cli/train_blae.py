"""``intarsia train blae``: paper B's autoencoder with binary latents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, emit, stderr_console
from intarsia.cli.train import TRAINING, command_line, train_app
from intarsia.errors import UsageError

SHAPE = "Shape of the BL-AE"


@train_app.command("blae")
def blae_command(
    data: o.Data = "digits",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the BL-AE; runs/blae-DATA by default.")
    ] = None,
    bits: Annotated[
        int | None,
        typer.Option(help="NoD: binary values a token; 12.", rich_help_panel=SHAPE),
    ] = None,
    grid: Annotated[
        int | None,
        typer.Option(
            help="Tokens along a side; 4. The sides are halved until it is reached.",
            rich_help_panel=SHAPE,
        ),
    ] = None,
    widths: Annotated[
        str | None,
        typer.Option(
            help="Channels of the halving convolutions, finest first: paper B's are 64,256,512 on "
            "a 4x4 grid.",
            rich_help_panel=SHAPE,
        ),
    ] = None,
    hidden: Annotated[
        int | None,
        typer.Option(
            help="Channels of the 1x1 layers beside the latents; paper B has 8192.",
            rich_help_panel=SHAPE,
        ),
    ] = None,
    memory: Annotated[
        int,
        typer.Option(
            help="Hidden values of a dense layer that learns by heart what the convolutions leave; "
            "0 for none, as in the paper.",
            rich_help_panel=SHAPE,
        ),
    ] = 2048,
    noise: Annotated[
        str, typer.Option(help="On the latents: gaussian or triangular.", rich_help_panel=SHAPE)
    ] = "gaussian",
    sigma: Annotated[
        float, typer.Option(help="Strength of the noise.", rich_help_panel=SHAPE)
    ] = 1.25,
    encoder_of: Annotated[
        Path | None,
        typer.Option(
            help="Keep the encoder of this BL-AE and train only the decoder, anew.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    settle: Annotated[
        float,
        typer.Option(
            help="Share of the epochs in which encoder and decoder learn; then the memory does. 1 "
            "is the paper's way.",
            rich_help_panel=TRAINING,
        ),
    ] = 0.6,
    normalise: Annotated[
        bool,
        typer.Option(
            "--normalise",
            help="Batch normalisation, which the paper does not have.",
            rich_help_panel=SHAPE,
        ),
    ] = False,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the pictures.", rich_help_panel=TRAINING)
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Pictures a step.", rich_help_panel=TRAINING)
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Highest learning rate.", rich_help_panel=TRAINING)
    ] = None,
    precision: Annotated[
        str, typer.Option(help="auto, float32 or bfloat16.", rich_help_panel=TRAINING)
    ] = "auto",
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
    """Train an autoencoder whose latents turn binary (BL-AE); use it with ``--blae FOLDER``.

    Writes model.safetensors, config.json, curves.png (loss, binary rate, PSNR), latents.png and
    reconstructions.png. An interrupted training goes on with --resume. --json prints {"folder",
    "grid": [rows, columns], "bits", "bits_per_image", "parameters", "pictures", "seconds", "loss",
    "binary_rate", "psnr", "psnr_p10", "fingerprint", "epochs": [{"epoch", "loss", ...}]}.
    """
    from intarsia.corpus import Corpus
    from intarsia.models.device import torch_device
    from intarsia.networks.blae import shape_for
    from intarsia.networks.saved_blae import RECIPE, open_blae, train_blae

    asked: dict[str, Any] = {
        "epochs": epochs, "batch": batch, "rate": rate, "precision": precision, "seed": seed,
    }  # fmt: skip
    recipe = replace(RECIPE, **{name: value for name, value in asked.items() if value is not None})
    recipe.check()
    torch_device(device)
    folder = out or Path("runs") / f"blae-{Path(data).stem or data}"
    opened: dict[str, Any] = {
        "data": data, "limit": limit, "classes": classes, "resize": resize, "fit": fit,
        "grey": grey,
    }  # fmt: skip
    opened = {name: value for name, value in opened.items() if value is not None}
    shape: dict[str, Any] = {
        "bits": bits, "grid": grid, "hidden": hidden,
        "widths": None if widths is None else _widths(widths),
    }  # fmt: skip
    with decoding_progress() as progress:
        options = {name: value for name, value in opened.items() if name != "data"}
        corpus = Corpus.open(data, progress=progress(f"reading {data}"), **options)
        kept = None if encoder_of is None else open_blae(encoder_of, device)
        if kept is not None:
            if any(value is not None for value in shape.values()):
                raise UsageError(
                    "--encoder-of brings its own --bits, --grid, --widths and --hidden."
                )
            settings = replace(kept.settings, noise=noise, sigma=sigma)
            kept.check((*corpus.size, corpus.channels))
        else:
            settings = shape_for(
                corpus.size,
                corpus.channels,
                noise=noise,
                sigma=sigma,
                normalise=normalise,
                memory=memory,
                **shape,
            )
        bar = progress("training")
        saved, history = train_blae(
            corpus,
            folder,
            opened=opened,
            settings=settings,
            recipe=recipe,
            settle=settle,
            encoder_of=kept,
            resume=resume,
            device=device,
            command=command_line(),
            on_step=lambda state: bar(state.done, state.steps),
        )
    last = history.rows[-1]
    rows, cols = saved.grid
    figures = {name: last[name] for name in ("loss", "binary_rate", "psnr", "psnr_p10")}
    if json:
        emit(
            {
                "folder": str(folder),
                "grid": [rows, cols],
                "bits": settings.bits,
                "bits_per_image": rows * cols * settings.bits,
                "parameters": sum(p.numel() for p in saved.network.parameters()),
                "pictures": len(corpus),
                "seconds": history.seconds,
                **figures,
                "fingerprint": corpus.fingerprint,
                "epochs": list(history.rows),
            }
        )
        return
    stderr_console(markup=False).print(
        f"{folder}: {rows * cols * settings.bits} bits a picture, {last['binary_rate']:.1%} of "
        f"latents binary, PSNR {last['psnr']:.1f} dB (10% of pictures below "
        f"{last['psnr_p10']:.1f}); use it with --blae {folder}"
    )


def _widths(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--widths is {text!r}; give numbers above 0, such as 64,128,256.")
    return tuple(int(part) for part in parts)
