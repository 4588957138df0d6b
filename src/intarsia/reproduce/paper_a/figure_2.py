"""Figure 2: one principle after the other, on MNIST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import grid, grid_scale, panels
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import moved, ordered, share

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

PUBLISHED = {
    c.LOW: "no number; 'texture of squiggles' (section 2.4)",
    c.ABLATED: "no number; 'coherent digits much more', strokes still broken (section 2.4)",
    c.NO_LOW: "no number; globally correct, 'shattered' close up (section 3.1)",
    c.FULL: "no number; 'semantically coherent digits' (section 3.1)",
}
REAL = 1000


def needs(scale: Scale) -> Needs:
    """The four models; L on the first pictures alone."""
    n = scale.pick(4, 36, 36)
    arms = {
        name: [c.ablated("mnist", n, name, limit=c.FIRST if name == c.LOW else None)]
        for name in PUBLISHED
    }
    return Needs(arms, ("mnist",), 5)


def make(book: Book, needs: Needs) -> Page:
    """Draw the four grids, and let a classifier read them."""
    draws = {name: arm[0] for name, arm in needs.arms.items()}
    shown, rows, sure, classes = [], [], {}, {}
    for name, one in draws.items():
        samples = book.runs.samples(one)
        columns = max(2, round(len(samples) ** 0.5))
        corpus = book.runs.corpus("mnist", one.limit)
        scale = grid_scale(samples.images.shape[2], columns, 560)
        shown.append((f"{name}, from {len(corpus):,} images", grid(samples.images, columns, scale)))
        sure[name] = book.measures.beliefs("mnist", samples.images).sure
        classes[name] = c.entropies(book, one).class_map
        read = f"{share(sure[name])} read for certain"
        rows.append(c.entropy_row(book, name, PUBLISHED[name], one, read))
    real = book.measures.beliefs("mnist", book.measures.real("mnist", REAL)).sure
    rows.append(Row("real test digits", "none", f"{share(real)} read for certain"))
    order = [c.LOW, c.ABLATED, c.FULL]
    agreement = [
        ordered("class entropy", [(name, classes[name]) for name in order], rising=False),
        ordered(
            "the share of samples that a classifier reads for certain",
            [(name, sure[name]) for name in order],
            rising=True,
            write=share,
        ),
        f"Real digits are read so in {share(real)} of the cases.",
        moved("that share", sure[c.NO_LOW], sure[c.FULL], "when L joins NS+H", write=share),
        "The paper gives no numbers for this figure. The classifier was never shown broken "
        "digits, so the pictures have the last word.",
    ]
    n, first = draws[c.FULL].n, len(book.runs.corpus("mnist", draws[c.LOW].limit))
    whole = len(book.runs.corpus("mnist"))
    picture = Picture(
        panels(shown),
        "Four grids of digits drawn with more and more principles",
        f"The first {n} samples of each model, seed 0, none left out. L searches every place of "
        f"the first {first:,} images, and draws its seeds from them; the others search all "
        f"{whole:,} and grow from the same seeds.",
    )
    notes = [
        f"Read for certain: the classifier gives one class a belief of at least 0.9. "
        f"{c.classifier_note(book, 'mnist')}",
        c.copied_note(book, draws[c.FULL]),
    ]
    return Page(rows, agreement, [picture], notes)


ITEMS = [
    Item(
        "figure-2",
        "Figure 2: one principle after the other",
        "L, NS+L, NS+H and NS+L+H on MNIST",
        needs,
        make,
    )
]
