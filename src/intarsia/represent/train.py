"""Train an encoder phi on a corpus and write it the Hugging Face way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from intarsia.errors import UsageError
from intarsia.files import make_folder
from intarsia.networks.patch_net import PatchNet
from intarsia.networks.training import CHECKPOINT, History, Recipe, TrainingProgress, train
from intarsia.represent import metric, patch_stage
from intarsia.represent.contrastive import Contrastive, Views
from intarsia.represent.simclr import SimCLREncoder

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

_FILES = {
    *(CHECKPOINT, "curves.png", "views.npy", "views.json"),
    *("model.safetensors", "config.json", "README.md"),
}
"""What a training leaves in its folder, or has there while it runs."""

RECIPE = Recipe(epochs=12, batch=512, rate=2e-3, decay=1e-3, warm_up=0.05)
"""The recipe of the shipped weights."""


WIDTH = 128
"""Principal axes of the first stage that are kept."""


@dataclass(frozen=True)
class Trained:
    """A trained encoder.

    Attributes
    ----------
    phi : as it is read back, in half precision.
    history : losses and accuracies of nearest neighbours, an entry an epoch.
    about : what the model card says.
    """

    phi: SimCLREncoder
    history: History
    about: dict[str, Any] = field(default_factory=dict)


def train_encoder(
    corpus: Corpus,
    out: str | Path,
    *,
    test: Corpus | None = None,
    recipe: Recipe = RECIPE,
    views: Views | None = None,
    widths: tuple[int, int, int] = (128, 256, 512),
    atoms: int = 1024,
    resume: bool = False,
    device: str = "cpu",
    command: str = "",
    progress: Callable[[str, int, int], None] | None = None,
    on_step: Callable[[TrainingProgress], None] | None = None,
) -> Trained:
    """Train `SimCLREncoder` and write model.safetensors, config.json, README.md, curves.png.

    Parameters
    ----------
    corpus : training pictures of one size; labels are not used.
    out : folder to write; a checkpoint in it is gone on from with ``resume``.
    test : pictures with labels that the accuracy of nearest neighbours is measured on.
    recipe : how it is trained.
    views : what it is trained on.
    widths, atoms : of the network.
    command : the command line, for the model card.
    progress : called with (what is done, so many done, so many in all).
    on_step : called after every step.

    Raises
    ------
    UsageError
        If the pictures differ in size, are smaller than 12 pixels, or fewer than a batch.
    """
    if min(corpus.size) < 12:
        raise UsageError(
            f"The pictures are {corpus.size[0]}x{corpus.size[1]}; this encoder needs at least "
            "12x12. Use --resize 24, or the training-free --encoder pca."
        )
    if atoms < 1 or min(widths) < 1:
        name, value = ("--atoms", atoms) if atoms < 1 else ("--widths", widths)
        raise UsageError(f"{name} is {value}; at least 1 is needed.")
    if recipe.batch > len(corpus):
        raise UsageError(
            f"--batch is {recipe.batch}, more than the {len(corpus)} pictures there are. Use a "
            "smaller one."
        )
    folder = Path(out)
    _check_folder(folder, resume)
    make_folder(folder)
    views = views or Views()
    torch.manual_seed(recipe.seed)
    width = min(WIDTH, atoms)
    fields = 4 if corpus.channels == 3 else 2  # colour gains by it, grey was not tried
    settings = {
        "channels": corpus.channels,
        "atoms": atoms,
        "width": width,
        "widths": list(widths),
        "fields": fields,
    }
    phi = PatchNet(corpus.channels, atoms, width, widths, fields=fields)
    patch_stage.fit(phi.patches, corpus, recipe.seed)
    task = Contrastive(phi, corpus, test, views, folder, seed=recipe.seed, device=device)
    phi.to(device)
    task.draw_views(progress)
    history = train(task, recipe, folder, resume=resume, device=device, progress=on_step)
    about = {
        "data": str(corpus.name),
        "split": corpus.split,
        "pictures": len(corpus),
        "fingerprint": corpus.fingerprint,
        "recipe": asdict(recipe),
        "views": asdict(views),
        "seconds": round(history.seconds),
        "command": command,
    }
    metric.fit(phi, task.joined_views(recipe.seed))
    trained = SimCLREncoder.around(phi, settings=settings, about=about, device=device)
    trained.save_pretrained(folder)
    half = SimCLREncoder.from_pretrained(folder, device=device)
    if test is not None and test.labels is not None and corpus.labels is not None:
        half.about |= _measured(half, corpus, test)
    half.save_pretrained(folder, card=model_card(half, history))
    task.forget_views()
    return Trained(half, history, half.about)


def _check_folder(folder: Path, resume: bool) -> None:
    """Refuse a folder of something else at once, and not after views have been drawn."""
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if strange := sorted(found - _FILES):
        raise UsageError(f"{folder} holds something else, {strange[0]}. Name another --out.")
    if CHECKPOINT in found and not resume:
        raise UsageError(
            f"{folder} holds a training already. Add --resume to go on with it, or name another "
            "--out."
        )


def _measured(phi: SimCLREncoder, corpus: Corpus, test: Corpus) -> dict[str, Any]:
    """Return the accuracies of nearest neighbours, with the weights as they are written."""
    from intarsia.measure.neighbours import half_known, neighbour_accuracy

    assert corpus.images is not None
    codes = phi.corpus_codes(corpus.images)
    known = half_known(corpus.size)
    return {
        "tested_on": f"{test.name} {test.split}, {len(test):,} pictures",
        "knn": neighbour_accuracy(phi, corpus, test, codes=codes),
        "knn_half": neighbour_accuracy(phi, corpus, test, known=known, codes=codes),
    }


def model_card(phi: SimCLREncoder, history: History) -> str:
    """Return README.md: data and fingerprint, recipe, seed, accuracies, and the command."""
    about = phi.about
    recipe, views = about["recipe"], about["views"]
    size = sum(value.numel() for value in phi.network.state_dict().values())
    head = ["---", "library_name: intarsia", "tags: [image-feature-extraction]", "---", ""]
    body = [
        f"# SimCLR encoder for {about['data']}",
        "",
        "Codes half-known canvases and whole pictures for intarsia's sampler "
        "(`--encoder simclr`). No label was used to train it.",
        "",
        f"- Data: {about['data']} ({about['split']}), {about['pictures']:,} pictures, "
        f"fingerprint `{about['fingerprint']}`",
        f"- Network: PatchNet, {size:,} numbers in half precision. Its first stage (a dictionary "
        f"of {phi.settings['atoms']:,} whitened patches, Coates and Ng) is fitted, not trained.",
        "- Last layer: linear, in closed form, what views of one picture agree on.",
        "- Loss: NT-Xent of lightly (Chen et al., 2020, arXiv 2002.05709) at temperature "
        f"{views['temperature']}",
        f"- Views: {views['drawn']} augmented ones of each picture, drawn once, beside the "
        "picture (and its mirror image in colour); "
        f"{views['masked']:.0%} of first views masked as growing canvases are, the rest cropped",
        f"- Recipe: AdamW, {recipe['epochs']} epochs, batch {recipe['batch']}, rate "
        f"{recipe['rate']}, weight decay {recipe['decay']}, {recipe['schedule']} schedule, seed "
        f"{recipe['seed']}; {about['seconds']:,} s",
    ]
    if "knn" in about:
        body += [
            f"- 20 nearest neighbours, cosine, on {about['tested_on']}: "
            f"{about['knn']:.1%} on whole pictures, {about['knn_half']:.1%} when the middle half "
            "of the pixels is known",
        ]
    if about["command"]:
        body += ["", "Made by:", "", f"    {about['command']}"]
    body += ["", "| epoch | " + " | ".join(_columns(history)) + " |"]
    body += ["| --- |" + " --- |" * len(_columns(history))]
    for row in history.rows:
        cells = " | ".join(f"{row[name]:.3f}" for name in _columns(history))
        body.append(f"| {row['epoch']:.0f} | {cells} |")
    return "\n".join([*head, *body]) + "\n"


def _columns(history: History) -> list[str]:
    return [name for name in history.rows[0] if name not in ("epoch", "seconds")]
