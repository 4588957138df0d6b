"""One encoded picture to pixels: what loses nothing is converted, the rest refused."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia.corpus.planes import LARGEST_SIDE
from intarsia.corpus.readers.base import Block, Notes, Reading, explained
from intarsia.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

# Others are left out on purpose: some start other programs, some lose bits without a word.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp")
    + (".pbm", ".pgm", ".ppm", ".pnm")
)
# Pictures all the same, which we cannot take: skipping one deserves a warning.
OTHER_SUFFIXES = frozenset(
    (".heic", ".heif", ".avif", ".jxl", ".jp2", ".tga", ".psd", ".svg", ".exr", ".hdr", ".ico")
    + (".dng", ".cr2", ".nef", ".arw", ".raw")
)
JPEG_NOTE = "decoded from JPEG, which is lossy: pixels may differ from a lossless original"
_ORIENTATION = 0x0112
_SIXTEEN_TO_EIGHT = 257  # 255 * 257 = 65535


def read(path: Path) -> Reading:
    """Return the reading of one picture file: a corpus of one."""
    notes = Notes()

    def blocks() -> Iterator[Block]:
        yield decode_file(path, notes)

    return Reading(1, blocks, notes=notes)


def decode_file(path: Path, notes: Notes) -> Block:
    """Return the picture in a file; see `decode`."""
    with explained(path, "a picture"):
        data = path.read_bytes()
    return decode(data, str(path), notes)


def decode(data: bytes, what: str, notes: Notes) -> Block:
    """Return the picture encoded in ``data``.

    Numbers are taken as stored: colour profiles are not applied. The orientation that EXIF
    states is.

    Parameters
    ----------
    data : PNG, JPEG, BMP, GIF, TIFF, WebP or PNM
    what : its name, for messages
    notes : what was converted is noted here

    Returns
    -------
    Block
        One picture of 1 or 3 channels. Fully transparent pixels become holes of value 0.

    Raises
    ------
    DataError
        If it cannot be decoded, is animated, is larger than Pillow allows, or would lose
        something on the way to 8 bits of grey or RGB (CMYK, 16 bits, partial transparency).
    """
    from PIL import Image

    with explained(Path(what), "a picture"), warnings.catch_warnings():
        # Pillow only warns at its limit and refuses at twice that: refuse at once.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # A damaged EXIF block is a warning to Pillow; the pixels may still be whole.
        warnings.simplefilter("ignore", UserWarning)
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _refuse(image, what)
                if image.format in ("JPEG", "MPO"):
                    notes.add(JPEG_NOTE)
                return _pixels(_upright(image, notes), what, notes)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise DataError(
                f"{what}: more than {Image.MAX_IMAGE_PIXELS:,} pixels, the most Pillow takes. "
                "Scale it down first."
            ) from error
        except Image.UnidentifiedImageError as error:
            raise DataError(
                f"{what}: starts with {data[:4].hex() or 'nothing'}, which is none of "
                f"{', '.join(FORMATS)}. Fetch or make it again."
            ) from error


def _refuse(image: ImageFile, what: str) -> None:
    """Refuse what would lose something before Pillow quietly drops it."""
    # An MPO is a photograph with a preview or depth picture behind it.
    frames = getattr(image, "n_frames", 1)
    if image.format != "MPO" and frames > 1:
        raise DataError(f"{what}: {frames} frames, but a picture has one. Save the frame you want.")
    if max(image.size) > LARGEST_SIDE:
        raise DataError(
            f"{what}: {image.width} x {image.height} pixels, but a side may have {LARGEST_SIDE}."
        )
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "RGBa", "La", "F"):
        raise DataError(
            f"{what}: stored as {image.mode}, which has no exact form in 8-bit RGB. "
            "Convert it to RGB or grey first."
        )
    # Pillow opens RGB of 16 bits as mode RGB and drops the lower byte: only the tiles tell.
    if not image.mode.startswith("I") and any(_is_deep(image, tile) for tile in image.tile):
        raise DataError(f"{what}: 16 bits a channel. Convert it to 8 bits first.")


def _is_deep(image: ImageFile, tile: Any) -> bool:
    args = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
    if image.format == "PPM":  # (raw mode, greatest value)
        return any(isinstance(item, int) and item > 255 for item in args)
    return any(isinstance(item, str) and ";16" in item for item in args)


def _upright(image: Image, notes: Notes) -> Image:
    from PIL import ImageOps

    image.load()
    if image.getexif().get(_ORIENTATION, 1) == 1:
        return image
    notes.add("turned upright as EXIF says")
    return ImageOps.exif_transpose(image)


def _pixels(image: Image, what: str, notes: Notes) -> Block:
    mode = image.mode
    if mode in ("L", "RGB") and "transparency" not in image.info:
        array = np.asarray(image)
        return Block(array.reshape(1, *array.shape[:2], -1))
    if mode == "1":
        notes.add("of one bit turned to grey 0 and 255")
        if "transparency" not in image.info:
            return Block(np.asarray(image.convert("L"))[None, ..., None])
    if mode.startswith("I"):
        return Block(_eight_bits(np.asarray(image), what, notes)[None, ..., None])
    if mode in ("P", "PA"):
        notes.add("with a palette turned to RGB")
    if mode == "P" and "transparency" not in image.info:
        return Block(np.asarray(image.convert("RGB"))[None])
    if mode not in ("1", "L", "RGB", "P", "LA", "PA", "RGBA"):
        raise DataError(f"{what}: stored as {mode}, which is not read. Save it as RGB or grey.")
    array = np.asarray(image.convert("RGBA"))
    colour = array[..., :1] if mode in ("1", "L", "LA") else array[..., :3]
    return _with_alpha(colour, array[..., 3], what, notes)


def _eight_bits(array: np.ndarray, what: str, notes: Notes) -> np.ndarray:
    """Return grey of 16 bits as 8 if it came from 8, where v was stored as v * 257."""
    eight, rest = np.divmod(array.astype(np.int64), _SIXTEEN_TO_EIGHT)
    if rest.any() or eight.min() < 0 or eight.max() > 255:
        raise DataError(
            f"{what}: more than 8 bits a pixel (values {array.min()} to {array.max()}). "
            "Scale it to 8 bits first."
        )
    notes.add("of 16 bits that held 8 turned to 8 bits")
    return eight.astype(np.uint8)


def _with_alpha(colour: np.ndarray, alpha: np.ndarray, what: str, notes: Notes) -> Block:
    if (alpha == 255).all():
        notes.add("with an alpha channel that hid nothing, dropped")
        return Block(np.ascontiguousarray(colour)[None])
    if ((alpha > 0) & (alpha < 255)).any():
        raise DataError(
            f"{what}: partly transparent pixels, which have no colour of their own. "
            "Flatten it onto a background first."
        )
    if not alpha.any():
        raise DataError(f"{what}: every pixel is transparent. Leave it out.")
    notes.add("with transparent pixels, taken as holes")
    valid = alpha == 255
    return Block((colour * valid[..., None])[None], valid[None])
