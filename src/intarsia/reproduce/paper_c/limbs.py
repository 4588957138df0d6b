"""Wrong numbers of limbs: what small windows at the end do to trousers (section 5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

from intarsia.dictionary.whole import to_unit
from intarsia.measure.agreement_pictures import side_by_side
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_c.drawing import drawn, opened
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.reproduce.book import Book

TROUSERS = 1
"""The class of Fashion-MNIST whose limbs can be counted: two."""

PRESET = "FashionMNIST_ResNet_zeros_conditional"

LEAST = (0, 9, 15)
"""Sides below which the later steps of an arm do not go; 0 keeps those of the ResNet."""

ROWS = slice(20, 28)
"""Where trousers of 32x32 pixels have parted: the most frequent number of these rows counts."""


def needs(scale: Scale) -> Needs:
    """Runs of one machine with three lists of sides."""
    return Needs(seconds=scale.pick(10.0, 400.0, 6000.0))


def make(book: Book, needs: Needs) -> Page:
    """Draw trousers with smaller and larger windows at the end, and count legs."""
    from intarsia.models.machines import MACHINES
    from intarsia.models.scales import named_scales

    side = book.scale.pick(16, 32, 32)
    corpus = opened(book, "fashion-mnist", book.scale.pick(100, 2000, 10_000), side)
    n = book.scale.pick(4, 32, 200)
    sides = named_scales(PRESET, 20)
    known = _trousers(corpus)
    shown: dict[str, Float32[np.ndarray, "n c h w"]] = {}
    counts = {"training pictures": _legs(known)}
    for least in LEAST:
        name = f"{least} or more" if least else "ResNet"
        own = [min(max(one, least), side - 1 - side % 2) for one in sides]
        machine = MACHINES["bbels"](
            corpus, scales=tuple(own), label=TROUSERS, threads=book.runs.threads
        )
        shown[name] = drawn(book, machine, n, name)
        counts[name] = _legs(shown[name])
    rows = [
        Row(
            f"two legs, {name}" if name == "training pictures" else f"two legs, sides: {name}",
            "" if name == "training pictures" else "too many or too few legs (section 5.5)",
            f"{_share(legs == 2)}; fewer {_share(legs < 2)}, more {_share(legs > 2)}",
            f"{len(known):,} training pictures of the class, {side}x{side}, {len(legs)} counted",
            (f"intarsia reproduce paper-c/limbs --scale {book.scale.name}",),
        )
        for name, legs in counts.items()
    ]
    genuine, *wrong = [legs != 2 for legs in counts.values()]
    return Page(
        rows,
        [
            f"No more than {_share(counts['training pictures'] > 2)} of the training pictures "
            f"have more than two legs; with the ResNet's sides, whose last are 3x3, "
            f"{_share(counts['ResNet'] > 2)} of the samples have. {_share(genuine)} of the "
            "training pictures do not count as two legs, mostly because legs touch; of the "
            f"samples {_share(wrong[0])}, and {_share(wrong[1])} and {_share(wrong[2])} where no "
            "window is smaller than 9 or 15. "
            + (
                "So more locality at late times makes more wrong numbers of limbs, as the paper "
                "says."
                if wrong[0].mean() - wrong[2].mean() > _chance(wrong[0], wrong[2])
                else f"With {n} samples that difference is within chance, so this count does not "
                "tell whether late locality alone makes them."
            ),
        ],
        [Picture(side_by_side(shown), "Trousers drawn with smaller and larger windows",
                 "Boundary-broken ELS, class trouser, from the same noises: sides of the published "
                 f"ResNet; of at least 9; of at least 15. {len(known):,} training pictures.")],
        ["Legs are the runs of what is brighter than dark grey in a row, the most frequent number "
         f"of rows {ROWS.start} to {ROWS.stop - 1}; runs of one pixel and gaps of one are not "
         "counted.", "Seed 0."],
        [corpus],
    )  # fmt: skip


def _share(which: np.ndarray) -> str:
    return f"{which.mean():.0%}"


def _chance(one: np.ndarray, other: np.ndarray) -> float:
    """Return twice the standard error of a difference of two shares."""
    return 2 * float(np.sqrt(sum(some.var() / len(some) for some in (one, other))))


def _trousers(corpus: Corpus) -> Float32[np.ndarray, "n 1 h w"]:
    assert corpus.images is not None and corpus.labels is not None
    images = corpus.images[corpus.labels == TROUSERS]
    return np.asarray(to_unit(images.transpose(0, 3, 1, 2)), np.float32)


def _legs(x: Float32[np.ndarray, "n c h w"]) -> Int64[np.ndarray, " n"]:
    """Count what stands beside each other in the lower half."""
    height = x.shape[2]
    ink = x[:, 0, ROWS.start * height // 32 : ROWS.stop * height // 32] > -0.6
    return np.array([np.bincount([_runs(row) for row in one]).argmax() for one in ink])


def _runs(row: np.ndarray) -> int:
    """Count runs of ink of two pixels or more, gaps of one pixel closed."""
    closed = row.copy()
    closed[1:-1] |= row[:-2] & row[2:]
    padded = np.concatenate([[False], closed, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return int((edges[1::2] - edges[::2] >= 2).sum())


ITEMS = [
    Item(
        "limbs",
        "Wrong numbers of limbs",
        "legs of trousers drawn with smaller and larger windows at the end",
        needs,
        make,
        paper="paper-c",
    )
]
