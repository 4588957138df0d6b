"""The pixel law: what is written equals the training pixel that is named (law 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intarsia.errors import DataError, IntarsiaError, UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.samples import Samples

_BLOCK = 256  # samples looked up at once: bounds the memory of a run of many thousands


def require_same_corpus(samples: Samples, corpus: Corpus) -> None:
    """Refuse a corpus that the samples were not made from.

    Raises
    ------
    DataError
        If both fingerprints are known and differ.
    """
    made_from = samples.origin.fingerprint
    if made_from and corpus.fingerprint and made_from != corpus.fingerprint:
        raise DataError(
            f"These samples were made from {samples.origin.data!r} with fingerprint "
            f"{made_from[:12]}, but the corpus given, {corpus.name!r}, has "
            f"{corpus.fingerprint[:12]}. Open the same data, split, limit, classes and size."
        )


def check_pixel_law(samples: Samples, corpus: Corpus | None = None) -> None:
    """Raise for the first pixel that is not the training pixel its source names.

    Parameters, errors: see `intarsia.samples.Samples.check_pixel_law`.
    """
    corpus = samples.corpus if corpus is None else corpus
    if corpus is None:
        raise UsageError("The pixel law needs the training images. Pass the corpus.")
    if samples.sources.evidence != "exact":
        raise UsageError(
            f"The pixel law speaks of copied pixels, but the evidence of these samples is "
            f"{samples.sources.evidence!r}."
        )
    require_same_corpus(samples, corpus)
    for start in range(0, len(samples), _BLOCK):
        _check_block(samples[start : start + _BLOCK], corpus, start)


def _check_block(samples: Samples, corpus: Corpus, start: int) -> None:
    image, row, col = samples.sources.image, samples.sources.row, samples.sources.col
    sourced = image >= 0
    lost = ~sourced & (samples.sources.step >= 0)
    outside, hole = _misplaced(image, row, col, corpus)
    readable = sourced & ~outside
    differs = np.zeros_like(sourced)
    found = np.asarray(corpus[image[readable], row[readable], col[readable]])
    differs[readable] = np.any(found.reshape(len(found), -1) != samples.images[readable], axis=-1)
    broken = lost | outside | hole | differs
    if not broken.any():
        return
    i, y, x = (int(at) for at in np.unravel_index(broken.argmax(), broken.shape))
    source = f"image {image[i, y, x]}, row {row[i, y, x]}, column {col[i, y, x]}"
    if lost[i, y, x]:
        fault = "was drawn, but names no source"
    elif outside[i, y, x]:
        fault = f"names {source}, which is outside the corpus"
    elif hole[i, y, x]:
        fault = f"names {source}, which is a hole or padding"
    else:
        there = np.asarray(corpus[image[i, y, x], row[i, y, x], col[i, y, x]]).ravel().tolist()
        fault = f"is {samples.images[i, y, x].tolist()}, but {source} is {there}"
    raise IntarsiaError(
        f"The pixel law is broken: sample {start + i}, row {y}, column {x} {fault}. The pictures, "
        "the sources and the corpus do not belong together."
    )


def _misplaced(
    image: np.ndarray, row: np.ndarray, col: np.ndarray, corpus: Corpus
) -> tuple[np.ndarray, np.ndarray]:
    """Which places are outside their training image, and which in one of its holes."""
    outside = image >= len(corpus)
    hole = np.zeros_like(outside)
    inside = (image >= 0) & ~outside
    if not corpus.is_ragged and corpus.valid is None:  # the usual case, without a loop
        height, width = corpus.size
        outside |= inside & ((row < 0) | (row >= height) | (col < 0) | (col >= width))
        return outside, hole
    for number in np.unique(image[inside]):
        here = image == number
        height, width = corpus.planes[int(number)].shape[:2]
        off = here & ((row < 0) | (row >= height) | (col < 0) | (col >= width))
        outside |= off
        if corpus.valid is not None:
            at = here & ~off
            hole[at] = ~np.asarray(corpus.valid[int(number)])[row[at], col[at]]
    return outside, hole
