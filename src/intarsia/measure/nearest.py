"""The picture of a corpus nearest to each sample, which tells copies.

The whole picture is compared, so this says nothing about parts; those are what sources are for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

FINALISTS = 16
"""Pictures, nearest by PSNR, that SSIM is computed for."""

_BLOCK = 2048  # pictures of the corpus, and samples, compared at once


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest picture of a corpus to each of n samples, twice.

    Attributes
    ----------
    image_by_psnr : int64 [n], picture of least squared difference; the first of equal ones.
    squared_difference : int64 [n], summed over pixels and channels.
    psnr : float64 [n], in decibel, 10 log10(255^2 / mean squared difference); infinite for an
        equal picture.
    image_by_ssim : int64 [n], picture of greatest SSIM among the finalists by PSNR.
    ssim : float64 [n], from -1 to 1. NaN if a side is below 3.
    window : side of the SSIM window.
    """

    image_by_psnr: Int64[np.ndarray, " n"]
    squared_difference: Int64[np.ndarray, " n"]
    psnr: Float64[np.ndarray, " n"]
    image_by_ssim: Int64[np.ndarray, " n"]
    ssim: Float64[np.ndarray, " n"]
    window: int


def nearest(
    images: UInt8[np.ndarray, "n h w c"],
    corpus: Corpus,
    *,
    finalists: int = FINALISTS,
    progress: Callable[[int, int], None] | None = None,
) -> Nearest:
    """Find the nearest picture of a corpus to each sample, by PSNR and by SSIM.

    Parameters
    ----------
    images : the samples.
    corpus : pictures of the same size and channels; all of them are compared.
    finalists : SSIM is computed for so many, the nearest by PSNR. Its best is therefore the
        best of these, not of the corpus.
    progress : called with (pictures of the corpus compared, all of them).

    Raises
    ------
    UsageError
        If the pictures of the corpus have another size, or several.

    References
    ----------
    SSIM: Wang, Bovik, Sheikh and Simoncelli, 2004, doi 10.1109/TIP.2003.819861, as scikit-image
    computes it: uniform 7x7 windows (smaller for small pictures), mean over channels.
    """
    check_shape(images, corpus)
    if finalists < 1:
        raise UsageError(f"finalists is {finalists}; SSIM needs at least 1.")
    numbers, differences = _least(images, corpus, min(finalists, len(corpus)), progress)
    psnr = psnr_of(differences[:, 0], int(np.prod(images.shape[1:])))
    window = min(7, *(side - 1 + side % 2 for side in images.shape[1:3]))
    image_by_ssim, ssim = best_ssim(images, corpus, numbers, window)
    return Nearest(numbers[:, 0], differences[:, 0], psnr, image_by_ssim, ssim, window)


def psnr_of(
    squared_difference: Int64[np.ndarray, "..."], values: int
) -> Float64[np.ndarray, "..."]:
    """Return the PSNR, in decibel, of squared differences summed over so many values."""
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(255.0**2 * values / squared_difference))


def check_shape(images: UInt8[np.ndarray, "n h w c"], corpus: Corpus) -> None:
    """Raise UsageError unless samples and pictures have one size and number of channels."""
    shape = (*corpus.size, corpus.channels)
    if images.shape[1:] != shape:
        ours, theirs = ("x".join(map(str, s)) for s in (images.shape[1:], shape))
        raise UsageError(
            f"The samples are {ours}, and the pictures of {corpus.name!r} are {theirs}. Name the "
            "data they were made from, with the same --resize, --fit and --grey."
        )


def _least(
    images: UInt8[np.ndarray, "n h w c"],
    corpus: Corpus,
    keep: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[Int64[np.ndarray, "n k"], Int64[np.ndarray, "n k"]]:
    """Return the ``keep`` least squared differences and their pictures, both in that order.

    |a|^2 + |b|^2 - 2 a.b in float64 is exact: every term is an integer below 2^53.
    """
    assert corpus.images is not None
    count = len(images)
    flat = images.reshape(count, -1).astype(np.float64)
    own = (flat * flat).sum(axis=1)
    numbers = np.zeros((count, 0), np.int64)
    differences = np.zeros((count, 0), np.float64)
    for start in range(0, len(corpus), _BLOCK):
        block = np.asarray(corpus.images[start : start + _BLOCK], np.float64)
        block = block.reshape(len(block), -1)
        theirs = (block * block).sum(axis=1)
        here = np.arange(start, start + len(block))
        kept_numbers, kept_differences = [], []
        for at in range(0, count, _BLOCK):
            some = slice(at, at + _BLOCK)
            found = own[some, None] + theirs - 2.0 * (flat[some] @ block.T)
            found = np.concatenate([differences[some], found], axis=1)
            names = np.concatenate(
                [numbers[some], np.broadcast_to(here, (len(found), len(here)))], axis=1
            )
            # Earlier pictures stand first and the sort is stable, so equal ones stay in order.
            order = np.argsort(found, axis=1, kind="stable")[:, :keep]
            kept_numbers.append(np.take_along_axis(names, order, axis=1))
            kept_differences.append(np.take_along_axis(found, order, axis=1))
        numbers, differences = np.concatenate(kept_numbers), np.concatenate(kept_differences)
        if progress is not None:
            progress(min(start + _BLOCK, len(corpus)), len(corpus))
    return numbers, differences.astype(np.int64)


def best_ssim(
    images: UInt8[np.ndarray, "n h w c"],
    corpus: Corpus,
    finalists: Int64[np.ndarray, "n k"],
    window: int,
) -> tuple[Int64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Return the finalist of greatest SSIM to each image, and that SSIM.

    Parameters
    ----------
    images : uint8 of the corpus's size.
    finalists : numbers of pictures; of equal values the first wins.
    window : side of the SSIM window; below 3 the first finalist and NaN are returned.

    Raises
    ------
    UsageError
        If scikit-image is missing.
    """
    if window < 3:
        return finalists[:, 0].copy(), np.full(len(images), np.nan)
    try:
        from skimage.metrics import structural_similarity
    except ImportError as error:
        raise UsageError(
            f"SSIM is computed by scikit-image, which cannot be imported ({error}). Install it: "
            "pip install 'intarsia[metrics]'."
        ) from error
    numbers, values = finalists[:, 0].copy(), np.empty(len(images))
    for at, image in enumerate(images):
        scores = [
            structural_similarity(
                image, corpus[int(other)], win_size=window, data_range=255, channel_axis=-1
            )
            for other in finalists[at]
        ]
        best = int(np.argmax(scores))
        numbers[at], values[at] = finalists[at, best], scores[best]
    return numbers, values
