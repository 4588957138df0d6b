"""A person's own pictures and masks, as textures and inpainting take them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from intarsia.corpus.corpus import Corpus
from intarsia.errors import UsageError


def pictures(paths: Sequence[str], *, grey: bool = False) -> Corpus:
    """Open one picture or several, of any sizes, as one corpus.

    Parameters
    ----------
    paths : picture files, or anything else `Corpus.open` takes.
    grey : one channel.

    Raises
    ------
    UsageError
        If some are grey and some in colour.
    DataError
        If a file is no picture.
    """
    opened = [Corpus.open(path, grey=grey, cache=False) for path in paths]
    if len(opened) == 1:
        return opened[0]
    planes = [corpus[i] for corpus in opened for i in range(len(corpus))]
    if len({plane.shape[2] for plane in planes}) > 1:
        raise UsageError("Some of the pictures are grey and some in colour; add --grey.")
    valid = None
    if any(corpus.valid is not None for corpus in opened):
        valid = [
            np.ones(corpus[i].shape[:2], bool) if corpus.valid is None else corpus.valid[i]
            for corpus in opened
            for i in range(len(corpus))
        ]
    return Corpus.from_arrays(planes, valid=valid, name=",".join(paths))


def mask(path: str | None, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Read a mask: True where it is white (above 127), which marks a hole.

    Parameters
    ----------
    path : a picture file; None for a mask without holes.
    size : (H, W) of the picture it belongs to.

    Raises
    ------
    UsageError
        If its size differs.
    """
    if path is None:
        return np.zeros(size, bool)
    plane = Corpus.open(path, grey=True, cache=False)[0][..., 0]
    if plane.shape != size:
        raise UsageError(
            f"The mask {path} is {plane.shape[0]}x{plane.shape[1]}, but the picture is "
            f"{size[0]}x{size[1]} (height x width). Give a mask of the picture's size."
        )
    return plane > 127
