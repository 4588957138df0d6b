"""Pictures of an agreement: theory beside network, and who predicts better, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8

from intarsia.dictionary.whole import to_pixels
from intarsia.provenance import draw

if TYPE_CHECKING:
    from intarsia.measure.correlation import Correlation

WIDE = 1000
"""Pixels across a sheet, about."""

LEFT, GAP = 110, 4


def side_by_side(
    outputs: Mapping[str, Float32[np.ndarray, "n c h w"]], limit: int = 16
) -> UInt8[np.ndarray, "y x 3"]:
    """Lay outputs from the same noises below each other, a row a model.

    Parameters
    ----------
    outputs : in [-1, 1] units, by the name to write beside them.
    limit : samples shown at most; they fill several bands of eight.
    """
    shown = {name: to_pixels(raw[:limit]) for name, raw in outputs.items()}
    n, height, width = next(iter(shown.values())).shape[:3]
    columns = min(8, n)
    scale = max(1, (WIDE - LEFT) // (columns * (width + 1)))
    cell_y, cell_x = height * scale + GAP, width * scale + GAP
    bands = -(-n // columns)
    band = cell_y * len(shown) + 3 * GAP
    sheet, pen = draw.blank(LEFT + columns * cell_x + draw.TEXT, bands * band + draw.TEXT)
    for at in range(n):
        x, top = LEFT + (at % columns) * cell_x, draw.TEXT + (at // columns) * band
        for row, (name, pictures) in enumerate(shown.items()):
            y = top + row * cell_y
            if at % columns == 0:
                place = (LEFT - 10, y + cell_y // 2)
                pen.text(place, name, fill=draw.INK, font=draw.font(), anchor="rm")
            draw.paste(sheet, draw.enlarge(draw.to_rgb(pictures)[at], scale), x, y)
    return np.asarray(sheet)


def scatter(
    machine: str, agreements: Mapping[str, Correlation], title: str = ""
) -> UInt8[np.ndarray, "y x 3"]:
    """Draw the machine's Pearson r against the ideal score machine's (paper C, figures a1 to a3).

    Parameters
    ----------
    machine : whose agreement goes up; ``is`` goes across.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ours, ideal = agreements[machine].pearson_r, agreements["is"].pearson_r
    plot = Figure(figsize=(4.6, 4.6), dpi=110, layout="constrained")
    axes = plot.add_subplot()
    both = np.concatenate([ours, ideal])
    least = min(0.0, float(np.nanmin(both))) if np.isfinite(both).any() else 0.0
    axes.plot([least, 1], [least, 1], color="#9a9aa3", linewidth=1)
    axes.scatter(ideal, ours, s=22, color="#1f5fa8", alpha=0.75, linewidths=0)
    for values, line in ((ours, axes.axhline), (ideal, axes.axvline)):
        if np.isfinite(values).any():
            line(float(np.nanmedian(values)), color="#c8452c", linewidth=1, linestyle="--")
    axes.set_xlim(least, 1)
    axes.set_ylim(least, 1)
    axes.set_aspect("equal")
    axes.set_xlabel("IS against network, Pearson r")
    axes.set_ylabel(f"{machine} against network, Pearson r")
    axes.set_title(title or "above the line: the machine wins; dashed: medians", fontsize=9)
    canvas = FigureCanvasAgg(plot)
    canvas.draw()
    return np.array(np.asarray(canvas.buffer_rgba())[..., :3])
