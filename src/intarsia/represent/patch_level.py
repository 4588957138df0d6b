"""Phi at patch level: paper A's letter, which embeds the patch omega(p) itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, UInt8

from intarsia.errors import UsageError
from intarsia.represent.encoder import Codes, Encoder

if TYPE_CHECKING:
    from intarsia.corpus import Corpus


@dataclass(frozen=True)
class PatchLevel:
    """Shows an encoder only the neighbourhood of the place to be filled.

    What it finds similar is a place in a picture, not a picture: training pictures are moved so
    that their similar patch lies under the query.

    Parameters
    ----------
    phi : the encoder of neighbourhoods.
    side : pixels across a neighbourhood, odd; wider than the window, or phi sees nothing that
        the squared differences do not.
    """

    phi: Encoder
    side: int = 15

    @property
    def name(self) -> str:
        """The name ``--encoder`` takes."""
        return f"patch:{self.phi.name}"

    @property
    def fingerprint(self) -> str | None:
        """That of the encoder of neighbourhoods."""
        return self.phi.fingerprint

    def query(
        self,
        canvas: UInt8[np.ndarray, "b h w c"],
        known: Bool[np.ndarray, "h w"],
        place: tuple[int, int],
    ) -> Codes:
        """Encode the neighbourhoods of ``place``."""
        return self.phi.codes(_crop(canvas, place, self.side), _crop(known, place, self.side))

    def neighbourhoods(
        self,
        images: UInt8[np.ndarray, "n h w c"],
        known: Bool[np.ndarray, "h w"],
        place: tuple[int, int],
        radius: int,
    ) -> Iterator[tuple[tuple[int, int], Codes]]:
        """Encode the pictures' neighbourhoods at each place within ``radius``.

        Yields (row, column) moves and codes, for those moves at which a picture has a pixel
        wherever the query knows one. The move (0, 0) always does.
        """
        height, width = known.shape
        near = _crop(known, place, self.side)
        near[self.side // 2, self.side // 2] = True
        rows, cols = (np.flatnonzero(near.any(axis=a)) - self.side // 2 for a in (1, 0))
        inside = np.ones((height, width), bool)  # beyond its edge a picture shows phi nothing
        for dy in range(-radius, radius + 1):
            for dx in range(-radius, radius + 1):
                row, col = place[0] + dy, place[1] + dx
                if row + rows[0] < 0 or row + rows[-1] >= height:
                    continue
                if col + cols[0] < 0 or col + cols[-1] >= width:
                    continue
                crops, mask = (_crop(array, (row, col), self.side) for array in (images, inside))
                yield (dy, dx), self.phi.codes(crops, mask)


def neighbourhoods_of(corpus: Corpus, side: int, count: int = 20_000) -> Corpus:
    """Return neighbourhoods from random places of a corpus, to fit an encoder to.

    Parameters
    ----------
    corpus : pictures of one size.
    side : pixels across a neighbourhood.
    count : how many.

    Raises
    ------
    UsageError
        If the pictures are smaller.
    """
    from intarsia.corpus import Corpus

    height, width = corpus.size
    if side > min(height, width):
        raise UsageError(
            f"An encoder of patches is fitted to neighbourhoods of {side}x{side} pixels, and "
            f"{corpus.name!r} has pictures of {height}x{width}. Drop patch:, use patch:lowres, "
            "which is not fitted, or enlarge the pictures with --resize."
        )
    rng = np.random.default_rng(0)
    which = rng.integers(len(corpus), size=count)
    rows = rng.integers(height - side + 1, size=count)
    cols = rng.integers(width - side + 1, size=count)
    assert corpus.images is not None
    crops = np.empty((count, side, side, corpus.channels), np.uint8)
    for at, (i, row, col) in enumerate(zip(which, rows, cols, strict=True)):
        crops[at] = corpus.images[i, row : row + side, col : col + side]
    return Corpus.from_arrays(crops, name=f"neighbourhoods of {corpus.name}")


def _crop(array: np.ndarray, place: tuple[int, int], side: int) -> np.ndarray:
    """Cut a square around ``place`` from [H, W] or [B, H, W, C]; zeros (False) beyond the edge."""
    half = side // 2
    first = 0 if array.ndim == 2 else 1
    out_shape = list(array.shape)
    out_shape[first] = out_shape[first + 1] = side
    out = np.zeros(out_shape, array.dtype)
    source, target = [], []
    for axis, centre in zip((first, first + 1), place, strict=True):
        lo, hi = max(0, centre - half), min(array.shape[axis], centre + half + 1)
        source.append(slice(lo, hi))
        target.append(slice(lo - centre + half, hi - centre + half))
    lead = (slice(None),) * first
    out[(*lead, *target)] = array[(*lead, *source)]
    return out
