"""The ResNet of paper C: eight 3x3 convolutions, so that a pixel sees 17x17 and not one more.

M. Kamb, S. Ganguli, "An analytic theory of creativity in convolutional diffusion models" (paper C),
appendix on experiments: an up-scaling and a down-scaling layer around 6 convolutions of 256
channels with residual connections. The released code builds two convolutions more.
"""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from intarsia.networks.denoiser import Denoiser, DenoiserSettings

LAYERS = 6

FIELD = 1 + 2 * (LAYERS + 2)
"""Side of the field of view: each 3x3 convolution adds a ring."""


class ResNet(Denoiser):
    """Six residual convolutions of one width between two that change it."""

    kind = "resnet"
    default_widths: ClassVar[tuple[int, ...]] = (256,)

    def __init__(self, settings: DenoiserSettings) -> None:
        super().__init__(settings)
        (width,) = settings.widths
        self.up = self.conv(settings.channels, width)
        self.layers = nn.ModuleList(self.conv(width, width) for _ in range(LAYERS))
        self.told = nn.ModuleList(nn.Linear(self.condition.width, width) for _ in range(LAYERS))
        self.down = self.conv(width, settings.channels)

    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        t: Float[Tensor, " b"],
        labels: Int64[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b c h w"]:
        """Return the noise seen in pictures; see `Denoiser.forward`."""
        condition = self.condition(t, labels)
        h = self.up(x)
        for layer, told in zip(self.layers, self.told, strict=True):
            h = h + layer(functional.silu(h + told(condition)[:, :, None, None]))
        noise: Tensor = self.down(h)
        return noise
