"""A picture dropped on the page, attributed: the one place that calls `provenance.attribution`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia.errors import IntarsiaError
from intarsia.explorer.run import Arrays, InMemory
from intarsia.samples import Samples, Sources

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

MOST_BYTES = 8 << 20
MOST_PIXELS = 256 * 256
CANDIDATES = 12
"""Nearest patches kept a pixel."""
_MODULE = "intarsia.provenance.attribution"


class NotBuilt(IntarsiaError):
    """This version has no attribution."""


def available() -> bool:
    """Whether this version can attribute pictures."""
    return find_spec(_MODULE) is not None


def read(data: bytes, corpus: Corpus) -> np.ndarray:
    """Read an uploaded picture.

    Parameters
    ----------
    data : PNG, JPEG or WebP, of at most `MOST_BYTES` bytes and `MOST_PIXELS` pixels.
    corpus : whose number of channels the picture is brought to, where that loses nothing.

    Returns
    -------
    uint8 [H, W, C]

    Raises
    ------
    NotBuilt
        If this version has no attribution.
    IntarsiaError
        If it is no such picture.
    """
    picture, _ = _attribution().read_picture(data, corpus.channels, MOST_BYTES, MOST_PIXELS)
    return np.asarray(picture, np.uint8)


def attributed(
    picture: np.ndarray,
    corpus: Corpus,
    *,
    window: int,
    radius: int | None,
    progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> Callable[[str], InMemory]:
    """Attribute a picture; returns what makes it a run of one sample under an identifier.

    Parameters
    ----------
    picture : uint8 [H, W, C].
    window, radius : as for ``intarsia attribute``.
    progress : called with (done, in all).
    should_stop : asked now and then.
    """
    found = _attribution().attribute(
        picture,
        corpus,
        window=window,
        radius=radius,
        top=CANDIDATES,
        progress=progress,
        should_stop=should_stop,
    )
    nearest = {name: np.asarray(getattr(found, name)) for name in ("image", "row", "col", "label")}
    distance = np.asarray(found.distance)
    shape = nearest["image"].shape[:2]
    sources = Sources(
        **{name: value[None, ..., 0] for name, value in nearest.items()},
        transform=np.zeros((1, *shape), np.int32),
        step=np.zeros((1, *shape), np.int32),
        pool=np.full((1, *shape), nearest["image"].shape[-1]),
        distance=distance[None, ..., 0].astype(np.float32),
        weight=np.zeros((1, *shape), np.float32),
        evidence="none",
    )
    settings: dict[str, Any] = {
        "model": "attribution",
        "window": window,
        "radius": radius,
        "correlation": float(found.correlation),
    }
    samples = Samples(images=picture[None], sources=sources, settings=settings, corpus=corpus)
    entries = _pools(nearest, distance)
    return lambda key: InMemory(key, f"Picture {key}", samples, [entries])


def _pools(nearest: Arrays, distance: np.ndarray) -> Arrays:
    """Return the k nearest patches of each pixel as the arrays of pools.npz."""
    height, width, k = nearest["image"].shape
    row, col = np.divmod(np.arange(height * width), width)
    return {
        "row": row,
        "col": col,
        "count": np.full(height * width, k),
        "source_image": nearest["image"].reshape(-1),
        "source_row": nearest["row"].reshape(-1),
        "source_col": nearest["col"].reshape(-1),
        "distance": distance.reshape(-1),
    }


def _attribution() -> Any:
    from importlib import import_module

    if not available():
        raise NotBuilt("This version of intarsia cannot attribute pictures yet.")
    return import_module(_MODULE)
