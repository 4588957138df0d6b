"""Pixels enlarged, tiled and captioned with Pillow: what the pictures of a run are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, UInt8

from intarsia.provenance.colours import rgb

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

PAPER, INK, QUIET = "#FFFFFF", "#1B1B1F", "#62626B"
TEXT, TITLE = 15, 17  # sizes in pixels, legible without zooming


def to_rgb(images: UInt8[np.ndarray, "... c"]) -> UInt8[np.ndarray, "... 3"]:
    """Show any number of channels: one or two as grey, more by their first three."""
    shown = images[..., :3] if images.shape[-1] >= 3 else np.repeat(images[..., :1], 3, axis=-1)
    return np.ascontiguousarray(shown)


def enlarge(picture: np.ndarray, scale: int) -> np.ndarray:
    """Repeat each pixel of [H, W, ...] ``scale`` times along both axes."""
    return np.repeat(np.repeat(picture, scale, axis=0), scale, axis=1)


def scale_for(height: int, width: int, target: int) -> int:
    """Return the whole factor that brings the longer side nearest to ``target``, at least 1."""
    return max(1, round(target / max(height, width)))


def outlined(
    big: UInt8[np.ndarray, "h w 3"],
    mask: Bool[np.ndarray, "y x"],
    *,
    colour: str = "#FFFFFF",
    edge: str | None = "#000000",
    thick: int | None = None,
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw the boundary of a mask on a picture that is a whole multiple of its size.

    The line runs just inside the mask, with a second one of the colour ``edge`` inside it, so
    that it shows on light and on dark. ``thick`` is in pixels; by default a fifth of the scale,
    and 3 at most.
    """
    scale = big.shape[0] // mask.shape[0]
    inside = enlarge(mask, scale)
    out = big.copy()
    thick = thick or max(1, min(3, scale // 5))
    lines = (colour,) if edge is None else (colour, edge)
    for line in lines:
        core = _shrunk(inside, thick)
        out[inside & ~core] = rgb(line)
        inside = core
    return out


def _shrunk(mask: Bool[np.ndarray, "h w"], by: int) -> Bool[np.ndarray, "h w"]:
    """Take a band of width ``by`` off a mask; the picture's own edge is no boundary of it."""
    from scipy import ndimage

    square = np.ones((3, 3), dtype=bool)
    return ndimage.binary_erosion(mask, structure=square, iterations=by, border_value=1)


def tile(
    pictures: Sequence[UInt8[np.ndarray, "h w 3"]],
    columns: int,
    *,
    gap: int = 6,
    colour: str = PAPER,
) -> UInt8[np.ndarray, "y x 3"]:
    """Lay pictures of one size in rows of ``columns``, with gaps between, none outside."""
    height, width = pictures[0].shape[:2]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    sheet = np.empty(shape, dtype=np.uint8)
    sheet[:] = rgb(colour)
    for index, picture in enumerate(pictures):
        y, x = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[y : y + height, x : x + width] = picture
    return sheet


def font(size: int = TEXT) -> FreeTypeFont | ImageFont:
    """Return Pillow's own font, which needs no file."""
    from PIL import ImageFont

    return ImageFont.load_default(size=size)


def text_width(text: str, size: int = TEXT) -> int:
    """Width of a line in pixels."""
    return int(np.ceil(font(size).getlength(text)))


def fitted(text: str, width: int, size: int = TEXT) -> str:
    """Shorten a line with an ellipsis until it is at most ``width`` pixels wide."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "...", size) > width:
        text = text[:-1]
    return text.rstrip() + "..."


def wrapped(text: str, width: int, size: int = TEXT) -> list[str]:
    """Break a text into lines of at most ``width`` pixels, at spaces."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def blank(width: int, height: int) -> tuple[Image, ImageDraw]:
    """Return an empty white sheet and its pen."""
    from PIL import Image, ImageDraw

    sheet = Image.new("RGB", (width, height), PAPER)
    return sheet, ImageDraw.Draw(sheet)


def paste(sheet: Image, picture: np.ndarray, x: int, y: int) -> None:
    """Put an RGB array on a sheet."""
    from PIL import Image

    sheet.paste(Image.fromarray(np.ascontiguousarray(picture)), (x, y))


def stack(parts: Sequence[Image], *, gap: int = 12, margin: int = 16) -> Image:
    """Set images below each other, flush left, with a margin around."""
    width = max(part.width for part in parts)
    height = sum(part.height for part in parts) + gap * (len(parts) - 1)
    sheet, _ = blank(width + 2 * margin, height + 2 * margin)
    y = margin
    for part in parts:
        sheet.paste(part, (margin, y))
        y += part.height + gap
    return sheet


def legend(entries: Sequence[tuple[str, str]], width: int) -> Image:
    """Draw swatches with names, wrapped to ``width``; entries are (colour, name)."""
    swatch, line, between = 16, 24, 20
    placed: list[tuple[int, int, str, str]] = []
    x = y = 0
    for colour, name in entries:
        name = fitted(name, width - swatch - 8)
        wide = swatch + 8 + text_width(name)
        if x and x + wide > width:
            x, y = 0, y + line
        placed.append((x, y, colour, name))
        x += wide + between
    sheet, pen = blank(width, y + line)
    for x, y, colour, name in placed:
        pen.rectangle((x, y + 3, x + swatch - 1, y + 2 + swatch), fill=colour, outline=QUIET)
        pen.text((x + swatch + 8, y + 2 + swatch / 2), name, fill=INK, font=font(), anchor="lm")
    return sheet
