"""Train a denoiser of paper C and write it with all that is needed to use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from intarsia.errors import UsageError
from intarsia.networks.denoiser import DenoiserSettings
from intarsia.networks.denoising import Denoising
from intarsia.networks.saved import KINDS, SavedNetwork
from intarsia.networks.training import CHECKPOINT, History, Recipe, TrainingProgress, train
from intarsia.networks.weights import CONFIG, WEIGHTS

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

RECIPE = Recipe(
    epochs=300, batch=128, rate=1e-4, decay=0.0, warm_up=0.0, schedule="halving", halve_every=50.0
)
"""Paper C's: AdamW without decay is Adam."""

_FILES = {CHECKPOINT, "curves.png", "scales.json", WEIGHTS, CONFIG}


@dataclass(frozen=True, eq=False)
class Training:
    """A training that has ended: the network as it is saved, and its losses."""

    saved: SavedNetwork
    history: History


def train_denoiser(
    kind: str,
    corpus: Corpus,
    out: str | Path,
    *,
    opened: Mapping[str, Any],
    widths: tuple[int, ...] | None = None,
    padding: str = "zero",
    conditional: bool = False,
    recipe: Recipe = RECIPE,
    resume: bool = False,
    device: str = "cpu",
    command: str = "",
    on_step: Callable[[TrainingProgress], None] | None = None,
) -> Training:
    """Train a ResNet or a UNet; write model.safetensors, config.json and curves.png.

    Parameters
    ----------
    kind : ``resnet`` or ``unet``.
    corpus : training pictures of one size.
    out : folder to write; a checkpoint in it is gone on from with ``resume``.
    opened : how the corpus was opened: keywords of `Corpus.open`, and ``data``.
    widths : channels inside; the paper's by default.
    padding : ``zero`` or ``circular``.
    conditional : tell the network the class of each picture.
    recipe : how it is trained.
    command : the command line, for config.json.
    on_step : called after every step.

    Raises
    ------
    UsageError
        If pictures and network do not fit, or the folder holds something else.
    """
    architecture = KINDS[kind]
    architecture.check_size(corpus.size)
    folder = Path(out)
    _check_folder(folder)
    classes = 0
    if conditional:
        if corpus.labels is None:
            raise UsageError(f"{corpus.name!r} has no labels; drop --conditional.")
        classes = max(int(corpus.labels.max()) + 1, len(corpus.class_names))
    torch.manual_seed(recipe.seed)
    settings = DenoiserSettings(
        corpus.channels, widths or architecture.default_widths, padding, classes
    )
    task = Denoising(architecture(settings), corpus, device)
    history = train(task, recipe, folder, resume=resume, device=device, progress=on_step)
    about = {"recipe": asdict(recipe), "seconds": round(history.seconds), "command": command}
    saved = SavedNetwork(
        task.network, dict(opened), corpus.size, corpus.fingerprint, len(corpus), about
    )
    saved.save(folder)
    return Training(saved, history)


def _check_folder(folder: Path) -> None:
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if strange := sorted(found - _FILES):
        raise UsageError(f"{folder} holds something else, {strange[0]}. Name another --out.")
