"""Patches that are one value throughout.

Grey pictures are mostly background, and millions of equal patches are equally near to a query.
Only the first of them, by name, can be named, so the others need not be looked at.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Bool, Int8

from intarsia.dictionary import Stack

_RARE = 0.02
"""Share of flat patches up to which looking for them costs more than it saves."""

_SAMPLE = 256
"""Pictures in which they are counted first."""

_known: WeakKeyDictionary[Stack, dict[int, Bool[np.ndarray, " hwn"]]] = WeakKeyDictionary()


def flat_patches(stack: Stack, half: int) -> Bool[np.ndarray, " hwn"]:
    """Return which patches hold one value in all pixels and channels; empty where few do.

    Parameters
    ----------
    stack : the pictures, without padding.
    half : pixels from a window's centre to its edge; what lies beyond a picture is left out.
    """
    known = _known.setdefault(stack, {})
    if half not in known:
        pixels = stack.pixels[0].numpy()
        some = pixels[..., :: -(-pixels.shape[3] // _SAMPLE)]
        rare = _flat(some, half).mean() <= _RARE
        known[half] = np.zeros(0, bool) if rare else _flat(pixels, half).ravel()
    return known[half]


def _flat(pixels: Int8[np.ndarray, "c h w n"], half: int) -> Bool[np.ndarray, "h w n"]:
    value = pixels[0]
    flat = (pixels == value).all(axis=0)
    for axis in (1, 0):
        before, size = flat.copy(), flat.shape[axis]
        for step in range(1, min(half, size - 1) + 1):
            near = (slice(None),) * axis + (slice(0, size - step),)
            far = (slice(None),) * axis + (slice(step, size),)
            same = value[near] == value[far]
            flat[near] &= same & before[far]
            flat[far] &= same & before[near]
    return flat
