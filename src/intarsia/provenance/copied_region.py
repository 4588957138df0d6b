"""The largest piece of a picture that lies in one training image as it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from intarsia.errors import UsageError


@dataclass(frozen=True, eq=False)
class CopiedRegion:
    """A connected region whose pixels come from one training image at one shift.

    Attributes
    ----------
    image : the training image; -1 if no pixel has a source.
    shift : (rows, columns) from a pixel's place in the picture to its source's.
    mask : bool [H, W], the region.
    """

    image: int
    shift: tuple[int, int]
    mask: Bool[np.ndarray, "h w"] = field(repr=False)

    @property
    def pixels(self) -> int:
        """How many pixels it has."""
        return int(self.mask.sum())

    @property
    def share(self) -> float:
        """Its share of the picture, 0 to 1."""
        return self.pixels / self.mask.size

    def as_dict(self) -> dict[str, Any]:
        """Return image, shift, pixels, share and the box (top, left, height, width)."""
        rows, cols = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        box = [0, 0, 0, 0]
        if len(rows):
            box = [
                int(rows[0]),
                int(cols[0]),
                int(rows[-1] - rows[0]) + 1,
                int(cols[-1] - cols[0]) + 1,
            ]
        return {
            "image": self.image,
            "shift": list(self.shift),
            "pixels": self.pixels,
            "share": self.share,
            "box": box,
        }


def largest_region(
    image: Int[np.ndarray, "h w"], row: Int[np.ndarray, "h w"], col: Int[np.ndarray, "h w"]
) -> CopiedRegion:
    """Find the largest region, connected by edges, of one image at one shift.

    Parameters
    ----------
    image, row, col : the source of each pixel; -1 for none. Of equal regions the first in raster
        order is returned.

    Raises
    ------
    UsageError
        If the maps are not of one shape [H, W].
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if image.ndim != 2 or not image.shape == row.shape == col.shape:
        raise UsageError(f"source maps have shapes {image.shape}, {row.shape}, {col.shape}.")
    height, width = image.shape
    down = row.astype(np.int64) - np.arange(height)[:, None]
    across = col.astype(np.int64) - np.arange(width)
    piece = np.stack([image.astype(np.int64), down, across])
    number = np.arange(height * width).reshape(height, width)
    right = (piece[:, :, 1:] == piece[:, :, :-1]).all(axis=0)
    below = (piece[:, 1:] == piece[:, :-1]).all(axis=0)
    first = np.concatenate([number[:, :-1][right], number[:-1][below]])
    second = np.concatenate([number[:, 1:][right], number[1:][below]])
    edges = coo_array((np.ones(len(first), np.int8), (first, second)), (number.size,) * 2)
    _, region = connected_components(edges, directed=False)
    sizes = np.bincount(region, minlength=number.size)[region]
    sizes = np.where(image.ravel() >= 0, sizes, 0)
    at = int(sizes.argmax())
    if sizes[at] == 0:
        return CopiedRegion(-1, (0, 0), np.zeros((height, width), bool))
    y, x = divmod(at, width)
    mask = (region == region[at]).reshape(height, width)
    return CopiedRegion(int(image[y, x]), (int(down[y, x]), int(across[y, x])), mask)
