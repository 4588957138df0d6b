"""The simplest example: machines that know one black and one white picture (section 4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from intarsia.corpus import Corpus
from intarsia.measure.agreement_pictures import side_by_side
from intarsia.measure.local_consistency import majority
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_c.drawing import drawn
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

SIZE, SIDE = 32, 3

MACHINES = (("els", True), ("ls", False))
"""Machines, and whether their windows go round."""


def needs(scale: Scale) -> Needs:
    """A few runs over two pictures."""
    return Needs(seconds=scale.pick(3.0, 60.0, 300.0))


def make(book: Book, needs: Needs) -> Page:
    """Draw with LS and ELS, and count pixels that go with their neighbourhood."""
    from intarsia.models.machines import MACHINES as KINDS

    both = np.stack([np.full((SIZE, SIZE), colour, np.uint8) for colour in (0, 255)])
    corpus = Corpus.from_arrays(both, name="black and white")
    n, counts = book.scale.pick(2, 32, 256), book.scale.pick((10,), (20, 200), (20, 200, 1000))
    rows, sentences, shown = [], [], {}
    for name, wraps in MACHINES:
        for steps in counts:
            machine = KINDS[name](corpus, steps=steps, scales=SIDE, threads=book.runs.threads)
            raw = drawn(book, machine, n, f"{name}, {steps} steps")
            shown[f"{name}, {steps}"] = _framed(raw)
            found = majority(raw, SIDE, wraps)
            new = float(np.mean([len(np.unique(one > 0)) == 2 for one in raw]))
            rows.append(
                Row(
                    f"{name}: pixels of their window's majority",
                    "every one (section 4.1, no number)",
                    f"{found.agreeing:.2%}; against it {found.against:.2%}, tied "
                    f"{found.tied:.2%}; neither black nor white {found.unfinished:.2%}",
                    f"{n} samples of {SIZE}x{SIZE}, {steps} steps, windows 3x3 that "
                    + ("go round" if wraps else "are cut at the border"),
                    (f"intarsia reproduce paper-c/two-images --scale {book.scale.name}",),
                )
            )
            sentences.append(
                f"{name} with {steps} steps: {found.agreeing:.2%} of the pixels have the colour of "
                f"most of their window, and {new:.0%} of the samples are neither of the two "
                "training pictures."
            )
    picture = Picture(
        side_by_side(shown, limit=8),
        "Black and white mosaics drawn by ELS and LS",
        f"From the same noises, by machine and number of steps; trained on two pictures, all "
        f"black and all white, {SIZE}x{SIZE}, windows of 3x3.",
    )
    notes = [
        "A pixel votes in its own window. LS cuts windows at the border, where they can be tied.",
        "Finite steps end on a mean over patches, not in the limit of theorem 3: a pixel is "
        "unfinished if it is more than 0.02 from -1 and from 1.",
        "Seed 0.",
    ]
    return Page(rows, sentences, [picture], notes, [corpus])


def _framed(raw: Float32[np.ndarray, "n 1 h w"]) -> Float32[np.ndarray, "n 1 h2 w2"]:
    """Put a grey line around: white pictures have no edge on a white page."""
    return np.pad(raw, ((0, 0), (0, 0), (1, 1), (1, 1)))


ITEMS = [
    Item(
        "two-images",
        "The simplest example: one black and one white picture",
        "mosaics of a machine that knows two pictures, and their pixels' majorities",
        needs,
        make,
        paper="paper-c",
    )
]
