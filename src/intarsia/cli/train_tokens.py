"""``intarsia train arvm`` and ``intarsia train pixelcnn``: networks over the tokens of a BL-AE."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, emit, said, stderr_console
from intarsia.cli.train import TRAINING, command_line, train_app

Blae = Annotated[
    Path, typer.Option(help="Folder of intarsia train blae, whose tokens are learned.")
]
Width = Annotated[
    int | None,
    typer.Option(help="Values of a hidden layer, or channels.", rich_help_panel=TRAINING),
]
Layers = Annotated[int | None, typer.Option(help="Hidden layers.", rich_help_panel=TRAINING)]
Epochs = Annotated[
    int | None, typer.Option(help="Passes over the tokens.", rich_help_panel=TRAINING)
]
Batch = Annotated[
    int | None, typer.Option(help="Contexts, or pictures, a step.", rich_help_panel=TRAINING)
]
Rate = Annotated[
    float | None, typer.Option(help="Highest learning rate.", rich_help_panel=TRAINING)
]
OutFolder = Annotated[
    Path | None, typer.Option(help="Folder for the network; runs/KIND-DATA by default.")
]


@train_app.command("arvm")
def arvm_command(
    context: typer.Context,
    blae: Blae,
    gamma: Annotated[int, typer.Option(help="Side of the causal window, odd.")] = 7,
    data: o.Data = "digits",
    out: OutFolder = None,
    width: Width = None,
    layers: Layers = None,
    epochs: Epochs = None,
    batch: Batch = None,
    rate: Rate = None,
    seed: o.Seed = 0,
    limit: o.Limit = None,
    device: o.Device = "cpu",
    resume: o.Resume = False,
    json: o.Json = False,
) -> None:
    """Train paper B's network: a causal window of tokens in, the next token's histogram out.

    The pictures are those of the BL-AE unless --data names others. Draw from it with ``intarsia
    generate arvm --network FOLDER --blae FOLDER``. --json prints {"folder", "kind", "gamma",
    "parameters", "pictures", "seconds", "kl" (nats a token, from the exact histogram),
    "epochs": [{"epoch", "loss", "kl", "seconds"}]}.
    """
    from intarsia.models.arvm import check_gamma

    check_gamma(gamma)
    shape = {"gamma": gamma, "width": width or 1024, "layers": layers or 2}
    recipe = {"epochs": epochs, "batch": batch, "rate": rate, "seed": seed}
    corpus = {"data": data, "limit": limit}
    _train("arvm", context, blae, shape, recipe, corpus, out, device, resume, json)


@train_app.command("pixelcnn")
def pixelcnn_command(
    context: typer.Context,
    blae: Blae,
    data: o.Data = "digits",
    out: OutFolder = None,
    width: Width = None,
    layers: Layers = None,
    epochs: Epochs = None,
    batch: Batch = None,
    rate: Rate = None,
    seed: o.Seed = 0,
    limit: o.Limit = None,
    device: o.Device = "cpu",
    resume: o.Resume = False,
    json: o.Json = False,
) -> None:
    """Train a gated PixelCNN on the tokens of a BL-AE (paper B's v1; twice the --width is v2).

    Options, files and --json are those of ``intarsia train arvm``.
    """
    shape = {"width": width or 128, "layers": layers or 6}
    recipe = {"epochs": epochs, "batch": batch, "rate": rate, "seed": seed}
    corpus = {"data": data, "limit": limit}
    _train("pixelcnn", context, blae, shape, recipe, corpus, out, device, resume, json)


def _train(
    kind: str,
    context: typer.Context,
    blae: Path,
    shape: dict[str, Any],
    recipe_options: dict[str, Any],
    corpus_options: dict[str, Any],
    out: Path | None,
    device: str,
    resume: bool,
    json: bool,
) -> None:
    from intarsia.cli.networks import encoded_by
    from intarsia.corpus import Corpus
    from intarsia.models.device import torch_device
    from intarsia.models.tokens import TokenGrid
    from intarsia.networks.saved_blae import open_blae
    from intarsia.networks.saved_tokens import RECIPES, train_tokens
    from intarsia.networks.token_network import TokenSettings

    asked = {name: value for name, value in recipe_options.items() if value is not None}
    recipe = replace(RECIPES[kind], **asked)
    recipe.check()
    torch_device(device)
    given = {name for name in context.params if said(context, name)}
    how = encoded_by(blae, corpus_options, given)
    how = {name: value for name, value in how.items() if value is not None}
    data = how.pop("data")
    folder = out or Path("runs") / f"{kind}-{Path(data).stem or data}"
    with decoding_progress() as progress:
        corpus = Corpus.open(data, progress=progress(f"reading {data}"), **how)
        tokens = TokenGrid.of(corpus, open_blae(blae, device))
        settings = TokenSettings(kind, tokens.bits.shape[3], tokens.shape, **shape)
        bar = progress("training")
        saved, history = train_tokens(
            tokens,
            folder,
            settings,
            recipe=recipe,
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
                "kind": kind,
                "gamma": settings.gamma if kind == "arvm" else None,
                "parameters": sum(p.numel() for p in saved.network.parameters()),
                "pictures": len(corpus),
                "seconds": history.seconds,
                "kl": last["kl"],
                "epochs": list(history.rows),
            }
        )
        return
    stderr_console(markup=False).print(
        f"{folder}: {last['kl']:.2g} nats a token from the exact histogram after "
        f"{len(history.rows)} epochs; draw with intarsia generate arvm --network {folder} "
        f"--blae {blae}"
    )
