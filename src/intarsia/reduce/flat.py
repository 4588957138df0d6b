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

_kept: WeakKeyDictionary[Stack, dict[int, Bool[np.ndarray, " hwn"]]] = WeakKeyDictionary()


def flat_patches(
    stack: Stack, half: int, sample: Int8[np.ndarray, "n ck"]
) -> Bool[np.ndarray, " hwn"]:
    """Return which patches of a stack without padding hold one value in all pixels and channels.

    Parameters
    ----------
    stack : the pictures.
    half : pixels from a window's centre to its edge; what lies beyond a picture is left out.
    sample : some of its patches; where flat ones are rare among them, an empty array is returned.
    """
    kept = _kept.setdefault(stack, {})
    if half not in kept:
        rare = (sample == sample[:, :1]).all(axis=1).mean() <= _RARE
        kept[half] = np.zeros(0, bool) if rare else _flat(stack.pixels[0].numpy(), half).ravel()
    return kept[half]


def _flat(pixels: Int8[np.ndarray, "c h w n"], half: int) -> Bool[np.ndarray, "h w n"]:
    value = pixels[0]
    flat = (pixels == value).all(axis=0)
    for axis in (1, 0):
        before, size = flat.copy(), flat.shape[axis]
        for step in range(1, min(half, size - 1) + 1):
            left = [slice(None)] * 3
            right = [slice(None)] * 3
            left[axis], right[axis] = slice(0, size - step), slice(step, size)
            near, far = tuple(left), tuple(right)
            same = value[near] == value[far]
            flat[near] &= same & before[far]
            flat[far] &= same & before[near]
    return flat
