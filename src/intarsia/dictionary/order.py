"""The order in which pixels are filled: outward in shells (paper A, section 2.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from intarsia.dictionary.window import Border, Window
from intarsia.errors import UsageError


@dataclass(frozen=True)
class FillOrder:
    """A plan of places, made from the mask of known pixels alone.

    Next comes the unfilled pixel whose window holds the most known weight. Ties go to the pixel
    nearest the seed's centre, or nearest an initially known pixel where there is no seed; then
    to raster order. Samples with equal masks share one plan, hence one dictionary a step.

    Attributes
    ----------
    known : bool [H, W], the pixels that are there from the start.
    places : int64 [steps, 2], (row, column) of each pixel in the order of filling.

    References
    ----------
    Paper A (arXiv 2510.22196), section 2.3: the neighbourhood that overlaps most with pixels
    already synthesised.
    """

    known: Bool[np.ndarray, "h w"]
    places: Int64[np.ndarray, "steps 2"]

    @classmethod
    def grow(
        cls,
        known: Bool[np.ndarray, "h w"],
        window: Window,
        border: Border = "ignore",
        centre: tuple[float, float] | None = None,
    ) -> FillOrder:
        """Plan the filling of every pixel that is not ``known``.

        Parameters
        ----------
        known : bool [H, W].
        window : whose weights count what is known.
        border : with ``wrap``, windows reach round the edges; otherwise what is outside counts
            for nothing.
        centre : (row, column) of the seed's centre, in multiples of one half.

        Raises
        ------
        UsageError
            If nothing is known to grow from.
        """
        if not known.any():
            raise UsageError(
                "No pixel is known, so there is nothing to grow from. Give a seed of at least "
                "1 pixel, or a mask that leaves part of the picture."
            )
        return cls(known.copy(), _greedy(known, window, border, _tie_distance(known, centre)))

    def __len__(self) -> int:
        return len(self.places)

    def known_before(self, step: int) -> Bool[np.ndarray, "h w"]:
        """Return the mask of pixels known just before ``step``."""
        mask = self.known.copy()
        done = self.places[:step]
        mask[done[:, 0], done[:, 1]] = True
        return mask

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((int(r), int(c)) for r, c in self.places)


def _tie_distance(
    known: Bool[np.ndarray, "h w"], centre: tuple[float, float] | None
) -> Int64[np.ndarray, "h w"]:
    """Squared distance (times 4, so that half pixels stay whole) by which ties are settled."""
    height, width = known.shape
    rows, cols = np.mgrid[0:height, 0:width]
    if centre is not None:
        return (2 * rows - round(2 * centre[0])) ** 2 + (2 * cols - round(2 * centre[1])) ** 2
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return 4 * ((rows - nearest[0]) ** 2 + (cols - nearest[1]) ** 2)


def _greedy(
    known: Bool[np.ndarray, "h w"], window: Window, border: Border, tie: Int64[np.ndarray, "h w"]
) -> Int64[np.ndarray, "steps 2"]:
    """Repeatedly take the best unfilled pixel.

    Known weight and tie distance share one integer, and each row remembers its best, so that a
    step touches only the rows of one window.
    """
    height, width = known.shape
    half, weights = window.half, window.weights.astype(np.int64)
    scale = int(tie.max()) + 1
    taken = np.iinfo(np.int64).min

    # Known weight of every window: one shifted copy of the mask for each offset.
    pad = "wrap" if border == "wrap" else "constant"
    padded = np.pad(known.astype(np.int64), half, mode=pad)  # type: ignore[call-overload]
    weight = np.zeros((height, width), np.int64)
    for (dy, dx), w in zip(window.offsets, weights.ravel(), strict=True):
        weight += w * padded[half + dy : half + dy + height, half + dx : half + dx + width]

    score = weight * scale - tie
    score[known] = taken
    best = score.max(axis=1)
    places = np.empty((int((~known).sum()), 2), np.int64)
    for i in range(len(places)):
        row = int(best.argmax())
        col = int(score[row].argmax())
        places[i] = row, col
        score[row, col] = taken
        if border == "wrap":
            rows = np.arange(row - half, row + half + 1) % height
            cols = np.arange(col - half, col + half + 1) % width
            patch = score[np.ix_(rows, cols)]
            gained = np.where(patch == taken, taken, patch + weights[::-1, ::-1] * scale)
            score[np.ix_(rows, cols)] = gained
            best[rows] = score[rows].max(axis=1)
            continue
        top, left = max(0, row - half), max(0, col - half)
        view = score[top : row + half + 1, left : col + half + 1]
        part = weights[top - row + half :, left - col + half :][: view.shape[0], : view.shape[1]]
        np.add(view, part * scale, out=view, where=view != taken)
        best[top : row + half + 1] = score[top : row + half + 1].max(axis=1)
    return places
