"""Figure 4: the class in the place of phi, on MNIST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intarsia.reproduce.choose import first_of_each_class
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import grid, grid_scale, panels
from intarsia.reproduce.runs import draw
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import compared, share, verdicts

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

EACH = 10


def needs(scale: Scale) -> Needs:
    """Enough samples for ten a class; the full model for the comparison of section 3.1."""
    n = scale.pick(66, 250, 1000)
    return Needs(
        {
            "class": [draw("mnist", n, condition="class")],
            "phi": [c.full("mnist", c.measured(scale, "mnist"))],
        },
        ("mnist",),
    )


def make(book: Book, needs: Needs) -> Page:
    """Draw a row a class, and measure against the representation."""
    (one,), (phi,) = needs.arms["class"], needs.arms["phi"]
    samples = book.runs.samples(one)
    labels = samples.labels
    assert labels is not None
    height, width, channels = samples.images.shape[1:]
    cells = np.full((0, height, width, channels), 255, np.uint8)
    for numbers in first_of_each_class(labels, EACH):
        row = np.full((EACH, height, width, channels), 255, np.uint8)
        row[: len(numbers)] = samples.images[numbers]
        cells = np.concatenate([cells, row])
    right = float((book.measures.beliefs("mnist", samples.images).label == labels).mean())
    few = draw("mnist", phi.n, condition="class")  # as many as of the full model: FID is biased
    by_class = book.measures.values([few], ["fid", "is"])
    by_phi = book.measures.values([phi], ["fid", "is"])
    claim = "'outperforms' (section 3.1); no row in table 1"
    read = f"{share(right)} read as the class asked for"
    rows = [
        c.entropy_row(book, "class-conditional", "none for MNIST", one, read),
        c.quality_row(book, "class-conditional: classifier features", claim, by_class, [few]),
        c.quality_row(book, "NS+L+H: classifier features", claim, by_phi, [phi]),
    ]
    agreement = [
        f"A classifier reads {share(right)} of the samples as the class that was asked for.",
        compared("The class-conditional model", "the full model", verdicts(by_class, by_phi)),
        "The paper says that the class-conditional model outperforms the other in table 1, which "
        "has no such row; it also calls the pictures comparable.",
    ]
    picture = Picture(
        panels([("A row a class", grid(cells, EACH, grid_scale(width, EACH)))]),
        "Ten rows of digits, one a class",
        f"The first {EACH} samples of each class among {one.n:,}, seed 0, drawn from "
        f"{len(book.runs.corpus('mnist')):,} images; each sample asks for the class of its seed.",
    )
    notes = [
        c.BIASED,
        f"FID and IS over {phi.n:,} samples of each. {c.classifier_note(book, 'mnist')}",
        c.copied_note(book, one),
    ]
    return Page(rows, agreement, [picture], notes)


ITEMS = [
    Item(
        "figure-4",
        "Figure 4: the class in the place of phi",
        "class-conditional MNIST, a row a class",
        needs,
        make,
    )
]
