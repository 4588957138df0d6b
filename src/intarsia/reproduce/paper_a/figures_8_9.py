"""Figures 8 and 9: a hundred samples without and with the representation, on MNIST."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import grid, grid_scale, panels
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import moved, share

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book


def needs_of(shown: str) -> Callable[[Scale], Needs]:
    """Both models; ``shown`` first."""

    def needs(scale: Scale) -> Needs:
        n = scale.pick(16, 100, 100)
        names = sorted((c.ABLATED, c.FULL), key=lambda name: name != shown)
        return Needs({name: [c.ablated("mnist", n, name)] for name in names}, ("mnist",))

    return needs


def make(book: Book, needs: Needs) -> Page:
    """Draw the first model's grid, and compare its numbers with the other's."""
    shown, (one,) = next(iter(needs.arms.items()))
    samples = book.runs.samples(one)
    columns = max(2, round(len(samples) ** 0.5))
    rows, sure, classes = [], {}, {}
    for name, (arm,) in needs.arms.items():
        sure[name] = book.measures.beliefs("mnist", book.runs.samples(arm).images).sure
        classes[name] = c.entropies(book, arm).class_map
        read = f"{share(sure[name])} read for certain"
        rows.append(c.entropy_row(book, name, "no number (appendix A)", arm, read))
    agreement = [
        moved("the share of samples that a classifier reads for certain", sure[c.ABLATED],
              sure[c.FULL], "with the representation", write=share),
        moved("class entropy", classes[c.ABLATED], classes[c.FULL], "with the representation"),
        "The paper prints these pictures for the eye, without numbers.",
    ]  # fmt: skip
    title = f"{shown}, from {len(book.runs.corpus('mnist')):,} images"
    picture = Picture(
        panels([(title, grid(samples.images, columns,
                             grid_scale(samples.images.shape[2], columns)))]),
        f"A grid of {len(samples)} digits",
        f"{len(samples)} samples of {shown}, seed 0, none left out, from "
        f"{len(book.runs.corpus('mnist')):,} MNIST images. Figures 8 and 9 grow from the same "
        "seeds.",
    )  # fmt: skip
    notes = [c.classifier_note(book, "mnist"), c.copied_note(book, one)]
    return Page(rows, agreement, [picture], notes)


ITEMS = [
    Item(
        "figure-8",
        "Figure 8: a hundred samples without the representation",
        "100 samples of NS+L on MNIST",
        needs_of(c.ABLATED),
        make,
    ),
    Item(
        "figure-9",
        "Figure 9: a hundred samples of the full model",
        "100 samples of NS+L+H on MNIST",
        needs_of(c.FULL),
        make,
    ),
]
