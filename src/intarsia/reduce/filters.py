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
_CELLS = 1 << 9
"""Cells that the space of the first filters is cut to: some 64 candidates of a task in each."""

MIXTURES = np.array([[1, 1, 1], [1, 0, -1], [-1, 2, -1]])
"""Grey and two differences of colour. Directions of natural patches hardly mix them
(Ruderman, Cronin and Chiao 1998), and a filter of one reads a third of the numbers."""

_SLACK = 1 + 1e-9
"""Over what float64 may lose in an eigenvalue of so few dimensions."""


@dataclass(frozen=True, eq=False)
class Filters:
    """Filters over the pixels at ``offsets``, most telling first.

    Attributes
    ----------
    offsets : int64 [K, 2].
    matrix : int32 [D, C K], M. Pixels of one channel stand together.
    spatial : int32 [D, K], entries of 16 bits: row d of M is ``MIXTURES[mixed[d]]`` times these.
    mixed : int64 [D], the mixture of channels a filter sees.
    shift : s.
    first : how many filters decide first; the others only look at what these leave.
    gain_first, gain_all : sqrt(lambda) / 2^s of the first filters, and of all.
    cuts : int32 [G, S], where the axes of the first G filters are cut to cells, ascending; filled
        up with the greatest number.
    """

    offsets: Int64[np.ndarray, "k 2"]
    matrix: Int32[np.ndarray, "d ck"]
    spatial: Int32[np.ndarray, "d k"]
    mixed: Int64[np.ndarray, " d"]
    shift: int
    first: int
    gain_first: float
    gain_all: float
    cuts: Int32[np.ndarray, "g s"]

    @classmethod
    def of(
        cls,
        patches: Int8[np.ndarray, "n ck"],
        offsets: Int64[np.ndarray, "k 2"],
        weights: Int32[np.ndarray, " k"],
        first: int,
        rest: int,
    ) -> Filters:
        """Make filters of the principal directions of some patches.

        Parameters
        ----------
        patches : any; the choice decides how tight the bound is, never whether it holds.
        offsets : of the pixels, as in each channel of ``patches``.
        weights : int32 [K], from 1 to 127.
        first, rest : how many filters, rounded up to multiples of `QUERIES`.
        """
        first, rest = (-(-count // QUERIES) * QUERIES for count in (first, rest))
        root = np.sqrt(weights.astype(np.float64))
        points = patches.reshape(len(patches), -1, len(weights))
        channels = points.shape[1]
        mixtures = MIXTURES if channels == 3 else np.eye(1, channels, dtype=np.int64)
        directions, mixed = _principal(points * root, mixtures, first + rest)
        longest = float(np.sqrt(channels * weights.sum()) * 128)  # of W^1/2 x
        units = np.sqrt((mixtures**2).sum(axis=1))[mixed]  # length of each filter's mixture
        steepest = float((root.max() / units).max())
        shift = max(0, int(math.log2(_LARGEST / steepest * longest / _LONGEST)))
        scale = 2**shift * _LONGEST / longest * 0.99
        spatial = np.rint(directions * root * scale / units[:, None]).astype(np.int32)
        matrix = (mixtures[mixed][:, :, None] * spatial[:, None, :]).astype(np.int32)
        matrix = matrix.reshape(len(spatial), -1)
        gain_first, gain_all = (
            _norm(matrix[:count] / np.tile(root, channels)) / 2**shift
            for count in (first, first + rest)
        )
        assert gain_first * longest + first < 16_000 and abs(spatial).max() <= _LARGEST
        cuts = _cuts(_codes(matrix, shift, patches)[:, :first])
        return cls(offsets, matrix, spatial, mixed, shift, first, gain_first, gain_all, cuts)

    def codes(self, patches: Int8[np.ndarray, "n ck"]) -> Int32[np.ndarray, "n d"]:
        """Return z of some patches."""
        return _codes(self.matrix, self.shift, patches)


def _codes(
    matrix: Int32[np.ndarray, "d ck"], shift: int, patches: Int8[np.ndarray, "n ck"]
) -> Int32[np.ndarray, "n d"]:
    products = patches.astype(np.int64) @ matrix.T.astype(np.int64)
    return ((products + ((1 << shift) >> 1)) >> shift).astype(np.int32)


def _cuts(codes: Int32[np.ndarray, "n d"]) -> Int32[np.ndarray, "g s"]:
    """Cut the axes at quantiles; whichever has the widest cells is cut finer, again and again."""
    width, parts = codes.std(axis=0), np.ones(codes.shape[1], np.int64)
    while parts.prod() < _CELLS:
        widest = int(np.argmax(width))
        parts[widest] *= 2
        width[widest] /= 2
    axes = int(np.flatnonzero(parts > 1)[-1]) + 1
    cuts = np.full((axes, parts.max() - 1), np.iinfo(np.int32).max, np.int32)
    for axis, count in enumerate(parts[:axes]):
        inner = np.arange(1, count) / count
        cuts[axis, : count - 1] = np.quantile(codes[:, axis], inner).astype(np.int32)
    return cuts


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


def _principal(
    points: Float64[np.ndarray, "n c k"], mixtures: Int64[np.ndarray, "m c"], count: int
) -> tuple[Float64[np.ndarray, "count k"], Int64[np.ndarray, " count"]]:
    """Return orthonormal directions of great variance, `QUERIES` of one mixture at a time.

    Returns
    -------
    directions, mixed
        Those of the greatest variance first; zeros where there are no more.
    """
    groups = []
    for number, mixture in enumerate(mixtures):
        mixed = np.tensordot(mixture / np.linalg.norm(mixture), points, axes=(0, 1))
        values, vectors = np.linalg.eigh(np.cov(mixed, rowvar=False))
        vectors, values = vectors[:, ::-1].T, values[::-1]
        for at in range(0, max(count, QUERIES), QUERIES):
            some = vectors[at : at + QUERIES]
            some = np.pad(some, ((0, QUERIES - len(some)), (0, 0)))
            groups.append((float(values[at : at + QUERIES].sum()), number, some))
    groups.sort(key=lambda group: -group[0])
    kept = groups[: count // QUERIES]
    directions = np.concatenate([some for _, _, some in kept])
    return directions, np.repeat([number for _, number, _ in kept], QUERIES)


def _norm(matrix: Float64[np.ndarray, "d n"]) -> float:
    """Return the spectral norm, never below the true one."""
    return float(np.linalg.norm(matrix, 2)) * _SLACK
