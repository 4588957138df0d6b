"""Coherent regions of a picture, found from its pixels alone."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, UInt8


def picture_segments(
    image: UInt8[np.ndarray, "h w c"], *, scale: float = 100.0, least: int = 16
) -> Int64[np.ndarray, "h w"]:
    """Divide a picture into connected regions of little inner contrast.

    Two neighbouring regions become one while the contrast between them is not above the contrast
    within each, plus ``scale`` over its area; then regions that are too small join the neighbour
    they differ from least. Neither sources nor classes are looked at.

    Parameters
    ----------
    image : uint8 [H, W, C].
    scale : larger values give larger regions; in grey levels times pixels.
    least : area in pixels below which a region is joined to a neighbour.

    Returns
    -------
    int64 [H, W]
        Region numbers from 0, in raster order of first appearance.

    References
    ----------
    P. Felzenszwalb, D. Huttenlocher, "Efficient graph-based image segmentation", IJCV 2004,
    on the grid of four neighbours, after a Gaussian blur of 0.5 pixels.
    """
    from scipy import ndimage

    height, width = image.shape[:2]
    smooth = ndimage.gaussian_filter(image.astype(np.float64), (0.5, 0.5, 0), mode="nearest")
    number = np.arange(height * width).reshape(height, width)
    first = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    second = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    flat = smooth.reshape(height * width, -1)
    contrast = np.sqrt(((flat[first] - flat[second]) ** 2).sum(axis=-1))
    order = np.argsort(contrast, kind="stable")
    edges = list(
        zip(first[order].tolist(), second[order].tolist(), contrast[order].tolist(), strict=True)
    )

    forest = _Forest(height * width)
    within = [scale] * (height * width)  # inner contrast + scale / area, of each root
    for a, b, between in edges:
        a, b = forest.root(a), forest.root(b)
        if a != b and between <= within[a] and between <= within[b]:
            joined = forest.join(a, b)
            within[joined] = between + scale / forest.area[joined]
    for a, b, _ in edges:
        a, b = forest.root(a), forest.root(b)
        if a != b and min(forest.area[a], forest.area[b]) < least:
            forest.join(a, b)

    roots = np.array([forest.root(pixel) for pixel in range(height * width)])
    _, appears, region = np.unique(roots, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(appears))[region].reshape(height, width)


class _Forest:
    """Disjoint sets of pixels, joined by size, with halved paths."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))
        self.area = [1] * count

    def root(self, pixel: int) -> int:
        parent = self.parent
        while parent[pixel] != pixel:
            parent[pixel] = parent[parent[pixel]]
            pixel = parent[pixel]
        return pixel

    def join(self, a: int, b: int) -> int:
        if self.area[a] < self.area[b]:
            a, b = b, a
        self.parent[b] = a
        self.area[a] += self.area[b]
        return a
