"""A picture from anywhere, made to fit a corpus: what loses nothing is converted and said."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from intarsia.corpus.readers.base import Notes, explained
from intarsia.corpus.readers.picture import FORMATS, decode
from intarsia.errors import DataError

MAX_BYTES = 32 << 20
MAX_PIXELS = 1 << 22


def read_picture(
    source: str | os.PathLike[str] | bytes,
    channels: int,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    formats: Sequence[str] = FORMATS,
    name: str | None = None,
) -> tuple[UInt8[np.ndarray, "h w c"], tuple[str, ...]]:
    """Read one picture as 8 bits of grey or RGB.

    Grey becomes RGB, and RGB whose three channels are equal becomes grey: neither loses anything.

    Parameters
    ----------
    source : a file, or the bytes of one.
    channels : 1 or 3, as the corpus has.
    max_bytes, max_pixels : what is larger is refused before it is decoded.
    formats : Pillow's names of the formats taken.
    name : what messages call it; the path by default.

    Returns
    -------
    picture : uint8 [H, W, C].
    notes : what was converted, one line each.

    Raises
    ------
    DataError
        If it is no picture, too large, animated, or would lose something: colour in a grey
        corpus, more than 8 bits, CMYK, transparency.
    """
    what = name or ("the picture" if isinstance(source, bytes) else os.fspath(source))
    data = source if isinstance(source, bytes) else _bytes_of(Path(source), what, max_bytes)
    if not data:
        raise DataError(f"{what}: 0 bytes, so there is no picture in it.")
    if len(data) > max_bytes:
        raise DataError(
            f"{what}: {len(data):,} bytes, but at most {max_bytes:,} are read. Scale it down first."
        )
    _check_header(data, what, max_pixels, formats)
    notes = Notes()
    block = decode(data, what, notes)
    if block.valid is not None:
        raise DataError(
            f"{what}: {int((~block.valid).sum()):,} transparent pixels, which have no colour. "
            "Flatten it onto a background first."
        )
    picture = _fitted(block.pixels[0], channels, what, notes)
    return np.ascontiguousarray(picture), notes.lines()


def _bytes_of(path: Path, what: str, max_bytes: int) -> bytes:
    with explained(path, "a picture"):
        if path.is_dir():
            raise DataError(f"{what} is a folder; a picture is one file. Name the files in it.")
        size = path.stat().st_size
        if size > max_bytes:
            raise DataError(
                f"{what}: {size:,} bytes, but at most {max_bytes:,} are read. Scale it down first."
            )
        return path.read_bytes()


def _check_header(data: bytes, what: str, max_pixels: int, formats: Sequence[str]) -> None:
    """Refuse what is too large or of another format by its first bytes alone."""
    from PIL import Image

    with explained(Path(what), "a picture"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=tuple(formats)) as image:
                width, height = image.size
        except Image.DecompressionBombError as error:
            raise DataError(
                f"{what}: far more than {max_pixels:,} pixels, the most that is read. Scale it "
                "down first."
            ) from error
        except Image.UnidentifiedImageError as error:
            raise DataError(
                f"{what}: starts with {data[:4].hex()}, which is none of {', '.join(formats)}."
            ) from error
    if width * height > max_pixels:
        raise DataError(
            f"{what}: {width:,} x {height:,} pixels, but at most {max_pixels:,} in all are read. "
            "Scale it down first."
        )


def _fitted(
    picture: UInt8[np.ndarray, "h w c"], channels: int, what: str, notes: Notes
) -> UInt8[np.ndarray, "h w d"]:
    if picture.shape[2] == channels:
        return picture
    if channels == 3:
        notes.add("of grey turned to RGB")
        return np.repeat(picture, 3, axis=2)
    if (picture == picture[..., :1]).all():
        notes.add("of RGB that held grey turned to grey")
        return picture[..., :1]
    raise DataError(
        f"{what}: in colour, but the corpus is grey. Convert the picture to grey first, which "
        "loses its colours."
    )
