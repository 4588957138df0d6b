"""The autoencoder with binary latents, BL-AE (paper B, section 3.2, tables 4 and 5).

The printed layer tables do not add up; this is how they are read here. Weights are written
outputs x inputs x height x width in one row and inputs x outputs in the next, so data sizes decide.
``ConvT2d 512 x 1024 x 4 x 4, stride 1, padding 0`` would turn 4x4 into 7x7: it is a 3x3 with
padding 1. The refining layers, printed 1x1 with stride 3, are 3x3 with stride 1. "8196" is 8,192.
A LeakyReLU stands between the two 1x1 layers on either side of the latents, which printed as they
are would be one linear layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from intarsia.errors import UsageError

Noise = Literal["triangular", "gaussian"]
"""Laws of the noise on the latents: eq. 6 with kappa = 1/2, or a standard Gaussian."""

SLOPE = 0.01
"""Of LeakyReLU."""


@dataclass(frozen=True)
class BlaeSettings:
    """All that decides the shape of a BL-AE and the noise it is trained with.

    Attributes
    ----------
    channels : of the pictures.
    size : (H, W) of the pictures.
    bits : NoD, binary values a token.
    widths : channels of the convolutions that halve the sides, finest first; each halves once.
    hidden : channels of the 1x1 layers beside the latents.
    noise : law of the noise.
    sigma : the noise is multiplied by this: half-width of the triangle, or standard deviation.
    normalise : batch normalisation after every convolution inside, which the paper does not have:
        pictures are learned in fewer epochs, but latents stay less binary.
    memory : hidden values of a dense layer from all bits to all pixels, which the paper does not
        have: it learns by heart what the convolutions leave, at a sixteenth of the arithmetic that
        convolutions on a 4x4 grid take for as many weights. 0 for none.
    """

    channels: int
    size: tuple[int, int]
    bits: int = 12
    widths: tuple[int, ...] = (64, 128, 256)
    hidden: int = 1024
    noise: str = "gaussian"
    sigma: float = 1.25
    normalise: bool = False
    memory: int = 2048

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 62:
            raise UsageError(f"--bits is {self.bits}; a token has 1 to 62 binary values.")
        if not self.widths or min(self.widths) < 1 or self.hidden < 1 or self.memory < 0:
            raise UsageError(
                "--widths and --hidden are at least 1 channel, and --memory is 0 or more values."
            )
        if self.noise not in get_args(Noise):
            raise UsageError(
                f"--noise is {self.noise!r}; it must be {' or '.join(get_args(Noise))}."
            )
        if not 0 <= self.sigma < float("inf"):
            raise UsageError(f"--sigma is {self.sigma}; noise has a strength of 0 or more.")
        unit = 2 ** len(self.widths)
        if any(side % unit for side in self.size):
            fitting = max(unit, round(max(self.size) / unit) * unit)
            raise UsageError(
                f"The pictures are {self.size[0]}x{self.size[1]}, but {len(self.widths)} widths "
                f"halve their sides {len(self.widths)} times, so the sides must be multiples of "
                f"{unit}. Use --resize {fitting}, or --grid for another number of halvings."
            )

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, columns) of the latents."""
        unit = 2 ** len(self.widths)
        return self.size[0] // unit, self.size[1] // unit


def shape_for(
    size: tuple[int, int],
    channels: int,
    *,
    bits: int | None = None,
    grid: int | None = None,
    widths: tuple[int, ...] | None = None,
    hidden: int | None = None,
    noise: str = "gaussian",
    sigma: float = 1.25,
    normalise: bool = False,
    memory: int = 2048,
) -> BlaeSettings:
    """Return a shape whose latents lie on a grid of so many tokens a side.

    Parameters
    ----------
    size, channels : of the pictures.
    grid : tokens along the shorter side; 4, as in table 5, unless ``widths`` say otherwise.
    bits, widths, hidden, noise, sigma, normalise, memory : as in `BlaeSettings`, or None for a
        shape that two cores train in minutes.

    Raises
    ------
    UsageError
        If halving the sides does not lead to that grid.
    """
    side = min(size)
    if widths is None:
        wanted = 4 if grid is None else grid
        halvings = max(1, round(math.log2(max(1.0, side / max(1, wanted)))))
        if wanted < 1 or wanted * 2**halvings != side:
            unit = max(1, wanted) * 2**halvings
            raise UsageError(
                f"The pictures are {size[0]}x{size[1]}, and halving that does not lead to a grid "
                f"of {wanted}x{wanted} tokens. Use --resize {unit}, or another --grid."
            )
        widths = tuple(min(64 * 2**at, 256) for at in range(halvings))
    elif grid is not None and grid * 2 ** len(widths) != side:
        raise UsageError(
            f"--widths has {len(widths)} numbers, which makes {side / 2 ** len(widths):g} tokens "
            f"of {side} pixels, and not --grid {grid}. Leave one of the two out."
        )
    return BlaeSettings(
        channels, size, 12 if bits is None else bits, widths,
        1024 if hidden is None else hidden, noise, sigma, normalise, memory,
    )  # fmt: skip


class BinaryAutoencoder(nn.Module):
    """Encoder, tanh, noise, decoder.

    Parameters
    ----------
    settings : its shape.
    """

    def __init__(self, settings: BlaeSettings) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = _encoder(settings)
        self.decoder = _decoder(settings)
        self.memory = _memory(settings) if settings.memory else None

    def latents(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k gh gw"]:
        """Return tanh of the encoder: values from -1 to 1 that training drives to the ends.

        Parameters
        ----------
        images : values from -1 to 1.
        """
        found: Tensor = self.encoder(images)
        return found.tanh()

    def decode(self, latents: Float[Tensor, "b k gh gw"]) -> Float[Tensor, "b c h w"]:
        """Return pictures, about -1 to 1, of latents."""
        pictures = self.convolved(latents)
        return pictures if self.memory is None else pictures + self.remembered(latents)

    def convolved(self, latents: Float[Tensor, "b k gh gw"]) -> Float[Tensor, "b c h w"]:
        """Return what the convolutions make of latents: the paper's decoder."""
        pictures: Tensor = self.decoder(latents)
        return pictures

    def remembered(self, latents: Float[Tensor, "b k gh gw"]) -> Float[Tensor, "b c h w"]:
        """Return what the dense layer adds."""
        assert self.memory is not None
        added: Tensor = self.memory(latents)
        return added

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return reconstructions from binary latents, without noise."""
        return self.decode(self.latents(images).sign())


def noise_like(
    latents: Float[Tensor, "*shape"], law: str, generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draw noise of the shape of latents.

    ``triangular`` is the sum of two uniform values, the triangle on (-1, 1) of eq. 22: eq. 6 with
    kappa = 1/2. The kappa = 2 that the paper names has its mass at the ends
    (docs/errata-paper-b.md).
    """
    shape = latents.shape
    if law == "gaussian":
        noise = torch.randn(shape, generator=generator)
    else:
        noise = torch.rand(shape, generator=generator) - torch.rand(shape, generator=generator)
    return noise.to(latents.device)


def to_unit(images: UInt8[Tensor, "b h w c"]) -> Float[Tensor, "b c h w"]:
    """Return uint8 pictures as values from -1 to 1, channels first."""
    moved = images.permute(0, 3, 1, 2).float() / 127.5 - 1
    return moved.contiguous(memory_format=torch.channels_last)


def to_bytes(pictures: Float[Tensor, "b c h w"]) -> UInt8[Tensor, "b h w c"]:
    """Return values from -1 to 1 as uint8 pictures, channels last."""
    scaled = (pictures.float().clamp(-1, 1) + 1) * 127.5
    return scaled.round().to(torch.uint8).permute(0, 2, 3, 1)


def _encoder(settings: BlaeSettings) -> nn.Sequential:
    layers: list[nn.Module] = []
    before = settings.channels
    for width in settings.widths:
        layers += [nn.Conv2d(before, width, 4, 2, 1), *_bent(settings, width)]
        before = width
    layers += [nn.Conv2d(before, settings.hidden, 1), *_bent(settings, settings.hidden)]
    return nn.Sequential(*layers, nn.Conv2d(settings.hidden, settings.bits, 1))


def _memory(settings: BlaeSettings) -> nn.Sequential:
    rows, cols = settings.grid
    shape = settings.channels, *settings.size
    hidden = nn.Linear(settings.bits * rows * cols, settings.memory)
    out = nn.Linear(settings.memory, settings.channels * settings.size[0] * settings.size[1])
    nn.init.kaiming_normal_(hidden.weight, SLOPE)
    nn.init.zeros_(out.weight)  # adds nothing until it has learned something
    nn.init.zeros_(out.bias)
    return nn.Sequential(nn.Flatten(), hidden, nn.LeakyReLU(SLOPE), out, nn.Unflatten(1, shape))


def _bent(settings: BlaeSettings, width: int) -> list[nn.Module]:
    """Return what follows a layer of so many channels."""
    normalised = [nn.BatchNorm2d(width)] if settings.normalise else []
    return [*normalised, nn.LeakyReLU(SLOPE)]


def _decoder(settings: BlaeSettings) -> nn.Sequential:
    coarse = settings.widths[-1]
    layers: list[nn.Module] = [
        nn.Conv2d(settings.bits, settings.hidden, 1),
        *_bent(settings, settings.hidden),
        nn.Conv2d(settings.hidden, 2 * coarse, 1),
        *_bent(settings, 2 * coarse),
        nn.ConvTranspose2d(2 * coarse, coarse, 3, 1, 1),
        *_bent(settings, coarse),
    ]
    finer = (settings.channels, *settings.widths)
    for at in reversed(range(len(settings.widths))):
        layers.append(nn.ConvTranspose2d(finer[at + 1], finer[at], 4, 2, 1))
        layers += _bent(settings, finer[at]) if at else [nn.Tanh()]
    refine = [
        nn.Conv2d(settings.channels, 32, 3, 1, 1),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(32, settings.channels, 3, 1, 1),
    ]
    return nn.Sequential(*layers, *refine)
