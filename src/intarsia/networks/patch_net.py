"""The network of the shipped encoders: a training-free first stage under a small trained one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

SOFT = 0.1
"""Added to the length of a whitened patch, so that flat ones stay small."""


class PatchStage(nn.Module):
    """Patches against a dictionary of patches, averaged over cells; nothing here is trained.

    A patch loses its mean, is whitened and brought to length 1, and answers each atom of the
    dictionary with what its cosine exceeds a threshold by (Coates and Ng, 2011; Chen et al., 2022,
    arXiv 2209.15261). Cells of 2x2 patches are averaged over those that are wholly known; roots of
    the averages are projected onto their principal axes.

    Parameters
    ----------
    channels : of the pictures.
    atoms : size of the dictionary.
    width : principal axes kept.
    side, stride : of patches, in pixels.

    Notes
    -----
    The buffers are what `intarsia.represent.patch_stage.fit` finds.
    """

    whitening: Tensor
    dictionary: Tensor
    threshold: Tensor
    mean: Tensor
    axes: Tensor

    def __init__(
        self, channels: int, atoms: int, width: int, side: int = 6, stride: int = 2
    ) -> None:
        super().__init__()
        self.side, self.stride = side, stride
        pixels = channels * side * side
        self.register_buffer("whitening", torch.zeros(pixels, channels, side, side))
        self.register_buffer("dictionary", torch.zeros(atoms, pixels))
        self.register_buffer("threshold", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(atoms))
        self.register_buffer("axes", torch.zeros(atoms, width))

    def activations(
        self, images: Float[Tensor, "b c h w"], known: Bool[Tensor, "b h w"] | None = None
    ) -> tuple[Float[Tensor, "b k gh gw"], Float[Tensor, "b 1 gh gw"]]:
        """Return the averaged answers of each cell, and which cells know any patch (1 or 0).

        Parameters
        ----------
        images : grey or colour values from 0 to 1; what is unknown is not looked at.
        known : pixels that are there; all when None.
        """
        x = images.contiguous(memory_format=torch.channels_last)
        white = functional.conv2d(x, self.whitening, stride=self.stride).permute(0, 2, 3, 1)
        white = white / (white.norm(dim=3, keepdim=True) + SOFT)
        shape = white.shape[:3]
        answers = torch.addmm(
            -self.threshold, white.reshape(-1, white.shape[3]), self.dictionary.T
        ).relu_()
        maps = answers.view(*shape, -1).permute(0, 3, 1, 2)
        if known is None:
            cells = functional.avg_pool2d(maps, 2, ceil_mode=True)
            return cells, torch.ones_like(cells[:, :1])
        whole = functional.unfold(known[:, None].float(), self.side, stride=self.stride)
        there = whole.amin(dim=1).view(len(known), 1, *shape[1:])
        share = functional.avg_pool2d(there, 2, ceil_mode=True)
        cells = functional.avg_pool2d(maps * there, 2, ceil_mode=True)
        return cells / share.clamp_min(1e-6), (share > 0).float()

    def projected(self, cells: Float[Tensor, "b k gh gw"]) -> Float[Tensor, "b r gh gw"]:
        """Return roots of averaged answers along their principal axes."""
        rows = cells.permute(0, 2, 3, 1)
        return ((rows.sqrt() - self.mean) @ self.axes).permute(0, 3, 1, 2)

    def forward(
        self, images: Float[Tensor, "b c h w"], known: Bool[Tensor, "b h w"] | None = None
    ) -> tuple[Float[Tensor, "b r gh gw"], Float[Tensor, "b 1 gh gw"]]:
        """Return features of cells, 0 where nothing is known, and which cells are known."""
        cells, there = self.activations(images, known)
        return self.projected(cells) * there, there


class CellNet(nn.Module):
    """Three trained convolutions over cells.

    Parameters
    ----------
    inputs : features of a cell.
    widths : channels of the convolutions: 3x3, 3x3 with stride 2, 1x1.
    """

    def __init__(self, inputs: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        one, two, three = widths
        self.width = three
        self.normalise = nn.BatchNorm2d(inputs, affine=False)
        self.first = _conv(inputs + 1, one, 3)
        self.second = _conv(one, two, 3, stride=2)
        self.third = _conv(two, three, 1)

    def forward(
        self, cells: Float[Tensor, "b r gh gw"], there: Float[Tensor, "b 1 gh gw"]
    ) -> Float[Tensor, "b d"]:
        """Return the last convolution's mean over known cells."""
        return self.pooled(cells, there, 1)[0]

    def pooled(
        self, cells: Float[Tensor, "b r gh gw"], there: Float[Tensor, "b 1 gh gw"], fields: int
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, "b e"], Float[Tensor, "b f"]]:
        """Return what is known of a picture at three depths; unknown cells do not matter.

        Returns
        -------
        the last convolution's mean over all cells; the second's over each quarter of the
        picture; the first stage's over each of ``fields`` x ``fields`` parts.
        """
        plain = self.normalise(cells) * there
        x = torch.cat([plain, there], dim=1).contiguous(memory_format=torch.channels_last)
        middle = self.second(self.first(x))
        near = functional.max_pool2d(there, 3, 2, 1)
        return (
            _means(self.third(middle), near, 1),
            _means(middle, near, 2),
            _means(plain, there, fields),
        )


class PatchNet(nn.Module):
    """`PatchStage` and `CellNet`: pictures with a mask of known pixels in, features out.

    Parameters
    ----------
    channels : of the pictures.
    atoms, width, side, stride : of the first stage.
    widths : of the second.
    outputs : features in the end: the three depths of `CellNet.pooled`, side by side, under a
        linear map that `intarsia.represent.metric.fit` finds.
    fields : parts along each side that features of the first stage are averaged over.
    """

    centre: Tensor
    metric: Tensor

    def __init__(
        self,
        channels: int,
        atoms: int = 1024,
        width: int = 128,
        widths: tuple[int, int, int] = (128, 256, 512),
        outputs: int = 384,
        side: int = 6,
        stride: int = 2,
        fields: int = 2,
    ) -> None:
        super().__init__()
        self.channels, self.fields = channels, fields
        self.patches = PatchStage(channels, atoms, width, side, stride)
        self.cells = CellNet(width, widths)
        joined = widths[2] + 4 * widths[1] + fields**2 * width
        self.register_buffer("centre", torch.zeros(joined))
        self.register_buffer("metric", torch.zeros(joined, outputs))

    def joined(
        self, cells: Float[Tensor, "b r gh gw"], there: Float[Tensor, "b 1 gh gw"]
    ) -> Float[Tensor, "b e"]:
        """Return the three depths side by side."""
        return torch.cat(self.cells.pooled(cells, there, self.fields), dim=1)

    def forward(self, x: Float[Tensor, "b c2 h w"]) -> Float[Tensor, "b d"]:
        """Return features of pictures whose last channel says which pixels are known."""
        images, known = x[:, : self.channels], x[:, self.channels] > 0.5
        return (self.joined(*self.patches(images, known)) - self.centre) @ self.metric


class PooledPatches(nn.Module):
    """`PatchStage` alone, averaged over 2x2 and 4x4 fields, under a linear map: nothing is trained.

    Parameters
    ----------
    channels : of the pictures.
    atoms, width, side, stride : of the first stage.
    outputs : features in the end; `intarsia.represent.metric.fit` finds the map.
    """

    centre: Tensor
    metric: Tensor

    def __init__(
        self,
        channels: int,
        atoms: int = 2048,
        width: int = 192,
        outputs: int = 256,
        side: int = 6,
        stride: int = 2,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.patches = PatchStage(channels, atoms, width, side, stride)
        self.register_buffer("centre", torch.zeros(20 * width))
        self.register_buffer("metric", torch.zeros(20 * width, outputs))

    def joined(
        self, cells: Float[Tensor, "b r gh gw"], there: Float[Tensor, "b 1 gh gw"]
    ) -> Float[Tensor, "b e"]:
        """Return the means over fields side by side; unknown fields are 0."""
        return torch.cat([_means(cells, there, parts) for parts in (2, 4)], dim=1)

    def forward(self, x: Float[Tensor, "b c2 h w"]) -> Float[Tensor, "b d"]:
        """Return features of pictures whose last channel says which pixels are known."""
        images, known = x[:, : self.channels], x[:, self.channels] > 0.5
        return (self.joined(*self.patches(images, known)) - self.centre) @ self.metric


def build(settings: Mapping[str, Any]) -> PatchNet:
    """Build an untrained `PatchNet` from ``network`` of config.json."""
    return PatchNet(**{**settings, "widths": tuple(settings["widths"])})


def _means(
    maps: Float[Tensor, "b c gh gw"], there: Float[Tensor, "b 1 gh gw"], parts: int
) -> Float[Tensor, "b e"]:
    """Mean over the known cells of each of parts x parts fields; 0 where none is known."""
    total = functional.adaptive_avg_pool2d(maps * there, parts)
    share = functional.adaptive_avg_pool2d(there, parts)
    return (total / share.clamp_min(1e-6)).flatten(1)


def _conv(before: int, after: int, side: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, side, stride, padding=side // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
