"""``intarsia train``: train networks of this project on a corpus."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, emit, stderr_console
from intarsia.errors import DataError, UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

TRAINING = "Training"

train_app = typer.Typer(name="train", help="Train networks on a corpus.", no_args_is_help=True)


@train_app.command("encoder")
def encoder_command(
    data: o.Data = "digits",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the encoder; runs/encoder-DATA by default."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the pictures.", rich_help_panel=TRAINING)
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Pictures a step.", rich_help_panel=TRAINING)
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Highest learning rate.", rich_help_panel=TRAINING)
    ] = None,
    views: Annotated[
        int | None,
        typer.Option(
            help="Augmented views drawn once before training; 0 draws new ones in every step "
            "(for a GPU).",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Of NT-Xent.", rich_help_panel=TRAINING)
    ] = None,
    widths: Annotated[
        str, typer.Option(help="Channels of the three convolutions.", rich_help_panel=TRAINING)
    ] = "128,256,512",
    atoms: Annotated[
        int, typer.Option(help="Patches in the dictionary.", rich_help_panel=TRAINING)
    ] = 1024,
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
    """Train an encoder phi with SimCLR; use it with ``--encoder FOLDER``.

    Writes model.safetensors, config.json, README.md (the model card) and curves.png. An interrupted
    training goes on with --resume. --json prints {"folder", "seconds", "knn": share or null,
    "knn_half": share or null, "fingerprint", "epochs": [{"epoch", "loss", ...}]}.
    """
    from dataclasses import replace

    from intarsia.models.device import torch_device
    from intarsia.represent.contrastive import Views
    from intarsia.represent.train import RECIPE, train_encoder

    asked = {"epochs": epochs, "batch": batch, "rate": rate, "precision": precision, "seed": seed}
    recipe = replace(RECIPE, **{k: v for k, v in asked.items() if v is not None})  # type: ignore[arg-type]
    recipe.check()
    wanted = {"drawn": views, "temperature": temperature}
    seen = Views(**{k: v for k, v in wanted.items() if v is not None})  # type: ignore[arg-type]
    seen.check()
    folder = out or Path("runs") / f"encoder-{Path(data).stem or data}"
    torch_device(device)
    options: dict[str, Any] = {"classes": classes, "resize": resize, "fit": fit, "grey": grey}
    with decoding_progress() as progress:
        bars: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress(what)
            bars[what](done, total)

        def opened(split: str, limit: int | None = None) -> Corpus:
            from intarsia.corpus import Corpus

            bar = progress(f"reading {data} {split}")
            return Corpus.open(data, split=split, limit=limit, progress=bar, **options)

        corpus = opened("train", limit)
        trained = train_encoder(
            corpus,
            folder,
            test=_test_split(opened, corpus),
            recipe=recipe,
            views=seen,
            widths=_widths(widths),
            atoms=atoms,
            resume=resume,
            device=device,
            command=command_line(),
            progress=tell,
            on_step=lambda state: tell("training", state.done, state.steps),
        )
    about = trained.about
    if json:
        emit(
            {
                "folder": str(folder),
                "seconds": trained.history.seconds,
                "knn": about.get("knn"),
                "knn_half": about.get("knn_half"),
                "fingerprint": trained.phi.fingerprint,
                "epochs": list(trained.history.rows),
            }
        )
        return
    console = stderr_console(markup=False)
    if "knn" in about:
        console.print(
            f"20 nearest neighbours: {about['knn']:.1%} on {about['tested_on']}; "
            f"{about['knn_half']:.1%} when half the pixels are known"
        )
    console.print(f"{folder}: use it with --encoder {folder}")


def _widths(text: str) -> tuple[int, int, int]:
    parts = text.split(",")
    if len(parts) != 3 or not all(p.strip().isdecimal() and int(p) > 0 for p in parts):
        raise UsageError(f"--widths is {text!r}; give three numbers, such as 128,256,512.")
    one, two, three = (int(part) for part in parts)
    return one, two, three


def _test_split(opened: Any, corpus: Corpus) -> Corpus | None:
    """Return the test split, for accuracies; None where there is none or labels are missing."""
    if corpus.labels is None:
        return None
    try:
        found: Corpus = opened("test")
    except (UsageError, DataError):
        return None
    return found if found.labels is not None else None


def command_line() -> str:
    """Return the command line that makes it, with folders left to their last part."""
    words = [Path(word).name if word.startswith("/") else word for word in sys.argv[1:]]
    words = [word for word in words if word not in ("--resume", "--json")]
    return shlex.join(["intarsia", *words])
