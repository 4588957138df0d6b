"""Views of a picture: augmentations, and masks as growing canvases and crops have them."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from intarsia.errors import UsageError


class Augmentation:
    """SimCLR's augmentations with the probabilities of lightly's transform, for whole batches.

    lightly's own works picture by picture, about five times as slow on a CPU; this is kornia.

    Parameters
    ----------
    size, channels : of the pictures. Grey ones are cropped and no more.
    least_area : of a random crop, as a share of the picture.
    jitter : strength of changes of brightness, contrast, saturation and hue, as SimCLR's ``s``.

    Raises
    ------
    UsageError
        If kornia is not installed.
    """

    def __init__(
        self, size: tuple[int, int], channels: int, least_area: float = 0.3, jitter: float = 0.5
    ) -> None:
        try:
            import kornia.augmentation as kornia
        except ImportError as error:
            raise UsageError(
                f"Views of pictures are drawn by kornia, which cannot be imported ({error}). "
                "Install it: pip install 'intarsia[encoders]'."
            ) from error
        steps: list[Any] = [kornia.RandomResizedCrop(size, scale=(least_area, 1.0))]
        if channels == 3:
            strength = 0.8 * jitter
            steps += [
                kornia.RandomHorizontalFlip(p=0.5),
                kornia.ColorJitter(strength, strength, strength, 0.2 * jitter, p=0.8),
                kornia.RandomGrayscale(p=0.2),
            ]
        self._chain = kornia.AugmentationSequential(*steps, data_keys=["input"])

    def __call__(self, pictures: Float[Tensor, "b c h w"], seed: int) -> Float[Tensor, "b c h w"]:
        """Return changed pictures, values from 0 to 1; the same for the same seed."""
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # kornia draws from the global generator
            changed: Tensor = self._chain(pictures)
        return changed


def growing(
    count: int, cells: tuple[int, int], generator: torch.Generator
) -> Bool[Tensor, "b gh gw"]:
    """Masks of canvases at random stages of their growth in shells, from a seed of 2x2 cells.

    Half of the seeds are at the centre, as the sampler's are, the others anywhere.
    """
    rows, cols = _grid(cells)
    place = torch.rand(2, count, 1, 1, generator=generator)
    centred = torch.rand(count, 1, 1, generator=generator) < 0.5
    row, col = (
        torch.where(centred, (side - 1) / 2, at * (side - 1))
        for side, at in zip(cells, place, strict=True)
    )
    jitter = 0.5 * torch.rand(count, *cells, generator=generator)
    distance = torch.maximum((rows - row).abs(), (cols - col).abs()) + jitter
    rank = distance.flatten(1).argsort(dim=1).argsort(dim=1).view(count, *cells)
    known = torch.randint(4, cells[0] * cells[1] + 1, (count, 1, 1), generator=generator)
    return rank < known


def rectangles(
    count: int, cells: tuple[int, int], generator: torch.Generator
) -> Bool[Tensor, "b gh gw"]:
    """Masks of random rectangles, at least about half of each side: crops of what is drawn."""
    inside = torch.ones(count, *cells, dtype=torch.bool)
    for at, side in zip(_grid(cells), cells, strict=True):
        length = torch.randint((side + 1) // 2, side + 1, (count, 1, 1), generator=generator)
        first = (torch.rand(count, 1, 1, generator=generator) * (side - length + 1)).floor()
        inside &= (at >= first) & (at < first + length)
    return inside


def _grid(cells: tuple[int, int]) -> tuple[Tensor, Tensor]:
    rows, cols = torch.meshgrid(*(torch.arange(side).float() for side in cells), indexing="ij")
    return rows, cols
