"""The pictures of an audit: samples beside their sources, and scores beside genuine ones."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from intarsia.provenance import draw
from intarsia.provenance.copy_score import Match, part_of
from intarsia.provenance.maps import AMBER

if TYPE_CHECKING:
    from PIL.Image import Image

    from intarsia.provenance.audit import Audit, Finding

CASES = 24
"""Cases drawn: those of the highest scores."""

_TILE = 128
_SECOND = "#37B6FF"
_OUTLINES = (AMBER, _SECOND)


def case_tiles(audit: Audit, index: int) -> list[tuple[str, UInt8[np.ndarray, "y x 3"]]]:
    """Return a sample and its sources, enlarged, with the copied region outlined in each.

    Returns
    -------
    list of (caption, picture)
        The sample first. Each source has a colour of its own.
    """
    finding = audit.findings[index]
    sample = audit.samples.images[index]
    height, width = sample.shape[:2]
    scale = draw.scale_for(height, width, _TILE)
    mine = draw.enlarge(draw.to_rgb(sample), scale)
    tiles = []
    for match, colour in zip(finding.scored.sources, _OUTLINES, strict=False):
        here = finding.mask & part_of(match.region, *finding.mask.shape)
        mine = _outlined(mine, here, colour)
        source = draw.enlarge(draw.to_rgb(audit.corpus[match.image]), scale)
        tiles.append((_words(audit, match), _outlined(source, _moved(here, match.shift), colour)))
    return [(finding.name, mine), *tiles]


def draw_cases(audit: Audit, limit: int = CASES) -> Image:
    """Draw the samples of the highest scores beside their sources, two cases side by side."""
    shown = audit.ranked[:limit]
    height, width = audit.corpus.size
    scale = draw.scale_for(height, width, _TILE)
    cell, tall = max(width * scale, 116), height * scale
    gap, apart, text = 8, 36, 42
    block = 3 * cell + 2 * gap
    columns = 2 if len(shown) > 1 else 1
    rows = -(-len(shown) // columns)
    sheet, pen = draw.blank(columns * (block + apart) - apart, rows * (tall + text + 14))
    for at, index in enumerate(shown):
        left, top = (at % columns) * (block + apart), (at // columns) * (tall + text + 14)
        finding = audit.findings[index]
        for number, (caption, picture) in enumerate(case_tiles(audit, index)):
            x = left + number * (cell + gap)
            draw.paste(sheet, picture, x, top)
            words = draw.fitted(caption, cell, 13)
            pen.text((x, top + tall + 3), words, fill=draw.INK, font=draw.font(13))
        below = draw.fitted(verdict(finding), block, 13)
        pen.text((left, top + tall + 21), below, fill=draw.QUIET, font=draw.font(13))
    return draw.stack([sheet])


def verdict(finding: Finding) -> str:
    """Say in one line what was found."""
    kind = "copy" if finding.is_copy else "not declared"
    psnr = "equal" if finding.is_equal else f"{finding.psnr:.1f} dB"
    return f"{kind}, p = {finding.p_value:.2g}, {finding.copied_fraction:.0%} copied, PSNR {psnr}"


def score_plot(audit: Audit) -> bytes:
    """Draw the scores of samples and of held-out pictures as an SVG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    scores = np.array([one.scored.score for one in audit.findings])
    top = max(float(scores.max()), float(audit.held_out.max()), 0.1)
    edges = np.linspace(0, top * 1.02, 41)
    figure = Figure(figsize=(8, 2.9), layout="constrained")
    axes = figure.subplots()
    for values, colour, name in (
        (audit.held_out, "#8A8D93", f"held-out pictures ({len(audit.held_out):,})"),
        (scores, "#B8490C", f"samples ({len(scores):,})"),
    ):
        share = np.full(len(values), 100 / len(values))
        axes.hist(values, bins=edges.tolist(), weights=share, color=colour, alpha=0.65, label=name)
    axes.set_xlabel("copy score")
    axes.set_ylabel("% of pictures")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    stream = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "intarsia", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def _words(audit: Audit, match: Match) -> str:
    words = f"image {match.image:,}"
    if audit.corpus.labels is not None:
        label = int(audit.corpus.labels[match.image])
        names = audit.corpus.class_names
        words += f", {names[label] if label < len(names) else label}"
    return words if match.shift == (0, 0) else f"{words}, {match.shift[0]:+d},{match.shift[1]:+d}"


def _outlined(big: np.ndarray, mask: np.ndarray, colour: str) -> UInt8[np.ndarray, "y x 3"]:
    if not mask.any():
        return big
    # The line runs along the picture's own edge too: a whole copy has no other boundary.
    scale = big.shape[0] // mask.shape[0]
    ringed = np.pad(big, ((scale, scale), (scale, scale), (0, 0)))
    return draw.outlined(ringed, np.pad(mask, 1), colour=colour)[scale:-scale, scale:-scale]


def _moved(mask: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """Return the mask as it lies in the source."""
    out = np.zeros_like(mask)
    rows, cols = np.nonzero(mask)
    out[rows + shift[0], cols + shift[1]] = True
    return out
