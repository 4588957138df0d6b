"""The nearest training patches of one pixel of a picture, straight from the definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Named(NamedTuple):
    """A candidate: its integer distance, then its name, in the order in which ties are settled."""

    distance: int
    image: int
    row: int
    col: int


def nearest(
    picture: np.ndarray,
    place: tuple[int, int],
    corpus: Sequence[np.ndarray],
    weights: np.ndarray,
    radius: int | None,
    keep: int,
) -> list[Named]:
    """Return the ``keep`` nearest training patches, by distance, image, row and column.

    Parameters
    ----------
    picture, corpus : uint8 [H, W, C]; sizes may differ.
    weights : integers [P, P] of the window.
    """
    half = len(weights) // 2
    known = [
        (dy, dx)
        for dy in range(-half, half + 1)
        for dx in range(-half, half + 1)
        if 0 <= place[0] + dy < picture.shape[0] and 0 <= place[1] + dx < picture.shape[1]
    ]
    found: list[Named] = []
    for shape in sorted({image.shape for image in corpus}):
        numbers = [i for i, image in enumerate(corpus) if image.shape == shape]
        images = np.stack([corpus[i] for i in numbers]).astype(np.int32)
        total, allowed = _distances(picture, place, images, weights, known)
        rows, cols = np.indices(shape[:2])
        if radius is not None:
            allowed &= np.maximum(abs(rows - place[0]), abs(cols - place[1])) <= radius
        distances = total[:, allowed]  # [images, places], each in order of its name
        order = np.argsort(distances, axis=None, kind="stable")[:keep]
        for i, at in zip(*np.unravel_index(order, distances.shape), strict=True):
            row, col = rows[allowed][at], cols[allowed][at]
            found.append(Named(int(distances[i, at]), numbers[i], int(row), int(col)))
    return sorted(found)[:keep]


def _distances(
    picture: np.ndarray,
    place: tuple[int, int],
    images: np.ndarray,
    weights: np.ndarray,
    known: list[tuple[int, int]],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance to the patch around every pixel, and where that patch is whole."""
    _, height, width, _ = images.shape
    half = len(weights) // 2
    total, allowed = np.zeros(images.shape[:3], np.int32), np.ones((height, width), bool)
    rows, cols = np.indices((height, width))
    for dy, dx in known:
        moved = np.roll(images, (-dy, -dx), axis=(1, 2))
        mine = picture[place[0] + dy, place[1] + dx].astype(np.int32)
        total += int(weights[dy + half, dx + half]) * ((moved - mine) ** 2).sum(
            axis=3, dtype=np.int32
        )
        allowed &= (rows + dy >= 0) & (rows + dy < height) & (cols + dx >= 0) & (cols + dx < width)
    return total, allowed
