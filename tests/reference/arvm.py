"""Paper B's eq. 9, one place and one context at a time, as counts in a dictionary of tuples."""

from __future__ import annotations

from collections import Counter

import numpy as np


def windows(gamma: int) -> list[list[tuple[int, int]]]:
    """Offsets of the causal windows that a context is looked for in, the largest first."""
    out = []
    for half in range(gamma // 2, 0, -1):
        across = range(-half, half + 1)
        out.append([(dy, dx) for dy in range(-half, 1) for dx in across if (dy, dx) < (0, 0)])
    if gamma >= 3:
        out.append([(-1, 0), (0, -1)])
    return [*out, []]


def context(tokens: np.ndarray, place: tuple[int, int], offsets: list) -> tuple:
    """Tokens at the offsets that lie on the grid."""
    rows, cols = tokens.shape
    places = [(place[0] + dy, place[1] + dx) for dy, dx in offsets]
    return tuple(int(tokens[y, x]) for y, x in places if 0 <= y < rows and 0 <= x < cols)


def members(corpus: np.ndarray, canvas: np.ndarray, place: tuple[int, int], gamma: int):
    """Training images that share the canvas's context, and the index of the window it took."""
    for level, offsets in enumerate(windows(gamma)):
        wanted = context(canvas, place, offsets)
        found = [i for i, grid in enumerate(corpus) if context(grid, place, offsets) == wanted]
        if found:
            return found, level
    raise AssertionError("the last window compares nothing")


def histogram(corpus: np.ndarray, canvas: np.ndarray, place: tuple[int, int], gamma: int) -> dict:
    """Eq. 9: token to probability."""
    found, _ = members(corpus, canvas, place, gamma)
    counts = Counter(int(corpus[i][place]) for i in found)
    return {token: count / len(found) for token, count in counts.items()}
