"""Which of several equally near patches is named: the one that continues its neighbours' piece.

Flat patches have thousands of equals, and naming the first of them would tear a copied picture to
pieces. Distances are not touched: a patch takes another's place only at the same distance.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64, UInt8

from intarsia.dictionary.window import Window

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

Piece = tuple[int, int, int]
"""(image, rows, columns): one training image at one shift."""

PIECES = 48
"""Pieces that are tried: those that most pixels name already, and the nearest whole pictures."""

LEAST = 4
"""Pixels a piece must explain to be preferred to the first names."""

NOT_THERE = -1


def piece_distance(
    picture: UInt8[np.ndarray, "h w c"],
    source: UInt8[np.ndarray, "y x c"],
    shift: tuple[int, int],
    window: Window,
) -> Int64[np.ndarray, "h w"]:
    """Return the distance of every pixel's window to the window ``shift`` away in one image.

    Parameters
    ----------
    picture, source : uint8 of the same number of channels.
    shift : (rows, columns) from the picture's place to the source's.
    window : weights; pixels beyond the picture's edge are not compared.

    Returns
    -------
    int64 [H, W]
        Weighted squared distances; `NOT_THERE` where the source lacks a pixel that is compared.
    """
    from scipy import ndimage

    height, width = picture.shape[:2]
    rows, cols = np.arange(height) + shift[0], np.arange(width) + shift[1]
    inside = ((rows >= 0) & (rows < source.shape[0]))[:, None] & (
        (cols >= 0) & (cols < source.shape[1])
    )
    moved = source[
        np.clip(rows, 0, source.shape[0] - 1)[:, None], np.clip(cols, 0, source.shape[1] - 1)
    ]
    square = ((picture.astype(np.int64) - moved) ** 2).sum(axis=-1)
    total = ndimage.correlate(square, window.weights.astype(np.int64), mode="constant")
    # What lies beyond the picture's own edge is not compared, so it may be missing.
    missing = ndimage.maximum_filter(~inside, size=window.side, mode="constant", cval=False)
    return np.where(missing, NOT_THERE, total)


def coherent(
    picture: UInt8[np.ndarray, "h w c"],
    corpus: Corpus,
    window: Window,
    image: Int64[np.ndarray, "h w"],
    row: Int64[np.ndarray, "h w"],
    col: Int64[np.ndarray, "h w"],
    least: Int64[np.ndarray, "h w"],
    also: Iterable[int] = (),
    radius: int | None = None,
) -> tuple[Int64[np.ndarray, "h w"], Int64[np.ndarray, "h w"], Int64[np.ndarray, "h w"]]:
    """Rename sources at equal distance so that large pieces of one image stay whole.

    The piece that explains most of the pixels left takes them, again and again.

    Parameters
    ----------
    picture : what was attributed.
    corpus, window : what it was attributed to, and compared by.
    image, row, col, least : the nearest patch of each pixel by first name, and its distance.
    also : images to try at their own place, such as the nearest whole ones.
    radius : pieces shifted further are not tried.

    Returns
    -------
    image, row, col
        Of the same distances.
    """
    height, width = image.shape
    rows, cols = np.mgrid[:height, :width]
    named = np.stack([image, row - rows, col - cols], axis=-1).reshape(-1, 3)
    pieces, votes = np.unique(named[named[:, 0] >= 0], axis=0, return_counts=True)
    order = np.argsort(-votes, kind="stable")[:PIECES]
    tried: list[Piece] = [(int(i), int(dy), int(dx)) for i, dy, dx in pieces[order]]
    tried += [piece for i in also if (piece := (int(i), 0, 0)) not in tried]
    explained = {
        piece: piece_distance(picture, corpus[piece[0]], piece[1:], window) == least
        for piece in tried
        if (radius is None or max(map(abs, piece[1:])) <= radius) and _unbroken(corpus, piece[0])
    }
    image, row, col = image.copy(), row.copy(), col.copy()
    free = image >= 0
    while explained:
        gains = {piece: int((mask & free).sum()) for piece, mask in explained.items()}
        best = min(explained, key=lambda piece: (-gains[piece], piece))
        if gains[best] < LEAST:
            break
        taken = explained.pop(best) & free
        image[taken] = best[0]
        row[taken] = rows[taken] + best[1]
        col[taken] = cols[taken] + best[2]
        free &= ~taken
    return image, row, col


def _unbroken(corpus: Corpus, image: int) -> bool:
    """Whether an image has no holes: those with holes keep their first names."""
    return corpus.valid is None or bool(corpus.valid[image].all())
