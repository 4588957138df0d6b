"""What is done to each picture on the way in: luma, one number of channels, one size."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, UInt8

from intarsia.corpus.options import PixelOptions
from intarsia.corpus.readers.base import Block

# A pixel next to a hole counts as valid if holes weigh less than this in it.
_TOUCHED = 1e-6


def apply(block: Block, options: PixelOptions, colour: bool) -> Block:
    """Return the block after luma and resizing.

    Parameters
    ----------
    block : pictures of one size
    options : what to do
    colour : whether grey is repeated to three channels, for a corpus that mixes both

    Returns
    -------
    Block
        Of the size asked for. A pixel that is padding, or is blended from a hole, is not valid.
    """
    pixels, valid = block
    if options.grey and pixels.shape[3] == 3:
        pixels = luma(pixels)
    if colour and pixels.shape[3] == 1:
        pixels = np.repeat(pixels, 3, axis=3)
    side = options.resize
    if side is None or pixels.shape[1:3] == (side, side):
        return Block(pixels, valid)
    masks = [None] * len(pixels) if valid is None else list(valid)
    done = [_fitted(p, m, side, options.fit) for p, m in zip(pixels, masks, strict=True)]
    stacked = np.stack([picture for picture, _ in done])
    kept = [mask for _, mask in done if mask is not None]
    return Block(stacked, np.stack(kept) if kept else None)


def luma(pixels: UInt8[np.ndarray, "b h w 3"]) -> UInt8[np.ndarray, "b h w 1"]:
    """Return the luma of ITU-R 601 (0.299 R + 0.587 G + 0.114 B), rounded as Pillow does."""
    from PIL import Image

    rows = np.ascontiguousarray(pixels).reshape(-1, pixels.shape[2], 3)
    return np.asarray(Image.fromarray(rows).convert("L")).reshape(*pixels.shape[:3], 1)


def _fitted(
    picture: UInt8[np.ndarray, "h w c"],
    valid: Bool[np.ndarray, "h w"] | None,
    side: int,
    fit: str,
) -> tuple[UInt8[np.ndarray, "s s c"], Bool[np.ndarray, "s s"] | None]:
    height, width = picture.shape[:2]
    if fit == "pad":
        scale = side / max(height, width)
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        small, mask = _resized(picture, valid, size, (0, 0, width, height))
        if size == (side, side):
            return small, mask
        top, left = (side - size[0]) // 2, (side - size[1]) // 2
        inner = (slice(top, top + size[0]), slice(left, left + size[1]))
        canvas = np.zeros((side, side, picture.shape[2]), np.uint8)
        canvas[inner] = small
        inside = np.zeros((side, side), np.bool_)
        inside[inner] = True if mask is None else mask
        return canvas, inside
    box: tuple[float, float, float, float] = (0, 0, width, height)
    if fit == "crop":
        least = min(height, width)
        left, top = (width - least) / 2, (height - least) / 2
        box = (left, top, left + least, top + least)
    return _resized(picture, valid, (side, side), box)


def _resized(
    picture: np.ndarray,
    valid: np.ndarray | None,
    size: tuple[int, int],
    box: tuple[float, float, float, float],
) -> tuple[np.ndarray, np.ndarray | None]:
    from PIL import Image

    bilinear = Image.Resampling.BILINEAR
    shape = (size[1], size[0])  # Pillow says width first
    source = picture[..., 0] if picture.shape[2] == 1 else picture
    small = np.asarray(Image.fromarray(source).resize(shape, bilinear, box))
    small = small.reshape(*size, picture.shape[2])
    if valid is None:
        return small, None
    weight = Image.fromarray(valid.astype(np.float32)).resize(shape, bilinear, box)
    kept = np.asarray(weight) >= 1 - _TOUCHED
    return small * kept[..., None], kept
