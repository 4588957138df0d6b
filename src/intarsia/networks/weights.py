"""A network's folder: weights as safetensors beside the configuration that makes them readable."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from intarsia.errors import DataError, UsageError
from intarsia.files import write_bytes, write_text
from intarsia.networks.training import CHECKPOINT

WEIGHTS, CONFIG = "model.safetensors", "config.json"

FIRST = "first"
"""Folder of the checkpoint of a first stage, where there are two."""

FORMAT = 1
"""Version of config.json."""

_NEEDED = {"format", "kind", "network", "corpus", "fingerprint", "pictures", "about"}


def save(network: nn.Module, folder: Path, config: Mapping[str, Any]) -> None:
    """Write weights, then the configuration (``kind``, ``network`` and what else is known)."""
    from safetensors.torch import save as serialised

    state = network.state_dict()
    solid = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    write_bytes(folder / WEIGHTS, serialised(solid, {"kind": str(config["kind"])}))
    write_text(folder / CONFIG, json.dumps({"format": FORMAT, **config}, indent=2) + "\n")


def read_config(folder: Path, kinds: Collection[str], option: str, maker: str) -> dict[str, Any]:
    """Read the configuration of a finished training.

    Parameters
    ----------
    kinds : of networks that will do.
    option, maker : the option that names the folder, and the command that makes one.

    Raises
    ------
    UsageError
        If there is no such folder, or its training has not ended.
    DataError
        If it holds something else.
    """
    path = folder / CONFIG
    if not path.exists():
        unfinished = any((folder / stage / CHECKPOINT).exists() for stage in ("", FIRST))
        raise UsageError(
            f"{option} {folder} holds a training that has not ended. Finish it with --resume."
            if unfinished
            else f"{option} {folder} has no config.json: it is no folder of {maker}. Name the "
            "--out of one."
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Train the network again.") from error
    if not isinstance(config, dict) or not config.keys() >= _NEEDED or config["kind"] not in kinds:
        raise DataError(
            f"{path} does not describe a network of {maker}: it is of another architecture. Name "
            "the folder of one."
        )
    if config["format"] != FORMAT:
        raise DataError(
            f"{path} has format {config['format']}, but this version reads {FORMAT}. Train the "
            "network again, or use the version that made it."
        )
    return config


def fill(network: nn.Module, folder: Path, device: str) -> None:
    """Read weights into a network, and make it ready for use.

    Raises
    ------
    DataError
        If the weights are missing, damaged, or of another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / WEIGHTS
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"{path} is missing or damaged ({error}). Train it again.") from error
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    found = {name: value.shape for name, value in weights.items()}
    if wanted != found:
        name = min(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
        there, here = (
            "nothing" if shape is None else list(shape)
            for shape in (found.get(name), wanted.get(name))
        )
        raise DataError(
            f"{path} is of another architecture than config.json says: {name} is {there} there, "
            f"but {here} in that network."
        )
    if any(
        value.is_floating_point() and not torch.isfinite(value).all() for value in weights.values()
    ):
        raise DataError(f"{path} holds numbers that are not finite. Train it again.")
    network.load_state_dict(weights)
    network.requires_grad_(False).eval().to(device)
