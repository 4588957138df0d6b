"""diffusers' UNet2DModel in the place of a network trained here: a folder, or a name on the hub.

It was trained on diffusers' discrete time steps, 0 to 999 as a rule; which noise level each of them
stands for is in the configuration of the scheduler saved beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor, nn

from intarsia.errors import DataError, UsageError
from intarsia.represent.fitting import state_fingerprint
from intarsia.represent.hub import reason

if TYPE_CHECKING:
    from diffusers import UNet2DModel

CLASS = "UNet2DModel"

_WANTED = [
    f"{folder}{name}"
    for folder in ("", "unet/", "scheduler/")
    for name in ("config.json", "scheduler_config.json", "*.safetensors")
]

_PATIENCE = 5.0
"""Seconds to wait for the hub, which answers at once or is not there."""


class Noise(nn.Module):
    """A UNet2DModel with the signature of `networks.denoiser.Denoiser`."""

    def __init__(self, unet: UNet2DModel) -> None:
        super().__init__()
        self.unet = unet

    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        t: Float[Tensor, " b"],
        labels: Int64[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b c h w"]:
        """Predict the noise in x at diffusers' time steps t, which may lie between whole ones."""
        predicted: Tensor = self.unet(x, t, class_labels=labels).sample
        return predicted


@dataclass(frozen=True, eq=False)
class DiffusersNetwork:
    """A UNet2DModel, with what `networks.saved.SavedNetwork` says of a network trained here.

    Attributes
    ----------
    network : in evaluation mode.
    levels : alpha_bar of each time step, falling.
    """

    network: Noise
    levels: Float64[np.ndarray, " t"]

    kind = CLASS

    @property
    def corpus(self) -> dict[str, Any]:
        """Nothing: which pictures it was trained on is not in its folder."""
        return {}

    @property
    def channels(self) -> int:
        """Channels of a picture."""
        return int(self.network.unet.config["in_channels"])

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the pictures."""
        size = self.network.unet.config["sample_size"]
        height, width = (size, size) if isinstance(size, int) else size
        return int(height), int(width)

    @property
    def classes(self) -> int:
        """How many classes it tells apart; 0 if it is unconditional."""
        return int(self.network.unet.config["num_class_embeds"] or 0)

    @cached_property
    def weights_fingerprint(self) -> str:
        """SHA-256 of the weights, in hex."""
        state = {name: value.cpu().numpy() for name, value in self.network.state_dict().items()}
        return state_fingerprint(self.kind, state)

    def time_of(self, alpha_bar: float) -> float:
        """Return the time step of a noise level, between whole ones by the log of signal to noise.

        Levels beyond the first and last step are told those.
        """

        def noisiness(level: Any) -> Any:
            return np.log1p(-level) - np.log(level)

        return float(
            np.interp(noisiness(alpha_bar), noisiness(self.levels), np.arange(len(self.levels)))
        )


def is_diffusers(named: str | Path) -> bool:
    """Whether a folder is written by diffusers, or a name can only be one of the hub."""
    folder = Path(named)
    if folder.is_dir():
        return _model_folder(folder) is not None
    parts = str(named).split("/")
    return len(parts) == 2 and all(parts) and not Path(parts[0]).exists()


def open_diffusers(named: str | Path, device: str = "cpu") -> DiffusersNetwork:
    """Read a UNet2DModel and the noise levels of its scheduler.

    Parameters
    ----------
    named : folder of a model or of a pipeline, or OWNER/NAME on the Hugging Face hub.
    device : where it runs.

    Raises
    ------
    UsageError
        If diffusers is not installed.
    DataError
        If there is none, it cannot be read, or it predicts something else than the noise.
    """
    try:
        from diffusers import UNet2DModel
    except ImportError as error:
        raise UsageError(
            f"--network {named} is a network of diffusers, which is not installed. "
            "pip install 'intarsia[diffusion]'."
        ) from error
    folder = Path(named) if Path(named).is_dir() else _fetched(str(named))
    model = _model_folder(folder)
    if model is None:
        raise DataError(f"--network {named} holds no {CLASS} of diffusers; name one that does.")
    levels = _levels(folder)
    try:
        # No pickles: a network is numbers, never code.
        unet = UNet2DModel.from_pretrained(model, use_safetensors=True, local_files_only=True)
    except Exception as error:  # diffusers raises errors of many families
        raise DataError(
            f"--network {named} cannot be read as a {CLASS} ({reason(error)}). Save it again with "
            "save_pretrained."
        ) from error
    _check(unet, named)
    network = Noise(unet)
    network.requires_grad_(False).eval().to(device)
    network.to(memory_format=torch.channels_last)
    return DiffusersNetwork(network, levels)


def _check(unet: UNet2DModel, named: str | Path) -> None:
    config = unet.config
    if config["sample_size"] is None:
        raise DataError(f"--network {named} does not say its sample_size; add it to config.json.")
    if config["out_channels"] != config["in_channels"]:
        raise DataError(
            f"--network {named} gives {config['out_channels']} channels for "
            f"{config['in_channels']}; only networks that predict the noise alone are compared."
        )
    if any(not torch.isfinite(value).all() for value in unet.state_dict().values()):
        raise DataError(f"--network {named} holds numbers that are not finite.")


def _model_folder(folder: Path) -> Path | None:
    """Return where the model of a folder is: there, or in ``unet`` of a pipeline."""
    for place in (folder, folder / "unet"):
        try:
            config = json.loads((place / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(config, dict) and config.get("_class_name") == CLASS:
            return place
    return None


def _levels(folder: Path) -> Float64[np.ndarray, " t"]:
    """Return alpha_bar of every time step: of the scheduler, or diffusers' defaults without one."""
    from diffusers import DDPMScheduler

    paths = (folder / "scheduler" / "scheduler_config.json", folder / "scheduler_config.json")
    found = next((path for path in paths if path.exists()), None)
    if found is None:
        scheduler = DDPMScheduler()
    else:
        try:
            scheduler = DDPMScheduler.from_config(json.loads(found.read_text(encoding="utf-8")))
        except Exception as error:  # its configuration may be anything
            raise DataError(f"{found} describes no scheduler ({reason(error)}).") from error
    aim = scheduler.config["prediction_type"]
    if aim != "epsilon":
        raise DataError(
            f"{found} says prediction_type {aim!r}, but only networks that predict the noise "
            "(epsilon) are compared."
        )
    return np.asarray(scheduler.alphas_cumprod, np.float64)


def _fetched(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        try:
            folder = Path(snapshot_download(name, local_files_only=True))
            if _model_folder(folder) is not None:
                return folder
        except LocalEntryNotFoundError:
            pass
        return Path(snapshot_download(name, allow_patterns=_WANTED, etag_timeout=_PATIENCE))
    except Exception as error:  # network libraries raise errors of many families
        raise UsageError(
            f"--network {name} is no folder, and could not be had from huggingface.co/{name} "
            f"({reason(error)}). Name the --out of intarsia train, or a folder of diffusers."
        ) from error
