"""A training-free phi: the known part of the canvas at low resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Int32, UInt8

from intarsia.errors import UsageError
from intarsia.represent.encoder import Codes, Encoder


@dataclass(frozen=True)
class LowResolution(Encoder):
    """Means over cells of ``factor`` x ``factor`` pixels, taken over the known pixels alone.

    A cell counts once at least half of it is known. Arithmetic is exact: a mean is rounded half
    up to a whole value, less 128.

    Parameters
    ----------
    factor : side of a cell in pixels; cells at the far edges cover what is left.
    """

    name: ClassVar[str] = "lowres"
    factor: int = 2

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise UsageError(f"A cell of the low-resolution encoder has side {self.factor}.")

    def codes(self, images: UInt8[np.ndarray, "b h w c"], known: Bool[np.ndarray, "h w"]) -> Codes:
        """Encode canvases: int8 [B, rows * cols * C], rows and columns of cells."""
        if known.all() and not any(side % self.factor for side in known.shape):
            return self._whole(images)
        masked = images if known.all() else np.where(known[None, :, :, None], images, 0)
        total = self._cells(masked)
        count = self._cells(known[None, :, :, None].astype(np.uint8))
        area = self._cells(np.ones((1, *known.shape, 1), np.uint8))
        mean = (2 * total + count) // np.maximum(2 * count, 1) - 128
        counts = 2 * count >= area
        values = np.where(counts, mean, 0).astype(np.int8).reshape(len(images), -1)
        present = np.broadcast_to(counts, (1, *total.shape[1:])).reshape(-1)
        return Codes(values, present.copy())

    def _whole(self, images: UInt8[np.ndarray, "b h w c"]) -> Codes:
        """Encode pictures all of whose cells are whole and known."""
        f = self.factor
        n, height, width, channels = images.shape
        pixels = torch.from_numpy(np.array(images))
        parts = pixels.view(n, height // f, f, width // f, f, channels)
        wide = torch.int16 if f * f * 256 < 2**15 else torch.int32
        total = torch.full((1,), f * f // 2, dtype=wide)  # half a cell more rounds half up
        rows = sum((parts[:, :, dy].to(wide) for dy in range(1, f)), parts[:, :, 0].to(wide))
        total = sum((rows[:, :, :, dx] for dx in range(f)), total)
        mean = total.div(f * f, rounding_mode="floor") - 128
        values = mean.to(torch.int8).reshape(n, -1).numpy()
        return Codes(values, np.ones(values.shape[1], bool))

    def _cells(self, array: UInt8[np.ndarray, "b h w c"]) -> Int32[np.ndarray, "b rows cols c"]:
        """Sum over cells."""
        f = self.factor
        rest = [(-side) % f for side in array.shape[1:3]]
        padded = np.pad(array, ((0, 0), (0, rest[0]), (0, rest[1]), (0, 0)))
        total = np.zeros((1,), np.int32)
        for dy in range(f):
            for dx in range(f):
                total = total + padded[:, dy::f, dx::f].astype(np.int32)
        return total
