"""Weights of networks in folders: config.json beside model.safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from intarsia.errors import DataError


def read_config(folder: Path) -> dict[str, Any]:
    """Read a folder's config.json.

    Raises
    ------
    DataError
        If it is missing, or is no JSON object.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{folder} has no config.json, which says what network its weights belong to. Put it "
            "there, or name another folder."
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Fetch it again.") from error
    if not isinstance(config, dict):
        raise DataError(f"{path} holds no JSON object. Fetch it again.")
    return config


def read_metadata(path: Path) -> dict[str, str]:
    """Read the metadata of a safetensors file.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as stream:
            return dict(stream.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"{path} is damaged ({error}). Fetch it again.") from error


def load_weights(network: nn.Module, path: Path) -> None:
    """Fill a network from a safetensors file, as float32.

    Raises
    ------
    DataError
        If the file is missing, damaged, or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        network.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing. Put the weights there, as safetensors, or name another folder."
        ) from None
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"{path} is damaged ({error}). Fetch it again.") from error
    except RuntimeError as error:
        said = " ".join(line.strip() for line in str(error).splitlines()[1:3]) or str(error)
        raise DataError(
            f"{path} holds the weights of another network ({said[:200]}). Put config.json and "
            "weights of one network together."
        ) from error


def halved(value: Tensor) -> Tensor:
    """Return half precision where it can hold the values."""
    if not value.is_floating_point():
        return value
    half = value.half()
    return half if bool(torch.isfinite(half).all()) else value.float()
