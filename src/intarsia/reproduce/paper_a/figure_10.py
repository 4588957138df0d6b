"""Figure 10: class traces of MNIST samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intarsia.provenance import draw_maps, part_whole
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import share

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

SHOWN = 12


def needs(scale: Scale) -> Needs:
    """The full model; the maps of the first dozen."""
    return Needs({c.FULL: [c.full("mnist", scale.pick(4, 36, 36))]})


def make(book: Book, needs: Needs) -> Page:
    """Draw samples beside their maps."""
    (one,) = needs.draws
    samples = book.runs.samples(one)
    criteria = part_whole(samples).summary()
    pure, several, both = (criteria[key] for key in ("pure", "multi_image", "part_whole"))
    here = (
        f"{share(pure or 0.0)} class-pure, {share(several or 0.0)} from several images, "
        f"{share(both or 0.0)} both"
    )
    rows = [
        c.entropy_row(book, "NS+L+H", "none for MNIST", one),
        c.row(book, "drawn area by the criteria of part-whole generalization",
              "no number (section 3.3)", here, [one]),
    ]  # fmt: skip
    agreement = [
        f"{share(both or 0.0)} of the drawn area meets both criteria of section 3.3 at once: one "
        "class, several images.",
        "The paper shows traces without counting them; it leaves open what a region is, and the "
        "windows here are those of its entropies.",
    ]
    count = min(SHOWN, len(samples))
    picture = Picture(
        np.asarray(draw_maps(samples[:count], limit=count)),
        "Digits, each beside its image-ID map and its class map",
        f"The first {count} samples of the full model, seed 0, from "
        f"{len(book.runs.corpus('mnist')):,} MNIST images. Outlined: the seed.",
    )
    return Page(rows, agreement, [picture], [c.copied_note(book, one)])


ITEMS = [
    Item(
        "figure-10",
        "Figure 10: class traces",
        "MNIST samples beside their source maps",
        needs,
        make,
    )
]
