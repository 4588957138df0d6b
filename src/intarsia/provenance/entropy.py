"""Sliding-window entropy of source maps (paper A, section 3.3, "Entropy Calculation")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from intarsia.provenance.windows import SIDE, counted, slide, touches
from intarsia.samples import Sources


@dataclass(frozen=True, eq=False)
class Entropy:
    """Mean local entropies of a run, in nats; NaN where there is no window to average.

    Parameters
    ----------
    class_map, image_map : over all windows, as the paper says. Windows with a pixel that has no
        source image are left out; the class entropy is NaN if no pixel has a label.
    class_map_drawn, image_map_drawn : over the windows without any given pixel. A seed is one
        piece of one image, so windows that touch it have lower entropy by construction.
    """

    class_map: float
    image_map: float
    class_map_drawn: float
    image_map_drawn: float


def window_entropy(
    maps: Int[np.ndarray, "n h w"], *, side: int = SIDE
) -> Float64[np.ndarray, "n y x"]:
    """Entropy of the labels in each window of a map.

    Parameters
    ----------
    maps : discrete labels, [n, H, W].
    side : of the window; 7 in the paper. Stride 1, windows wholly inside.

    Returns
    -------
    float64 [n, H - side + 1, W - side + 1]
        H = -sum p log p, natural logarithm: from 0 (one label) to log(side^2), 3.89 for 7.
        The paper does not give the base.

    References
    ----------
    Paper A (arXiv 2510.22196), section 3.3.

    Examples
    --------
    >>> half = np.repeat([0, 1], [1, 1]).reshape(1, 1, 2)
    >>> window_entropy(np.repeat(half, 2, axis=1), side=2).round(4)
    array([[[0.6931]]])
    """
    out = np.zeros(slide(maps, side).shape[:3])
    for some, runs in counted(maps, side):
        out[some] = runs.entropy
    return out


def map_entropies(sources: Sources, *, side: int = SIDE) -> Entropy:
    """Mean window entropies of the class maps and image-ID maps of all samples.

    Parameters
    ----------
    sources : of n samples.
    side : of the window.
    """
    whole = ~touches(sources.image < 0, side)
    drawn = whole & ~touches(sources.step < 0, side)
    images = window_entropy(sources.image, side=side)
    if (sources.label >= 0).any():
        classes = window_entropy(sources.label, side=side)
    else:
        classes = np.full_like(images, np.nan)
    return Entropy(
        class_map=_mean(classes, whole),
        image_map=_mean(images, whole),
        class_map_drawn=_mean(classes, drawn),
        image_map_drawn=_mean(images, drawn),
    )


def _mean(values: np.ndarray, where: Bool[np.ndarray, "n y x"]) -> float:
    return float(values[where].mean()) if where.any() else float("nan")
