"""Where a query's known pixels fit into the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from intarsia.dictionary.query import Query
from intarsia.dictionary.stack import Stack
from intarsia.dictionary.stages import Candidates
from intarsia.reduce import keys


@dataclass(frozen=True)
class View:
    """Candidates that can all be compared: a rectangle of places, row by row contiguous.

    Run position j of a row stands for column ``cols[0] + j // N`` and picture ``j % N``.

    Attributes
    ----------
    stack : the pictures.
    rows, cols : first and last place, inclusive, in picture coordinates.
    codes : int64 [g, run], names of the run's candidates; add ``row_code`` of their row.
    words : int64 [g, run], ``codes`` times the golden constant (`reduce.keys.words`).
    barred : int64 [B, 2], first run position and stride of what each query may not use, or -1.
    usable : bool [g, rows, run], False where a hole is touched; None if there are no holes.
    """

    stack: Stack
    rows: tuple[int, int]
    cols: tuple[int, int]
    codes: Int64[np.ndarray, "g run"]
    words: Int64[np.ndarray, "g run"]
    barred: Int64[np.ndarray, "b 2"]
    usable: Bool[Tensor, "g rows run"] | None

    @property
    def run(self) -> int:
        """Candidates in one row of places."""
        return self.codes.shape[1]

    @property
    def row_stride(self) -> int:
        """How far apart equal columns of adjacent rows lie in the flat stack."""
        return self.stack.pixels.shape[3] * self.stack.pixels.shape[4]

    def row_code(self, row: int) -> int:
        """Return what a row adds to ``codes``."""
        return (row << 16) + self.cols[0]

    def starts(self, query: Query, row: int) -> Int64[np.ndarray, " ck"]:
        """Return where each compared pixel of the row's first candidate lies in the flat stack."""
        _, channels, height, width, pictures = self.stack.pixels.shape
        at_row = row + self.stack.pad + query.offsets[:, 0]
        at_col = self.cols[0] + self.stack.pad + query.offsets[:, 1]
        channel = np.arange(channels)[:, None] * (height * width)
        return ((channel + at_row * width + at_col) * pictures).ravel()


def fitting(candidates: Candidates, query: Query) -> View | None:
    """Narrow candidates to those with a pixel wherever the query has a known one.

    Returns None if there are none. With the borders ``zeros`` and ``wrap`` stacks are padded,
    so everything fits but what touches a hole.
    """
    stack = candidates.stack
    (r0, r1), (c0, c1) = candidates.rows, candidates.cols
    if stack.pad == 0 and len(query.offsets):
        (top, left), (bottom, right) = query.offsets.min(axis=0), query.offsets.max(axis=0)
        r0, r1 = max(r0, -min(0, int(top))), min(r1, stack.size[0] - 1 - max(0, int(bottom)))
        c0, c1 = max(c0, -min(0, int(left))), min(c1, stack.size[1] - 1 - max(0, int(right)))
    if r0 > r1 or c0 > c1 or stack.pictures.shape[1] == 0:
        return None
    rows, cols = (r0, r1), (c0, c1)
    return View(
        stack,
        rows,
        cols,
        *_names(stack, c1 - c0 + 1),
        _barred(stack, candidates.barred, c1 - c0 + 1),
        _usable(stack, query, rows, cols),
    )


_named: WeakKeyDictionary[Stack, dict[int, tuple[np.ndarray, np.ndarray]]] = WeakKeyDictionary()


def _names(stack: Stack, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes and words of a run; a handful of widths recur at every step, so they are kept."""
    kept = _named.setdefault(stack, {})
    if columns not in kept:
        zero = np.zeros_like(stack.pictures)
        rows, cols = (zero, zero) if stack.shift is None else np.moveaxis(stack.shift, -1, 0)
        first = keys.encode(stack.pictures, rows, cols)
        codes = (first[:, None, :] + np.arange(columns)[None, :, None]).reshape(len(first), -1)
        kept[columns] = codes, keys.words(codes)
    return kept[columns]


def _barred(
    stack: Stack, barred: Int64[np.ndarray, " b"], columns: int
) -> Int64[np.ndarray, "b 2"]:
    """Find each barred picture's place in the run. Lists of a query's own never hold it."""
    found = np.full((len(barred), 2), -1, np.int64)
    if stack.shared:
        pictures = stack.pictures[0]
        at = np.minimum(np.searchsorted(pictures, barred), len(pictures) - 1)
        hit = pictures[at] == barred
        found[hit, 0] = at[hit]
        found[:, 1] = len(pictures)
    return found


def _usable(
    stack: Stack, query: Query, rows: tuple[int, int], cols: tuple[int, int]
) -> Bool[Tensor, "g rows run"] | None:
    """Say which candidates touch no hole, neither at the centre nor where pixels are compared."""
    short = (stack.pictures < 0).any()
    if stack.hole is None and not short:
        return None
    height, width = rows[1] - rows[0] + 1, cols[1] - cols[0] + 1
    groups, pictures = stack.pictures.shape
    listed = stack.pictures >= 0
    if stack.shift is not None:  # what a picture is moved by must not put its padding here
        at = stack.shift + (rows[0], cols[0])
        listed &= ((at >= 0) & (at < stack.size)).all(axis=-1)
    present = torch.from_numpy(listed).to(stack.pixels.device)
    usable = present[:, None, None, :].expand(groups, height, width, pictures).clone()
    if stack.hole is not None:
        for dy, dx in [(0, 0), *query.offsets.tolist()]:
            row, col = rows[0] + stack.pad + dy, cols[0] + stack.pad + dx
            usable &= ~stack.hole[:, row : row + height, col : col + width]
    return usable.reshape(groups, height, width * pictures)
