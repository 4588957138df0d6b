"""Colours of the maps: told apart by hue, and by lightness where hue cannot be seen."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int, UInt8

NEUTRAL = (128, 128, 128)
"""No source, no label, or not one of the images a panel is about."""

CLASS_COLOURS: tuple[str, ...] = (
    "#0C5BB2",
    "#E6B50C",
    "#0E9C73",
    "#F568B0",
    "#76ADF5",
    "#B8490C",
    "#F0ED42",
    "#332288",
    "#882353",
    "#BBD9DE",
)
"""Ten classes. The colours of Okabe and Ito (2008), with two of Tol's (2021) and a pale blue,
moved apart until every pair differs by at least 0.1 in OKLab for normal sight and for full
protanopia, deuteranopia and tritanopia (Machado et al. 2009), and by 5 in lightness L* (grey)."""

RANK_COLOURS: tuple[str, ...] = ("#FFD23F", "#3BCEAC", "#F0566F", "#2F6FE0", "#7A45B8")
"""The five most used images of a panel, in order of use."""

# Anchors of the ramp, dark to light: lightness rises evenly, so it also reads in grey.
_RAMP = ("#15133B", "#3B2C7A", "#5D4FB0", "#4C86C6", "#45B5AE", "#8FD88A", "#F4F3A8")


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the red, green and blue of ``#RRGGBB``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def hex_of(colour: tuple[int, ...] | np.ndarray) -> str:
    """Return ``#RRGGBB`` of three numbers from 0 to 255."""
    return "#{:02X}{:02X}{:02X}".format(*(int(part) for part in colour[:3]))


def id_colours(ids: Int[np.ndarray, "..."]) -> UInt8[np.ndarray, "... 3"]:
    """Colour of each source image: a function of its number alone.

    Hue, lightness and chroma walk a low-discrepancy sequence, so the same image has the same
    colour in every map, numbers near each other look different, and lightness alone still
    separates most neighbours.

    Parameters
    ----------
    ids : image numbers; negative ones (no source) become neutral grey.

    Returns
    -------
    uint8 [..., 3]
        sRGB.

    References
    ----------
    The sequence is Roberts' R3 (2018): multiples of powers of the root of x^4 = x + 1, whose
    points keep their distance from each other however many are taken. The space is OKLCH.
    """
    used, place = np.unique(np.asarray(ids), return_inverse=True)
    number = used.astype(np.float64)
    root = 1.2207440846057596
    hue = 2 * np.pi * np.mod(0.5 + number / root, 1)
    lightness = 0.36 + 0.54 * np.mod(0.5 + number / root**2, 1)
    strength = 0.4 + 0.6 * np.mod(0.5 + number / root**3, 1)
    table = _from_oklch(lightness, strength, hue)
    table[used < 0] = NEUTRAL
    return table[place.reshape(np.shape(ids))]


def class_colours(labels: Int[np.ndarray, "..."]) -> UInt8[np.ndarray, "... 3"]:
    """Colour of each class: ten chosen ones, then as many as are asked for.

    Parameters
    ----------
    labels : class numbers; negative ones (no label) become neutral grey.

    Returns
    -------
    uint8 [..., 3]
        sRGB. From class 10 on the colours follow `id_colours` and are told apart less well.
    """
    labels = np.asarray(labels)
    out = id_colours(labels)
    chosen = np.array([rgb(colour) for colour in CLASS_COLOURS], dtype=np.uint8)
    ten = (labels >= 0) & (labels < len(chosen))
    out[ten] = chosen[labels[ten]]
    return out


def place_colours(
    down: Float64[np.ndarray, "..."], across: Float64[np.ndarray, "..."]
) -> UInt8[np.ndarray, "... 3"]:
    """Colour of a place: lighter downwards, hue turning from red to violet from left to right.

    Parameters
    ----------
    down, across : from 0 to 1.
    """
    shape = np.shape(down)
    lightness = 0.38 + 0.52 * np.ravel(down)
    hue = np.deg2rad(25 + 290 * np.ravel(across))
    return _from_oklch(lightness, np.full(lightness.shape, 0.85), hue).reshape(*shape, 3)


def ramp_colours(values: Float64[np.ndarray, "..."]) -> UInt8[np.ndarray, "... 3"]:
    """Colour of numbers from 0 (dark) to 1 (light); those outside are clipped, NaN is neutral."""
    values = np.asarray(values, dtype=np.float64)
    anchors = np.array([rgb(colour) for colour in _RAMP], dtype=np.float64)
    at = np.linspace(0, 1, len(anchors))
    known = np.where(np.isnan(values), 0, np.clip(values, 0, 1))
    parts = [np.interp(known, at, anchors[:, channel]) for channel in range(3)]
    out = np.rint(np.stack(parts, axis=-1)).astype(np.uint8)
    out[np.isnan(values)] = NEUTRAL
    return out


def _from_oklch(
    lightness: Float64[np.ndarray, " n"],
    strength: Float64[np.ndarray, " n"],
    hue: Float64[np.ndarray, " n"],
) -> UInt8[np.ndarray, "n 3"]:
    """Convert OKLCH to sRGB; strength is the share of the chroma that sRGB has room for."""
    room, outside = np.zeros(len(hue)), np.full(len(hue), 0.2)
    for _ in range(12):  # bisection
        chroma = (room + outside) / 2
        linear = _linear_srgb(lightness, chroma, hue)
        fits = np.all((linear >= 0) & (linear <= 1), axis=-1)
        room, outside = np.where(fits, chroma, room), np.where(fits, outside, chroma)
    linear = np.clip(_linear_srgb(lightness, strength * room, hue), 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * curved).astype(np.uint8)


def _linear_srgb(
    lightness: Float64[np.ndarray, " n"],
    chroma: Float64[np.ndarray, " n"],
    hue: Float64[np.ndarray, " n"],
) -> Float64[np.ndarray, "n 3"]:
    """OKLCH to linear sRGB (B. Ottosson, "A perceptual color space for image processing")."""
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)
    to_cones = [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
    to_rgb = [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
    cones = (lab @ np.array(to_cones).T) ** 3
    return cones @ np.array(to_rgb).T
