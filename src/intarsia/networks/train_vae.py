"""Train a VAE, keep it in a folder, and read it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from intarsia.errors import UsageError
from intarsia.files import save_npz, save_png
from intarsia.networks import weights
from intarsia.networks.training import CHECKPOINT, History, Recipe, TrainingProgress, train
from intarsia.networks.vae import Vae, VaeSettings, Variational

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

RECIPE = Recipe(epochs=20, batch=128, rate=1e-3, decay=0.0, warm_up=0.0, schedule="cosine")

_FILES = {
    CHECKPOINT, "curves.png", "samples.npz", "grid.png", weights.WEIGHTS, weights.CONFIG,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SavedVae:
    """A trained VAE and where it comes from.

    Attributes
    ----------
    network : in evaluation mode.
    corpus : how its training pictures are opened: keywords of `Corpus.open`, and ``data``.
    fingerprint : of the corpus.
    about : recipe, seconds, command, and ``mse`` at the end.
    """

    network: Vae
    corpus: dict[str, Any]
    fingerprint: str
    about: dict[str, Any]


def train_vae(
    corpus: Corpus,
    out: str | Path,
    *,
    opened: Mapping[str, Any],
    settings: VaeSettings,
    recipe: Recipe = RECIPE,
    n: int = 100,
    resume: bool = False,
    device: str = "cpu",
    command: str = "",
    on_step: Callable[[TrainingProgress], None] | None = None,
) -> tuple[SavedVae, History]:
    """Train a VAE; write weights, config.json, curves.png, samples.npz and grid.png.

    Parameters
    ----------
    corpus : training pictures of one size.
    out : folder to write; a checkpoint in it is gone on from with ``resume``.
    opened : how the corpus was opened: keywords of `Corpus.open`, and ``data``.
    settings, recipe : shape and training.
    n : samples to draw in the end.
    command : the command line, for config.json.
    on_step : called after every step.

    Raises
    ------
    UsageError
        If the folder holds something else, or there are too few pictures for a batch.
    """
    from intarsia.provenance import draw

    folder = Path(out)
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if strange := sorted(found - _FILES):
        raise UsageError(f"{folder} holds something else, {strange[0]}. Name another --out.")
    torch.manual_seed(recipe.seed)
    network = Vae(settings)
    task = Variational(network, corpus, device)
    history = train(task, recipe, folder, resume=resume, device=device, progress=on_step)
    about = {
        "recipe": asdict(recipe), "seconds": round(history.seconds), "command": command,
        "mse": history.rows[-1]["mse"],
    }  # fmt: skip
    images = network.cpu().eval().samples(n, recipe.seed).numpy()
    save_npz(folder / "samples.npz", images=images)
    scale = draw.scale_for(*corpus.size, 56)
    shown = [draw.enlarge(one, scale) for one in draw.to_rgb(images[:100])]
    save_png(folder / "grid.png", draw.tile(shown, 10, gap=2))
    config = {
        "kind": "vae", "network": asdict(settings), "corpus": dict(opened),
        "fingerprint": corpus.fingerprint, "pictures": len(corpus), "about": about,
    }  # fmt: skip
    weights.save(network, folder, config)
    return SavedVae(network, dict(opened), corpus.fingerprint, about), history


def open_vae(folder: str | Path) -> SavedVae:
    """Read what `train_vae` wrote.

    Raises
    ------
    UsageError, DataError
        As `intarsia.networks.weights.read_config` and `fill`.
    """
    config = weights.read_config(Path(folder), ["vae"], "--network", "intarsia train vae")
    shape = dict(config["network"])
    network = Vae(VaeSettings(**shape | {"shape": tuple(shape["shape"])}))
    weights.fill(network, Path(folder), "cpu")
    return SavedVae(
        network, dict(config["corpus"]), str(config["fingerprint"]), dict(config["about"])
    )
