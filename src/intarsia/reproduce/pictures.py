"""Pictures of the pages: grids, panels with titles, samples beside their class maps, plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from intarsia.provenance import draw
from intarsia.provenance.maps import AMBER, class_legend, class_map, image_map, outlined_tile

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

    from intarsia.samples import Samples

WIDE = 1000
"""Pixels across a picture at most: wider ones are shrunk on the page, and their words with them."""

GAP, MARGIN = 24, 16

Rgb = UInt8[np.ndarray, "h w 3"]


def grid(images: UInt8[np.ndarray, "n h w c"], columns: int, scale: int) -> Rgb:
    """Tile pictures in rows of ``columns``, each pixel ``scale`` pixels wide."""
    enlarged = [draw.enlarge(one, scale) for one in draw.to_rgb(images)]
    return draw.tile(enlarged, columns, gap=max(2, scale))


def grid_scale(side: int, columns: int, width: int = WIDE) -> int:
    """Return the largest enlargement, 6 at most, at which a grid is no wider than ``width``."""
    return max(1, min(6, (width - 2 * MARGIN) // (columns * (side + 1))))


def panels(shown: Sequence[tuple[str, Rgb]], per_row: int = 2) -> Rgb:
    """Set pictures under their titles, ``per_row`` side by side."""
    top = draw.TITLE + 10
    wide = max(
        max(picture.shape[1], draw.text_width(title, draw.TITLE)) for title, picture in shown
    )
    rows = [shown[at : at + per_row] for at in range(0, len(shown), per_row)]
    heights = [top + max(picture.shape[0] for _, picture in row) for row in rows]
    columns = min(per_row, len(shown))
    sheet, pen = draw.blank(
        columns * (wide + GAP) - GAP + 2 * MARGIN, sum(heights) + GAP * (len(rows) - 1) + 2 * MARGIN
    )
    y = MARGIN
    for row, height in zip(rows, heights, strict=True):
        for at, (title, picture) in enumerate(row):
            x = MARGIN + at * (wide + GAP)
            pen.text((x, y), title, fill=draw.INK, font=draw.font(draw.TITLE))
            draw.paste(sheet, picture, x, y + top)
        y += height + GAP
    return np.asarray(sheet)


def beside_maps(samples: Samples, index: int, title: str, target: int = 300) -> Image:
    """Set one sample beside its class map and its image-ID map, with the legend of classes.

    Parameters
    ----------
    samples, index : which.
    title : over the sample.
    target : pixels across each, about.
    """
    one = samples[index]
    _, height, width = one.sources.shape
    scale = draw.scale_for(height, width, target)
    shown = (
        (title, draw.to_rgb(one.images)[0], AMBER),
        ("Source class", class_map(one.sources)[0], "#FFFFFF"),
        ("Source image", image_map(one.sources)[0], "#FFFFFF"),
    )
    cell, top = max(width * scale, draw.text_width(title, draw.TITLE)), draw.TITLE + 10
    sheet, pen = draw.blank(len(shown) * (cell + GAP) - GAP, top + height * scale)
    for at, (words, picture, colour) in enumerate(shown):
        pen.text((at * (cell + GAP), 0), words, fill=draw.INK, font=draw.font(draw.TITLE))
        tile = outlined_tile(one, 0, picture, scale, colour)
        draw.paste(sheet, tile, at * (cell + GAP), top)
    return draw.stack([sheet, draw.legend(class_legend(one), sheet.width)])


def below(parts: Sequence[tuple[str, Image]]) -> Rgb:
    """Set pictures with margins of their own below each other, under titles where there are any."""
    out = []
    for title, part in parts:
        if title:
            line, pen = draw.blank(max(part.width, draw.text_width(title, draw.TITLE)), 32)
            pen.text((MARGIN, 12), title, fill=draw.INK, font=draw.font(draw.TITLE))
            out.append(line)
        out.append(part)
    return np.asarray(draw.stack(out, gap=0, margin=0))


def figure(width: float, height: float) -> Figure:
    """Return an empty matplotlib figure of so many inches, at 100 pixels an inch."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def plain_log(axis: Any) -> None:
    """Label a logarithmic axis 1, 2, 5, 10: most span less than a decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def rendered(plot: Figure) -> Rgb:
    """Return a matplotlib figure as pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(plot)
    canvas.draw()
    return np.array(np.asarray(canvas.buffer_rgba())[..., :3])
