"""Figure 6: the five most used sources, with and without the representation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intarsia.provenance import draw_top_sources, part_whole, top_sources
from intarsia.reproduce.choose import one_class_many_images
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.paper_a.table_2 import ABLATION, FULL, table_2_arms
from intarsia.reproduce.pictures import below
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import share

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

PREFER = "dog"


def needs(scale: Scale) -> Needs:
    """The runs of table 2, which this figure illustrates."""
    arms = table_2_arms(scale)
    return Needs({FULL: arms[FULL], ABLATION: arms[ABLATION]})


def make(book: Book, needs: Needs) -> Page:
    """Pick a sample of the full model by rule, and show the other model's of the same number."""
    parts, rows, pure = [], [], {}
    (full,) = needs.arms[FULL]
    choice = one_class_many_images(book.runs.samples(full), PREFER)
    index = choice.index
    for letter, (name, (one,)) in zip("ab", needs.arms.items(), strict=True):
        samples = book.runs.samples(one)
        parts.append((f"({letter}) {name}", draw_top_sources(samples, index)))
        uses = top_sources(samples.sources, index)
        classes = [samples.origin.class_words(use.label) for use in uses]
        criteria = part_whole(samples[index]).summary()
        pure[name] = criteria["pure"] or 0.0
        published = "five dogs of one breed" if name == FULL else "many categories, a 'black blob'"
        here = f"{', '.join(classes)}; {share(pure[name])} of the drawn area class-pure"
        what = f"sample {index} {name}: classes of its five most used images"
        rows.append(c.row(book, what, f"{published} (figure 6)", here, [one], ["entropy"]))
    higher = pure[FULL] > pure[ABLATION] + 0.01
    samples = book.runs.samples(full)
    agreement = [
        f"On the same seed, {share(pure[FULL])} of the drawn area lies in 7x7 windows that one "
        f"class dominates (by three quarters) with the representation, and {share(pure[ABLATION])} "
        f"without, {'more as' if higher else 'which is not more as'} in the paper.",
        f"The sample was picked for its purity among {len(samples):,}, as the paper's beagle was "
        "picked by eye, so it shows what can happen; [table 2](table-2.md) has the averages.",
    ]
    label = samples.origin.class_words(choice.labels[0]) if choice.labels else "no class"
    picture = Picture(
        below(parts),
        "A sample, its five most used training pictures, its class map; with and without phi",
        f"Sample {index} of both runs, seed 0, from the same 8x8 seed, drawn from "
        f"{len(book.runs.corpus('cifar10')):,} CIFAR-10 images with the settings of table 2.",
    )
    notes = [
        f"Rule: of {len(samples):,} samples of the full model, the one with the largest share of "
        f"one class ({label}, {share(choice.score)}); a {PREFER} of at least half goes first, "
        "then samples whose most used picture gave at most a quarter.",
        c.SEED_RULE,
    ]
    return Page(rows, agreement, [picture], notes)


ITEMS = [
    Item(
        "figure-6",
        "Figure 6: the five most used sources",
        "one CIFAR-10 seed with and without the representation",
        needs,
        make,
    )
]
