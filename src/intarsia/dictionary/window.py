"""The context window omega(p) and its integer Gaussian weights (paper A, section 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from jaxtyping import Int32, Int64

from intarsia.errors import UsageError

Border = Literal["ignore", "zeros", "wrap"]
"""What lies beyond a picture's edge: nothing, zeros, or the opposite edge."""

BORDERS: tuple[str, ...] = get_args(Border)


@dataclass(frozen=True)
class Window:
    """A square context window with Gaussian weights.

    Parameters
    ----------
    side : odd number of pixels, at least 3.
    sigma : standard deviation of the Gaussian in pixels; by default side / 6.4, as Efros and
        Leung use.

    Raises
    ------
    UsageError
        If the side is even or below 3, or sigma is not positive.

    References
    ----------
    Paper A (arXiv 2510.22196), section 2.4; A. Efros, T. Leung, "Texture synthesis by
    non-parametric sampling", ICCV 1999.

    Examples
    --------
    >>> Window(3).weights
    array([[ 13,  41,  13],
           [ 41, 127,  41],
           [ 13,  41,  13]], dtype=int32)
    """

    side: int
    sigma: float | None = None

    def __post_init__(self) -> None:
        if self.side < 3 or self.side % 2 == 0:
            near = max(3, self.side + 1 - self.side % 2)
            raise UsageError(
                f"--window is {self.side}, but a window has a centre pixel, so its side must be "
                f"odd and at least 3. Try {near}."
            )
        if self.sigma is not None and not 0 < self.sigma <= 1e6:
            raise UsageError(
                f"--sigma is {self.sigma}, but a Gaussian needs a positive width, such as "
                f"{self.side / 6.4:.2g}."
            )

    @property
    def half(self) -> int:
        """Pixels from the centre to an edge."""
        return self.side // 2

    @cached_property
    def weights(self) -> Int32[np.ndarray, "side side"]:
        """Weights from 1 to 127: integers keep distances exact, and none is rounded to nothing."""
        sigma = max(1e-6, self.side / 6.4 if self.sigma is None else self.sigma)
        across = np.arange(-self.half, self.half + 1, dtype=np.float64)
        squared = across[:, None] ** 2 + across[None, :] ** 2
        gauss = 127 * np.exp(-squared / (2 * sigma**2))
        return np.clip(np.floor(gauss + 0.5), 1, 127).astype(np.int32)

    @cached_property
    def offsets(self) -> Int64[np.ndarray, "pixels 2"]:
        """(row, column) of each window pixel relative to the centre, in raster order."""
        across = np.arange(-self.half, self.half + 1)
        rows, cols = np.meshgrid(across, across, indexing="ij")
        return np.stack([rows.ravel(), cols.ravel()], axis=1).astype(np.int64)
