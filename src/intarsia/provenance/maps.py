"""Source maps as pictures (paper A, section 3.2): which image, which class, when, how sure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from intarsia.errors import UsageError
from intarsia.provenance import draw
from intarsia.provenance.colours import (
    NEUTRAL,
    class_colours,
    hex_of,
    id_colours,
    place_colours,
    ramp_colours,
)

if TYPE_CHECKING:
    from PIL.Image import Image

    from intarsia.samples import Samples, Sources

Maps = UInt8[np.ndarray, "n h w 3"]

SHOWN = 16
"""Samples on maps.png; grid.png shows all."""
_TALLEST = 4096  # pixels: large pictures are shown in fewer rows
_LEGEND = 24  # classes named in a legend; the rest are counted
_HANDFUL = 8  # images in a corpus up to which places tell more than image numbers
AMBER = "#FFB000"  # outlines on samples: white would read as a stroke of a digit
_OUTLINE_FROM = 4  # enlargement below which an outline would hide the sample
_TILE = 168  # pixels a sample is enlarged to, about: 6 times for 28x28


def image_map(sources: Sources) -> Maps:
    """Colour each pixel by its source image; an image has one colour in all maps.

    Returns
    -------
    uint8 [n, H, W, 3]
        As `intarsia.provenance.colours.id_colours`; grey where there is no source.
    """
    return id_colours(sources.image)


def class_map(sources: Sources) -> Maps:
    """Colour each pixel by the class of its source image, in colours for every kind of sight.

    Returns
    -------
    uint8 [n, H, W, 3]
        As `intarsia.provenance.colours.class_colours`; grey where there is no label.
    """
    return class_colours(sources.label)


def place_map(sources: Sources) -> Maps:
    """Colour each pixel by the place it was copied from: hue for the column, lightness for the row.

    Pieces copied together show as smooth patches. It is the map to read where one picture is
    the whole corpus (textures), and the image-ID map has nothing to say.

    Returns
    -------
    uint8 [n, H, W, 3]
        Scaled to the largest row and column that occur; grey where there is no source.
    """
    known = sources.image >= 0
    down = sources.row / max(1, int(sources.row.max(initial=0)))
    across = sources.col / max(1, int(sources.col.max(initial=0)))
    out = place_colours(np.where(known, down, 0), np.where(known, across, 0))
    out[~known] = NEUTRAL
    return out


def step_map(sources: Sources) -> Maps:
    """Colour each pixel by when it was filled, dark first; given pixels are grey.

    Returns
    -------
    uint8 [n, H, W, 3]
    """
    last = max(1, int(sources.step.max(initial=0)))
    return ramp_colours(np.where(sources.step < 0, np.nan, sources.step / last))


def pool_map(sources: Sources) -> Maps:
    """Colour each pixel by how many candidates it was drawn from, on a log scale from 1.

    Returns
    -------
    uint8 [n, H, W, 3]
        Light is the largest pool of these samples; given pixels are grey.
    """
    drawn = sources.step >= 0
    size = np.log(np.maximum(sources.pool, 1))
    most = max(float(size[drawn].max(initial=0)), 1e-9)
    return ramp_colours(np.where(drawn, size / most, np.nan))


def distance_map(sources: Sources) -> Maps:
    """Colour each pixel by how far its context was from the patch it was taken from.

    Returns
    -------
    uint8 [n, H, W, 3]
        By the root of the mean squared difference; light is the largest of these samples;
        given pixels are grey.
    """
    drawn = sources.step >= 0
    size = np.sqrt(np.maximum(sources.distance.astype(np.float64), 0))
    most = max(float(size[drawn].max(initial=0)), 1e-12)
    return ramp_colours(np.where(drawn, size / most, np.nan))


def columns_of(samples: Samples) -> list[tuple[str, Maps]]:
    """Samples and the maps that have something to say about them, with titles.

    Returns
    -------
    list of (title, uint8 [n, H, W, 3])
        The samples; the image-ID map if the corpus has more than one image; the place map if it
        has a handful at most (textures); the class map if there are labels.
    """
    sources = samples.sources
    images = samples.origin.images or int(sources.image.max(initial=-1)) + 1
    out = [("Samples", draw.to_rgb(samples.images))]
    if not (sources.image >= 0).any():
        return out
    if images > 1:
        out.append(("Source image", image_map(sources)))
    if images <= _HANDFUL:
        out.append(("Source place", place_map(sources)))
    if (sources.label >= 0).any():
        out.append(("Source class", class_map(sources)))
    return out


def has_seed(sources: Sources) -> bool:
    """Whether the given pixels are a seed, not the known part of an inpainted picture."""
    return bool(0 < np.count_nonzero(sources.step < 0) < sources.step.size / 2)


def class_legend(samples: Samples) -> list[tuple[str, str]]:
    """Colours and names of the classes that occur as sources, in order of class number.

    Returns
    -------
    list of (``#RRGGBB``, name)
        With more than 24 classes the most frequent, and a last entry that counts the others.
    """
    numbers, counts = np.unique(samples.sources.label, return_counts=True)
    chosen = numbers
    if len(numbers) > _LEGEND:
        chosen = np.sort(numbers[np.argsort(-counts, kind="stable")[:_LEGEND]])
    entries = [
        (hex_of(class_colours(np.array([number]))[0]), samples.origin.class_name(int(number)))
        for number in chosen
    ]
    if len(numbers) > _LEGEND:
        entries.append((draw.PAPER, f"and {len(numbers) - _LEGEND} more classes"))
    return entries


def draw_grid(samples: Samples, *, columns: int | None = None, target: int = 1200) -> Image:
    """Draw all samples in a grid; see `intarsia.samples.Samples.grid`.

    Parameters
    ----------
    samples : at least one.
    columns : side by side; by default what makes the grid about square.
    target : width in pixels that the enlargement aims at and does not exceed.

    Raises
    ------
    UsageError
        If there are no samples, or no columns.
    """
    from PIL import Image

    n, height, width = samples.sources.shape
    if n == 0 or (columns is not None and columns < 1):
        raise UsageError(f"A grid of {n} samples in {columns} columns: both must be at least 1.")
    columns = columns or math.ceil(math.sqrt(n * height / width))
    scale = min(scale_limit(height, width), max(1, target // (min(columns, n) * (width + 1))))
    gap = max(scale // 2, 4 if columns <= 10 else 2)
    pictures = [draw.enlarge(image, scale) for image in draw.to_rgb(samples.images)]
    return Image.fromarray(draw.tile(pictures, columns, gap=gap))


def scale_limit(height: int, width: int) -> int:
    """Largest useful enlargement: beyond it a sample is larger than a hand."""
    return draw.scale_for(height, width, 224)


def draw_maps(samples: Samples, *, limit: int = SHOWN) -> Image:
    """Draw samples beside their maps: one row a sample, in two halves if there are many.

    Parameters
    ----------
    samples : at least one.
    limit : only the first so many are shown.

    Returns
    -------
    PIL.Image.Image
        RGB, with titles, the legend of the class map, and given pixels outlined.
    """
    _, height, width = samples.sources.shape
    scale = draw.scale_for(height, width, _TILE)
    shown = samples[: max(1, min(limit, _TALLEST // (height * scale)))]
    maps = columns_of(shown)
    cell = max(width * scale, 112)  # room for a title over a narrow picture
    halves = 2 if len(shown) > 3 and len(maps) * cell <= 640 else 1
    rows = math.ceil(len(shown) / halves)
    tiles = [_tiles(shown, title, pictures, scale) for title, pictures in maps]
    gap, apart, top = 6, 30, 28
    block = len(maps) * (cell + gap) - gap
    sheet, pen = draw.blank(
        halves * (block + apart) - apart, top + rows * (height * scale + gap) - gap
    )
    for half in range(halves):
        left = half * (block + apart)
        for number, (title, _) in enumerate(maps):
            x = left + number * (cell + gap)
            pen.text((x, 0), title, fill=draw.INK, font=draw.font(draw.TITLE))
            for row, picture in enumerate(tiles[number][half * rows : (half + 1) * rows]):
                draw.paste(sheet, picture, x, top + row * (height * scale + gap))
    return draw.stack([sheet, *_notes(samples, shown, sheet.width)])


def draw_overview(samples: Samples, *, limit: int = SHOWN) -> Image:
    """Draw a grid of samples beside the grids of their maps: what a notebook shows."""
    shown = samples[:limit]
    _, height, width = shown.sources.shape
    columns = math.ceil(math.sqrt(len(shown)))
    scale = max(1, min(scale_limit(height, width), 300 // (columns * width)))
    grids = [
        (title, draw.tile(_tiles(shown, title, pictures, scale), columns, gap=max(2, scale // 2)))
        for title, pictures in columns_of(shown)
    ]
    apart, top = 24, 28
    wide = max(grids[0][1].shape[1], draw.text_width("Source image", draw.TITLE))
    sheet, pen = draw.blank(len(grids) * (wide + apart) - apart, top + grids[0][1].shape[0])
    for number, (title, grid) in enumerate(grids):
        x = number * (wide + apart)
        pen.text((x, 0), title, fill=draw.INK, font=draw.font(draw.TITLE))
        draw.paste(sheet, grid, x, top)
    return draw.stack([sheet, *_notes(samples, shown, sheet.width)])


def outlined_tile(
    samples: Samples, index: int, picture: UInt8[np.ndarray, "h w 3"], scale: int, colour: str
) -> UInt8[np.ndarray, "y x 3"]:
    """Enlarge one picture and outline the given pixels, unless there are none or only such."""
    big = draw.enlarge(picture, scale)
    given = samples.sources.step[index] < 0
    if given.any() and not given.all():
        edge = None if colour == AMBER else "#000000"  # nothing dark inside a small sample
        return draw.outlined(big, given, colour=colour, edge=edge)
    return big


def _tiles(samples: Samples, title: str, pictures: Maps, scale: int) -> list[np.ndarray]:
    if title == "Samples" and scale < _OUTLINE_FROM:
        return [draw.enlarge(picture, scale) for picture in pictures]
    colour = AMBER if title == "Samples" else "#FFFFFF"
    return [
        outlined_tile(samples, index, picture, scale, colour)
        for index, picture in enumerate(pictures)
    ]


def _notes(samples: Samples, shown: Samples, width: int) -> list[Image]:
    """Return the legend of classes and one line of what else is to be seen."""
    out = []
    if (shown.sources.label >= 0).any():
        out.append(draw.legend(class_legend(shown), width))
    words = []
    if (shown.sources.step < 0).any():
        words.append(
            "Outlined: given pixels (the seed)."
            if has_seed(shown.sources)
            else "Outlined: the pixels that were drawn; the others were given."
        )
    if len(samples) > len(shown):
        words.append(f"The first {len(shown)} of {len(samples)} samples.")
    if words:
        sheet, pen = draw.blank(width, 20)
        line = draw.fitted(" ".join(words), width)
        pen.text((0, 2), line, fill=draw.QUIET, font=draw.font())
        out.append(sheet)
    return out
