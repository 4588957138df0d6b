"""Theorem 6: local machines end in locally consistent points, as far as finite steps go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intarsia.measure.agreement_pictures import side_by_side
from intarsia.measure.local_consistency import consistent
from intarsia.models.scales import published
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_c.drawing import drawn, opened, stretched
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

PRESET = "MNIST_ResNet_zeros"

TOLERANCES = (2, 13)
"""Of 255 levels of grey: what rounding hides, and a twentieth of the range."""


def needs(scale: Scale) -> Needs:
    """Runs of three machines with few and with many steps."""
    return Needs(seconds=scale.pick(20.0, 250.0, 5000.0))


def make(book: Book, needs: Needs) -> Page:
    """Draw with three machines, and count pixels that equal their nearest patch's centre."""
    from intarsia.models.machines import MACHINES

    side = book.scale.pick(16, 32, 32)
    corpus = opened(book, "mnist", book.scale.pick(30, 100, 1000), side)
    n, counts = book.scale.pick(1, 4, 16), book.scale.pick((20,), (20, 100), (20, 200))
    rows, sentences, shown = [], [], {}
    for name in ("ls", "els", "bbels"):
        shares = []
        for steps in counts:
            sides = stretched(published()[PRESET], steps)
            machine = MACHINES[name](corpus, steps=steps, scales=sides, threads=book.runs.threads)
            raw = drawn(book, machine, n, f"{name}, {steps} steps")
            shown[f"{name}, {steps}"] = raw
            found = [consistent(machine, raw, 2 * k / 255).mean() for k in TOLERANCES]
            shares.append(found[0])
            told = " and ".join(
                f"{share:.2%} within {k}" for share, k in zip(found, TOLERANCES, strict=True)
            )
            rows.append(
                Row(
                    f"{name}: locally consistent pixels",
                    "all of them, in the limit (theorem 6)",
                    f"{told} of 255 levels of grey",
                    f"{len(corpus):,} pictures at {side}x{side}, {n} samples, {steps} steps, sides "
                    f"of {PRESET} at the same times",
                    (f"intarsia reproduce paper-c/theorem-6 --scale {book.scale.name}",),
                )
            )
        trend = ", then ".join(
            f"{share:.1%} after {steps} steps" for share, steps in zip(shares, counts, strict=True)
        )
        sentences.append(f"{name}: {trend} within {TOLERANCES[0]} levels of grey.")
    picture = Picture(
        side_by_side(shown, limit=8),
        "Samples of LS, ELS and boundary-broken ELS",
        f"From the same noises, by machine and number of steps; {len(corpus):,} training pictures.",
    )
    notes = [
        "A pixel is consistent if it equals the centre of the training patch nearest to its "
        "window, of the side of the last step, among the patches its machine may use.",
        "Seed 0.",
    ]
    return Page(rows, sentences, [picture], notes, [corpus])


ITEMS = [
    Item(
        "theorem-6",
        "Theorem 6: samples are locally consistent",
        "share of pixels that equal the centre of their nearest training patch",
        needs,
        make,
        paper="paper-c",
    )
]
