"""A picture dropped on the page, attributed: the one place that calls `provenance.attribution`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia.errors import IntarsiaError, UsageError
from intarsia.explorer.run import Arrays, InMemory
from intarsia.samples import Samples, Sources

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

MOST_BYTES = 8 << 20
MOST_PIXELS = 256 * 256
CANDIDATES = 12
"""Nearest patches kept a pixel."""
MODEL = "attribution"
"""What an attributed picture's settings say in place of a model; the page knows it by that."""
FORMATS = ("PNG", "JPEG", "WEBP")
"""Pillow's names of the formats decoded."""


def read(data: bytes, corpus: Corpus) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read an uploaded picture.

    Parameters
    ----------
    data : PNG, JPEG or WebP, of at most `MOST_BYTES` bytes and `MOST_PIXELS` pixels.
    corpus : whose number of channels the picture is brought to, where that loses nothing.

    Returns
    -------
    picture : uint8 [H, W, C].
    notes : what was converted, one line each.

    Raises
    ------
    UsageError
        If it is no such picture.
    """
    from intarsia.corpus.readers.foreign import read_picture

    try:
        picture, notes = read_picture(
            data,
            corpus.channels,
            max_bytes=MOST_BYTES,
            max_pixels=MOST_PIXELS,
            formats=FORMATS,
        )
    except IntarsiaError as error:
        raise UsageError(str(error)) from error
    return picture, notes


def attributed(
    picture: np.ndarray,
    corpus: Corpus,
    *,
    notes: tuple[str, ...],
    window: int,
    radius: int | None,
    progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> Callable[[str], InMemory]:
    """Attribute a picture; returns what makes it a run of one sample under an identifier.

    Parameters
    ----------
    picture : uint8 [H, W, C].
    notes : what was converted to read it.
    window, radius : as for ``intarsia attribute``.
    progress : called with (done, in all).
    should_stop : asked now and then.
    """
    from intarsia.provenance.attribution import attribute

    found = attribute(
        picture,
        corpus,
        window=window,
        radius=radius,
        top=CANDIDATES,
        progress=progress,
        should_stop=should_stop,
    )
    nearest = {name: np.asarray(getattr(found, name)) for name in ("image", "row", "col", "label")}
    distance = np.nan_to_num(np.asarray(found.distance))  # NaN where no patch fits
    shape = nearest["image"].shape[:2]
    sources = Sources(
        **{name: value[None, ..., 0] for name, value in nearest.items()},
        transform=np.zeros((1, *shape), np.int32),
        step=np.zeros((1, *shape), np.int32),
        pool=(nearest["image"] >= 0).sum(axis=-1)[None],
        distance=distance[None, ..., 0].astype(np.float32),
        weight=np.zeros((1, *shape), np.float32),
        evidence="none",
        grid=None,
    )
    settings: dict[str, Any] = {
        "model": MODEL,
        "window": window,
        "radius": radius,
        "correlation": found.correlation,
        "notes": list(notes),
    }
    samples = Samples(images=picture[None], sources=sources, settings=settings, corpus=corpus)
    entries = _pools(nearest, distance)
    return lambda key: InMemory(key, f"Attributed {key}", samples, [entries])


def _pools(nearest: Arrays, distance: np.ndarray) -> Arrays:
    """Return the nearest patches of each pixel as the arrays of pools.npz."""
    there = nearest["image"] >= 0
    row, col = np.indices(there.shape[:2])
    return {
        "row": row.reshape(-1),
        "col": col.reshape(-1),
        "count": there.sum(axis=-1).reshape(-1),
        **{f"source_{name}": nearest[name][there] for name in ("image", "row", "col")},
        "distance": distance[there],
    }
