"""What a network takes, and how canvases are turned into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from intarsia.errors import UsageError


@dataclass(frozen=True)
class Input:
    """What a network takes.

    Attributes
    ----------
    channels : of pictures, 1 or 3; grey ones are repeated for a network of 3.
    mean, std : of each channel, in units where white is 1; what is unknown has the mean.
    size : (H, W) if the network takes one size only: pictures are made to fit, bilinearly.
    mask_channel : whether one more channel follows that is 1 where a pixel is known, else 0.
    """

    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: tuple[int, int] | None = None
    mask_channel: bool = False

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise UsageError(
                f"The network takes {self.channels} channels; pictures have 1 or 3, so it can "
                "be no encoder of pictures."
            )
        if not len(self.mean) == len(self.std) == self.channels or min(self.std) <= 0:
            raise UsageError(
                f"mean and std are {self.mean} and {self.std}: give one value a channel, std "
                "above 0."
            )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Input:
        """Read what `asdict` made, from JSON."""
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        tuples = {name: tuple(v) for name, v in known.items() if isinstance(v, list)}
        return cls(**(known | tuples))

    def tensor(
        self, images: UInt8[Tensor, "b h w c"], known: Bool[Tensor, "h w"]
    ) -> Float[Tensor, "b c2 h2 w2"]:
        """Turn canvases into what the network takes; unknown pixels do not matter."""
        if images.shape[-1] > self.channels:
            raise UsageError(
                "The encoder takes grey pictures, and these have colour. Add --grey, or use an "
                "encoder of colour."
            )
        mean, std = (
            torch.tensor(v, dtype=torch.float32, device=images.device).view(-1, 1, 1)
            for v in (self.mean, self.std)
        )
        x = images.permute(0, 3, 1, 2).expand(-1, self.channels, -1, -1).float() / 255
        x = torch.where(known, (x - mean) / std, 0.0)
        if self.mask_channel:
            x = torch.cat([x, known.float().expand(len(x), 1, -1, -1)], dim=1)
        if self.size is not None and tuple(x.shape[2:]) != self.size:
            x = nn.functional.interpolate(x, self.size, mode="bilinear", antialias=True)
        return x.contiguous()
