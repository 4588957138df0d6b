"""Integer filters of patches, whose differences prove a lower bound of a patch's distance.

Let x be a patch's pixels and w their weights, so that the distance of two patches is
d' W d with d their difference and W = diag(w). For any matrix M of integers

    |M d|^2 <= lambda d' W d,    lambda = the largest eigenvalue of W^-1/2 M' M W^-1/2,

so few filters, the rows of M, bound the distance from below, whatever they are. The principal
directions of the corpus's patches make the bound tight. M x is computed exactly and rounded to
z = (M x + 2^(s-1)) >> s, which is off by at most 1/2 in each of D coordinates. Therefore

    |z_q - z_c| <= sqrt(lambda T) / 2^s + sqrt(D)    for every patch c within the distance T of q,

and a patch beyond that is farther than T. Nothing decided here rests on a rounded number: what
remains is finished in integers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int8, Int32, Int64

from intarsia.dictionary import Stack
from intarsia.reduce.vectors import QUERIES

_SAMPLE = 4096
"""Patches whose principal directions become filters."""

_LONGEST = 15_900
"""|z| at most: twice a coordinate then fits 16 bits, and the square of a difference 31."""

_LARGEST = 2**15 - 1
_SLACK = 1 + 1e-9
"""Over what float64 may lose in an eigenvalue of so few dimensions."""


@dataclass(frozen=True, eq=False)
class Filters:
    """Filters over the pixels at ``offsets``, most telling first.

    Attributes
    ----------
    offsets : int64 [K, 2].
    matrix : int32 [D, C K], M, entries of 16 bits. Pixels of one channel stand together.
    shift : s.
    first : how many filters decide first; the others only look at what these leave.
    gain_first, gain_all : sqrt(lambda) / 2^s of the first filters, and of all.
    """

    offsets: Int64[np.ndarray, "k 2"]
    matrix: Int32[np.ndarray, "d ck"]
    shift: int
    first: int
    gain_first: float
    gain_all: float

    @classmethod
    def of(
        cls,
        patches: Int8[np.ndarray, "n ck"],
        offsets: Int64[np.ndarray, "k 2"],
        weights: Int32[np.ndarray, " ck"],
        first: int,
        rest: int,
    ) -> Filters:
        """Make filters of the principal directions of some patches.

        Parameters
        ----------
        patches : any; the choice decides how tight the bound is, never whether it holds.
        offsets : of the pixels, as in each channel of ``patches``.
        weights : int32 [C K], from 1 to 127.
        first, rest : how many filters, rounded up to multiples of `QUERIES`.
        """
        first, rest = (-(-count // QUERIES) * QUERIES for count in (first, rest))
        root = np.sqrt(weights.astype(np.float64))
        directions = _principal(patches * root, first + rest)
        longest = float(np.sqrt(weights.sum()) * 128)  # of W^1/2 x
        shift = max(0, int(math.log2(_LARGEST / root.max() * longest / _LONGEST)))
        scale = 2**shift * _LONGEST / longest * 0.99
        matrix = np.rint(directions * root * scale).astype(np.int32)
        gain_first, gain_all = (
            _norm(matrix[:count] / root) / 2**shift for count in (first, first + rest)
        )
        assert gain_first * longest + first < 16_000 and abs(matrix).max() <= _LARGEST
        return cls(offsets, matrix, shift, first, gain_first, gain_all)

    def codes(self, patches: Int8[np.ndarray, "n ck"]) -> Int32[np.ndarray, "n d"]:
        """Return z of some patches."""
        products = patches.astype(np.int64) @ self.matrix.T.astype(np.int64)
        half = (1 << self.shift) >> 1
        return ((products + half) >> self.shift).astype(np.int32)


def sample_patches(
    stack: Stack,
    offsets: Int64[np.ndarray, "k 2"],
    rows: tuple[int, int],
    cols: tuple[int, int],
) -> Int8[np.ndarray, "n ck"]:
    """Cut some patches out of a stack without padding, spread over pictures and places."""
    pixels = stack.pixels[0].numpy()
    draw = np.random.default_rng(0)
    row, col, picture = (
        draw.integers(low, high + 1, _SAMPLE)
        for low, high in (rows, cols, (0, pixels.shape[3] - 1))
    )
    parts = [pixels[:, row + dy, col + dx, picture] for dy, dx in offsets]
    return np.stack(parts, axis=-1).transpose(1, 0, 2).reshape(_SAMPLE, -1)


def _principal(points: Float64[np.ndarray, "n d"], count: int) -> Float64[np.ndarray, "count d"]:
    """Return orthonormal directions of greatest variance; zeros where there are fewer."""
    spread = points - points.mean(axis=0)
    _, vectors = np.linalg.eigh(spread.T @ spread)
    directions = vectors[:, ::-1].T[:count]
    return np.pad(directions, ((0, count - len(directions)), (0, 0)))


def _norm(matrix: Float64[np.ndarray, "d n"]) -> float:
    """Return the spectral norm, never below the true one."""
    return float(np.linalg.norm(matrix, 2)) * _SLACK
