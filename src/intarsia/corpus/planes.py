"""Pictures of one size or of many, over one flat array that may lie on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from jaxtyping import Int

# Sources name rows and columns in int16.
LARGEST_SIDE = 32767


class Planes(Sequence[np.ndarray]):
    """A lazy sequence of planes cut from one flat array.

    Parameters
    ----------
    flat : array [total]
        The planes one after the other, each in raster order; often memory-mapped. Seen through
        a read-only view.
    shapes : int [n, 2] or [n, 3]
        ``(height, width)`` or ``(height, width, channels)`` of each plane.

    Raises
    ------
    ValueError
        If the shapes do not add up to the length of ``flat``, or there is no plane.

    Examples
    --------
    >>> planes = Planes(np.arange(10, dtype=np.uint8), np.array([[2, 2, 1], [3, 2, 1]]))
    >>> planes[1].shape, planes.stacked is None
    ((3, 2, 1), True)
    """

    __slots__ = ("_shape", "_starts", "flat", "shapes", "stacked")

    def __init__(self, flat: np.ndarray, shapes: Int[np.ndarray, "n k"]) -> None:
        shapes = np.asarray(shapes, dtype=np.int64)
        if shapes.ndim != 2 or not len(shapes):
            raise ValueError("there must be at least one plane")
        self._starts = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))])
        if self._starts[-1] != flat.size:
            raise ValueError(f"shapes ask for {self._starts[-1]} values, there are {flat.size}")
        self.flat = flat.view()
        self.flat.flags.writeable = False  # the fingerprint must go on holding
        self.shapes = shapes
        uniform = bool((shapes == shapes[0]).all())
        self._shape: tuple[int, ...] | None = tuple(map(int, shapes[0])) if uniform else None
        self.stacked: np.ndarray | None = None
        if self._shape is not None:
            self.stacked = self.flat.reshape(len(shapes), *self._shape)

    def __len__(self) -> int:
        return len(self.shapes)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...
    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = int(index)
        if not -len(self) <= i < len(self):
            raise IndexError(f"picture {i} of {len(self)}")
        i %= len(self)
        start, stop = self._starts[i], self._starts[i + 1]
        return self.flat[start:stop].reshape(self.shapes[i])

    def prefix(self, count: int) -> Planes:
        """Return the first ``count`` planes, without a copy."""
        return Planes(self.flat[: self._starts[count]], self.shapes[:count])

    def part(self, first: int, stop: int) -> Planes:
        """Return the planes from ``first`` to before ``stop``, without a copy."""
        return Planes(self.flat[self._starts[first] : self._starts[stop]], self.shapes[first:stop])

    def __reduce__(self) -> tuple[Any, ...]:
        return Planes, (self.flat, self.shapes)  # one array, however many views of it

    def take(self, indices: Int[np.ndarray, " m"]) -> Planes:
        """Return the planes named, copied into memory in that order."""
        if self.stacked is not None:
            return Planes(self.stacked[indices].reshape(-1), self.shapes[indices])
        return Planes(np.concatenate([self[i].reshape(-1) for i in indices]), self.shapes[indices])

    def pixels(self, image: Any, row: Any, col: Any) -> np.ndarray:
        """Return the values at places, broadcast against each other.

        Parameters
        ----------
        image, row, col : integers or integer arrays

        Returns
        -------
        array [...] or [..., channels]

        Raises
        ------
        IndexError
            If a place lies outside its picture. A negative index is outside too: in sources,
            -1 stands for "none", and reading the last pixel instead would hide a mistake.
        """
        image, row, col = np.broadcast_arrays(image, row, col)
        for what, values in (("image", image), ("row", row), ("col", col)):
            if values.dtype.kind not in "iu":
                raise IndexError(f"{what} must be integers, not {values.dtype}")
        if image.size and (image.min() < 0 or image.max() >= len(self)):
            raise IndexError(f"an image outside 0..{len(self) - 1}")
        image, row, col = (values.astype(np.int64) for values in (image, row, col))
        height, width = self.shapes[image, 0], self.shapes[image, 1]
        if image.size and not ((row >= 0) & (row < height) & (col >= 0) & (col < width)).all():
            raise IndexError("a row or column outside its picture")
        depth = int(self.shapes[0, 2]) if self.shapes.shape[1] == 3 else 1
        place = self._starts[image] + (row * width + col) * depth
        if self.shapes.shape[1] == 2:
            return self.flat[place]
        return self.flat[place[..., None] + np.arange(depth)]
