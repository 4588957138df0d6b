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
        masked = images if known.all() else np.where(known[None, :, :, None], images, 0)
        total = self._cells(masked)
        count = self._cells(known[None, :, :, None].astype(np.uint8))
        area = self._cells(np.ones((1, *known.shape, 1), np.uint8))
        mean = (2 * total + count) // np.maximum(2 * count, 1) - 128
        counts = 2 * count >= area
        values = np.where(counts, mean, 0).astype(np.int8).reshape(len(images), -1)
        present = np.broadcast_to(counts, (1, *total.shape[1:])).reshape(-1)
        return Codes(values, present.copy())

    def _cells(self, array: UInt8[np.ndarray, "b h w c"]) -> Int32[np.ndarray, "b rows cols c"]:
        """Sum over cells; by torch, whose sums of strided views take a quarter of numpy's time."""
        f = self.factor
        rest = [(-side) % f for side in array.shape[1:3]]
        padded = torch.from_numpy(np.pad(array, ((0, 0), (0, rest[0]), (0, rest[1]), (0, 0))))
        n, height, width, channels = padded.shape
        parts = padded.view(n, height // f, f, width // f, f, channels)
        total = parts[:, :, 0].to(torch.int32)
        for dy in range(1, f):
            total += parts[:, :, dy]
        cells = total[:, :, :, 0].clone()
        for dx in range(1, f):
            cells += total[:, :, :, dx]
        return cells.numpy()
