"""Trained denoisers in folders: model.safetensors beside config.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from intarsia.errors import DataError, UsageError
from intarsia.models.schedule import Cosine
from intarsia.networks import weights
from intarsia.networks.denoiser import Denoiser, DenoiserSettings
from intarsia.networks.resnet import ResNet
from intarsia.networks.unet import UNet
from intarsia.represent.fitting import state_fingerprint

MAKER = "intarsia train resnet or unet"
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
    def weights_fingerprint(self) -> str:
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
        config = {
            "kind": self.kind,
            "network": asdict(self.network.settings),
            "corpus": self.corpus,
            "size": list(self.size),
            "fingerprint": self.fingerprint,
            "pictures": self.pictures,
            "about": self.about,
        }
        weights.save(self.network, folder, config)


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
    config = weights.read_config(folder, KINDS, "--network", MAKER)
    network = _untrained(config, folder)
    weights.fill(network, folder, device)
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


def _untrained(config: Mapping[str, Any], folder: Path) -> Denoiser:
    try:
        shape = dict(config["network"])
        settings = DenoiserSettings(**shape | {"widths": tuple(shape["widths"])})
        return KINDS[config["kind"]](settings)
    except (TypeError, KeyError, UsageError) as error:
        raise DataError(
            f"{folder / weights.CONFIG} describes no network that can be: {error}"
        ) from error
