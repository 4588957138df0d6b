"""Trained denoisers in folders: model.safetensors beside config.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from intarsia.errors import DataError, UsageError
from intarsia.files import write_bytes, write_text
from intarsia.models.schedule import Cosine
from intarsia.networks.denoiser import Denoiser, DenoiserSettings
from intarsia.networks.resnet import ResNet
from intarsia.networks.unet import UNet
from intarsia.represent.fitting import state_fingerprint

WEIGHTS, CONFIG = "model.safetensors", "config.json"

FORMAT = 1
"""Version of config.json."""

KINDS: dict[str, type[Denoiser]] = {kind.kind: kind for kind in (ResNet, UNet)}


@dataclass(frozen=True, eq=False)
class SavedNetwork:
    """A trained denoiser and where it comes from.

    Attributes
    ----------
    network : in evaluation mode.
    corpus : how its training pictures are opened: keywords of `Corpus.open`, and ``data``.
    size : (H, W) of the pictures.
    fingerprint : of the corpus.
    pictures : how many there were.
    about : recipe, seconds, command.
    """

    network: Denoiser
    corpus: dict[str, Any]
    size: tuple[int, int]
    fingerprint: str
    pictures: int
    about: dict[str, Any]

    @cached_property
    def weights(self) -> str:
        """SHA-256 of the weights, in hex."""
        state = {name: value.cpu().numpy() for name, value in self.network.state_dict().items()}
        return state_fingerprint(self.kind, state)

    @property
    def kind(self) -> str:
        """``resnet`` or ``unet``."""
        return self.network.kind

    @property
    def channels(self) -> int:
        """Channels of a picture."""
        return self.network.settings.channels

    @property
    def classes(self) -> int:
        """How many classes the network tells apart; 0 if it is unconditional."""
        return self.network.settings.classes

    def time_of(self, alpha_bar: float) -> float:
        """Return what the network is told of a noise level: the time of the cosine schedule."""
        return Cosine().time_of(alpha_bar)

    def save(self, folder: Path) -> None:
        """Write weights, then the configuration that makes them readable."""
        from safetensors.torch import save

        state = self.network.state_dict()
        solid = {name: value.detach().cpu().contiguous() for name, value in state.items()}
        write_bytes(folder / WEIGHTS, save(solid, {"kind": self.kind}))
        config = {
            "format": FORMAT,
            "kind": self.kind,
            "network": asdict(self.network.settings),
            "corpus": self.corpus,
            "size": list(self.size),
            "fingerprint": self.fingerprint,
            "pictures": self.pictures,
            "about": self.about,
        }
        write_text(folder / CONFIG, json.dumps(config, indent=2) + "\n")


def open_network(folder: str | Path, device: str = "cpu") -> SavedNetwork:
    """Read what `SavedNetwork.save` wrote.

    Raises
    ------
    UsageError
        If there is no such folder, or its training has not ended.
    DataError
        If it holds something else, or weights of another network.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(
            f"--network {folder} is no folder. Name the --out of intarsia train resnet or unet."
        )
    config = _config(folder)
    network = _untrained(config, folder)
    _fill(network, folder / WEIGHTS)
    network.requires_grad_(False).eval().to(device)
    network.to(memory_format=torch.channels_last)
    height, width = config["size"]
    return SavedNetwork(
        network,
        dict(config["corpus"]),
        (int(height), int(width)),
        str(config["fingerprint"]),
        int(config["pictures"]),
        dict(config["about"]),
    )


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.exists():
        unfinished = (folder / "checkpoint.safetensors").exists()
        raise UsageError(
            f"--network {folder} holds a training that has not ended. Finish it with --resume."
            if unfinished
            else f"--network {folder} has no config.json. Name the --out of intarsia train."
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Train the network again.") from error
    wanted = {"format", "kind", "network", "corpus", "size", "fingerprint", "pictures", "about"}
    if not isinstance(config, dict) or not wanted <= config.keys() or config["kind"] not in KINDS:
        raise DataError(
            f"{path} does not describe a network of intarsia train {' or '.join(KINDS)}: it is of "
            "another architecture. Name the folder of one."
        )
    if config["format"] != FORMAT:
        raise DataError(
            f"{path} has format {config['format']}, but this version reads {FORMAT}. Train the "
            "network again, or use the version that made it."
        )
    return config


def _untrained(config: Mapping[str, Any], folder: Path) -> Denoiser:
    try:
        shape = dict(config["network"])
        settings = DenoiserSettings(**shape | {"widths": tuple(shape["widths"])})
        return KINDS[config["kind"]](settings)
    except (TypeError, KeyError, UsageError) as error:
        raise DataError(f"{folder / CONFIG} describes no network that can be: {error}") from error


def _fill(network: Denoiser, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

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
            f"but {here} in a {network.kind} of widths {list(network.settings.widths)}."
        )
    if any(not torch.isfinite(value).all() for value in weights.values()):
        raise DataError(f"{path} holds numbers that are not finite. Train it again.")
    network.load_state_dict(weights)
