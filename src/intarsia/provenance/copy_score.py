"""How much a picture looks like a copy of a training image, or of parts of two.

For the whole picture, shifted by up to `REACH` pixels, and for each of its halves in place:

1. *Look up.* Pixels of the region, projected on their first principal directions over the corpus,
   are compared with all training images, and the nearest `FINALISTS` images stay.
2. *Compare.* Each finalist is fitted to the region by a gain and an offset (a change of brightness
   is no new picture) and leaves a root mean squared residual e, in grey levels.
3. *Score.* log((m + c) / (e + c)), with e of the best finalist, m the median over the finalists and
   c = `GRAIN`: a copy is far nearer than the next images are, whatever the distances that are
   usual in the corpus. A blank region has m near 0, and so no score.

The picture's score is that of its best region. It means nothing by itself: `intarsia.provenance.
calibration` says how often genuine pictures score as high.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, UInt8

from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

VERSION = 2
"""Goes up when scores change, so that calibrations kept on disk are made anew."""

REACH = 3
FINALISTS = 24
GRAIN = 2.0
_DIRECTIONS = 32
_LEARNT_FROM = 4096
_BLOCK = 8192
_GAIN = (0.85, 1.15)
_SAME = 10.0  # grey levels of local residual up to which a place counts as copied
_DETAIL = 4.0  # grey levels of local deviation from which a place has something to copy

WHOLE, LEFT, RIGHT, TOP, BOTTOM = "whole", "left half", "right half", "top half", "bottom half"


@dataclass(frozen=True)
class Match:
    """The best training image for one region of a picture.

    Attributes
    ----------
    region : ``whole``, or one of the four halves.
    image : the training image.
    shift : (rows, columns) from a place in the picture to that in the image.
    residual : root mean squared difference after gain and offset, in grey levels.
    usual : the median residual of the finalists.
    """

    region: str
    image: int
    shift: tuple[int, int]
    residual: float
    usual: float

    @property
    def score(self) -> float:
        """log((m + c) / (e + c)), 0 or more."""
        return max(0.0, float(np.log((self.usual + GRAIN) / (self.residual + GRAIN))))


@dataclass(frozen=True, eq=False)
class Scored:
    """A picture's score and what gave it.

    Attributes
    ----------
    score : of the best region.
    matches : by region, best score first.
    sources : the images that the picture is pieced together of: one for a whole copy, two where
        opposite halves say more together.
    """

    score: float
    matches: tuple[Match, ...]
    sources: tuple[Match, ...]


class CopyScorer:
    """Scores pictures against one corpus.

    Parameters
    ----------
    corpus : training images of one size, at least 2 * REACH + 4 pixels on a side.
    threads : torch's threads; None leaves them as they are.

    Raises
    ------
    UsageError
        If the images differ in size, are too small, or are too few.
    """

    def __init__(self, corpus: Corpus, threads: int | None = None) -> None:
        height, width = corpus.size
        if min(height, width) < 2 * REACH + 2:
            raise UsageError(
                f"The pictures of {corpus.name!r} are {height}x{width}; copies shifted by up to "
                f"{REACH} pixels are looked for in pictures of {2 * REACH + 2} pixels or more."
            )
        if len(corpus) < 2 * FINALISTS:
            raise UsageError(
                f"{corpus.name!r} has {len(corpus)} pictures; a score compares a picture with the "
                f"{FINALISTS} nearest, so at least {2 * FINALISTS} are needed."
            )
        self.corpus = corpus
        self.threads = threads

    @cached_property
    def regions(self) -> list[_Region]:
        """The whole less its border, and the four halves."""
        height, width = self.corpus.size
        steps = range(-REACH, REACH + 1)
        shifts = sorted(((dy, dx) for dy in steps for dx in steps), key=lambda s: (_size(s), s))
        inner = slice(REACH, height - REACH), slice(REACH, width - REACH)
        full_rows, full_cols = slice(0, height), slice(0, width)
        here = [(0, 0)]
        return [
            _Region(self.corpus, WHOLE, inner, shifts),
            _Region(self.corpus, LEFT, (full_rows, slice(0, width // 2)), here),
            _Region(self.corpus, RIGHT, (full_rows, slice(width // 2, width)), here),
            _Region(self.corpus, TOP, (slice(0, height // 2), full_cols), here),
            _Region(self.corpus, BOTTOM, (slice(height // 2, height), full_cols), here),
        ]

    def score(self, picture: UInt8[np.ndarray, "h w c"]) -> Scored:
        """Score one picture of the corpus's size and channels."""
        matches = [region.match(picture) for region in self.regions]
        ordered = tuple(sorted(matches, key=lambda m: -m.score))
        by_name = {m.region: m for m in matches}
        return Scored(ordered[0].score, ordered, _sources(ordered[0], by_name))

    def scores(
        self,
        pictures: UInt8[np.ndarray, "n h w c"],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Scored]:
        """Score many pictures; ``progress`` is called with (done, all)."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads or before)
        try:
            found = []
            for done, picture in enumerate(pictures, 1):
                found.append(self.score(picture))
                if progress is not None:
                    progress(done, len(pictures))
        finally:
            torch.set_num_threads(before)
        return found


class _Region:
    """A part of every training image, described by its first principal directions."""

    def __init__(
        self,
        corpus: Corpus,
        name: str,
        part: tuple[slice, slice],
        shifts: list[tuple[int, int]],
    ) -> None:
        assert corpus.images is not None
        self.corpus, self.name, self.part, self.shifts = corpus, name, part, shifts
        stride = max(1, len(corpus) // _LEARNT_FROM)
        some = self._flat(np.asarray(corpus.images[::stride]))
        self.mean = some.mean(dim=0)
        spread = some - self.mean
        self.directions = _principal(spread.T @ spread)
        codes = [
            (self._flat(np.asarray(corpus.images[at : at + _BLOCK])) - self.mean) @ self.directions
            for at in range(0, len(corpus), _BLOCK)
        ]
        every = torch.cat(codes)
        self.half_norms = (every**2).sum(dim=1) / 2
        self.turned = torch.cat([every, torch.ones(len(every), 1)], dim=1).T.contiguous()

    def _flat(self, pictures: UInt8[np.ndarray, "n h w c"]) -> torch.Tensor:
        rows, cols = self.part
        inside = np.ascontiguousarray(pictures[:, rows, cols], np.float32)
        return torch.from_numpy(inside).reshape(len(pictures), -1)

    def match(self, picture: UInt8[np.ndarray, "h w c"]) -> Match:
        """Find the best training image for this part of a picture, at the best of the shifts."""
        rows, cols = self.part
        # A pixel p of the image is at p - shift in the picture.
        seen = np.stack(
            [
                picture[rows.start - dy : rows.stop - dy, cols.start - dx : cols.stop - dx]
                for dy, dx in self.shifts
            ]
        ).reshape(len(self.shifts), -1)
        shown = torch.from_numpy(seen.astype(np.float32))
        codes = (shown - self.mean) @ self.directions
        # |q - c|^2 / 2; shifts differ in |q|^2, so it may not be left out.
        norms = (codes**2).sum(dim=1, keepdim=True) / 2
        near = torch.addmm(self.half_norms, torch.cat([-codes, norms], dim=1), self.turned)
        _, finalists = torch.topk(near.amin(dim=0), FINALISTS, largest=False)
        images = np.sort(finalists.numpy())
        shift = near[:, images].argmin(dim=0).numpy()  # the first of equal ones: the smallest
        assert self.corpus.images is not None
        theirs = self.corpus.images[images][:, rows, cols].reshape(FINALISTS, -1)
        residual = _residuals(seen[shift].astype(np.float32), theirs.astype(np.float32))
        best = int(residual.argmin())
        return Match(
            self.name,
            int(images[best]),
            self.shifts[shift[best]],
            float(residual[best]),
            float(np.median(residual)),
        )


def _principal(scatter: torch.Tensor) -> torch.Tensor:
    """Return the directions of greatest variance, [d, `_DIRECTIONS`].

    All of them are some thousands, and ARPACK finds the first few far sooner. They only choose
    whom a picture is compared with, so their last digits decide nothing.
    """
    from scipy.sparse.linalg import eigsh

    start = np.ones(len(scatter), np.float32)
    _, vectors = eigsh(scatter.numpy(), _DIRECTIONS, v0=start, tol=1e-3)
    return torch.from_numpy(np.ascontiguousarray(vectors, np.float32))


def copied_mask(
    picture: UInt8[np.ndarray, "h w c"], corpus: Corpus, sources: tuple[Match, ...]
) -> tuple[Bool[np.ndarray, "h w"], float]:
    """Return where a picture agrees with its sources, and the share of its detail that does.

    A place agrees if the residual, after gain and offset, of the 5x5 square around it is at most
    `_SAME` grey levels. Blank places agree with anything, so the share counts the places with
    detail in the picture or in the source.
    """
    height, width = picture.shape[:2]
    agrees, detail = np.zeros((height, width), bool), np.zeros((height, width), bool)
    for match in sources:
        part = part_of(match.region, height, width)
        moved, there = _moved(corpus[match.image], match.shift, (height, width))
        use = part & there
        mine = picture.astype(np.float64)
        gain, offset = _fit(mine[use].ravel()[None], moved[use].ravel()[None])
        square = ((mine - gain[0] * moved - offset[0]) ** 2).mean(axis=-1)
        agrees |= use & (np.sqrt(_around(square, use)) <= _SAME)
        detail |= part & (np.maximum(_deviation(mine), _deviation(moved) * there) > _DETAIL)
    share = float(agrees[detail].mean()) if detail.any() else float(agrees.mean())
    return agrees, share


def _sources(best: Match, by_name: dict[str, Match]) -> tuple[Match, ...]:
    """One image, or two where both of a pair of halves are nearer than the whole is."""
    if best.region == WHOLE:
        return (best,)
    pairs = {LEFT: RIGHT, RIGHT: LEFT, TOP: BOTTOM, BOTTOM: TOP}
    other = by_name[pairs[best.region]]
    if other.image == best.image and other.shift == best.shift:
        return (Match(WHOLE, best.image, best.shift, best.residual, best.usual),)
    return (best, other) if other.score > 0 else (best,)


def part_of(region: str, height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """Return where a region lies in a picture."""
    part = np.zeros((height, width), bool)
    rows = {TOP: slice(0, height // 2), BOTTOM: slice(height // 2, height)}
    cols = {LEFT: slice(0, width // 2), RIGHT: slice(width // 2, width)}
    part[rows.get(region, slice(None)), cols.get(region, slice(None))] = True
    return part


def _moved(
    image: UInt8[np.ndarray, "h w c"], shift: tuple[int, int], size: tuple[int, int]
) -> tuple[Float64[np.ndarray, "h w c"], Bool[np.ndarray, "h w"]]:
    """Return what lies ``shift`` away from each place, and where that is inside the image."""
    rows, cols = np.arange(size[0]) + shift[0], np.arange(size[1]) + shift[1]
    there = ((rows >= 0) & (rows < size[0]))[:, None] & ((cols >= 0) & (cols < size[1]))
    rows, cols = rows.clip(0, size[0] - 1), cols.clip(0, size[1] - 1)
    return image[rows[:, None], cols].astype(np.float64), there


def _fit(mine: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return gain and offset, row by row, of least squares; the gain within `_GAIN`."""
    a, b = mine.mean(axis=1), theirs.mean(axis=1)
    spread = theirs - b[:, None]
    power = (spread**2).sum(axis=1)
    gain = (spread * (mine - a[:, None])).sum(axis=1) / np.maximum(power, 1e-6)
    gain = np.where(power > 0, gain, 1.0).clip(*_GAIN)
    return gain, a - gain * b


def _residuals(
    mine: Float32[np.ndarray, "k d"], theirs: Float32[np.ndarray, "k d"]
) -> Float64[np.ndarray, " k"]:
    gain, offset = _fit(mine, theirs)
    rest = mine - gain[:, None] * theirs - offset[:, None]
    return np.sqrt((rest.astype(np.float64) ** 2).mean(axis=1))


def _around(values: np.ndarray, use: np.ndarray) -> np.ndarray:
    """Mean over the part of a 5x5 square that is used."""
    from scipy import ndimage

    total = ndimage.uniform_filter(np.where(use, values, 0), 5, mode="constant")
    count = ndimage.uniform_filter(use.astype(np.float64), 5, mode="constant")
    return np.maximum(total, 0) / np.maximum(count, 1e-9)


def _deviation(picture: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    grey = picture.mean(axis=-1)
    mean = ndimage.uniform_filter(grey, 5)
    return np.sqrt(np.maximum(ndimage.uniform_filter(grey**2, 5) - mean**2, 0))


def _size(shift: tuple[int, int]) -> int:
    return abs(shift[0]) + abs(shift[1])
