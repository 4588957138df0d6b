"""Named features: what FID, KID, IS, precision and recall see of a picture.

A number computed through features means nothing without their name, so every result carries the
card of its features, with the fingerprint of the weights.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64, UInt8

from intarsia.corpus.locate import cache_folder
from intarsia.errors import IntarsiaError, UsageError
from intarsia.files import make_folder, save_npz

if TYPE_CHECKING:
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

    from intarsia.corpus import Corpus

log = logging.getLogger("intarsia.measure")

DIMENSIONS = {"classifier": 64, "inception": 2048}
"""How many features a picture has, by name."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class FeatureCard:
    """What must be known of features to compare two results.

    Attributes
    ----------
    name : as torch-fidelity knows them.
    fingerprint : SHA-256 of the weights.
    dimension : how many features a picture has.
    classes : how many logits, for the inception score.
    about : where the weights come from; for a classifier its corpus, recipe and ``accuracy``.
    """

    name: str
    fingerprint: str
    dimension: int
    classes: int
    about: dict[str, Any] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.fingerprint[:12]})"

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "dimension": self.dimension,
            "classes": self.classes,
            "about": self.about,
        }


@dataclass(frozen=True, eq=False)
class Extracted:
    """Features and logits of pictures."""

    features: Float64[np.ndarray, "n d"]
    logits: Float64[np.ndarray, "n k"]

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True, eq=False)
class Features:
    """A feature extractor that torch-fidelity knows by ``card.name``.

    Make one with `open_features`.

    Attributes
    ----------
    card : what it is.
    extractor : a module of torch-fidelity.
    layers : its layers of features and of logits.
    takes : height, width and channels of the pictures it takes; None for any.
    """

    card: FeatureCard
    extractor: FeatureExtractorBase
    layers: tuple[str, str]
    takes: tuple[int, int, int] | None = None

    def check(self, images: UInt8[np.ndarray, "n h w c"], what: str) -> None:
        """Raise UsageError if these pictures do not fit the extractor."""
        if self.takes is not None and images.shape[1:] != self.takes:
            found, wanted = ("x".join(map(str, s)) for s in (images.shape[1:], self.takes))
            raise UsageError(
                f"{what} is {found}, and {self.card.name} takes {wanted}. Train it on pictures "
                "of that size, or use --features inception."
            )

    def extract(
        self,
        images: UInt8[np.ndarray, "n h w c"],
        *,
        batch: int = 256,
        what: str = "pictures",
        progress: Progress | None = None,
    ) -> Extracted:
        """Compute features of pictures.

        Parameters
        ----------
        images : uint8 [n, H, W, C], C 1 or 3; grey is shown to InceptionV3 as three channels.
        batch : pictures at once.
        what : what they are, for messages and progress.
        progress : called with (what, pictures done, pictures in all).

        Raises
        ------
        UsageError
            If the extractor takes pictures of another size.
        """
        import torch

        from intarsia.measure.network import one_thread

        small = self.takes is not None
        self.check(images, what)
        parts: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        with torch.inference_mode(), one_thread() if small else nullcontext():
            for at in range(0, len(images), batch):
                block = torch.from_numpy(np.array(images[at : at + batch])).permute(0, 3, 1, 2)
                if not small and block.shape[1] == 1:
                    block = block.expand(-1, 3, -1, -1)
                found = self.extractor.convert_features_tuple_to_dict(
                    self.extractor(block.contiguous())
                )
                for layer, part in zip(self.layers, parts, strict=True):
                    part.append(found[layer].double().numpy())
                if progress is not None:
                    progress(f"looking at {what}", at + len(block), len(images))
        return Extracted(np.concatenate(parts[0]), np.concatenate(parts[1]))


def corpus_features(
    features: Features,
    corpus: Corpus,
    *,
    batch: int = 256,
    cache: bool = True,
    progress: Progress | None = None,
) -> Float64[np.ndarray, "n d"]:
    """Compute features of all pictures of a corpus, or read them from the user's cache folder.

    Parameters, errors: see `Features.extract`. They are cached under both fingerprints.
    """
    import zipfile
    import zlib

    assert corpus.images is not None
    features.check(corpus.images, "the reference")
    key = f"{features.card.fingerprint[:24]}-{corpus.fingerprint[:24]}.npz"
    path = cache_folder() / "features" / key
    shape = (len(corpus), features.card.dimension)
    if cache and path.exists():
        try:
            with np.load(path, allow_pickle=False) as archive:  # its checksum finds damage
                found = archive["features"]
            if found.shape == shape:
                return found.astype(np.float64)
            log.warning("%s holds features of shape %s: computing them again", path, found.shape)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            log.warning("%s is damaged (%s): computing the features again", path, error)
    extracted = features.extract(
        corpus.images, batch=batch, what="the reference", progress=progress
    ).features
    if cache:
        try:
            make_folder(path.parent)
            # Networks compute in float32, so nothing is lost.
            save_npz(path, features=extracted.astype(np.float32))
        except IntarsiaError as error:
            log.warning("the features of the reference are not kept: %s", error)
    return extracted


def open_features(
    name: str = "classifier",
    *,
    training: Corpus | None = None,
    test: Corpus | None = None,
    weights: str | Path | None = None,
    cache: bool = True,
    progress: Progress | None = None,
) -> Features:
    """Open feature extractors by name and register them with torch-fidelity.

    Parameters
    ----------
    name : ``classifier``: a small residual network trained on ``training``, 64 features;
        ``inception``: torch-fidelity's InceptionV3, 2,048 features.
    training : the training split of the corpus; needed for ``classifier`` without weights.
    test : its test split, for the accuracy of the classifier; else a tenth is held out.
    weights : a file of weights: a saved classifier (safetensors), or InceptionV3.
    cache : keep a trained classifier in the user's cache folder.
    progress : called with (what is done, so many done, so many in all).

    Raises
    ------
    UsageError
        For an unknown name, or a corpus that no classifier can be trained on.
    DataError
        If weights are missing or damaged, or cannot be downloaded.
    """
    check_name(name)
    require_fidelity()
    from intarsia.measure import extractors

    path = Path(weights) if weights is not None else None
    if name == "inception":
        extractor, fingerprint = extractors.inception_extractor(path, _speaker(progress))
        source = str(path) if path is not None else extractors.URL_INCEPTION_V3
        card = FeatureCard(extractors.INCEPTION, fingerprint, 2048, 1008, {"weights": source})
        return Features(card, extractor, extractors.INCEPTION_LAYERS)

    from intarsia.measure.classifier import Classifier, classifier_for

    if path is not None:
        classifier = Classifier.load(path)
    elif training is None:
        raise UsageError(
            "Classifier features need the training split of the corpus. Pass training=, or name "
            "a trained classifier with weights=."
        )
    else:
        step = (
            None
            if progress is None
            else lambda done, total: progress("training the classifier", done, total)
        )
        classifier = classifier_for(training, test=test, cache=cache, progress=step)
    extractor = extractors.classifier_extractor(classifier)
    card = FeatureCard(
        extractor.get_name(),
        classifier.fingerprint,
        classifier.network.head.in_features,
        len(classifier.labels),
        classifier.about,
    )
    takes = (*classifier.size, classifier.channels)
    return Features(card, extractor, extractors.CLASSIFIER_LAYERS, takes)


def check_name(name: str) -> None:
    """Raise UsageError unless ``name`` is one of `DIMENSIONS`."""
    if name not in DIMENSIONS:
        raise UsageError(f"There are no features {name!r}; choose from {', '.join(DIMENSIONS)}.")


def require_fidelity() -> None:
    """Raise UsageError if torch-fidelity is not installed."""
    try:
        import torch_fidelity  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"fid, kid, is, precision and recall are computed by torch-fidelity, which cannot be "
            f"imported ({error}). Install it: pip install 'intarsia[metrics]'."
        ) from error


def _speaker(progress: Progress | None) -> Callable[[str], None] | None:
    return None if progress is None else lambda words: progress(words, 0, 1)
