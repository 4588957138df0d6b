"""The order in which unknown pixels are filled, found by looking at all of them each time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def known_weight(
    known: np.ndarray, weights: np.ndarray, border: str, place: tuple[int, int]
) -> int:
    """Sum of the weights of the window's known pixels on the canvas.

    Pixels outside the canvas never count, not even for border "zeros"; for "wrap" no pixel is
    outside.

    Parameters
    ----------
    known : np.ndarray
        bool [H, W].
    weights : np.ndarray
        Integer window weights [side, side].
    border : str
        "ignore", "zeros" or "wrap".
    place : tuple of int
        Row and column of the window's centre.

    Returns
    -------
    int
        The overlap of the window with what is already there.
    """
    height, width = known.shape
    half = len(weights) // 2
    total = 0
    for dy in range(-half, half + 1):
        for dx in range(-half, half + 1):
            row, col = place[0] + dy, place[1] + dx
            if border == "wrap":
                row, col = row % height, col % width
            if 0 <= row < height and 0 <= col < width and known[row, col]:
                total += int(weights[dy + half][dx + half])
    return total


def tie_distance(
    known: np.ndarray, place: tuple[int, int], centre: tuple[float, float] | None
) -> Fraction:
    """Squared distance to the seed's centre, or without one to the nearest known pixel.

    Distances are straight, not around the edge, for border "wrap" too. It is 0 for a canvas
    that has neither a seed nor a known pixel.
    """
    if centre is not None:
        targets = [centre]
    else:
        targets = [(int(row), int(col)) for row, col in np.argwhere(known)]
    return min(
        ((place[0] - Fraction(row)) ** 2 + (place[1] - Fraction(col)) ** 2 for row, col in targets),
        default=Fraction(0),
    )


def reference_fill_order(
    known: np.ndarray,
    weights: np.ndarray,
    border: str,
    centre: tuple[float, float] | None = None,
) -> list[tuple[int, int]]:
    """Greedy order: always the unfilled pixel whose window holds most known weight.

    Paper A, section 2.3: the unfilled p whose omega(p) overlaps most with what has been made.
    Ties go to the pixel nearest the seed's centre (or, without a seed, nearest a pixel known at
    the start), and then to the first in raster order. The order depends on the mask alone.

    Parameters
    ----------
    known : np.ndarray
        bool [H, W], True where a pixel is known at the start. Any mask.
    weights : np.ndarray
        Integer window weights [side, side].
    border : str
        "ignore", "zeros" or "wrap".
    centre : tuple of float, optional
        Row and column of the seed's centre, in halves of a pixel: ((r0 + r1) / 2, (c0 + c1) / 2)
        for rows r0 to r1 and columns c0 to c1, both ends included.

    Returns
    -------
    list of (row, col)
        Every pixel unknown at the start, once each.

    Raises
    ------
    ValueError
        If the border is unknown.
    """
    if border not in ("ignore", "zeros", "wrap"):
        raise ValueError(f"The border must be ignore, zeros or wrap, not {border!r}.")
    known = np.asarray(known, dtype=bool)
    height, width = known.shape
    unfilled = [(row, col) for row in range(height) for col in range(width) if not known[row, col]]
    ties = {place: tie_distance(known, place, centre) for place in unfilled}
    filled = known.copy()
    order = []
    while unfilled:
        best = min(
            unfilled,
            key=lambda place: (-known_weight(filled, weights, border, place), ties[place], place),
        )
        unfilled.remove(best)
        filled[best] = True
        order.append(best)
    return order
