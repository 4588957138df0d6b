"""A small classifier trained on a corpus: features where Inception's mean little."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import nn

from intarsia.corpus.locate import cache_folder
from intarsia.errors import DataError, IntarsiaError, UsageError
from intarsia.files import make_folder, write_bytes
from intarsia.measure.network import WIDTHS, SmallResNet, one_thread
from intarsia.networks import precision

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

log = logging.getLogger("intarsia.measure")

FORMAT = 1
"""Version of the network and its training: weights of another version are not used."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained; part of the key it is cached by.

    Attributes
    ----------
    pictures : pictures shown in all, over ``1 <= epochs <= most_epochs``.
    most_epochs : a small corpus is not shown more often.
    batch, rate, decay : of SGD with Nesterov momentum 0.9; the rate rises over the first fifth
        and falls to zero. Both are smaller, in proportion, for a corpus of few batches.
    seed : decides first weights, order and shifts.
    """

    pictures: int = 200_000
    most_epochs: int = 20
    batch: int = 256
    rate: float = 0.2
    decay: float = 5e-4
    seed: int = 0

    def epochs(self, count: int) -> int:
        """Return how often each of ``count`` pictures is shown."""
        return min(self.most_epochs, max(1, round(self.pictures / count)))


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained network and what must be said about it.

    Attributes
    ----------
    network : in evaluation mode.
    channels : of the pictures it takes.
    size : height and width it was trained on.
    labels : the corpus label of each logit.
    about : the corpus (data, split, fingerprint), recipe, and ``accuracy`` on ``tested_on``.
    """

    network: SmallResNet
    channels: int
    size: tuple[int, int]
    labels: tuple[int, ...]
    about: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the weights."""
        return weights_fingerprint(self.network.state_dict())

    def save(self, path: str | Path) -> None:
        """Write weights and card as one safetensors file, whole or not at all."""
        from safetensors.torch import save

        header = {
            "kind": "intarsia classifier",
            "format": FORMAT,
            "channels": self.channels,
            "size": list(self.size),
            "labels": list(self.labels),
            "weights": self.fingerprint,
            "about": self.about,
        }
        tensors = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        write_bytes(path, save(tensors, {"intarsia": json.dumps(header)}))

    @classmethod
    def load(cls, path: str | Path) -> Classifier:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            If the file is missing, damaged, or not such a classifier.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="pt") as stream:
                header = json.loads((stream.metadata() or {}).get("intarsia", "{}"))
                tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
            if header.get("kind") != "intarsia classifier" or header["format"] != FORMAT:
                raise DataError(
                    f"{path} is no classifier of this version of intarsia. Delete it, or name "
                    "weights that were saved by `Classifier.save`."
                )
            network = SmallResNet(header["channels"], len(header["labels"]))
            network.load_state_dict(tensors)
            if weights_fingerprint(tensors) != header["weights"]:
                raise DataError(f"{path} is damaged: its weights do not match its fingerprint.")
            height, width = header["size"]
        except FileNotFoundError:
            raise DataError(f"{path} does not exist. Name a file of weights.") from None
        # A header that lies can break any line above in its own way.
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise DataError(
                f"{path} is damaged or holds no classifier ({reason}). Delete it, or name another."
            ) from error
        return cls(
            network=network.eval().requires_grad_(False),
            channels=header["channels"],
            size=(height, width),
            labels=tuple(header["labels"]),
            about=header["about"],
        )


def classifier_for(
    corpus: Corpus,
    *,
    test: Corpus | None = None,
    recipe: Recipe | None = None,
    cache: bool = True,
    progress: Progress | None = None,
) -> Classifier:
    """Return the classifier of a corpus: from the cache, or trained now.

    Parameters
    ----------
    corpus : the training split, with labels of at least two classes, pictures of one size.
    test : where its accuracy is measured. Without one every tenth picture is held out of the
        training for that.
    recipe : how to train.
    cache : keep it in the user's cache folder, under the fingerprints and the recipe.
    progress : called with (pictures shown, pictures to show).

    Raises
    ------
    UsageError
        If the corpus has no labels, one class, or pictures of several sizes.
    """
    recipe = recipe or Recipe()
    check_trainable(corpus)
    if not cache:
        return train(corpus, test=test, recipe=recipe, progress=progress)
    path = cache_path(corpus, test, recipe)
    if (found := _cached(path)) is not None:
        return found
    from filelock import FileLock

    try:
        make_folder(path.parent)
        lock = FileLock(path.with_suffix(".lock"))
        lock.acquire()
    except (IntarsiaError, OSError, NotImplementedError) as error:
        log.warning("the classifier is not kept: %s", error)
        return train(corpus, test=test, recipe=recipe, progress=progress)
    try:
        if (found := _cached(path)) is not None:
            return found  # another process has trained it meanwhile
        trained = train(corpus, test=test, recipe=recipe, progress=progress)
        try:
            trained.save(path)
        except IntarsiaError as error:
            log.warning("the classifier is not kept: %s", error)
        return trained
    finally:
        lock.release()


def cache_path(corpus: Corpus, test: Corpus | None, recipe: Recipe) -> Path:
    """Return the file a classifier is cached in."""
    key = {
        "format": FORMAT,
        "widths": WIDTHS,
        "corpus": corpus.fingerprint,
        "test": test.fingerprint if test is not None else None,
        "recipe": asdict(recipe),
    }
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "classifiers" / f"{digest[:24]}.safetensors"


def check_trainable(corpus: Corpus) -> None:
    """Raise UsageError if no classifier can be trained on a corpus."""
    corpus.size  # noqa: B018  (raises if the pictures differ in size)
    if corpus.labels is None:
        raise UsageError(
            f"Classifier features are learned from labels, and {corpus.name!r} has none. Use "
            "--features inception, name a trained classifier with --weights, or leave out fid, "
            "kid, is, precision and recall."
        )
    if len(np.unique(corpus.labels)) < 2:
        raise UsageError(
            f"Classifier features need at least two classes, and {corpus.name!r} has one here. "
            "Open more classes, or use --features inception."
        )


def train(
    corpus: Corpus,
    *,
    test: Corpus | None = None,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> Classifier:
    """Train a classifier; parameters and errors as for `classifier_for`.

    The same corpus, recipe, machine and library version give the same weights.
    """
    recipe = recipe or Recipe()
    check_trainable(corpus)
    assert corpus.images is not None and corpus.labels is not None
    labels, targets = np.unique(corpus.labels, return_inverse=True)
    chosen = np.arange(len(corpus))
    held_out = chosen[9::10] if test is None else chosen[:0]
    chosen = np.setdiff1d(chosen, held_out)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = SmallResNet(corpus.channels, len(labels))
    network = network.to(memory_format=torch.channels_last)
    _normalise_by(network, corpus.images)
    with one_thread():
        _fit(network, corpus.images, targets, chosen, recipe, progress)
    network.eval().requires_grad_(False)

    if test is None:
        tested_on, pictures, wanted = "held-out tenth", corpus.images[held_out], targets[held_out]
    else:
        if (
            test.images is None
            or test.labels is None
            or test.images.shape[1:]
            != (
                *corpus.size,
                corpus.channels,
            )
        ):
            raise UsageError(
                f"The test split of {corpus.name!r} has no labels or other sizes than its "
                "training split."
            )
        known = np.isin(test.labels, labels)
        tested_on, pictures = test.split, test.images[known]
        wanted = np.searchsorted(labels, test.labels[known])
    return Classifier(
        network=network,
        channels=corpus.channels,
        size=corpus.size,
        labels=tuple(int(label) for label in labels),
        about={
            "data": corpus.name,
            "split": corpus.split,
            "fingerprint": corpus.fingerprint,
            "accuracy": _accuracy(network, pictures, wanted),
            "tested_on": tested_on,
            "tested_images": len(wanted),
            "recipe": asdict(replace(recipe)) | {"epochs": recipe.epochs(len(chosen))},
            "precision": precision.chosen("auto", "cpu"),
            "torch": torch.__version__,
        },
    )


def weights_fingerprint(state: dict[str, torch.Tensor]) -> str:
    """SHA-256 over names, shapes, types and values of weights, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _cached(path: Path) -> Classifier | None:
    if not path.exists():
        return None
    try:
        return Classifier.load(path)
    except DataError as error:
        log.warning("training the classifier again: %s", error)
        return None


def _normalise_by(network: SmallResNet, images: UInt8[np.ndarray, "n h w c"]) -> None:
    some = np.asarray(images[:: max(1, len(images) // 4096)], np.float64)
    network.mean.copy_(torch.from_numpy(some.mean(axis=(0, 1, 2))))
    network.scale.copy_(torch.from_numpy(np.maximum(some.std(axis=(0, 1, 2)), 1.0)))


def _fit(
    network: SmallResNet,
    images: UInt8[np.ndarray, "n h w c"],
    targets: Int64[np.ndarray, " n"],
    chosen: Int64[np.ndarray, " m"],
    recipe: Recipe,
    progress: Progress | None,
) -> None:
    """Minimise cross-entropy over shifted pictures."""
    rng = np.random.default_rng(recipe.seed)
    batch = min(recipe.batch, len(chosen), max(16, len(chosen) // 16))
    rate = recipe.rate * batch / recipe.batch
    epochs, steps = recipe.epochs(len(chosen)), len(chosen) // batch
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=rate,
        momentum=0.9,
        nesterov=True,
        weight_decay=recipe.decay,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=epochs * steps + 1, pct_start=0.2
    )
    network.train()
    for epoch in range(epochs):
        order = rng.permutation(chosen)
        for step in range(steps):
            rows = np.sort(order[step * batch : (step + 1) * batch])
            shown = torch.from_numpy(_shifted(images[rows], rng)).permute(0, 3, 1, 2)
            with precision.autocast("auto", "cpu"):
                logits = network(shown)
            loss = nn.functional.cross_entropy(logits.float(), torch.from_numpy(targets[rows]))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            if progress is not None:
                progress((epoch * steps + step + 1) * batch, epochs * steps * batch)


def _shifted(
    images: UInt8[np.ndarray, "b h w c"], rng: np.random.Generator
) -> UInt8[np.ndarray, "b h w c"]:
    """Move each picture by up to an eighth of its side; edges are repeated."""
    count, height, width, _ = images.shape
    rows = np.arange(height) + rng.integers(-(height // 8), height // 8 + 1, (count, 1))
    cols = np.arange(width) + rng.integers(-(width // 8), width // 8 + 1, (count, 1))
    rows, cols = rows.clip(0, height - 1), cols.clip(0, width - 1)
    return images[np.arange(count)[:, None, None], rows[:, :, None], cols[:, None, :]]


def _accuracy(
    network: SmallResNet, images: UInt8[np.ndarray, "n h w c"], wanted: Int64[np.ndarray, " n"]
) -> float | None:
    if not len(wanted):
        return None
    right = 0
    with torch.inference_mode(), one_thread():
        for at in range(0, len(wanted), 512):
            shown = torch.from_numpy(np.array(images[at : at + 512])).permute(0, 3, 1, 2)
            right += int((network(shown).argmax(1).numpy() == wanted[at : at + 512]).sum())
    return right / len(wanted)
