"""Figure 3: samples of the full model, MNIST and CIFAR-10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import grid, grid_scale, panels
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import share

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

PUBLISHED = {
    "mnist": "no number; 'continuous strokes', 'semantically coherent digits' (section 3.1)",
    "cifar10": "no number; 'object-like layouts' (section 3.1)",
}


def needs(scale: Scale) -> Needs:
    """The full model on both data sets."""
    n = scale.pick(4, 64, 64)
    return Needs({data: [c.full(data, n)] for data in PUBLISHED}, tuple(PUBLISHED))


def make(book: Book, needs: Needs) -> Page:
    """Draw both grids."""
    shown, rows, notes, sentences = [], [], [], []
    for data, (one,) in needs.arms.items():
        samples = book.runs.samples(one)
        columns = max(2, round(len(samples) ** 0.5))
        scale = grid_scale(samples.images.shape[2], columns, 840)
        corpus = book.runs.corpus(data)
        title = f"{data}, from {len(corpus):,} images"
        shown.append((title, grid(samples.images, columns, scale)))
        sure = book.measures.beliefs(data, samples.images).sure
        real = book.measures.beliefs(data, book.measures.real(data, 1000)).sure
        read = f"{share(sure)} read for certain"
        rows.append(c.entropy_row(book, f"{data}, NS+L+H", PUBLISHED[data], one, read))
        sentences.append(
            f"A classifier reads {share(sure)} of the {data} samples for certain, and "
            f"{share(real)} of real test pictures."
        )
        notes += [f"{data}: {c.copied_note(book, one)}", c.classifier_note(book, data)]
    sentences.append("The paper gives no numbers for this figure.")
    picture = Picture(
        panels(shown, per_row=1),
        "A grid of digits and a grid of small colour pictures",
        f"The first {needs.draws[0].n} samples of the full model on each data set, seed 0, none "
        "left out.",
    )
    return Page(rows, sentences, [picture], notes)


ITEMS = [
    Item(
        "figure-3",
        "Figure 3: samples of the full model",
        "NS+L+H on MNIST and CIFAR-10",
        needs,
        make,
    )
]
