"""A batch of queries: what the canvases show around one place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int8, Int32, Int64, UInt8

from intarsia.dictionary.window import Border, Window


@dataclass(frozen=True)
class Query:
    """The known pixels around one place, on a batch of canvases that know the same pixels.

    Attributes
    ----------
    place : (row, column) on the canvas.
    offsets : int64 [K, 2], the window pixels that are compared, relative to the place.
    weights : int32 [K].
    values : int8 [B, C, K], uint8 canvas values minus 128.
    salts : int64 [B], what tells this draw from every other (`reduce.keys.salts`).
    """

    place: tuple[int, int]
    offsets: Int64[np.ndarray, "k 2"]
    weights: Int32[np.ndarray, " k"]
    values: Int8[np.ndarray, "b c k"]
    salts: Int64[np.ndarray, " b"]

    @classmethod
    def at(
        cls,
        place: tuple[int, int],
        canvas: UInt8[np.ndarray, "b h w c"],
        known: Bool[np.ndarray, "h w"],
        window: Window,
        border: Border,
        salts: Int64[np.ndarray, " b"],
    ) -> Query:
        """Read the window around ``place``: its known pixels, as the border has them."""
        height, width = known.shape
        at = window.offsets + np.array(place)
        inside = ((at >= 0) & (at < (height, width))).all(axis=1)
        if border == "wrap":
            at %= (height, width)
            inside[:] = True
        clipped = np.where(inside[:, None], at, 0)
        seen = inside & known[clipped[:, 0], clipped[:, 1]]
        beyond = ~inside if border == "zeros" else np.zeros_like(inside)
        use = seen | beyond
        values = canvas[:, clipped[use, 0], clipped[use, 1]]
        values[:, beyond[use]] = 0
        centred = (values ^ 128).view(np.int8).transpose(0, 2, 1)
        weights = window.weights.ravel()[use]
        return cls(place, window.offsets[use], weights, np.ascontiguousarray(centred), salts)

    def without_appearance(self) -> Query:
        """Return the query that compares nothing: every candidate is as good (NS+H)."""
        return Query(
            self.place, self.offsets[:0], self.weights[:0], self.values[:, :, :0], self.salts
        )

    def narrowed(self) -> Query | None:
        """Return the query without its outermost ring of pixels; None if nothing is compared.

        Of the innermost ring the corners go first; the last query compares nothing.
        """
        if not len(self.offsets):
            return None
        reach = np.abs(self.offsets).max(axis=1)
        if reach.max() == 1:
            reach = (self.offsets**2).sum(axis=1)
        inner = reach < reach.max()
        return Query(
            self.place,
            self.offsets[inner],
            self.weights[inner],
            np.ascontiguousarray(self.values[:, :, inner]),
            self.salts,
        )

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known_weight(self) -> int:
        """W: the weights of all compared pixels and channels, summed."""
        return self.values.shape[1] * int(self.weights.sum())
