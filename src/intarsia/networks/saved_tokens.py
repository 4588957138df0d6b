"""Trained networks over tokens in folders, and the training that makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from intarsia.errors import UsageError
from intarsia.networks import weights
from intarsia.networks.token_network import (
    ArvmNetwork,
    TokenNetwork,
    TokenSettings,
    build,
)
from intarsia.networks.token_training import HistogramMatching, PixelCNNTask
from intarsia.networks.training import CHECKPOINT, History, Recipe, TrainingProgress, train
from intarsia.represent.fitting import state_fingerprint

if TYPE_CHECKING:
    from intarsia.models.tokens import TokenGrid

KINDS = ("arvm", "pixelcnn")

RECIPES = {
    "arvm": Recipe(epochs=60, batch=256, rate=1e-3, decay=0.0),
    "pixelcnn": Recipe(epochs=100, batch=32, rate=1e-3, decay=0.0),
}
"""Adam, as in paper B; the rest is this project's."""

_FILES = {CHECKPOINT, "curves.png", weights.WEIGHTS, weights.CONFIG}


@dataclass(frozen=True, eq=False)
class SavedTokens:
    """A trained network over tokens and where it comes from.

    Attributes
    ----------
    network : in evaluation mode.
    corpus : how its training pictures are opened: keywords of `Corpus.open`, and ``data``.
    fingerprint : of the corpus.
    blae : SHA-256 of the weights of the BL-AE that made its tokens.
    pictures : how many there were.
    about : recipe, seconds, command, and ``kl`` at the end, in nats a token.
    """

    network: TokenNetwork
    corpus: dict[str, Any]
    fingerprint: str
    blae: str
    pictures: int
    about: dict[str, Any]

    @property
    def settings(self) -> TokenSettings:
        """The network's shape."""
        return self.network.settings

    @property
    def weights_fingerprint(self) -> str:
        """SHA-256 of the weights, in hex."""
        state = {name: value.cpu().numpy() for name, value in self.network.state_dict().items()}
        return state_fingerprint(self.settings.kind, state)

    def check(self, tokens: TokenGrid) -> None:
        """Raise UsageError unless tokens are of the grid and the BL-AE the network was trained on.

        Raises
        ------
        UsageError
            Naming what differs.
        """
        shape = (*tokens.shape, tokens.bits.shape[3])
        wanted = (*self.settings.grid, self.settings.bits)
        if shape != wanted:
            raise UsageError(
                f"The BL-AE makes {shape[0]}x{shape[1]} tokens of {shape[2]} bits, but the network "
                f"was trained on {wanted[0]}x{wanted[1]} of {wanted[2]}. Name the --blae it was "
                "trained with."
            )
        if tokens.blae.weights_fingerprint != self.blae:
            raise UsageError(
                "The network was trained on the tokens of another BL-AE. Name that one with --blae."
            )


def train_tokens(
    tokens: TokenGrid,
    out: str | Path,
    settings: TokenSettings,
    *,
    recipe: Recipe | None = None,
    resume: bool = False,
    device: str = "cpu",
    command: str = "",
    on_step: Callable[[TrainingProgress], None] | None = None,
) -> tuple[SavedTokens, History]:
    """Train gamma-ARVM's network or a PixelCNN; write weights, config.json and curves.png.

    Parameters
    ----------
    tokens : training pictures as bits.
    out : folder to write; a checkpoint in it is gone on from with ``resume``.
    settings : the network's shape; bits and grid are those of the tokens.
    recipe : how it is trained; `RECIPES` by default.
    command : the command line, for config.json.
    on_step : called after every step.

    Raises
    ------
    UsageError
        If the folder holds something else, or there are fewer tokens than a batch.
    """
    folder = Path(out)
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if strange := sorted(found - _FILES):
        raise UsageError(f"{folder} holds something else, {strange[0]}. Name another --out.")
    recipe = recipe or RECIPES[settings.kind]
    settings = replace(settings, grid=tokens.shape, bits=tokens.bits.shape[3])
    torch.manual_seed(recipe.seed)
    network = build(settings)
    blae = tokens.blae.weights_fingerprint
    marks = {"fingerprint": tokens.corpus.fingerprint, "blae": blae}
    task: HistogramMatching | PixelCNNTask
    if isinstance(network, ArvmNetwork):
        task = HistogramMatching(network, tokens.bits, marks, device)
    else:
        task = PixelCNNTask(network, tokens.bits, marks, device)
    history = train(task, recipe, folder, resume=resume, device=device, progress=on_step)
    about = {
        "recipe": asdict(recipe), "seconds": round(history.seconds), "command": command,
        "kl": history.rows[-1]["kl"],
    }  # fmt: skip
    saved = SavedTokens(
        network.eval(), dict(tokens.blae.corpus), tokens.corpus.fingerprint, blae,
        len(tokens.corpus), about,
    )  # fmt: skip
    config = {
        "kind": settings.kind, "network": asdict(settings), "corpus": saved.corpus,
        "fingerprint": saved.fingerprint, "blae": blae, "pictures": saved.pictures, "about": about,
    }  # fmt: skip
    weights.save(network, folder, config)
    return saved, history


def open_tokens(folder: str | Path, device: str = "cpu") -> SavedTokens:
    """Read what `train_tokens` wrote.

    Raises
    ------
    UsageError, DataError
        As `intarsia.networks.weights.read_config` and `fill`.
    """
    folder = Path(folder)
    config = weights.read_config(folder, KINDS, "--network", "intarsia train arvm or pixelcnn")
    shape = dict(config["network"])
    network = build(TokenSettings(**shape | {"grid": tuple(shape["grid"])}))
    weights.fill(network, folder, device)
    return SavedTokens(
        network,
        dict(config["corpus"]),
        str(config["fingerprint"]),
        str(config["blae"]),
        int(config["pictures"]),
        dict(config["about"]),
    )
