"""The whole training pictures nearest to one picture: by PSNR, by SSIM, under phi."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import UInt8

from intarsia.dictionary import Candidates, CodeBook, Query, Stack

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.represent import Encoder

FINALISTS = 16
"""Pictures, nearest by PSNR, that SSIM is computed for."""


@dataclass(frozen=True)
class Neighbour:
    """A whole training picture.

    Attributes
    ----------
    measure : ``psnr``, ``ssim`` or ``phi``.
    image : which one.
    value : decibel (infinite for an equal picture); SSIM from -1 to 1; for phi the distance
        between codes.
    """

    measure: str
    image: int
    value: float

    def as_dict(self) -> dict[str, Any]:
        """Return the fields; an infinite value as None."""
        value = self.value if math.isfinite(self.value) else None
        return {"measure": self.measure, "image": self.image, "value": value}


def nearest_by_difference(
    picture: UInt8[np.ndarray, "h w c"], stack: Stack, keep: int, threads: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ``keep`` pictures of least squared difference, and those differences, exact.

    A whole picture is a window that fits in one place.
    """
    from intarsia.reduce.nearest_patches import nearest_patches

    height, width = picture.shape[:2]
    rows, cols = np.indices((height, width))
    offsets = np.stack([rows.ravel(), cols.ravel()], axis=1).astype(np.int64)
    values = (picture.reshape(1, -1, picture.shape[2]) ^ 128).view(np.int8).transpose(0, 2, 1)
    query = Query(
        (0, 0),
        offsets,
        np.ones(len(offsets), np.int32),
        np.ascontiguousarray(values),
        np.zeros(1, np.int64),
    )
    barred = np.full(1, -1, np.int64)
    found = nearest_patches(
        [[Candidates(stack, (0, 0), (0, 0), barred)]],
        [query],
        min(keep, stack.pictures.shape[1]),
        threads=threads,
    )
    image, _, _ = found.names()
    return image[0], found.distance[0]


def whole_neighbours(
    picture: UInt8[np.ndarray, "h w c"],
    corpus: Corpus,
    stack: Stack,
    phi: Encoder | None = None,
    threads: int | None = None,
    nearest: tuple[np.ndarray, np.ndarray] | None = None,
) -> list[Neighbour]:
    """Return the nearest whole picture by each measure.

    SSIM is the best of the `FINALISTS` nearest by PSNR; it is left out where scikit-image is
    missing or the picture is too small for it. ``phi`` is left out if None.

    Parameters
    ----------
    picture : of the size of the corpus's pictures.
    stack : the corpus, laid out without padding.
    phi : an encoder of whole pictures.
    nearest : what `nearest_by_difference` found for `FINALISTS`, where that is known.
    """
    from intarsia.measure.nearest import best_ssim, psnr_of
    from intarsia.reduce.nearest import code_distances

    images, differences = nearest or nearest_by_difference(picture, stack, FINALISTS, threads)
    psnr = float(psnr_of(differences[:1], picture.size)[0])
    found = [Neighbour("psnr", int(images[0]), psnr)]
    window = min(7, *(side - 1 + side % 2 for side in picture.shape[:2]))
    if window >= 3 and find_spec("skimage") is not None:
        numbers, values = best_ssim(picture[None], corpus, images[None], window)
        found.append(Neighbour("ssim", int(numbers[0]), float(values[0])))
    if phi is not None:
        book = _book(phi, corpus, stack)
        codes = phi.codes(picture[None], np.ones(picture.shape[:2], bool))
        distance = code_distances(book, codes.values, codes.known, threads)[0]
        at = int(distance.argmin())
        found.append(Neighbour("phi", at, math.sqrt(float(distance[at]))))
    return found


_books: WeakKeyDictionary[Corpus, dict[str, CodeBook]] = WeakKeyDictionary()


def _book(phi: Encoder, corpus: Corpus, stack: Stack) -> CodeBook:
    """Return the corpus's codes, encoded once for as long as it lives."""
    from intarsia.represent.codes_cache import corpus_codes

    kept = _books.setdefault(corpus, {})
    key = f"{phi!r} {phi.fingerprint}"
    if key not in kept:
        kept[key] = CodeBook.of(corpus_codes(phi, corpus), stack.pixels.device)
    return kept[key]
