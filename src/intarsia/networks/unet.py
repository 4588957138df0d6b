"""The UNet of paper C: three scales, residual blocks, no normalisation and no attention.

M. Kamb, S. Ganguli, "An analytic theory of creativity in convolutional diffusion models" (paper C),
appendix on experiments: 64, 128 and 256 channels at full, half and quarter size. Its field of view
is wider than a 32x32 picture. The form is that of O. Ronneberger et al., 2015, arXiv 1505.04597.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from intarsia.networks.denoiser import Denoiser, DenoiserSettings


class UNet(Denoiser):
    """Two residual blocks a scale, one on the way down and one, beside what was kept, up."""

    kind = "unet"
    halvings = 2
    default_widths: ClassVar[tuple[int, ...]] = (64, 128, 256)

    def __init__(self, settings: DenoiserSettings) -> None:
        super().__init__(settings)
        one, two, three = settings.widths
        self.first = self.conv(settings.channels, one)
        self.falling = nn.ModuleList([Block(self, one, one), Block(self, two, two)])
        self.halved = nn.ModuleList([self.conv(one, two, 2), self.conv(two, three, 2)])
        self.lowest = nn.ModuleList([Block(self, three, three), Block(self, three, three)])
        self.doubled = nn.ModuleList([self.conv(three, two), self.conv(two, one)])
        self.rising = nn.ModuleList([Block(self, 2 * two, two), Block(self, 2 * one, one)])
        self.last = self.conv(one, settings.channels)

    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        t: Float[Tensor, " b"],
        labels: Int64[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b c h w"]:
        """Return the noise seen in pictures; see `Denoiser.forward`."""
        condition = self.condition(t, labels)
        h = self.first(x)
        kept = []
        for block, halved in zip(self.falling, self.halved, strict=True):
            h = block(h, condition)
            kept.append(h)
            h = halved(h)
        for block in self.lowest:
            h = block(h, condition)
        for doubled, block in zip(self.doubled, self.rising, strict=True):
            larger = functional.interpolate(h, scale_factor=2.0, mode="nearest")
            h = block(torch.cat([doubled(larger), kept.pop()], dim=1), condition)
        noise: Tensor = self.last(h)
        return noise


class Block(nn.Module):
    """Two convolutions beside a shortcut, told the time and the class between them.

    Parameters
    ----------
    network : whose padding and condition it takes.
    inputs, outputs : channels.
    """

    def __init__(self, network: Denoiser, inputs: int, outputs: int) -> None:
        super().__init__()
        self.one = network.conv(inputs, outputs)
        self.two = network.conv(outputs, outputs)
        self.told = nn.Linear(network.condition.width, outputs)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(
        self, h: Float[Tensor, "b i h w"], condition: Float[Tensor, "b d"]
    ) -> Float[Tensor, "b o h w"]:
        """Return features of the same size."""
        inner = self.one(functional.silu(h)) + self.told(condition)[:, :, None, None]
        after: Tensor = self.shortcut(h) + self.two(functional.silu(inner))
        return after
