"""Figure 12: a sample that leaves its seed's class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intarsia.provenance import draw_top_sources
from intarsia.reproduce.choose import changed_class, changed_share
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import share

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

PAIR = ("airplane", "ship")


def needs(scale: Scale) -> Needs:
    """As many samples as other items draw anyway."""
    return Needs({c.FULL: [c.full("cifar10", c.measured(scale, "cifar10"))]})


def make(book: Book, needs: Needs) -> Page:
    """Pick a sample by rule and show its sources."""
    (one,) = needs.draws
    samples = book.runs.samples(one)
    choice = changed_class(samples, PAIR)
    changed = changed_share(samples)
    names = choice.names(samples)
    first, last = names if len(names) == 2 else ("none", "none")
    rows = [
        c.row(book, f"sample {choice.index}: class of the seed, and of most drawn pixels",
              "airplane, ship (figure 12)", f"{first}, {last} ({share(choice.score)})", [one]),
        c.row(book, "samples that leave the seed's class", "none", share(changed), [one]),
    ]  # fmt: skip
    met = tuple(names) == PAIR
    agreement = [
        f"An airplane's seed does grow into {share(choice.score)} ship, as in the paper."
        if met
        else f"No airplane's seed was drawn mostly from ships here; the clearest change is from "
        f"{first} to {last}.",
        f"It is no rare case: {share(changed)} of {len(samples):,} samples take most of their "
        "drawn pixels from one other class than the seed's. The paper blames the representation at "
        "small scales.",
    ]
    picture = Picture(
        np.asarray(draw_top_sources(samples, choice.index)),
        "A sample, its five most used training pictures, and its class map",
        f"Sample {choice.index} of {len(samples):,} by the full model, seed 0, from "
        f"{len(book.runs.corpus('cifar10')):,} CIFAR-10 images.",
    )
    notes = [
        "Rule: among samples whose drawn pixels come mostly from another class than the seed's, "
        "the one with the largest share of that class; from airplane to ship if one has half.",
        c.SEED_RULE,
    ]
    return Page(rows, agreement, [picture], notes)


ITEMS = [
    Item(
        "figure-12",
        "Figure 12: a seed that changes class",
        "a CIFAR-10 sample whose class leaves the seed's, with its sources",
        needs,
        make,
    )
]
