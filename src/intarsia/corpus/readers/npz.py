"""NumPy's ``.npz``: ``images``, and perhaps ``labels`` and ``class_names``."""

from __future__ import annotations

import logging
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from intarsia.corpus.corpus import check_labels
from intarsia.corpus.planes import LARGEST_SIDE
from intarsia.corpus.readers.base import BLOCK_BYTES, Block, Reading, explained
from intarsia.errors import DataError, UsageError

log = logging.getLogger("intarsia.corpus")
_WHAT = "an .npz archive"
_KNOWN = ("images", "labels", "class_names")
_OWN = ("seeds", "raw", "noise", "tokens", "window")
"""What a run of this project keeps beside its images; nobody need be told that it is not read."""
# A false header may claim any size: labels and names are read whole, so they have a limit.
_SMALL = 1 << 30


def read(path: Path) -> Reading:
    """Return the reading of an archive.

    ``images`` is uint8 [N, H, W] or [N, H, W, C] with C 1 or 3; ``labels`` integers [N];
    ``class_names`` strings. Images are streamed, so the archive may exceed memory.

    Raises
    ------
    DataError
        If the archive is damaged, or an array has another type, shape or length.
    """
    with explained(path, _WHAT), zipfile.ZipFile(path) as archive:
        held = {name.removesuffix(".npy") for name in archive.namelist()}
        if "images" not in held:
            raise DataError(
                f"{path}: no array named 'images', only {sorted(held)}. "
                "Save it with np.savez(path, images=...)."
            )
        with archive.open("images.npy") as stream:
            shape, fortran, dtype = _header(stream)
        _check_images(path, shape, fortran, dtype)
        names = _names(path, _whole(archive, "class_names")) if "class_names" in held else ()
        labels = _whole(archive, "labels") if "labels" in held else None
    if extra := sorted(held.difference(_KNOWN, _OWN)):
        log.info("%s: arrays ignored: %s", path, ", ".join(extra))
    numbers = None
    if labels is not None:
        try:
            numbers = check_labels(labels, shape[0], names, f"{path}: labels")
        except UsageError as error:
            raise DataError(str(error)) from error
    picture = shape[1:] if len(shape) == 4 else (*shape[1:], 1)

    def blocks() -> Iterator[Block]:
        size = math.prod(picture)
        step = max(1, BLOCK_BYTES // size)
        with (
            explained(path, _WHAT),
            zipfile.ZipFile(path) as archive,
            archive.open("images.npy") as stream,
        ):
            _header(stream)
            for start in range(0, shape[0], step):
                n = min(step, shape[0] - start)
                data = _exactly(stream, n * size)
                yield Block(np.frombuffer(data, np.uint8).reshape(n, *picture))
            _at_end(stream)

    return Reading(shape[0], blocks, numbers, names)


def _check_images(path: Path, shape: tuple[int, ...], fortran: bool, dtype: np.dtype) -> None:
    if dtype != np.uint8:
        fix = ".astype(np.uint8)" if dtype.kind in "iub" else ""
        if dtype.kind == "f":
            fix = (
                "np.uint8(np.rint(images * 255)) if it lies in 0..1, np.uint8(images) if in 0..255"
            )
        raise DataError(
            f"{path}: images is {dtype}, but uint8 from 0 to 255 is needed. "
            f"Save {fix or 'an array of uint8'}."
        )
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        hint = ""
        if len(shape) == 4 and shape[1] in (1, 3):
            hint = " Put channels last: images.transpose(0, 2, 3, 1)."
        elif len(shape) == 4 and shape[3] == 4:
            hint = " Drop the alpha channel: images[..., :3]."
        raise DataError(
            f"{path}: images has shape {shape}, but [N, H, W] or [N, H, W, 1 or 3] is needed.{hint}"
        )
    if not shape[0] or not all(0 < side <= LARGEST_SIDE for side in shape[1:3]):
        raise DataError(
            f"{path}: images has shape {shape}, but at least one picture with sides of 1 to "
            f"{LARGEST_SIDE} is needed."
        )
    if fortran:
        raise DataError(f"{path}: images is in Fortran order. Save np.ascontiguousarray(images).")


def _names(path: Path, array: np.ndarray) -> tuple[str, ...]:
    if array.dtype.kind != "U" or array.ndim != 1:
        raise DataError(
            f"{path}: class_names is {array.dtype} of shape {array.shape}, but a list of strings "
            "is needed. Save np.array(names, dtype=str)."
        )
    return tuple(map(str, array))


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the header of an ``.npy``; ValueError if it is none."""
    version = np.lib.format.read_magic(stream)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"array of unknown format version {version}")
    shape, fortran, dtype = readers[version](stream)
    if dtype.hasobject:
        raise ValueError(
            "it holds Python objects, which are not read since they could run code; "
            "save strings with np.array(names, dtype=str)"
        )
    if any(side < 0 for side in shape):
        raise ValueError(f"array of shape {shape}")
    return tuple(shape), bool(fortran), dtype


def _whole(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as stream:
        shape, _, dtype = _header(stream)
        size = math.prod(shape) * dtype.itemsize
        if size > _SMALL or len(shape) > 1:
            raise ValueError(f"{name} of shape {shape}")
        data = _exactly(stream, size)
        _at_end(stream)
    return np.frombuffer(data, dtype).reshape(shape)


def _exactly(stream: IO[bytes], size: int) -> bytearray:
    data = bytearray()
    while len(data) < size:
        piece = stream.read(min(size - len(data), BLOCK_BYTES))
        if not piece:
            raise ValueError("an array is shorter than its header says")
        data += piece
    return data


def _at_end(stream: IO[bytes]) -> None:
    """Check that the array ends here; reading to the end also checks the archive's CRC."""
    if stream.read(1):
        raise ValueError("an array is longer than its header says")
