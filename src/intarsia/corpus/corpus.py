"""The training pictures, as every model sees them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int16, UInt8

from intarsia.corpus.fingerprint import of_content
from intarsia.corpus.planes import LARGEST_SIDE, Planes
from intarsia.errors import UsageError


@dataclass(frozen=True, eq=False, repr=False)
class Corpus:
    """Training pictures with labels, and a fingerprint of their content.

    Make one with `Corpus.open` or `Corpus.from_arrays`. Pixels are read-only and often
    memory-mapped.

    Attributes
    ----------
    planes : sequence of uint8 [H_i, W_i, C]
        The pictures, each cut from one flat array when asked for. C is 1 or 3.
    valid : sequence of bool [H_i, W_i], or None
        False marks a hole or padding, which is never a source. None if all pixels are valid.
    labels : int16 [N] or None
        Class of each picture, 0 or greater.
    class_names : tuple of str
        Name of class k at position k; empty where there are none.
    name : str
        The ``--data`` string, or what `from_arrays` was told.
    split : str
        Such as ``train``.
    fingerprint : str
        Hex SHA-256 over shapes, pixels, labels and mask. Names do not enter it.
    notes : tuple of str
        What happened to the pixels on the way in, such as "decoded from JPEG".
    """

    planes: Planes
    valid: Planes | None
    labels: Int16[np.ndarray, " n"] | None
    class_names: tuple[str, ...]
    name: str
    split: str
    fingerprint: str
    notes: tuple[str, ...] = ()

    @classmethod
    def open(
        cls,
        name: str | os.PathLike[str],
        *,
        split: str = "train",
        limit: int | None = None,
        classes: str | int | Sequence[str | int] | None = None,
        resize: int | None = None,
        fit: str = "resize",
        grey: bool = False,
        cache: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Corpus:
        """Open the corpus that a ``--data`` string names.

        Parameters
        ----------
        name : str or path
            ``digits``, ``mnist``, ``fashion-mnist``, ``cifar10``, a folder of pictures, a
            ``.npz``, a ``.parquet``, an IDX file, ``hf:NAME``, or one picture.
        split : str
            ``train`` or ``test`` where the data has both.
        limit : int, optional
            Keep the first so many pictures (after ``classes``).
        classes : str, int or sequence of them, optional
            Keep these classes, by name or number; one string may list several with commas.
            Labels keep their numbers.
        resize : int, optional
            Make every picture ``resize`` x ``resize`` (bilinear, as Pillow does it).
        fit : {"resize", "pad", "crop"}
            What becomes of another aspect ratio: stretched, padded (the padding is not
            `valid`), or cropped about the centre.
        grey : bool
            Turn colour into one channel of luma (ITU-R 601), before any resizing.
        cache : bool
            Keep decoded pixels in the user's cache folder, and map them from there.
        progress : callable, optional
            Called with (pictures done, pictures in all) while decoding.

        Returns
        -------
        Corpus

        Raises
        ------
        UsageError
            For an unknown name, split, class or fit, or a number that makes no sense.
        DataError
            For a file that is not what it claims to be, or a download that failed.

        Examples
        --------
        >>> digits = Corpus.open("digits", classes="3,8", limit=10)
        >>> len(digits), digits.size, digits.channels
        (10, (8, 8), 1)
        """
        from intarsia.corpus.opening import open_corpus

        return open_corpus(
            name,
            split=split,
            limit=limit,
            classes=classes,
            resize=resize,
            fit=fit,
            grey=grey,
            cache=cache,
            progress=progress,
        )

    @classmethod
    def from_arrays(
        cls,
        images: np.ndarray | Sequence[np.ndarray],
        labels: np.ndarray | Sequence[int] | None = None,
        class_names: Sequence[str] = (),
        valid: np.ndarray | Sequence[np.ndarray] | None = None,
        name: str = "arrays",
    ) -> Corpus:
        """Make a corpus of arrays.

        Parameters
        ----------
        images : uint8 [N, H, W], [N, H, W, C], or a list of [H_i, W_i] or [H_i, W_i, C]
            C is 1 or 3, the same for all. Not copied where the layout allows; do not write to
            them afterwards, the fingerprint would no longer hold.
        labels : int [N], optional
            0 or greater.
        class_names : sequence of str, optional
        valid : bool [N, H, W] or a list of bool [H_i, W_i], optional
            False marks a hole, which is never a source.
        name : str

        Raises
        ------
        UsageError
            If an array has the wrong type, shape, length or range.
        """
        planes = _planes(images, "images", np.uint8)
        depths = np.unique(planes.shapes[:, 2])
        if len(depths) > 1 or depths[0] not in (1, 3):
            found = " and ".join(map(str, depths))
            raise UsageError(f"images have {found} channels: give all of them 1 or 3.")
        sides = planes.shapes[:, :2]
        if sides.min() < 1 or sides.max() > LARGEST_SIDE:
            raise UsageError(f"a picture side must be 1 to {LARGEST_SIDE} pixels.")
        names = tuple(map(str, class_names))
        numbers = None if labels is None else check_labels(labels, len(planes), names)
        mask = None
        if valid is not None:
            mask = _planes(valid, "valid", np.bool_)
            if len(mask) != len(planes) or (mask.shapes != sides).any():
                raise UsageError("valid must have the heights and widths of images.")
            if mask.flat.all():
                mask = None
        return cls(
            planes=planes,
            valid=mask,
            labels=numbers,
            class_names=names,
            name=name,
            split="train",
            fingerprint=of_content(planes, numbers, mask),
        )

    @property
    def images(self) -> UInt8[np.ndarray, "n h w c"] | None:
        """All pictures as one array, or None if they differ in size."""
        return self.planes.stacked

    @property
    def is_ragged(self) -> bool:
        """Whether the pictures differ in size."""
        return self.planes.stacked is None

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return int(self.planes.shapes[0, 2])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of every picture.

        Raises
        ------
        UsageError
            If the pictures differ in size.
        """
        if self.is_ragged:
            low, high = self.planes.shapes[:, :2].min(axis=0), self.planes.shapes[:, :2].max(axis=0)
            raise UsageError(
                f"The pictures of {self.name} differ in size, from {low[0]} to {high[0]} rows and "
                f"{low[1]} to {high[1]} columns, and one size is needed: "
                "add --resize S with --fit resize, pad or crop."
            )
        return int(self.planes.shapes[0, 0]), int(self.planes.shapes[0, 1])

    def part(self, first: int, stop: int) -> Corpus:
        """Return the pictures from ``first`` to before ``stop``, without a copy.

        It keeps the fingerprint of the whole: a shard is no corpus of its own.
        """
        return replace(
            self,
            planes=self.planes.part(first, stop),
            valid=None if self.valid is None else self.valid.part(first, stop),
            labels=None if self.labels is None else self.labels[first:stop],
        )

    def __len__(self) -> int:
        return len(self.planes)

    def __getitem__(self, index: Any) -> UInt8[np.ndarray, "..."]:
        """Return picture ``corpus[i]``, or pixels ``corpus[image, row, col]``.

        ``image``, ``row`` and ``col`` may be integers or integer arrays; the result is uint8
        [..., C]. A negative one raises IndexError, since -1 stands for "no source".
        """
        if isinstance(index, tuple):
            if len(index) != 3:
                raise IndexError("give one index (a picture) or three (image, row, col)")
            return self.planes.pixels(*index)
        if isinstance(index, (int, np.integer)):
            return self.planes[int(index)]
        raise TypeError(f"a picture is named by an integer, not {type(index).__name__}")

    def __repr__(self) -> str:
        shapes = self.planes.shapes
        size = "mixed sizes" if self.is_ragged else f"{shapes[0, 0]}x{shapes[0, 1]}"
        kind = "grey" if self.channels == 1 else "colour"
        return (
            f"Corpus({self.name!r}, split={self.split!r}: {len(self):,} {kind} pictures, {size}, "
            f"fingerprint {self.fingerprint[:12]})"
        )


def check_labels(
    labels: Any, count: int, class_names: tuple[str, ...], what: str = "labels"
) -> Int16[np.ndarray, " n"]:
    """Return labels as int16, or say what is wrong with them.

    Raises
    ------
    UsageError
        If they are not ``count`` integers from 0 to the number of class names (or 32767).
    """
    array = np.asarray(labels)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise UsageError(
            f"{what} must be one integer for each picture, "
            f"found {array.dtype} of shape {array.shape}."
        )
    if len(array) != count:
        raise UsageError(f"{what}: {len(array):,} labels for {count:,} pictures.")
    last = len(class_names) - 1 if class_names else np.iinfo(np.int16).max
    if array.min() < 0 or array.max() > last:
        wrong = array.min() if array.min() < 0 else array.max()
        raise UsageError(f"{what}: label {wrong} is outside 0..{last}.")
    result = array.astype(np.int16)
    result.flags.writeable = False
    return result


def _planes(arrays: np.ndarray | Sequence[np.ndarray], what: str, dtype: type) -> Planes:
    """Check pictures (uint8) or masks (bool), and lay them one after the other."""
    if not len(arrays):
        raise UsageError(f"{what} is empty: a corpus needs at least one picture.")
    if isinstance(arrays, np.ndarray):
        shapes = np.tile(_plane(arrays[0], what, dtype).shape, (len(arrays), 1))
        flat = np.ascontiguousarray(arrays).reshape(-1)
    else:
        checked = [_plane(array, f"{what}[{i}]", dtype) for i, array in enumerate(arrays)]
        shapes = np.array([array.shape for array in checked])
        flat = np.concatenate([array.reshape(-1) for array in checked])
    return Planes(flat, shapes)


def _plane(array: Any, what: str, dtype: type) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype != dtype:
        fix = "" if dtype is np.bool_ else " Scale to 0..255, round, then .astype(np.uint8)."
        raise UsageError(f"{what} must be {np.dtype(dtype)}, found {array.dtype}.{fix}")
    if dtype is np.uint8 and array.ndim == 2:
        array = array[..., None]
    if array.ndim != (3 if dtype is np.uint8 else 2) or not array.size:
        raise UsageError(f"{what}: a plane of shape {array.shape} is no picture.")
    return array
