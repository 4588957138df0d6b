"""Charts of paper B's pages as arrays."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from intarsia.provenance import draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from intarsia.corpus import Corpus
    from intarsia.measure.memorization import Memorization


SHOWN = 12
"""Samples in a row."""


def rendered(figure: Figure) -> UInt8[np.ndarray, "h w 3"]:
    """Return a figure of matplotlib as pixels."""
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return np.asarray(Image.open(buffer).convert("RGB"))


def pairs(
    images: UInt8[np.ndarray, "n h w c"], found: Memorization, corpus: Corpus
) -> list[UInt8[np.ndarray, "h w 3"]]:
    """Return the first samples, then the training pictures most like them by SSIM."""
    like = np.stack([corpus[int(i)] for i in found.nearest.image_by_ssim[:SHOWN]])
    some = images[:SHOWN]
    blank = [np.full_like(some[0], 255)] * (SHOWN - len(some))
    return [
        draw.enlarge(one, 2)
        for row in (some, like)
        for one in draw.to_rgb(np.stack([*row, *blank]))
    ]
