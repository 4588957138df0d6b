"""Figure 5: classes in conflict, and a background that two classes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intarsia.reproduce.choose import INK, class_conflict, shared_background
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import below, beside_maps
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import share

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

PAIR = ("airplane", "ship")


def needs(scale: Scale) -> Needs:
    """As many samples as other items draw anyway."""
    return Needs({d: [c.full(d, c.measured(scale, d))] for d in ("mnist", "cifar10")})


def make(book: Book, needs: Needs) -> Page:
    """Pick one sample of each by rule."""
    (digits,), (objects,) = needs.arms["mnist"], needs.arms["cifar10"]
    first, second = book.runs.samples(digits), book.runs.samples(objects)
    conflict, shared = class_conflict(first), shared_background(second, PAIR)
    parts = [
        ("", beside_maps(first, conflict.index, f"mnist, sample {conflict.index}")),
        ("", beside_maps(second, shared.index, f"cifar10, sample {shared.index}")),
    ]
    strokes, pair = conflict.names(first), shared.names(second)
    rows = [
        c.row(book, f"mnist sample {conflict.index}: classes of its ink",
              "3, 5 and 6 (figure 5 b)",
              f"{', '.join(strokes)}; the second has {share(conflict.score)}", [digits]),
        c.row(book, f"cifar10 sample {shared.index}: two classes that touch",
              "ship and plane, 'the shared sky' (figure 5 d)",
              f"{' and '.join(pair)}; the smaller has {share(shared.score)}", [objects]),
    ]  # fmt: skip
    met = set(pair) == set(PAIR)
    agreement = [
        f"Strokes of one sample do come from several classes: of {digits.n:,} digits the most "
        f"divided takes {share(conflict.score)} of its ink from its second class.",
        "A ship and an airplane do share a picture, as in the paper:"
        if met
        else "No ship and airplane share a picture as in the paper; of other classes,",
        f"{' and '.join(pair)} do in one of {objects.n:,} CIFAR-10 samples, with at least "
        f"{share(shared.score)} of the drawn pixels each.",
        "A class map tells where pixels came from, not what they show: whether the border is sky "
        "is for the reader to see.",
    ]
    picture = Picture(
        below(parts),
        "A digit and a colour picture, each beside its class map and image-ID map",
        f"Full model, seed 0: one of {digits.n:,} samples from "
        f"{len(book.runs.corpus('mnist')):,} MNIST images, and one of {objects.n:,} from "
        f"{len(book.runs.corpus('cifar10')):,} CIFAR-10 images. Outlined: the seed.",
    )
    notes = [
        f"mnist: the sample whose second most used class gave the largest share of its drawn ink "
        f"(pixels of at least {INK} of 255).",
        "cifar10: of two classes that touch, the smaller share of the drawn pixels is the score; "
        "the best sample of airplane and ship if that is at least 15 %, else of any two classes.",
        c.SEED_RULE,
    ]
    return Page(rows, agreement, [picture], notes)


ITEMS = [
    Item(
        "figure-5",
        "Figure 5: classes in conflict, and a shared background",
        "class maps of one MNIST and one CIFAR-10 sample, picked by rule",
        needs,
        make,
    )
]
