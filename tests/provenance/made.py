"""Real samples, drawn once: what the laws of provenance are checked on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from sklearn.datasets import load_sample_images

from intarsia import Corpus, NonparametricSampler, Samples, Sources
from intarsia.samples import SOURCE_FIELDS


@cache
def crops() -> Corpus:
    """Overlapping 16x16 crops of two photographs, which are the classes."""
    pictures, labels = [], []
    for label, photograph in enumerate(load_sample_images().images):
        small = photograph[::8, ::8]
        for row in range(0, small.shape[0] - 16, 4):
            for col in range(0, small.shape[1] - 16, 6):
                pictures.append(small[row : row + 16, col : col + 16])
                labels.append(label)
    return Corpus.from_arrays(
        np.stack(pictures), np.array(labels), ("palace", "flower"), name="crops"
    )


@cache
def colour_samples() -> Samples:
    """Five samples of 16x16x3 by the full model, with a 4x4 seed."""
    return NonparametricSampler(crops(), window=5, seed_size=4).sample(5, seed=0)


@cache
def digit_samples() -> Samples:
    """Twelve samples of 8x8 grey digits."""
    return NonparametricSampler(Corpus.open("digits", cache=False)).sample(12, seed=0)


def with_sources(samples: Samples, **changed: np.ndarray) -> Samples:
    """The same pictures with other sources; they need not be true."""
    arrays = {name: getattr(samples.sources, name) for name in SOURCE_FIELDS}
    sources = Sources(**{**arrays, **changed}, evidence=samples.sources.evidence)
    return replace(samples, sources=sources)
