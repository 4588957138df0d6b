"""A whole small image of paper A, pixel by pixel, with the source of every pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from tests.reference.fill_order import reference_fill_order
from tests.reference.pool import reference_pool

Similar = Callable[[np.ndarray, np.ndarray], list[int]]


@dataclass(frozen=True)
class ReferenceSample:
    """One image and its sources, one array [H, W] each, with the dtypes of a run's sources.

    Given pixels have step -1. Those of a seed carry their true source, with pool 1, distance 0
    and weight 1; those with no source have image, row, col and label -1, and pool, distance and
    weight 0.

    Attributes
    ----------
    canvas : np.ndarray
        uint8 [H, W, C].
    image, row, col, label : np.ndarray
        int32, int16, int16, int16: the source; label -1 without labels.
    step : np.ndarray
        int32, order of filling from 0.
    pool : np.ndarray
        int32, Z.
    distance : np.ndarray
        float32, the winner's distance / (W x 255^2), 0 to 1; 0 if nothing was compared.
    weight : np.ndarray
        float32, 1 / Z.
    """

    canvas: np.ndarray
    image: np.ndarray
    row: np.ndarray
    col: np.ndarray
    label: np.ndarray
    step: np.ndarray
    pool: np.ndarray
    distance: np.ndarray
    weight: np.ndarray


def reference_fill(
    planes: Sequence[np.ndarray] | np.ndarray,
    labels: Sequence[int] | np.ndarray | None,
    canvas: np.ndarray,
    known: np.ndarray,
    window_weights: np.ndarray,
    border: str,
    *,
    centre: tuple[float, float] | None = None,
    valid: Sequence[np.ndarray] | np.ndarray | None = None,
    radius: int | None = None,
    label: int | None = None,
    similar: Similar | None = None,
    refresh: int = 16,
    barred: int = -1,
    epsilon: str | int | Fraction = "0.1",
    min_pool: int = 1,
    appearance: bool = True,
    seed: int,
    sample: int,
) -> ReferenceSample:
    """Fill every unknown pixel of a canvas (paper A, section 2.3), whatever its mask.

    Parameters
    ----------
    planes, valid, window_weights, border, radius, barred, epsilon, min_pool, appearance
        As for `reference_pool`.
    labels : sequence of int, optional
        Label of each corpus image.
    canvas : np.ndarray
        uint8 [H, W, C]; not changed.
    known : np.ndarray
        bool [H, W]; not changed.
    centre : tuple of float, optional
        The seed's centre, as for `reference_fill_order`.
    label : int, optional
        Stage SameLabel: only images of this label are sources.
    similar : callable, optional
        Stage Similar: given copies of the canvas (0 where unknown) and its mask, the images that
        may be sources. Called at steps 0, refresh, 2 x refresh and so on.
    refresh : int
        Pixels filled between two calls of `similar`.
    seed, sample : int
        The run's seed, and which of its samples this is.

    Returns
    -------
    ReferenceSample
        Pixels given at the start have no source here.

    Raises
    ------
    ValueError
        If some pixel has no candidate, or a label is asked for without labels.
    """
    known = np.array(known, dtype=bool)
    canvas = np.where(known[:, :, None], canvas, 0).astype(np.uint8)
    same_label = None
    if label is not None:
        if labels is None:
            raise ValueError(f"Label {label} is asked for, but the corpus has no labels.")
        same_label = [image for image in range(len(planes)) if labels[image] == label]
    size = known.shape
    sources = ReferenceSample(
        canvas=canvas,
        image=np.full(size, -1, np.int32),
        row=np.full(size, -1, np.int16),
        col=np.full(size, -1, np.int16),
        label=np.full(size, -1, np.int16),
        step=np.full(size, -1, np.int32),
        pool=np.zeros(size, np.int32),
        distance=np.zeros(size, np.float32),
        weight=np.zeros(size, np.float32),
    )
    images_allowed = same_label
    for step, place in enumerate(reference_fill_order(known, window_weights, border, centre)):
        if similar is not None and step % refresh == 0:
            images_allowed = [
                image
                for image in similar(canvas.copy(), known.copy())
                if same_label is None or image in same_label
            ]
        found = reference_pool(
            planes,
            valid,
            canvas,
            known,
            place,
            window_weights,
            border,
            radius=radius,
            images_allowed=images_allowed,
            barred=barred,
            epsilon=epsilon,
            min_pool=min_pool,
            appearance=appearance,
            seed=seed,
            sample=sample,
            step=step,
        )
        if found.winner is None or found.distance is None:
            raise ValueError(f"Step {step}: no training patch may fill the pixel at {place}.")
        image, row, col = found.winner
        canvas[place] = planes[image][row, col]
        known[place] = True
        sources.image[place] = image
        sources.row[place] = row
        sources.col[place] = col
        sources.label[place] = -1 if labels is None else labels[image]
        sources.step[place] = step
        sources.pool[place] = found.size
        if found.weight > 0:
            sources.distance[place] = found.distance / (found.weight * 255**2)
        sources.weight[place] = 1 / found.size
    return sources


def reference_sample(
    planes: Sequence[np.ndarray] | np.ndarray,
    labels: Sequence[int] | np.ndarray | None,
    size: tuple[int, int],
    seed_values: np.ndarray,
    seed_place: tuple[int, int],
    seed_image: int,
    window_weights: np.ndarray,
    border: str,
    *,
    seed_source: tuple[int, int] | None = None,
    valid: Sequence[np.ndarray] | np.ndarray | None = None,
    radius: int | None = None,
    label: int | None = None,
    similar: Similar | None = None,
    refresh: int = 16,
    not_source: bool = True,
    epsilon: str | int | Fraction = "0.1",
    min_pool: int = 1,
    appearance: bool = True,
    seed: int,
    sample: int,
) -> ReferenceSample:
    """Grow an image from a seed rectangle (paper A, section 2.3).

    Parameters
    ----------
    planes, labels, window_weights, border, valid, radius, label, similar, refresh
        As for `reference_fill`.
    size : tuple of int
        Height and width of the canvas.
    seed_values : np.ndarray
        uint8 [h, w, C], as they are in the source image.
    seed_place : tuple of int
        Row and column of the rectangle's first pixel on the canvas.
    seed_image : int
        The corpus image that the seed is from.
    seed_source : tuple of int, optional
        Row and column of the rectangle's first pixel in that image; by default `seed_place`.
    not_source : bool
        Stage NotSource: the seed's image fills no other pixel.
    epsilon, min_pool, appearance, seed, sample
        As for `reference_fill`.

    Returns
    -------
    ReferenceSample
        Seed pixels carry their true source, with step -1.

    Raises
    ------
    ValueError
        If the seed's values are not those of its source, or some pixel has no candidate.
    """
    if seed_source is None:
        seed_source = seed_place
    rows, cols, channels = seed_values.shape
    top, left = seed_place
    source_top, source_left = seed_source
    source = planes[seed_image][source_top : source_top + rows, source_left : source_left + cols]
    if not np.array_equal(source, seed_values):
        raise ValueError(f"The seed is not what image {seed_image} holds at {seed_source}.")

    canvas = np.zeros((*size, channels), np.uint8)
    known = np.zeros(size, bool)
    for i in range(rows):
        for j in range(cols):
            canvas[top + i, left + j] = seed_values[i, j]
            known[top + i, left + j] = True
    result = reference_fill(
        planes,
        labels,
        canvas,
        known,
        window_weights,
        border,
        centre=(top + (rows - 1) / 2, left + (cols - 1) / 2),
        valid=valid,
        radius=radius,
        label=label,
        similar=similar,
        refresh=refresh,
        barred=seed_image if not_source else -1,
        epsilon=epsilon,
        min_pool=min_pool,
        appearance=appearance,
        seed=seed,
        sample=sample,
    )
    for i in range(rows):
        for j in range(cols):
            place = (top + i, left + j)
            result.image[place] = seed_image
            result.row[place] = source_top + i
            result.col[place] = source_left + j
            result.label[place] = -1 if labels is None else labels[seed_image]
            result.pool[place] = 1
            result.weight[place] = 1
    return result
