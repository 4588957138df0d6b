"""Networks that others trained: timm, Hugging Face, safetensors, TorchScript; nothing is unpickled.

ONNX has a file of its own, `intarsia.represent.onnx_encoder`.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from intarsia.errors import DataError, UsageError
from intarsia.represent.encoder import Encoder
from intarsia.represent.hub import reason, snapshot
from intarsia.represent.network_input import Input
from intarsia.represent.pretrained_files import load_weights, read_config, read_metadata
from intarsia.represent.torch_encoder import TorchEncoder

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation that a network of colour has if it does not say."""


def package(name: str) -> Any:
    """Import a package of the extra ``encoders``.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(
            f"This encoder needs the package {name}: pip install 'intarsia[encoders]'."
        ) from error


def from_timm(name: str, layer: str | None = None, device: str = "cpu") -> TorchEncoder:
    """Return a model of timm with its weights.

    Parameters
    ----------
    name : as timm calls it, such as ``resnet18`` or ``resnet18.a1_in1k``.
    layer : where to stop; by default the features under the classifier.
    device : where it runs.

    Raises
    ------
    UsageError
        If timm has no such model with weights, or is not installed.
    DataError
        If the weights are not on this machine and cannot be downloaded.
    """
    timm = package("timm")
    card = timm.models.get_pretrained_cfg(name)
    if card is None or not (card.hf_hub_id or "").startswith("timm/") or card.hf_hub_filename:
        known = sorted({one.partition(".")[0] for one in timm.list_models(pretrained=True)})
        near = get_close_matches(name, known, n=3) or known[:3]
        raise UsageError(
            f"--encoder is 'timm:{name}': timm has no such model with weights on the hub. Names "
            f"near it are {', '.join(near)}."
        )
    return from_folder(snapshot(card.hf_hub_id), layer, device)


def from_hub(repository: str, layer: str | None = None, device: str = "cpu") -> TorchEncoder:
    """Return an encoder from a repository on the Hugging Face hub; errors as for `from_folder`."""
    return from_folder(snapshot(repository), layer, device)


def from_path(
    path: Path, layer: str | None = None, device: str = "cpu", allow_torchscript: bool = False
) -> Encoder:
    """Return the encoder in a folder or file.

    Parameters
    ----------
    path : a folder with config.json and model.safetensors; a ``.safetensors`` file with its
        architecture in its metadata or a config.json beside; a ``.onnx`` file; a ``.pt`` file of
        TorchScript.
    layer : where to stop; of ONNX, the output to take.
    device : where it runs; ONNX always runs on the CPU.
    allow_torchscript : read TorchScript, which may run code of its own.

    Raises
    ------
    UsageError
        If a package is missing, there is no such layer, or TorchScript is not allowed.
    DataError
        If files are missing, damaged, or do not fit each other.
    """
    if path.is_dir():
        return from_folder(path, layer, device)
    if path.suffix.lower() == ".onnx":
        from intarsia.represent.onnx_encoder import OnnxEncoder

        return OnnxEncoder.read(path, layer)
    if path.suffix.lower() == ".pt":
        return _torchscript(path, layer, device, allow_torchscript)
    return _from_file(path, layer, device)


def from_folder(folder: Path, layer: str | None = None, device: str = "cpu") -> TorchEncoder:
    """Return the encoder in a folder, by what its config.json says: ours, timm's or transformers'.

    Raises
    ------
    UsageError
        If a package is missing, there is no such layer, or the network takes no pictures.
    DataError
        If files are missing, damaged, or do not fit each other.
    """
    config = read_config(folder)
    if "intarsia_encoder" in config:
        return TorchEncoder.from_pretrained(folder, layer=layer, device=device)
    if "architecture" in config:
        return _timm(config, folder / "model.safetensors", layer, device)
    if "model_type" in config:
        return _transformers(config, folder, layer, device)
    raise DataError(
        f"{folder / 'config.json'} names neither an architecture of timm ('architecture') nor one "
        "of transformers ('model_type'). Put the config.json of the weights there."
    )


def _from_file(path: Path, layer: str | None, device: str) -> TorchEncoder:
    """Read one safetensors file, of timm's kind."""
    metadata = read_metadata(path)
    if "architecture" in metadata:
        config: dict[str, Any] = dict(metadata)
        for name in ("pretrained_cfg", "model_args"):
            try:
                config[name] = json.loads(metadata.get(name, "{}"))
            except ValueError as error:
                raise DataError(f"{path}: {name} in its metadata is no JSON ({error}).") from error
        if str(config.get("num_classes", "0")).isdecimal():
            config["num_classes"] = int(config.get("num_classes", 0))
        return _timm(config, path, layer, device)
    if path.name == "model.safetensors":
        return from_folder(path.parent, layer, device)
    config = read_config(path.parent)
    if "architecture" not in config or "intarsia_encoder" in config:
        raise DataError(
            f"{path} does not say which network it belongs to. Name it model.safetensors, with its "
            "config.json beside, or put an 'architecture' of timm in its metadata."
        )
    return _timm(config, path, layer, device)


def _timm(config: Mapping[str, Any], weights: Path, layer: str | None, device: str) -> TorchEncoder:
    timm = package("timm")
    name, card = config["architecture"], config.get("pretrained_cfg") or {}
    if not isinstance(name, str) or not timm.is_model(name):
        raise DataError(
            f"{weights}: its architecture is {name!r}, which timm {timm.__version__} does not "
            "know. Correct config.json, or install a timm that knows it."
        )
    classes = config.get("num_classes", card.get("num_classes", 1000))
    arguments = config.get("model_args") or {}
    try:
        network = timm.create_model(name, pretrained=False, num_classes=classes, **arguments)
        size = card.get("input_size", [3, 224, 224])
        takes = Input(
            channels=int(arguments.get("in_chans", size[0])),
            mean=tuple(card.get("mean", IMAGENET[0])),
            std=tuple(card.get("std", IMAGENET[1])),
            size=(int(size[1]), int(size[2])) if card.get("fixed_input_size") else None,
        )
    except UsageError:
        raise
    except (TypeError, ValueError, KeyError, IndexError, RuntimeError, AttributeError) as error:
        raise DataError(f"{weights}: its configuration makes no {name} ({error}).") from error
    load_weights(network, weights)
    network.reset_classifier(0)
    return TorchEncoder(network, takes, layer=layer, device=device, settings=config)


class _Vision(TorchEncoder):
    """A vision model of transformers: its pooled output if trained, or its mean token."""

    pooled = True

    def chosen(self, found: Any) -> Tensor:
        pooled = found.get("pooler_output") if isinstance(found, Mapping) else None
        return pooled if pooled is not None and self.pooled else super().chosen(found)


def _transformers(
    config: Mapping[str, Any], folder: Path, layer: str | None, device: str
) -> TorchEncoder:
    transformers = package("transformers")
    if not any(folder.glob("model*.safetensors")):
        raise DataError(
            f"{folder} has no model.safetensors. Put the weights there in that form; pickles are "
            "not read."
        )
    try:
        with _quiet(transformers.utils.logging):
            network, loaded = transformers.AutoModel.from_pretrained(
                folder,
                trust_remote_code=False,
                use_safetensors=True,
                local_files_only=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
    # Whatever a file that lies may break in the library, it means the same here.
    except Exception as error:
        raise DataError(
            f"transformers {transformers.__version__} cannot read {folder} ({reason(error)}). "
            "Fetch config.json and model.safetensors again; models that bring code of their own "
            "are not read."
        ) from error
    missing = set(loaded["missing_keys"])
    pooler = {name for name in missing if "pool" in name}
    if missing - pooler:
        raise DataError(
            f"{folder}: the weights lack {', '.join(sorted(missing - pooler)[:3])}. Put "
            "config.json and weights of one network together."
        )
    for name, value in network.named_parameters():
        if name in pooler:
            nn.init.zeros_(value)  # drawn at random, it would be another encoder each time
    network = getattr(network, "vision_model", network)
    if getattr(network, "main_input_name", "pixel_values") != "pixel_values":
        raise UsageError(
            f"{config['model_type']!r} is no model of pictures. Name one, such as "
            "hf:facebook/dinov2-small."
        )
    vision = _Vision(network, _taken(network, folder), layer=layer, device=device, settings=config)
    vision.pooled = not pooler
    return vision


@contextmanager
def _quiet(log: Any) -> Iterator[None]:
    """Keep transformers' bars and reports from the screen: what matters is raised."""
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()


def _taken(network: nn.Module, folder: Path) -> Input:
    """Return what a vision model takes: its config's size, its preprocessor's normalisation."""
    own: Any = network.config
    side = getattr(own, "image_size", None)
    channels = int(getattr(own, "num_channels", 3))
    shown: dict[str, Any] = {}
    path = folder / "preprocessor_config.json"
    if path.exists():
        try:
            shown = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read ({error}). Fetch it again.") from error
        crop = shown.get("crop_size") if shown.get("do_center_crop", True) else None
        crop = crop or shown.get("size")
        if side is not None and isinstance(crop, dict) and {"height", "width"} <= set(crop):
            side = (crop["height"], crop["width"])
    grey = ((0.5,), (0.5,))
    mean, std = IMAGENET if channels == 3 else grey
    return Input(
        channels=channels,
        mean=tuple(shown.get("image_mean") or mean),
        std=tuple(shown.get("image_std") or std),
        size=None if side is None else (side, side) if isinstance(side, int) else tuple(side),
    )


def _torchscript(path: Path, layer: str | None, device: str, allowed: bool) -> TorchEncoder:
    if not allowed:
        raise UsageError(
            f"{path} is TorchScript, which can run code of its own when it is used. If you trust "
            "where it comes from, add --allow-torchscript; else export .onnx or .safetensors."
        )
    if layer is not None:
        raise UsageError(
            f"{path}@{layer}: TorchScript cannot be stopped at a layer. Drop @{layer}, or save a "
            "network that ends there."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch would rather have torch.export
            network = torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(
            f"{path} is damaged or no TorchScript ({reason(error)}). A checkpoint is a pickle and "
            "is not read: save it as .safetensors with config.json beside."
        ) from error
    first = next((p for p in network.parameters() if p.ndim == 4), None)
    depth = 3 if first is None else int(first.shape[1])
    masked = depth in (2, 4)
    channels = depth - masked
    takes = Input(channels, (0.5,) * channels, (0.5,) * channels, mask_channel=masked)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return TorchEncoder(network, takes, device=device, settings={"file": digest})
