"""Counts of equal labels in sliding windows, which the entropies and the regions share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int, Int64

from intarsia.errors import UsageError

SIDE = 7
"""Side of the window of paper A, section 3.3."""

_ENTRIES = 1 << 22  # sorted at once: bounds memory to a few dozen megabytes


@dataclass(frozen=True)
class Runs:
    """Labels of each window, sorted, and how often each occurs.

    Parameters
    ----------
    ordered : [..., k], the k labels of a window in ascending order.
    count : int [..., k], where a run of equal labels ends its length, elsewhere 0.
    """

    ordered: Int[np.ndarray, "... k"]
    count: Int64[np.ndarray, "... k"]

    @classmethod
    def of(cls, windows: Int[np.ndarray, "... k"]) -> Runs:
        """Sort and count."""
        ordered = np.sort(windows, axis=-1)
        k = ordered.shape[-1]
        ends = np.ones(ordered.shape, dtype=bool)
        ends[..., :-1] = ordered[..., 1:] != ordered[..., :-1]
        place = np.where(ends, np.arange(1, k + 1), 0)
        before = np.zeros_like(place)
        before[..., 1:] = np.maximum.accumulate(place, axis=-1)[..., :-1]
        return cls(ordered, np.where(ends, place - before, 0))

    @property
    def distinct(self) -> Int64[np.ndarray, "..."]:
        """How many different labels."""
        return np.count_nonzero(self.count, axis=-1)

    @property
    def most(self) -> Int64[np.ndarray, "..."]:
        """How often the most frequent label occurs."""
        return self.count.max(axis=-1)

    @property
    def winner(self) -> Int[np.ndarray, "..."]:
        """The most frequent label; of several, the least."""
        at = self.count.argmax(axis=-1)
        return np.take_along_axis(self.ordered, at[..., None], axis=-1)[..., 0]

    @property
    def entropy(self) -> Float64[np.ndarray, "..."]:
        """Empirical entropy in nats: log k - (sum of c log c) / k over the counts c."""
        k = self.ordered.shape[-1]
        number = np.arange(k + 1, dtype=np.float64)
        table = number * np.log(np.maximum(number, 1))
        # max: one label throughout is exactly 0, whatever the logarithm rounds to
        return np.maximum(0, np.log(k) - table[self.count].sum(axis=-1) / k)


def slide(maps: np.ndarray, side: int = SIDE) -> np.ndarray:
    """View [n, H, W] as its windows [n, H - side + 1, W - side + 1, side, side], stride 1.

    A picture smaller than the window has none: the axes of places are then empty.
    """
    if side < 1:
        raise UsageError(f"The window's side is {side}, but must be at least 1.")
    n, height, width = maps.shape
    if height < side or width < side:
        empty = (n, max(0, height - side + 1), max(0, width - side + 1), side, side)
        return np.empty(empty, dtype=maps.dtype)
    return np.lib.stride_tricks.sliding_window_view(maps, (side, side), axis=(1, 2))


def touches(mask: Bool[np.ndarray, "n h w"], side: int = SIDE) -> Bool[np.ndarray, "n y x"]:
    """Which windows hold a pixel of the mask."""
    return np.asarray(slide(mask, side).any(axis=(-2, -1)))


def counted(maps: Int[np.ndarray, "n h w"], side: int = SIDE) -> Iterator[tuple[slice, Runs]]:
    """Give (samples, runs [some, y, x, side^2]) in blocks that fit in memory."""
    windows = slide(maps, side)
    per_sample = max(1, int(np.prod(windows.shape[1:])))
    block = max(1, _ENTRIES // per_sample)
    for start in range(0, len(maps), block):
        some = slice(start, start + block)
        part = windows[some]
        yield some, Runs.of(part.reshape(*part.shape[:3], side * side))
