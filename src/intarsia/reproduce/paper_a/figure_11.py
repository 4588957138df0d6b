"""Figure 11: a sample that is copied, source against time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intarsia.provenance import draw_timeline, timeline, top_share
from intarsia.reproduce.choose import copied_ink, most_copied
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.runs import draw
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import moved, share

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

ALLOWED, EXCLUDED = "the seed's picture is a source", "the seed's picture is excluded"
COPY = 0.9


def needs(scale: Scale) -> Needs:
    """NS+L with and without the seed's own picture among the sources."""
    n = scale.pick(4, 36, 36)
    allowed = draw("mnist", n, principles=c.ABLATED, allow_seed_source=True)
    return Needs({ALLOWED: [allowed], EXCLUDED: [c.ablated("mnist", n, c.ABLATED)]})


def make(book: Book, needs: Needs) -> Page:
    """Plot the most copied sample."""
    rows, mean = [], {}
    for name, (one,) in needs.arms.items():
        drawn = book.runs.samples(one)
        ink, whole = copied_ink(drawn), np.nan_to_num(top_share(drawn.sources))
        mean[name] = float(ink.mean())
        here = (
            f"{share(mean[name])} of the drawn ink from one image (mean), {share(whole.mean())} of "
            f"all drawn pixels; at least {share(COPY)} of the ink in {share((ink >= COPY).mean())} "
            "of the samples"
        )
        rows.append(c.row(book, f"NS+L, {name}", "none", here, [one], ["entropy"]))
    (one,) = needs.arms[ALLOWED]
    samples = book.runs.samples(one)
    choice = most_copied(samples)
    line = timeline(samples.sources, choice.index)
    whole = float(np.nan_to_num(top_share(samples[choice.index].sources))[0])
    found = (
        f"{share(choice.score)} of its drawn ink and {share(whole)} of all its drawn pixels from "
        f"one image"
    )
    others = len(np.unique(line.image)) - 1
    rows.append(
        c.row(book, f"sample {choice.index}",
              "'nearly every single source image, except one' (figure 11)",
              f"{found}; {others} other images", [one])
    )  # fmt: skip
    agreement = [
        f"The paper's copy is met where the seed's own picture may be a source: the most copied "
        f"sample has {found}."
        if choice.score >= COPY
        else f"No sample here is copied as far as the paper's: the most copied has {found}.",
        "Where the paper's plot has one line, this one has a cloud besides: blank patches fit "
        "anywhere, and a pool that holds them all is drawn from evenly.",
        moved("the mean share of ink from the most used image", mean[ALLOWED], mean[EXCLUDED],
              "when that picture is excluded", write=share),
        "The paper does not say whether it excludes it. With it, the seed's continuation is always "
        "at distance 0, which is a likely cause of what figure 11 shows.",
    ]  # fmt: skip
    picture = Picture(
        np.asarray(draw_timeline(samples, choice.index)),
        "A digit, its source images against time, and its class map",
        f"Sample {choice.index} of {len(samples)} by NS+L with the seed's picture as a source, "
        f"seed 0, from {len(book.runs.corpus('mnist')):,} MNIST images.",
    )
    notes = [
        "Rule: the sample with the largest share of drawn ink (at least 64 of 255) from one image.",
        c.SEED_RULE,
    ]
    return Page(rows, agreement, [picture], notes)


ITEMS = [
    Item(
        "figure-11",
        "Figure 11: overfitting",
        "a copied MNIST sample, source against time",
        needs,
        make,
    )
]
