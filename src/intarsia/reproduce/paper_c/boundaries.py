"""Boundary anchoring: without borders, MNIST loses its digits (section 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import label

from intarsia.dictionary.whole import to_unit
from intarsia.measure.agreement_pictures import side_by_side
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_c.drawing import drawn, opened
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.reproduce.book import Book

ARMS = (("els", "MNIST_ResNet_circular"), ("bbels", "MNIST_ResNet_zeros"))

FRAME = 2
"""Pixels at the border that few digits of MNIST at 32x32 reach."""


def needs(scale: Scale) -> Needs:
    """Runs of two machines."""
    return Needs(seconds=scale.pick(15.0, 200.0, 4000.0))


def make(book: Book, needs: Needs) -> Page:
    """Draw digits with and without borders from the same noise."""
    from intarsia.models.machines import MACHINES

    side = book.scale.pick(16, 32, 32)
    corpus = opened(book, "mnist", book.scale.pick(30, 200, 1000), side)
    n = book.scale.pick(2, 16, 64)
    shown: dict[str, Float32[np.ndarray, "n c h w"]] = {}
    rows = []
    measured = {"training pictures": _figures(_unit(corpus))}
    for name, preset in ARMS:
        machine = MACHINES[name](corpus, scales_from=preset, threads=book.runs.threads)
        shown[name] = drawn(book, machine, n, name)
        measured[name] = _figures(shown[name])
    for what, (at_border, parts) in measured.items():
        sides = dict(ARMS).get(what)
        how = f"{n} samples, 20 steps, sides {sides}" if sides else "all of them"
        rows.append(
            Row(
                f"{what}: ink at the border; separate pieces of ink",
                "circular: texture-like, less localized (no number)" if what == "els" else "",
                f"{at_border:.0%} have some; {parts:.2f} pieces on average",
                f"{len(corpus):,} training pictures at {side}x{side}; {how}",
                (f"intarsia reproduce paper-c/boundaries --scale {book.scale.name}",),
            )
        )
    agreement = [
        f"Of the samples on a canvas that goes round, {measured['els'][0]:.0%} have ink within "
        f"{FRAME} pixels of the border and {measured['els'][1]:.2f} pieces of ink on average; of "
        f"those with borders {measured['bbels'][0]:.0%} and {measured['bbels'][1]:.2f}; of the "
        f"training pictures {measured['training pictures'][0]:.0%} and "
        f"{measured['training pictures'][1]:.2f}."
    ]
    picture = Picture(
        side_by_side(shown),
        "Samples of circular ELS above those of boundary-broken ELS, from the same noise",
        f"Circular ELS (sides {ARMS[0][1]}) and boundary-broken ELS (sides {ARMS[1][1]}), from the "
        f"same noises; {len(corpus):,} training pictures of MNIST.",
    )
    notes = [
        "Ink is what is brighter than the middle grey; pieces are connected along sides and "
        "diagonals; a stroke over the edge of a canvas that goes round counts as two.",
        "Seed 0.",
    ]
    return Page(rows, agreement, [picture], notes, [corpus])


def _unit(corpus: Corpus) -> Float32[np.ndarray, "n 1 h w"]:
    assert corpus.images is not None
    return np.asarray(to_unit(corpus.images.transpose(0, 3, 1, 2)), np.float32)


def _figures(x: Float32[np.ndarray, "n 1 h w"]) -> tuple[float, float]:
    """Return the share of pictures with ink at the border, and the mean number of pieces."""
    ink = x[:, 0] > 0
    framed = ink.copy()
    framed[:, FRAME:-FRAME, FRAME:-FRAME] = False
    pieces = [label(one, np.ones((3, 3)))[1] for one in ink]
    return float(framed.any(axis=(1, 2)).mean()), float(np.mean(pieces))


ITEMS = [
    Item(
        "boundaries",
        "Boundaries anchor digits",
        "MNIST by machines with and without borders, from the same noise",
        needs,
        make,
        paper="paper-c",
    )
]
