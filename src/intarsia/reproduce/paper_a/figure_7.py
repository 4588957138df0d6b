"""Figure 7: large pictures by L alone, which is Efros and Leung's synthesis from MNIST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.measures import number
from intarsia.reproduce.page import Page, Picture
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import grid, grid_scale, panels
from intarsia.reproduce.runs import draw
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book


def needs(scale: Scale) -> Needs:
    """Twenty-five pictures larger than any digit."""
    side, n = scale.pick(24, 64, 100), scale.pick(4, 25, 25)
    one = draw("mnist", n, model="efros-leung", limit=c.FIRST, size=(side, side))
    return Needs({c.LOW: [one]})


def make(book: Book, needs: Needs) -> Page:
    """Draw the grid."""
    (one,) = needs.draws
    samples = book.runs.samples(one)
    side = samples.images.shape[2]
    columns = max(2, round(len(samples) ** 0.5))
    corpus = book.runs.corpus("mnist", c.FIRST)
    assert corpus.images is not None
    ink, real = float((samples.images >= 128).mean()), float((corpus.images >= 128).mean())
    border = np.ones((side, side), bool)
    border[2:-2, 2:-2] = False
    edge = float((samples.images[:, border] >= 128).mean())
    theirs = np.ones(corpus.images.shape[1:3], bool)
    theirs[2:-2, 2:-2] = False
    real_edge = float((corpus.images[:, theirs] >= 128).mean())
    rows = [
        c.entropy_row(book, "L", "no number (figure 7)", one),
        c.row(book, "L: share of ink, and of the two outermost pixels", "none",
              f"{number(ink)} and {number(edge)} (the digits: {number(real)} and "
              f"{number(real_edge)})", [one]),
    ]  # fmt: skip
    off = edge > 2 * real_edge
    agreement = [
        f"Of the two outermost pixels {number(edge)} are ink, against {number(real_edge)} in the "
        f"digits: strokes {'do' if off else 'hardly'} go anywhere, over the edge too, as the "
        "paper's 'texture of squiggles' (section 2.4) says. L does not know where on a page a "
        "stroke belongs.",
        "The paper gives no numbers and no size for this figure; it says that the samples are "
        "quite large.",
    ]
    picture = Picture(
        panels([(f"{side}x{side} pixels each", grid(samples.images, columns,
                                                    grid_scale(side, columns)))]),
        "Large pictures full of strokes like handwriting",
        f"{one.n} samples of {side}x{side}, seed 0, none left out, from every place of the first "
        f"{len(corpus):,} MNIST images.",
    )  # fmt: skip
    notes = [
        "Ink: pixels of at least 128 of 255.",
        "The paper searches the whole corpus, which would cost sixty times as much.",
    ]
    return Page(rows, agreement, [picture], notes)


ITEMS = [
    Item(
        "figure-7",
        "Figure 7: large pictures by appearance alone",
        "25 large samples of L on MNIST (Efros and Leung)",
        needs,
        make,
    )
]
