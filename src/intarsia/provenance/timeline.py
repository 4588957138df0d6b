"""Which training image each step took its pixel from (paper A, figure 11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int16, Int32

from intarsia.provenance import draw
from intarsia.provenance.colours import class_colours, hex_of
from intarsia.provenance.maps import AMBER, class_legend, class_map, outlined_tile

if TYPE_CHECKING:
    from PIL.Image import Image

    from intarsia.samples import Samples, Sources


@dataclass(frozen=True, eq=False)
class Timeline:
    """The drawn pixels of one sample in the order of filling.

    Parameters
    ----------
    step : ascending, from 0.
    image : number of the source image.
    label : its class, -1 for none.
    """

    step: Int32[np.ndarray, " k"]
    image: Int32[np.ndarray, " k"]
    label: Int16[np.ndarray, " k"]


def timeline(sources: Sources, index: int = 0) -> Timeline:
    """Put the sources of one sample in the order of filling; given pixels are left out."""
    drawn = (sources.step[index] >= 0) & (sources.image[index] >= 0)
    step = sources.step[index][drawn]
    order = np.argsort(step, kind="stable")
    return Timeline(
        step=step[order],
        image=sources.image[index][drawn][order],
        label=sources.label[index][drawn][order],
    )


def draw_timeline(samples: Samples, index: int = 0) -> Image:
    """Draw a sample, its source images against time, and its class map.

    A horizontal line of points is one training image that is copied on and on: a near-copy
    shows as a single line, a picture put together from many as a cloud.

    Parameters
    ----------
    samples : of any model with sources.
    index : which sample.

    Returns
    -------
    PIL.Image.Image
        RGB. Time step on x, number of the source image on y, coloured by class.

    References
    ----------
    Paper A (arXiv 2510.22196), figure 11.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sources = samples.sources
    line = timeline(sources, index)
    _, height, width = sources.shape
    scale = draw.scale_for(height, width, 300)
    tall = height * scale
    figure = Figure(figsize=(6.2, (tall + 70) / 100), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    colours = [hex_of(colour) for colour in class_colours(line.label)]
    axes.scatter(line.step, line.image, s=9, c=colours, edgecolors="#555", linewidths=0.25)
    axes.set_ylim(-0.02 * _images(samples), 1.02 * _images(samples))
    axes.set_xlabel("time step")
    axes.set_ylabel("number of the source image")
    axes.spines[["top", "right"]].set_visible(False)
    canvas.draw()
    plot = np.asarray(canvas.buffer_rgba())[..., :3]

    pictures = [(f"Sample {int(samples.seeds[index])}", draw.to_rgb(samples.images[index]))]
    labelled = bool((sources.label[index] >= 0).any())
    if labelled:
        pictures.append(("Source class", class_map(sources[index])[0]))
    tiles = [
        outlined_tile(samples, index, picture, scale, "#FFFFFF" if number else AMBER)
        for number, (_, picture) in enumerate(pictures)
    ]
    left, gap, top = tiles[0].shape[1], 20, 28
    sheet, pen = draw.blank(
        left + gap + plot.shape[1] + (gap + left if labelled else 0), top + plot.shape[0]
    )
    draw.paste(sheet, tiles[0], 0, top)
    draw.paste(sheet, plot, left + gap, top)
    pen.text((0, 2), pictures[0][0], fill=draw.INK, font=draw.font(draw.TITLE))
    parts = [sheet]
    if labelled:
        x = left + 2 * gap + plot.shape[1]
        draw.paste(sheet, tiles[1], x, top)
        pen.text((x, 2), pictures[1][0], fill=draw.INK, font=draw.font(draw.TITLE))
        parts.append(draw.legend(class_legend(samples[index]), sheet.width))
    return draw.stack(parts)


def timeline_svg(samples: Samples, index: int = 0) -> str:
    """Write the plot alone as inline SVG that takes its ink from the page around it.

    Returns
    -------
    str
        An ``<svg>`` element without a script, 600 by 232 units, with a title for screen readers.
    """
    line = timeline(samples.sources, index)
    left, top, right, bottom = 62, 8, 592, 176
    last = max(1, int(line.step.max(initial=1)))
    images = _images(samples)
    x = left + (right - left) * line.step / last
    y = bottom - (bottom - top) * line.image / images
    number = len(np.unique(line.image))
    out = [
        '<svg class="timeline" viewBox="0 0 600 232" role="img" '
        f'aria-label="Source images against time: {len(line.step)} steps, {number} images">',
        f'<path class="axis" d="M{left} {top}V{bottom}H{right}"/>',
    ]
    for value in _ticks(images):
        at = bottom - (bottom - top) * value / images
        out.append(f'<path class="axis" d="M{left - 5} {at:.1f}h5"/>')
        out.append(f'<text x="{left - 9}" y="{at + 4:.1f}" text-anchor="end">{value:,}</text>')
    for value in _ticks(last):
        at = left + (right - left) * value / last
        out.append(f'<path class="axis" d="M{at:.1f} {bottom}v5"/>')
        out.append(f'<text x="{at:.1f}" y="{bottom + 22}" text-anchor="middle">{value:,}</text>')
    out.append(f'<text x="{(left + right) / 2}" y="224" text-anchor="middle">time step</text>')
    # Points are zero-length strokes with round caps: a few bytes each. Ink lies under all of
    # them, so that pale classes have an edge.
    dots = np.array([f"M{a:.1f} {b:.1f}h0" for a, b in zip(x, y, strict=True)], dtype=object)
    out.append(f'<path class="dots under" d="{"".join(dots)}"/>')
    for label in np.unique(line.label):
        colour = hex_of(class_colours(np.array([label]))[0])
        d = "".join(dots[line.label == label])
        out.append(f'<path class="dots" stroke="{colour}" d="{d}"/>')
    out.append("</svg>")
    return "".join(out)


def _images(samples: Samples) -> int:
    return max(1, samples.origin.images, int(samples.sources.image.max(initial=0)) + 1)


def _ticks(end: int) -> list[int]:
    """Three to six round numbers from 0 to ``end``."""
    step = 1
    while end / step > 6:
        step = int(step * (2.5 if str(step)[0] == "2" else 2))
    return list(range(0, end + 1, step))
