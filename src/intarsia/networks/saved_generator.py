"""Train a generator of whole pictures (VAE, GAN), keep it in a folder, and read it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from intarsia.errors import UsageError
from intarsia.files import save_npz, save_png
from intarsia.networks import weights
from intarsia.networks.gan import Adversarial, Gan, GanSettings
from intarsia.networks.training import CHECKPOINT, History, Recipe, TrainingProgress, train
from intarsia.networks.vae import Vae, VaeSettings, Variational

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

RECIPES = {
    "vae": Recipe(epochs=20, batch=128, rate=1e-3, decay=0.0, warm_up=0.0, schedule="cosine"),
    "gan": Recipe(
        epochs=200, batch=64, rate=2e-4, decay=0.0, warm_up=0.0, schedule="constant", momentum=0.5
    ),
}
"""Adam, as in paper B; a GAN's momentum is that of Radford et al."""

_FILES = {
    CHECKPOINT, "curves.png", "samples.npz", "grid.png", weights.WEIGHTS, weights.CONFIG,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SavedGenerator:
    """A trained VAE or GAN and where it comes from.

    Attributes
    ----------
    network : in evaluation mode.
    corpus : how its training pictures are opened: keywords of `Corpus.open`, and ``data``.
    fingerprint : of the corpus.
    about : recipe, seconds, command, and what was measured after the last epoch.
    """

    network: Vae | Gan
    corpus: dict[str, Any]
    fingerprint: str
    about: dict[str, Any]


def train_generator(
    corpus: Corpus,
    out: str | Path,
    *,
    opened: Mapping[str, Any],
    settings: VaeSettings | GanSettings,
    recipe: Recipe | None = None,
    n: int = 100,
    resume: bool = False,
    device: str = "cpu",
    command: str = "",
    on_step: Callable[[TrainingProgress], None] | None = None,
) -> tuple[SavedGenerator, History]:
    """Train a VAE or a GAN, by its settings, and draw from it.

    Writes weights, config.json, curves.png, samples.npz and grid.png.

    Parameters
    ----------
    corpus : training pictures of one size.
    out : folder to write; a checkpoint in it is gone on from with ``resume``.
    opened : how the corpus was opened: keywords of `Corpus.open`, and ``data``.
    settings : shape and loss.
    recipe : how it is trained; that of `RECIPES` by default.
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
    kind = _kind(settings)
    recipe = recipe or RECIPES[kind]
    torch.manual_seed(recipe.seed)
    network = _network(settings)
    task: Variational | Adversarial
    if isinstance(network, Vae):
        task = Variational(network, corpus, device)
    else:
        task = Adversarial(network, corpus, device)
    history = train(task, recipe, folder, resume=resume, device=device, progress=on_step)
    about = {
        **history.rows[-1], "recipe": asdict(recipe), "seconds": round(history.seconds),
        "command": command,
    }  # fmt: skip
    images = network.cpu().eval().samples(n, recipe.seed).numpy()
    save_npz(folder / "samples.npz", images=images)
    scale = draw.scale_for(*corpus.size, 56)
    shown = [draw.enlarge(one, scale) for one in draw.to_rgb(images[:100])]
    save_png(folder / "grid.png", draw.tile(shown, 10, gap=2))
    config = {
        "kind": kind, "network": asdict(settings), "corpus": dict(opened),
        "fingerprint": corpus.fingerprint, "pictures": len(corpus), "about": about,
    }  # fmt: skip
    weights.save(network, folder, config)
    return SavedGenerator(network, dict(opened), corpus.fingerprint, about), history


def open_generator(folder: str | Path) -> SavedGenerator:
    """Read what `train_generator` wrote.

    Raises
    ------
    UsageError, DataError
        As `intarsia.networks.weights.read_config` and `fill`.
    """
    maker = "intarsia train vae or gan"
    config = weights.read_config(Path(folder), list(RECIPES), "--network", maker)
    shape = dict(config["network"])
    shape["shape"] = tuple(shape["shape"])
    network = _network(VaeSettings(**shape) if config["kind"] == "vae" else GanSettings(**shape))
    weights.fill(network, Path(folder), "cpu")
    return SavedGenerator(
        network, dict(config["corpus"]), str(config["fingerprint"]), dict(config["about"])
    )


def _kind(settings: VaeSettings | GanSettings) -> str:
    return "vae" if isinstance(settings, VaeSettings) else "gan"


def _network(settings: VaeSettings | GanSettings) -> Vae | Gan:
    return Vae(settings) if isinstance(settings, VaeSettings) else Gan(settings)
