"""Which pixels share a dictionary: the query groups of paper C's machines.

A machine asks, for every pixel of the canvas at once, which training patches its window may have
come from. Pixels with the same answer form a `QueryGroup`, so that their patches are cut out once:
all pixels for ELS, a border class for boundary-broken ELS. A pixel whose answer is its own place
in every picture stands ``alone``; for those one relative shift serves the whole picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from intarsia.errors import UsageError

Patches = Literal["wrapped", "interior"]
"""Which patches ELS draws from: all, circularly (paper C), or those inside their pictures."""

PATCHES: tuple[Patches, ...] = ("wrapped", "interior")


@dataclass(frozen=True)
class QueryGroup:
    """Pixels of a canvas that share one dictionary, and that dictionary.

    Attributes
    ----------
    rows, cols : the canvas pixels, all pairs.
    above, below, left, right : how far the window reaches from its centre.
    key_rows, key_cols : centres of the training patches, all pairs, in every picture.
    wraps : whether windows go on at the opposite edge, on the canvas and where a patch is not
        wholly inside its picture.
    """

    rows: range
    cols: range
    above: int
    below: int
    left: int
    right: int
    key_rows: range
    key_cols: range
    wraps: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the window."""
        return self.above + 1 + self.below, self.left + 1 + self.right

    @property
    def turned(self) -> QueryGroup:
        """The same group on canvases and pictures with rows and columns exchanged."""
        return QueryGroup(
            self.cols, self.rows, self.left, self.right, self.above, self.below, self.key_cols,
            self.key_rows, self.wraps,
        )  # fmt: skip

    @property
    def queries(self) -> int:
        """Pixels of one canvas."""
        return len(self.rows) * len(self.cols)

    @property
    def places(self) -> int:
        """Patches of one picture."""
        return len(self.key_rows) * len(self.key_cols)


@dataclass(frozen=True)
class Sharing:
    """How the pixels of a canvas share dictionaries: every pixel is in one group, or alone.

    Attributes
    ----------
    side : P, the side of the whole window, odd.
    groups : pixels that share.
    alone : bool [H, W], pixels whose only candidates stand at their own place.
    """

    side: int
    groups: tuple[QueryGroup, ...]
    alone: Bool[np.ndarray, "h w"]


@runtime_checkable
class SharingStage(Protocol):
    """A stage that says which places a pixel's patches may come from, by place alone."""

    def sharing(self, size: tuple[int, int], side: int) -> Sharing:
        """Group the pixels of a canvas of ``size`` under windows of ``side``."""
        ...


@dataclass(frozen=True)
class SamePlace:
    """Patches from the pixel's own place: paper C's LS machine."""

    def sharing(self, size: tuple[int, int], side: int) -> Sharing:
        """Return the sharing in which every pixel is alone."""
        check_side(side, 2 * max(size) - 1, size)
        return Sharing(side, (), np.ones(size, bool))


@dataclass(frozen=True)
class SameBorder:
    """Patches whose window loses the same rows and columns to the border: paper C, section 3.4.

    Pixels are grouped by class, and a class of one pixel is alone. With a side that reaches over
    the whole picture all are, and the machine is LS.
    """

    def sharing(self, size: tuple[int, int], side: int) -> Sharing:
        """Group pixels by what their windows lose."""
        check_side(side, 2 * max(size) - 1, size)
        groups, alone = [], np.zeros(size, bool)
        for rows, above, below in _border_classes(size[0], side // 2):
            for cols, left, right in _border_classes(size[1], side // 2):
                if len(rows) * len(cols) == 1:
                    alone[rows.start, cols.start] = True
                    continue
                groups.append(QueryGroup(rows, cols, above, below, left, right, rows, cols))
        return Sharing(side, tuple(groups), alone)


def one_group(size: tuple[int, int], side: int, patches: Patches) -> Sharing:
    """Put all pixels of a canvas that wraps into one group (the stage `Everywhere`).

    Raises
    ------
    UsageError
        If ``patches`` is neither word, or the window does not fit into a picture.
    """
    if patches not in PATCHES:
        raise UsageError(f"--dictionary is {patches!r}; it must be wrapped or interior.")
    check_side(side, min(size), size)
    half, (height, width) = side // 2, size
    wrapped = patches == "wrapped"
    rows = range(height) if wrapped else range(half, height - half)
    cols = range(width) if wrapped else range(half, width - half)
    group = QueryGroup(range(height), range(width), half, half, half, half, rows, cols, wraps=True)
    return Sharing(side, (group,), np.zeros(size, bool))


def check_side(side: int, largest: int, size: tuple[int, int]) -> None:
    """Refuse a window side that is even, or reaches further than any window can.

    Raises
    ------
    UsageError
        Naming the sides that work.
    """
    if side < 1 or side % 2 == 0:
        near = f"{max(1, side - 1)} or {side + 1}" if side > 0 else "3"
        raise UsageError(
            f"--scales has {side}; a window has a centre pixel, so its side must be odd and "
            f"positive. Try {near}."
        )
    if side > largest:
        raise UsageError(
            f"--scales has {side}, too large for pictures of {size[0]}x{size[1]}: here a window "
            f"may be at most {largest - (largest + 1) % 2} pixels wide."
        )


def _border_classes(length: int, half: int) -> Iterator[tuple[range, int, int]]:
    """Yield runs of positions along one axis whose windows reach as far before and behind."""
    first = 0
    while first < length:
        reach = min(half, first), min(half, length - 1 - first)
        last = first
        while last + 1 < length and reach == (min(half, last + 1), min(half, length - 2 - last)):
            last += 1
        yield range(first, last + 1), *reach
        first = last + 1
