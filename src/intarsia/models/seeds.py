"""Seeds: which training picture each sample grows from, and where (paper A, section 2.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.reduce.keys import draw_index

# Independent draws of a sample, told apart from the steps of its fill order, which are >= 0.
_PICTURE, _ROW, _COL, _CUT = -1, -2, -3, -4


@dataclass(frozen=True)
class Seeds:
    """Seeds that stand at one place and ask for one class, so that they grow as one batch.

    Attributes
    ----------
    samples : int64 [B], their numbers within the run.
    images : int64 [B], the training pictures they are cut from.
    place : (row, column) of the top left pixel on the canvas.
    source : (rows, columns) of the top left pixels in the pictures.
    label : the class asked for, or None.
    """

    samples: Int64[np.ndarray, " b"]
    images: Int64[np.ndarray, " b"]
    place: tuple[int, int]
    source: tuple[Int64[np.ndarray, " b"], Int64[np.ndarray, " b"]]
    label: int | None

    def split(self, size: int) -> Iterator[Seeds]:
        """Cut into batches of at most ``size``."""
        for at in range(0, len(self.samples), size):
            part = slice(at, at + size)
            rows, cols = self.source
            yield Seeds(
                self.samples[part], self.images[part], self.place, (rows[part], cols[part]),
                self.label,
            )  # fmt: skip


def plan(
    corpus: Corpus,
    samples: Int64[np.ndarray, " n"],
    seed: int,
    canvas: tuple[int, int],
    side: int,
    seed_at: str,
    label: int | None,
    by_label: bool,
    from_anywhere: bool,
) -> list[Seeds]:
    """Draw a seed for each sample. What a sample gets depends on its number and ``seed`` alone.

    Parameters
    ----------
    canvas : (H, W) of what is drawn.
    side : pixels across a seed.
    seed_at : ``center``, ``random`` or "ROW,COL" on the canvas.
    label : draw from this class only.
    by_label : each sample asks for the class of its seed.
    from_anywhere : cut seeds from random places of their pictures (textures), not from the place
        they will stand at.

    Raises
    ------
    UsageError
        If a seed does not fit, or no picture has room for one.
    """
    eligible = np.arange(len(corpus))
    if label is not None:
        eligible = np.flatnonzero(_labels(corpus) == label)
    images = eligible[draw_index(seed, samples, _PICTURE, len(eligible))]
    places = _places(samples, seed, canvas, side, seed_at)
    if from_anywhere or corpus.is_ragged:
        source = _cut_anywhere(corpus, images, samples, seed, side)
    else:
        # The same place in the picture; pictures of another size are aligned at their centres.
        off = np.subtract(corpus.size, canvas) // 2
        source = places + off
        if (source < 0).any() or (source + side > corpus.size).any():
            raise UsageError(
                f"A seed of {side}x{side} at {seed_at} does not fit into pictures of "
                f"{corpus.size[0]}x{corpus.size[1]}. Use a smaller --seed-size or another "
                "--seed-at."
            )
        _refuse_holes(corpus, images, source, side)
    asked = _labels(corpus)[images] if by_label else np.full(len(images), -1)
    groups = []
    for key in np.unique(np.column_stack([places, asked]), axis=0):
        member = (places == key[:2]).all(axis=1) & (asked == key[2])
        groups.append(
            Seeds(
                samples[member],
                images[member],
                (int(key[0]), int(key[1])),
                (source[member, 0], source[member, 1]),
                int(key[2]) if by_label else None,
            )
        )
    return groups


def _labels(corpus: Corpus) -> np.ndarray:
    if corpus.labels is None:
        raise UsageError(
            f"{corpus.name!r} has no labels, so no class can be asked for. Drop --label and "
            "--condition class, or use a folder whose sub-folders are classes."
        )
    return corpus.labels


def _places(
    samples: Int64[np.ndarray, " n"], seed: int, canvas: tuple[int, int], side: int, seed_at: str
) -> Int64[np.ndarray, "n 2"]:
    """Where seeds stand on the canvas, top left."""
    room = canvas[0] - side, canvas[1] - side
    if min(room) < 0:
        raise UsageError(
            f"--seed-size is {side}, but the picture to draw is {canvas[0]}x{canvas[1]}."
        )
    if seed_at == "center":
        return np.tile(np.array(room, np.int64) // 2, (len(samples), 1))
    if seed_at == "random":
        rows = draw_index(seed, samples, _ROW, room[0] + 1)
        return np.column_stack([rows, draw_index(seed, samples, _COL, room[1] + 1)])
    match = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", seed_at)
    if not match:
        raise UsageError(f"--seed-at is {seed_at!r}; it must be center, random or ROW,COL.")
    row, col = int(match[1]), int(match[2])
    if row > room[0] or col > room[1]:
        raise UsageError(
            f"--seed-at {row},{col} puts a {side}x{side} seed outside the {canvas[0]}x{canvas[1]} "
            f"picture; the last place it fits is {room[0]},{room[1]}."
        )
    return np.tile(np.array([row, col], np.int64), (len(samples), 1))


def _cut_anywhere(
    corpus: Corpus,
    images: Int64[np.ndarray, " n"],
    samples: Int64[np.ndarray, " n"],
    seed: int,
    side: int,
) -> Int64[np.ndarray, "n 2"]:
    """Draw a place in each picture at which a whole seed can be cut, clear of holes."""
    source = np.empty((len(images), 2), np.int64)
    clear: dict[int, np.ndarray] = {}
    for i, image in enumerate(images.tolist()):
        if image not in clear:
            clear[image] = np.argwhere(_clear(corpus, image, side))
        if not len(clear[image]):
            raise UsageError(
                f"Picture {image} has no {side}x{side} part without holes to cut a seed from. "
                "Use a smaller --seed-size."
            )
        source[i] = clear[image][draw_index(seed, samples[i : i + 1], _CUT, len(clear[image]))[0]]
    return source


def _clear(corpus: Corpus, image: int, side: int) -> np.ndarray:
    """Top left pixels of whole squares without holes: bool [H - side + 1, W - side + 1]."""
    height, width = corpus[image].shape[:2]
    if min(height, width) < side:
        return np.zeros((0, 0), bool)
    if corpus.valid is None:
        return np.ones((height - side + 1, width - side + 1), bool)
    windows = np.lib.stride_tricks.sliding_window_view(corpus.valid[image], (side, side))
    return np.asarray(windows.all(axis=(2, 3)))


def _refuse_holes(
    corpus: Corpus, images: Int64[np.ndarray, " n"], source: Int64[np.ndarray, "n 2"], side: int
) -> None:
    if corpus.valid is None:
        return
    for image, (row, col) in zip(images.tolist(), source.tolist(), strict=True):
        if not corpus.valid[image][row : row + side, col : col + side].all():
            raise UsageError(
                f"The seed of {side}x{side} at row {row}, column {col} of picture {image} touches "
                "a hole or padding. Use a smaller --seed-size or another --seed-at."
            )
