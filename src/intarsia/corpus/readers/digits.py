"""The handwritten digits inside scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from intarsia.corpus.corpus import check_labels
from intarsia.corpus.readers.base import Block, Reading


def read(class_names: Sequence[str]) -> Reading:
    """Return the reading of `sklearn.datasets.load_digits`.

    Its counts v of 0..16 become round(v * 255 / 16): 0 to 0, 16 to 255, 8 to 128.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    names = tuple(class_names)
    labels = check_labels(data.target, len(data.images), names)

    def blocks() -> Iterator[Block]:
        yield Block(np.rint(data.images * (255 / 16)).astype(np.uint8)[..., None])

    return Reading(len(labels), blocks, labels, names)
