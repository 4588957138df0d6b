"""The training-free phi: how the known part of the canvas looks at low resolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def encode(
    picture: np.ndarray, known: np.ndarray, factor: int = 2
) -> tuple[list[list[list[int]]], list[list[int]]]:
    """Mean colour of each cell of factor x factor pixels, over its known pixels.

    It stands where paper A, section 2.4, has phi(omega(p)), at the level of the canvas. The
    last cell of a row or column covers what is left, if the side is no multiple of `factor`.

    Parameters
    ----------
    picture : np.ndarray
        uint8 [H, W, C].
    known : np.ndarray
        bool [H, W].
    factor : int
        Side of a cell in pixels.

    Returns
    -------
    code : list
        [ceil(H / factor)][ceil(W / factor)][C], integers -128 to 127: the mean rounded half up,
        minus 128; 0 where the weight is 0.
    weight : list
        [ceil(H / factor)][ceil(W / factor)]: 1 if at least half of the cell is known, else 0.
    """
    height, width, channels = picture.shape
    code: list[list[list[int]]] = []
    weight: list[list[int]] = []
    for top in range(0, height, factor):
        code.append([])
        weight.append([])
        for left in range(0, width, factor):
            cell = [
                (row, col)
                for row in range(top, min(top + factor, height))
                for col in range(left, min(left + factor, width))
            ]
            seen = [place for place in cell if known[place]]
            count = len(seen)
            if 2 * count >= len(cell):
                sums = [sum(int(picture[place][c]) for place in seen) for c in range(channels)]
                code[-1].append([(2 * total + count) // (2 * count) - 128 for total in sums])
                weight[-1].append(1)
            else:
                code[-1].append([0] * channels)
                weight[-1].append(0)
    return code, weight


def reference_code_distances(
    canvas: np.ndarray,
    known: np.ndarray,
    planes: Sequence[np.ndarray] | np.ndarray,
    factor: int = 2,
) -> list[int]:
    """Squared d_SSL (paper A, section 2.4) of the canvas to each corpus image, exactly.

    Only cells of which the canvas knows at least half are compared. The corpus is encoded
    whole: every pixel of it counts as known.

    Parameters
    ----------
    canvas : np.ndarray
        uint8 [H, W, C].
    known : np.ndarray
        bool [H, W].
    planes : sequence of np.ndarray
        Corpus images, uint8 [H, W, C] each: the size of the canvas.
    factor : int
        Side of a cell in pixels.

    Returns
    -------
    list of int
        One squared distance for each image.

    Raises
    ------
    ValueError
        If an image has not the canvas's shape.
    """
    canvas_code, canvas_weight = encode(canvas, known, factor)
    distances = []
    for image in range(len(planes)):
        plane = np.asarray(planes[image])
        if plane.shape != canvas.shape:
            raise ValueError(f"Image {image} is {plane.shape}, the canvas {canvas.shape}.")
        code, _ = encode(plane, np.ones(plane.shape[:2], dtype=bool), factor)
        total = 0
        for i, row in enumerate(canvas_weight):
            for j, weight in enumerate(row):
                for a, b in zip(canvas_code[i][j], code[i][j], strict=True):
                    total += weight * (a - b) ** 2
        distances.append(total)
    return distances


def reference_similar(
    canvas: np.ndarray,
    known: np.ndarray,
    planes: Sequence[np.ndarray] | np.ndarray,
    keep: int,
    *,
    factor: int = 2,
    barred: int = -1,
    labels: Sequence[int] | np.ndarray | None = None,
    label: int | None = None,
) -> list[int]:
    """Stage Similar: the images whose codes are nearest to the canvas's.

    Parameters
    ----------
    canvas, known, planes, factor
        As for `reference_code_distances`.
    keep : int
        How many images to keep; all there are, if there are fewer.
    barred : int
        An image left out; -1 for none.
    labels, label : optional
        Only images i with labels[i] == label are kept, if both are given.

    Returns
    -------
    list of int
        Image indices in order of (distance, index).
    """
    distances = reference_code_distances(canvas, known, planes, factor)
    images = [
        image
        for image in range(len(planes))
        if image != barred and (labels is None or label is None or labels[image] == label)
    ]
    return sorted(images, key=lambda image: (distances[image], image))[:keep]
