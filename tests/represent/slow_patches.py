"""Neighbourhoods cut out pixel by pixel, and their codes."""

from __future__ import annotations

import numpy as np

from tests.reference.lowres import encode


def cut(picture: np.ndarray, known: np.ndarray, place: tuple[int, int], side: int):
    """The square around a place, and which of its pixels are known; nothing beyond the edge."""
    height, width = known.shape
    square = np.zeros((side, side, picture.shape[2]), np.uint8)
    seen = np.zeros((side, side), bool)
    for i in range(side):
        for j in range(side):
            row, col = place[0] + i - side // 2, place[1] + j - side // 2
            if 0 <= row < height and 0 <= col < width:
                square[i, j] = picture[row, col]
                seen[i, j] = known[row, col]
    return square, seen


def slow_code(picture, known, place, phi):
    values, weights = encode(*cut(picture, known, place, phi.side), phi.phi.factor)
    present = np.repeat(np.ravel(weights), picture.shape[2]).astype(bool)
    return np.ravel(values).tolist(), present.tolist()


def slow_moves(known, place, side, radius):
    """Moves at which a picture has a pixel at the centre and wherever the query knows one."""
    height, width = known.shape
    wanted = [(0, 0)]
    for dy in range(-(side // 2), side // 2 + 1):
        for dx in range(-(side // 2), side // 2 + 1):
            row, col = place[0] + dy, place[1] + dx
            if 0 <= row < height and 0 <= col < width and known[row, col]:
                wanted.append((dy, dx))
    return [
        (down, across)
        for down in range(-radius, radius + 1)
        for across in range(-radius, radius + 1)
        if all(
            0 <= place[0] + down + dy < height and 0 <= place[1] + across + dx < width
            for dy, dx in wanted
        )
    ]
