"""IDX files, plain or gzipped: the format of MNIST (http://yann.lecun.com/exdb/mnist/)."""

from __future__ import annotations

import gzip
import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from intarsia.corpus.corpus import check_labels
from intarsia.corpus.planes import LARGEST_SIDE
from intarsia.corpus.readers.base import BLOCK_BYTES, Block, Reading, explained
from intarsia.errors import DataError, UsageError

_UBYTE = 0x08
_GZIP = b"\x1f\x8b"


def read(images: Path, labels: Path | None, class_names: Sequence[str] = ()) -> Reading:
    """Return the reading of an IDX file of images and, if there is one, its file of labels.

    Parameters
    ----------
    images : unsigned bytes [N, H, W] or [N, H, W, C]
    labels : unsigned bytes [N]
    class_names : position is number

    Raises
    ------
    DataError
        If a header is wrong, the data is shorter or longer than the header says, or the two
        files do not match. What shows only at the end of the data is raised at the end of it.
    """
    with _opened(images) as stream:
        shape = _header(stream, images, (3, 4), "images")
    count = shape[0]
    names = tuple(class_names)
    numbers = None
    if labels is not None:
        found = _labels(labels)
        try:
            numbers = check_labels(found, count, names, f"{labels} (for {images.name})")
        except UsageError as error:
            raise DataError(str(error)) from error

    def blocks() -> Iterator[Block]:
        picture = shape[1:] if len(shape) == 4 else (*shape[1:], 1)
        size = math.prod(picture)
        step = max(1, BLOCK_BYTES // size)
        with _opened(images) as stream:
            _header(stream, images, (3, 4), "images")
            for start in range(0, count, step):
                n = min(step, count - start)
                data = _exactly(stream, n * size, images, start * size, shape)
                yield Block(np.frombuffer(data, np.uint8).reshape(n, *picture))
            _nothing_left(stream, images, shape)

    return Reading(count, blocks, numbers, names)


def labels_beside(images: Path) -> Path | None:
    """Return the file of labels that belongs to a file of images by the usual name, if any."""
    if "images" not in images.name:
        return None
    stem = images.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    for name in (stem, f"{stem}.gz"):
        if (images.parent / name).is_file():
            return images.parent / name
    return None


def _labels(path: Path) -> np.ndarray:
    with _opened(path) as stream:
        (count,) = _header(stream, path, (1,), "labels")
        data = _exactly(stream, count, path, 0, (count,))
        _nothing_left(stream, path, (count,))
    return np.frombuffer(data, np.uint8)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacking it if its first bytes say gzip, whatever its name says."""
    with explained(path, "an IDX file"), path.open("rb") as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        if packed:
            with gzip.open(raw) as stream:
                yield cast(BinaryIO, stream)
        else:
            yield raw


def _header(
    stream: BinaryIO, path: Path, dimensions: tuple[int, ...], what: str
) -> tuple[int, ...]:
    """Read magic and sizes; return the shape."""
    magic = stream.read(4)
    expected = " or ".join(f"{_UBYTE << 8 | d:08x}" for d in dimensions)
    if len(magic) < 4 or magic[:3] != bytes((0, 0, _UBYTE)) or magic[3] not in dimensions:
        hint = ""
        if magic == bytes((0, 0, _UBYTE, 1)):
            hint = " That is a file of labels: name the file of images."
        raise DataError(
            f"{path}: starts with {magic.hex() or 'nothing'}, but an IDX file of {what} starts "
            f"with {expected}.{hint}"
        )
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{path}: ends within its IDX header. Fetch it again.")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    sides, depth = shape[1:3], (shape[3] if len(shape) == 4 else 1)
    if not shape[0] or not all(0 < side <= LARGEST_SIDE for side in sides) or depth not in (1, 3):
        raise DataError(
            f"{path}: its header says {_times(shape)}, but {what} need at least one entry, sides "
            f"of 1 to {LARGEST_SIDE} and 1 or 3 channels."
        )
    return shape


def _exactly(
    stream: BinaryIO, size: int, path: Path, before: int, shape: tuple[int, ...]
) -> bytearray:
    """Read ``size`` bytes, in pieces so that a false header cannot ask for all memory."""
    data = bytearray()
    while len(data) < size:
        piece = stream.read(min(size - len(data), BLOCK_BYTES))
        if not piece:
            raise DataError(
                f"{path}: too short: {before + len(data):,} bytes after the header, which "
                f"promises {_times(shape)} = {math.prod(shape):,}. Fetch it again."
            )
        data += piece
    return data


def _nothing_left(stream: BinaryIO, path: Path, shape: tuple[int, ...]) -> None:
    if stream.read(1):
        raise DataError(
            f"{path}: too long: more bytes follow after the {_times(shape)} = "
            f"{math.prod(shape):,} that its header promises. Fetch it again."
        )


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
