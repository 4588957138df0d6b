"""The networks of `intarsia.measure.features`, as torch-fidelity knows them.

Importing this module loads torch and torch-fidelity.
"""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch_fidelity
from torch import Tensor
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY
from torch_fidelity.utils import create_feature_extractor

from intarsia.errors import DataError
from intarsia.files import make_folder
from intarsia.measure.classifier import Classifier, weights_fingerprint

INCEPTION = "inception-v3-compat"
INCEPTION_LAYERS = ("2048", "logits_unbiased")
CLASSIFIER_LAYERS = ("penultimate", "logits")

# A host answers in well under a second, or there is no network.
_PATIENCE = 5.0


class ClassifierExtractor(FeatureExtractorBase):
    """A trained classifier behind torch-fidelity's door: uint8 [B, C, H, W] to float64."""

    classifier: ClassVar[Classifier]

    def __init__(self, name: str, features_list: list[str], **settings: Any) -> None:
        super().__init__(name, features_list)
        self.network = self.classifier.network

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        """Return the names of the layers."""
        return CLASSIFIER_LAYERS

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        """Return the layer a metric uses: logits for the inception score."""
        return CLASSIFIER_LAYERS[metric == "isc"]

    @staticmethod
    def can_be_compiled() -> bool:
        """Return False: compiling would cost more than it saves."""
        return False

    def forward(self, input: Tensor) -> tuple[Tensor, ...]:
        """Return the layers asked for, in that order."""
        features = self.network.features(input)
        found = {"penultimate": features, "logits": self.network.head(features)}
        # Statistics over many pictures lose digits in float32.
        return tuple(found[layer].double() for layer in self.features_list)


def classifier_extractor(classifier: Classifier) -> FeatureExtractorBase:
    """Register a classifier with torch-fidelity, under a name of its weights, and build it."""
    name = f"intarsia-classifier-{classifier.fingerprint[:16]}"
    if name not in FEATURE_EXTRACTORS_REGISTRY:
        bound = type("BoundClassifier", (ClassifierExtractor,), {"classifier": classifier})
        torch_fidelity.register_feature_extractor(name, bound)
    return create_feature_extractor(name, list(CLASSIFIER_LAYERS), cuda=False, verbose=False)


def inception_extractor(
    weights: Path | None, say: Callable[[str], None] | None = None
) -> tuple[FeatureExtractorBase, str]:
    """Build torch-fidelity's InceptionV3.

    Parameters
    ----------
    weights : a ``.pth`` or ``.safetensors`` file; by default torch's own cache, or a download.
    say : told before a download begins.

    Returns
    -------
    extractor, fingerprint of the weights

    Raises
    ------
    DataError
        If the file is missing, damaged or of another network, or nothing can be downloaded.
    """
    path = weights if weights is not None else _downloaded(say)
    state = _read(path)
    # torch-fidelity unpickles what it is given. This copy holds tensors and nothing else.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    try:
        extractor = create_feature_extractor(
            INCEPTION,
            list(INCEPTION_LAYERS),
            cuda=False,
            verbose=False,
            feature_extractor_weights_path=buffer,
        )
    except (RuntimeError, AttributeError, TypeError) as error:
        raise DataError(
            f"{path} holds weights of another network than torch-fidelity's InceptionV3. "
            f"Name a copy of {_file_name()}."
        ) from error
    return extractor, weights_fingerprint(extractor.state_dict())


def _read(path: Path) -> dict[str, Tensor]:
    import pickle

    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings(action="ignore"):  # it muses about pickles before it fails
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Name a file of InceptionV3 weights.") from None
    except (
        SafetensorError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        KeyError,
        IndexError,
        AttributeError,
        TypeError,
    ) as error:
        raise DataError(
            f"{path} is damaged, or holds more than weights, which is not read for safety "
            f"({_first_line(error)}). Name a copy of {_file_name()}."
        ) from error
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise DataError(
            f"{path} holds no mapping of names to weights. Name a copy of {_file_name()}."
        )
    return state


def _downloaded(say: Callable[[str], None] | None) -> Path:
    """Return torch's own copy of the weights, fetched and checked if need be."""
    from urllib.request import Request, urlopen

    path = Path(torch.hub.get_dir()) / "checkpoints" / _file_name()
    if path.exists():
        return path
    try:
        if os.environ.get("HF_HUB_OFFLINE") == "1":
            raise OSError("downloads are off: HF_HUB_OFFLINE is set")
        # The download itself would wait without limit where there is no network: ask first.
        with urlopen(Request(URL_INCEPTION_V3, method="HEAD"), timeout=_PATIENCE):
            pass
        if say is not None:
            say(f"fetching InceptionV3 (95 MB) into {path.parent}")
        make_folder(path.parent)
        prefix = path.stem.rsplit("-", 1)[1]  # its SHA-256 begins so
        torch.hub.download_url_to_file(URL_INCEPTION_V3, str(path), prefix, progress=False)
    # Network libraries raise errors of many families; all of them mean the same here.
    except Exception as error:
        raise DataError(
            f"The InceptionV3 weights are not on this machine and could not be downloaded "
            f"({_first_line(error)}). Fetch {URL_INCEPTION_V3} where there is a network and name "
            "the file with --weights, or use --features classifier."
        ) from error
    return path


def _file_name() -> str:
    return URL_INCEPTION_V3.rsplit("/", 1)[1]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
