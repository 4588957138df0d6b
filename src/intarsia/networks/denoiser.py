"""What the denoising networks of paper C share: how they are told the time and the class.

M. Kamb, S. Ganguli, "An analytic theory of creativity in convolutional diffusion models" (paper C),
appendix on experiments: plain convolutions, residual connections, and no normalisation anywhere,
because a norm over the picture would carry information past the field of the convolutions.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from intarsia.errors import UsageError

PADDINGS = ("zero", "circular")

FREQUENCIES = 32
"""Sines and as many cosines of the time."""


@dataclass(frozen=True)
class DenoiserSettings:
    """All that decides a network's shape.

    Attributes
    ----------
    channels : of the pictures.
    widths : channels inside: one number for the ResNet, one a scale for the UNet.
    padding : ``zero``, or ``circular``, which makes a ResNet equivariant under all shifts.
    classes : how many there are to be told apart; 0 for an unconditional network.
    """

    channels: int
    widths: tuple[int, ...]
    padding: str = "zero"
    classes: int = 0

    def __post_init__(self) -> None:
        if self.padding not in PADDINGS:
            raise UsageError(
                f"--padding is {self.padding!r}; it must be one of {', '.join(PADDINGS)}."
            )
        if not self.widths or min(self.widths) < 1:
            raise UsageError(f"--width is {list(self.widths)}; every width is at least 1.")


class Denoiser(nn.Module, ABC):
    """A network that predicts the noise in pictures.

    Parameters
    ----------
    settings : its shape.

    Attributes
    ----------
    kind : the name it has on the command line and in checkpoints.
    halvings : how often it halves a picture's sides.
    default_widths : those of the paper.
    """

    kind: ClassVar[str]
    halvings: ClassVar[int] = 0
    default_widths: ClassVar[tuple[int, ...]]

    def __init__(self, settings: DenoiserSettings) -> None:
        super().__init__()
        if len(settings.widths) != len(self.default_widths):
            usual = ",".join(map(str, self.default_widths))
            raise UsageError(
                f"--width has {len(settings.widths)} numbers; a {self.kind} takes "
                f"{len(self.default_widths)}, such as {usual}."
            )
        self.settings = settings
        self.condition = Condition(4 * settings.widths[0], settings.classes)

    @abstractmethod
    def forward(
        self,
        x: Float[Tensor, "b c h w"],
        t: Float[Tensor, " b"],
        labels: Int64[Tensor, " b"] | None = None,
    ) -> Float[Tensor, "b c h w"]:
        """Return the noise seen in pictures.

        Parameters
        ----------
        x : noisy pictures, sqrt(alpha_bar) clean + sqrt(1 - alpha_bar) noise, clean in [-1, 1].
        t : times, from 0 (clean) to 1 (noise).
        labels : classes; given exactly if the network is class-conditional.
        """

    @classmethod
    def check_size(cls, size: tuple[int, int]) -> None:
        """Refuse pictures whose sides cannot be halved as often as the network does.

        Raises
        ------
        UsageError
            Naming a size that fits.
        """
        unit = 2**cls.halvings
        if any(side % unit for side in size):
            fitting = max(unit, round(max(size) / unit) * unit)
            raise UsageError(
                f"The pictures are {size[0]}x{size[1]}, but a {cls.kind} halves them "
                f"{cls.halvings} times, so their sides must be multiples of {unit}. "
                f"Use --resize {fitting}."
            )

    def conv(self, inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
        """Return a 3x3 convolution with the network's padding."""
        mode: Literal["zeros", "circular"]
        mode = "zeros" if self.settings.padding == "zero" else "circular"
        return nn.Conv2d(inputs, outputs, 3, stride, 1, padding_mode=mode)


class Condition(nn.Module):
    """Time and class as one vector, the same for all pixels.

    Parameters
    ----------
    width : of the vector.
    classes : 0 for none.
    """

    frequencies: Tensor

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.width = width
        rising = torch.exp(torch.linspace(0.0, math.log(1000.0), FREQUENCIES))
        self.register_buffer("frequencies", rising, persistent=False)
        self.time = nn.Sequential(nn.Linear(2 * FREQUENCIES, width), nn.SiLU())
        self.classes = nn.Embedding(classes, width) if classes else None
        self.mixed = nn.Sequential(nn.Linear(width, width), nn.SiLU())

    def forward(
        self, t: Float[Tensor, " b"], labels: Int64[Tensor, " b"] | None
    ) -> Float[Tensor, "b d"]:
        """Return the vectors."""
        angles = t[:, None] * self.frequencies
        told = self.time(torch.cat([angles.sin(), angles.cos()], dim=1))
        if (labels is None) != (self.classes is None):
            raise UsageError(
                "The network is class-conditional: give it labels."
                if labels is None
                else "The network is not class-conditional: drop the labels."
            )
        if self.classes is not None and labels is not None:
            told = told + self.classes(labels)
        mixed: Tensor = self.mixed(told)
        return mixed
