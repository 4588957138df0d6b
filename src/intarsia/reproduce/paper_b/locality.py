"""One figure for all three papers: how far a model looks, and how much it copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from intarsia.corpus import Corpus
from intarsia.measure.memorization import Memorization, memorization
from intarsia.models import NonparametricSampler
from intarsia.models.arvm import ArvmSampler
from intarsia.models.machines import MACHINES
from intarsia.provenance import draw
from intarsia.provenance.entropy import map_entropies
from intarsia.provenance.maps import image_map
from intarsia.provenance.top_sources import top_share
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_b.drawing import rendered
from intarsia.reproduce.paper_b.figure_8 import GAMMAS, sets
from intarsia.reproduce.scales import Scale
from intarsia.samples import Samples

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

SAMPLER, MACHINE, ARVM = "paper A: NS+L", "paper C: LS", "paper B: gamma-ARVM"
SIDES = {SAMPLER: (3, 5, 9, 15, 23, 31), MACHINE: (3, 5, 9, 15, 23, 31), ARVM: GAMMAS}
"""Sides of windows, in pixels; of gamma-ARVM in tokens."""

_SHOWN = 4


@dataclass(frozen=True, eq=False)
class Point:
    """A system at one window.

    Attributes
    ----------
    side : of the window, in pixels.
    said : the same as the system counts it.
    found : which samples are copies.
    """

    system: str
    side: int
    said: str
    samples: Samples
    found: Memorization
    command: str

    @property
    def rate(self) -> float:
        """Share of samples within 30 dB of a training picture."""
        return float(self.found.by_psnr.mean())

    @property
    def top(self) -> float:
        """Share of a sample's pixels that one training picture gave, mean over samples."""
        return float(np.nanmean(top_share(self.samples.sources)))


def needs(scale: Scale) -> Needs:
    """Return what it takes beside figure 8's BL-AE."""
    return Needs(seconds=scale.pick(60.0, 900.0, 7200.0))


def make(book: Book, needs: Needs) -> Page:
    """Draw with three systems at all windows, and measure copies, entropies and sources."""
    n = book.scale.pick(4, 64, 256)
    tokens = sets(book.scale)[0]
    grid = tokens.grid(book)
    corpus = grid.corpus
    largest = min(corpus.size)
    points = []
    for system in (SAMPLER, MACHINE):
        for side in SIDES[system]:
            if side < largest:
                book.teller.say(f"  {system}, window {side}")
                points.append(_point(book, system, corpus, side, n))
    for gamma in SIDES[ARVM]:
        samples = ArvmSampler(grid, gamma, threads=book.runs.threads).sample(n, 0)
        command = f"intarsia generate arvm --blae runs/{tokens.name} --gamma {gamma} --n {n}"
        found = memorization(samples.images, corpus)
        side = gamma * grid.cell[0]
        points.append(Point(ARVM, side, f"gamma {gamma}", samples, found, command))
    return Page(
        [_row(point, n, len(corpus)) for point in points],
        _sentences(points),
        [
            Picture(_drawn(points, largest), "Copying against locality for three systems",
                    f"All three systems on the first {len(corpus):,} pictures of CIFAR-10, {n} "
                    "samples a point. Left: share of samples within 30 dB of a training picture. "
                    "Right: share of a sample's pixels whose source is the one training picture it "
                    "uses most."),
            Picture(_sheet(points), "Samples and their source maps, by system and window",
                    f"The first {_SHOWN} samples at the smallest and the largest window of each "
                    "system, over their image-ID maps (one colour a training picture).",
                    "-samples"),
        ],
        [
            "NS+L looks at the same place (radius 0), as LS and gamma-ARVM do; the picture that "
            "its 8x8 seed was cut from is barred, so those 64 pixels are never of the picture it "
            "copies, and the PSNR rule counts them against it. The share of the top source does "
            "not.",
            "The source of a pixel of LS is the training picture of the heaviest belief at the "
            "last step; of gamma-ARVM, the picture its token was drawn from.",
            "A window of gamma-ARVM is causal: half of gamma x gamma tokens of 8x8 pixels.",
            "Seed 0.",
        ],
        [corpus],
        first="system and window",
    )  # fmt: skip


def _point(book: Book, system: str, corpus: Corpus, side: int, n: int) -> Point:
    threads = book.runs.threads
    data = f"--data cifar10 --limit {len(corpus)} --n {n}"
    if system == SAMPLER:
        sampler = NonparametricSampler(
            corpus, principles="NS+L", window=side, radius=0, threads=threads
        )
        samples = sampler.sample(n, 0)
        command = f"intarsia generate nps {data} --principles NS+L --window {side} --radius 0"
    else:
        samples = MACHINES["ls"](corpus, steps=20, scales=side, threads=threads).sample(n, 0)
        command = f"intarsia generate ls {data} --steps 20 --scales {side}"
    found = memorization(samples.images, corpus)
    return Point(system, side, f"{side}x{side}", samples, found, command)


def _row(point: Point, n: int, count: int) -> Row:
    entropies = map_entropies(point.samples.sources)
    return Row(
        f"{point.system}, {point.said}",
        "not in the papers",
        f"{point.rate:.1%} within 30 dB; top source {point.top:.1%}; entropy of classes "
        f"{entropies.class_map:.2f}, of images {entropies.image_map:.2f}",
        f"first {count:,} pictures of CIFAR-10, {n} samples",
        (point.command,),
    )


def _sentences(points: list[Point]) -> list[str]:
    out = []
    for system in SIDES:
        mine = [one for one in points if one.system == system]
        first, last = mine[0], mine[-1]
        out.append(
            f"{system}: from {first.said} to {last.said} the top source's share goes from "
            f"{first.top:.0%} to {last.top:.0%}, and the share of samples within 30 dB of a "
            f"training picture from {first.rate:.0%} to {last.rate:.0%}."
        )
    tops = {system: [one.top for one in points if one.system == system] for system in SIDES}
    rising = [name for name, some in tops.items() if some == sorted(some)]
    out.append(
        f"The top source's share rises with the window without exception in {len(rising)} of the "
        f"{len(tops)} systems"
        + (f" ({', '.join(rising)})" if 0 < len(rising) < len(tops) else "")
        + ". Locality is what all three have instead of a global distribution, and what keeps "
        "their samples from being copies."
    )
    return out


def _drawn(points: list[Point], largest: int) -> UInt8[np.ndarray, "h w 3"]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 3.3), dpi=110, layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, title in zip(panels, ("copies by PSNR above 30 dB", "top source"), strict=True):
        for system, marker in zip(SIDES, "osD", strict=True):
            mine = [one for one in points if one.system == system]
            shares = [100 * (one.top if title == "top source" else one.rate) for one in mine]
            axes.plot([one.side for one in mine], shares, marker=marker, label=system)
        axes.axvline(largest, color="0.6", linewidth=1, linestyle=":")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("side of the window, pixels (dotted: the picture)", fontsize=9)
        axes.set_ylim(-3, 103)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("%")
    panels[1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return rendered(figure)


def _sheet(points: list[Point]) -> UInt8[np.ndarray, "h w 3"]:
    """Draw samples over maps: two windows a system, side by side."""
    rows = []
    for system in SIDES:
        mine = [one for one in points if one.system == system]
        some = [one.samples[:_SHOWN] for one in (mine[0], mine[-1])]
        scale = draw.scale_for(*some[0].sources.shape[1:], 80)
        for kind in (lambda one: draw.to_rgb(one.images), lambda one: image_map(one.sources)):
            rows += [draw.enlarge(picture, scale) for one in some for picture in kind(one)]
    return draw.tile(rows, 2 * _SHOWN, gap=4)


ITEMS = [
    Item(
        "locality",
        "Locality and copying: one figure for three papers",
        "memorization, top sources and entropies of all three systems against the window",
        needs,
        make,
        paper="paper-b",
    )
]
