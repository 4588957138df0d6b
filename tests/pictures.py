"""Small corpora of real pictures for property tests."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.datasets import load_sample_image

from intarsia.corpus import Corpus


@cache
def digits() -> Corpus:
    """The 1,797 handwritten digits of scikit-learn, 8x8: the embedded corpus."""
    return Corpus.open("digits")


@cache
def colour_patches(count: int = 40, side: int = 10) -> np.ndarray:
    """Neighbouring crops of scikit-learn's photograph of a flower, uint8 [count, side, side, 3].

    Neighbours overlap, so that equal and nearly equal patches abound.
    """
    photograph = load_sample_image("flower.jpg")[150:, 250:]
    return np.stack([photograph[3 * i : 3 * i + side, 2 * i : 2 * i + side] for i in range(count)])
