"""Coarse to fine: how far trained networks look, beside the window sides that explain them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_c.cells import Cell, calibrated
from intarsia.reproduce.paper_c.correlation import cells
from intarsia.reproduce.pictures import figure, rendered
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.models.sensitivity import HeatMap
    from intarsia.reproduce.book import Book
    from intarsia.reproduce.pictures import Rgb

SHARE = 0.9
"""Of the gradient, the middle pixel left out: the square that holds it is called the reach."""

SHOWN = (20, 16, 12, 8, 4, 1)
"""Steps i whose heat maps are shown."""


def unconditional(scale: Scale) -> list[Cell]:
    """The zero-padded networks that are told no class."""
    return [
        cell for cell in cells(scale, "resnet") if not cell.conditional and cell.padding == "zero"
    ]


def needs(scale: Scale) -> Needs:
    """Networks and calibrations of ``correlation``, and a few gradients."""
    return Needs(seconds=scale.pick(10.0, 60.0, 300.0))


def make(book: Book, needs: Needs) -> Page:
    """Show heat maps of every network, and reach beside calibrated sides."""
    rows: list[Row] = []
    agreement: list[str] = []
    pictures: list[Picture] = []
    corpora = []
    n = book.scale.pick(3, 32, 100)
    for cell in unconditional(book.scale):
        corpus, file = calibrated(book, cell)
        corpora.append(corpus)
        sides = json.loads(file.read_text(encoding="utf-8"))["scales"]
        maps = _maps(book, cell, corpus, n)
        reach = {one.stop.index: one.reach(SHARE) for one in maps}
        early, late = max(reach), min(reach)
        rows.append(
            Row(
                f"{cell.title}: reach, from the first step to the last",
                "wide at first, almost 3x3 at the end (no number)",
                f"{reach[early]} at i = {early}, {reach[late]} at i = {late}; calibrated sides "
                f"{sides[-1]} at i = {len(sides) - 1}, {sides[1]} at i = 1",
                f"{len(corpus):,} pictures; {n} trajectories; the square with "
                f"{SHARE:.0%} of the mean absolute gradient, its middle left out",
                cell.commands(book.scale)[:2],
            )
        )
        agreement.append(_sentence(cell, reach, sides))
        pictures.append(_picture(cell, corpus, maps, reach, sides, n))
    notes = [
        "The gradient is that of the noise predicted for the middle pixel, row H/2 and column W/2."
    ]
    return Page(rows, agreement, pictures, notes, corpora)


def _maps(book: Book, cell: Cell, corpus: Corpus, n: int) -> list[HeatMap]:
    from intarsia.models.network import TrainedNetwork
    from intarsia.models.sensitivity import heat_maps

    network = TrainedNetwork(corpus, network=book.runs.folder / cell.name)
    return list(heat_maps(network, n, 0))


def _sentence(cell: Cell, reach: dict[int, int], sides: Sequence[int]) -> str:
    shared = [step for step in sorted(reach) if step < len(sides)]
    falls = all(sides[a] <= sides[b] for a, b in zip(shared, shared[1:], strict=False))
    word = "never grow" if falls else "do not only shrink"
    together = np.corrcoef([reach[i] for i in shared], [sides[i] for i in shared])[0, 1]
    alike = "" if together != together else f" (correlation {together:.2f} over the steps)"
    return (
        f"{cell.title}: on the way from noise to picture, calibrated sides {word}; the reach goes "
        f"from {reach[max(reach)]} to {reach[min(reach)]}{alike}."
    )


def _picture(
    cell: Cell,
    corpus: Corpus,
    maps: Sequence[HeatMap],
    reach: dict[int, int],
    sides: Sequence[int],
    n: int,
) -> Picture:
    return Picture(
        _drawn(maps, reach, sides),
        f"Where the {cell.kind} on {cell.data} looks at six steps; reach and sides at all of them",
        f"{cell.title}, trained on {len(corpus):,} pictures: mean absolute gradient of the middle "
        f"pixel over {n} of its own trajectories, each map scaled to its largest value, the middle "
        "left out; below, the side of the square that holds nine tenths of it, and the calibrated "
        f"sides of {cell.machine}.",
        f"-{cell.name}",
    )


def _drawn(maps: Sequence[HeatMap], reach: dict[int, int], sides: Sequence[int]) -> Rgb:
    shown = [one for one in maps if one.stop.index in SHOWN]
    plot = figure(9.0, 4.6)
    grid = plot.add_gridspec(2, len(shown), height_ratios=(1, 1.4))
    for at, one in enumerate(shown):
        axes = plot.add_subplot(grid[0, at])
        axes.imshow(one.gradient, cmap="magma")
        axes.set_title(f"t = {one.stop.t:g}", fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    axes = plot.add_subplot(grid[1, :])
    steps = sorted(reach, reverse=True)
    times = {one.stop.index: one.stop.t for one in maps}
    known = [step for step in steps if step < len(sides)]
    axes.plot([times[i] for i in steps], [reach[i] for i in steps], "o-", color="#c8452c",
              markersize=4, label="reach of the gradient")  # fmt: skip
    axes.plot([times[i] for i in known], [sides[i] for i in known], "s-", color="#1f5fa8",
              markersize=4, label="calibrated side")  # fmt: skip
    axes.invert_xaxis()
    axes.set_ylim(0)
    axes.set_xlabel("t, from noise (left) to picture (right)")
    axes.set_ylabel("pixels")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    return rendered(plot)


ITEMS = [
    Item(
        "coarse-to-fine",
        "Coarse to fine: where trained networks look",
        "gradient heat maps of trained networks beside calibrated window sides",
        needs,
        make,
        paper="paper-c",
    )
]
