"""The table of correlations, figures 4 and a1 to a3: theory against trained networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia.files import read_png
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_c.cells import Cell, Size, compared, corpus_of
from intarsia.reproduce.pictures import panels
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

SMOKE = Size(60, (6,), 3, 20, 2e-3, 50, 3, 2, 60, (3, 5))
QUICK = {
    "mnist": Size(1000, (32,), 44, 32, 2e-3, 8, 32, 4, 300, (3, 5, 7, 9, 11, 15)),
    "fashion-mnist": Size(400, (32,), 140, 32, 2e-3, 24, 32, 4, 400, (3, 5, 7, 9, 11, 15)),
    "cifar10": Size(200, (32,), 150, 40, 2e-3, 26, 32, 3, 200, (3, 5, 7, 9)),
}
"""Ten minutes of training each on one core of an older processor without bfloat16."""

FULL = Size(2000, (64,), 300, 128, 5e-4, 50, 100, 16, 2000, (3, 5, 7, 9, 11, 13, 15, 17))
WIDTHS = {"smoke": (4, 4, 4), "full": (16, 32, 64)}
"""Of the UNet."""

RESNET = (
    ("mnist", False, "0.94 (unconditional, 60,000 pictures)"),
    ("fashion-mnist", True, "0.90 (class-conditional, 60,000 pictures)"),
    ("cifar10", True, "0.90 (class-conditional, 50,000 pictures)"),
)
UNET = (
    ("mnist", False, "0.84 (unconditional, 60,000 pictures)"),
    ("fashion-mnist", True, "0.91 (class-conditional, 60,000 pictures)"),
    ("cifar10", True, "0.82 (class-conditional, 50,000 pictures)"),
)
CIRCULAR = "a scatter plot, no number in the text (circular padding)"


FAMILIES = ("resnet", "unet", "circular")
"""The networks of the table: ResNets, UNets, and ResNets that wrap pictures around."""


def cells(scale: Scale, family: str) -> list[Cell]:
    """Return the networks of a family.

    ``quick`` tells them no class: ten times as many pictures stand behind each prediction.
    """
    if scale.is_smoke:
        kind, padding = ("resnet", "circular") if family == "circular" else (family, "zero")
        size = replace(SMOKE, widths=WIDTHS["smoke"]) if kind == "unet" else SMOKE
        return [Cell(kind, "mnist", padding, kind == "unet", RESNET[0][2], size)]
    quick = scale.name == "quick"
    found = []
    for data, told, published in UNET if family == "unet" else RESNET:
        size = QUICK[data] if quick else FULL
        if family == "circular":
            if data != "fashion-mnist":
                told = told and not quick
                found.append(Cell("resnet", data, "circular", told, CIRCULAR, size))
            continue
        size = replace(size, widths=WIDTHS["full"]) if family == "unet" else size
        found.append(Cell(family, data, "zero", told and not quick, published, size))
    return found


def needs(scale: Scale) -> Needs:
    """No run of the sampler: networks, their calibration and their comparison."""
    seconds = {"smoke": 10.0, "quick": 3600.0, "full": 24 * 3600.0}
    return Needs(seconds=seconds[scale.name])


def make(family: str, book: Book, needs: Needs) -> Page:
    """Compare every cell of a family; show the scatter plots and outputs side by side."""
    rows: list[Row] = []
    agreement: list[str] = []
    plots = []
    pictures: list[Picture] = []
    corpora = []
    for cell in cells(book.scale, family):
        folder, found = compared(book, cell)
        corpora.append(corpus_of(book, cell))
        rows.append(_row(book, cell, found))
        agreement.append(_sentence(cell, found))
        plots.append((f"{cell.kind}, {cell.data}", read_png(folder / "scatter.png")))
        pictures.append(
            Picture(
                read_png(folder / "grid.png"),
                f"Outputs of the {cell.kind} on {cell.data}, of {cell.machine} and of IS",
                f"From the same noises, below each other: {cell.title}; {cell.machine} with "
                "calibrated sides; the ideal score machine. All know the same "
                f"{found['pictures']:,} training pictures.",
                f"-{cell.name}",
            )
        )
    sizes = "; ".join(
        f"{cell.kind} on {len(known):,} pictures of {cell.data}"
        for cell, known in zip(cells(book.scale, family), corpora, strict=True)
    )
    scatter = Picture(
        np.asarray(panels(plots, 2)),
        "Pearson's r of the machine against that of IS, one point a noise",
        f"Each point is one noise ({sizes}). Above the line the local machine predicts the network "
        "better than the ideal score machine does. Dashed: medians. Figures a1 to a3.",
    )
    notes = [
        "Network and machine know the same pictures, fewer than the paper's: the theory speaks of "
        "the training set, whatever its size. Widths and trainings are smaller too; the commands "
        "say how small.",
        "The paper's r^2 is Pearson's r in its released code, so `pearson_r` is what to compare.",
        "Sides are calibrated on other noises than those compared (seed 1000 against 0).",
    ]
    return Page(rows, agreement, [scatter, *pictures], notes, corpora)


def _row(book: Book, cell: Cell, found: dict[str, Any]) -> Row:
    ours, ideal = found["agreement"][cell.machine], found["agreement"]["is"]
    parts = [f"{name} {_said(ours[name]['median'])}" for name in ours]
    here = (
        f"{', '.join(parts)}; IS: pearson_r {_said(ideal['pearson_r']['median'])}; "
        f"{cell.machine} wins on {found['share_won']:.0%} of {found['n']}"
    )
    size = cell.size
    settings = (
        f"{found['pictures']:,} pictures, widths {', '.join(map(str, size.widths))}, "
        f"{size.epochs} epochs; sides {_sides(found['scales'])}"
    )
    what = f"{cell.title}: median agreement with {cell.machine}"
    return Row(what, cell.published, here, settings, cell.commands(book.scale))


def _sentence(cell: Cell, found: dict[str, Any]) -> str:
    ours, ideal = (
        found["agreement"][name]["pearson_r"]["median"] or 0.0 for name in (cell.machine, "is")
    )
    verdict = "above" if ours > ideal else "not above"
    return (
        f"{cell.title}: {cell.machine} predicts the outputs with a median r of {ours:.2f}, "
        f"{verdict} IS ({ideal:.2f}), by {ours - ideal:+.2f}. Published: {cell.published}."
    )


def _said(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _sides(scales: Sequence[int]) -> str:
    """Write sides with their steps: "3 (i to 7), 5 (to 12)"."""
    last = len(scales) - 1
    ends = [at for at in range(1, last + 1) if at == last or scales[at] != scales[at + 1]]
    return ", ".join(f"{scales[at]} (to i = {at})" for at in ends)


def _item(family: str, name: str, title: str) -> Item:
    shows = f"correlation of machines with trained networks ({family}), from the same noise"
    return Item(name, title, shows, needs, partial(make, family), paper="paper-c")


ITEMS = [
    _item("resnet", "correlation", "Figures 1, 4, a1 to a3: theory and trained networks"),
    _item("unet", "correlation-unet", "Figures 1, 4, a1 to a3, for UNets"),
    _item("circular", "correlation-circular", "Figures 1, 4, a1 to a3, for circular ResNets"),
]
