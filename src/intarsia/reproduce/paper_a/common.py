"""Draws and rows that several figures of paper A have in common, so that their runs are shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from intarsia.reproduce.commands import both, generate, in_words
from intarsia.reproduce.measures import Several, number
from intarsia.reproduce.page import Row
from intarsia.reproduce.runs import Draw, draw
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import share

if TYPE_CHECKING:
    from intarsia.provenance import Entropy
    from intarsia.reproduce.book import Book

FULL, ABLATED, NO_LOW, LOW = "NS+L+H", "NS+L", "NS+H", "L"

FIRST = 1000
"""Pictures that L searches: over a whole corpus it costs teraflops a picture."""

BIASED = (
    "FID over fewer than 2,048 samples is biased upwards, and IS downwards: compare only with "
    "values over as many."
)

SEED_RULE = "Sample numbers count from 0 and are those of the run's grid.png, row by row."


def full(data: str, n: int, seed: int = 0) -> Draw:
    """The full model with the defaults of the data set."""
    return draw(data, n, seed=seed)


def ablated(data: str, n: int, principles: str, seed: int = 0, limit: int | None = None) -> Draw:
    """The model with fewer principles, or on the first pictures of the corpus alone."""
    chosen = None if principles == FULL else principles
    return draw(data, n, seed=seed, limit=limit, principles=chosen)


def seeds(scale: Scale) -> range:
    """Seeds over which the spread is taken."""
    return range(scale.pick(1, 2, 3))


def measured(scale: Scale, data: str) -> int:
    """Samples a seed for features: 64 of them need 65 pictures at least."""
    quick = 66 if data == "cifar10" else 100
    return scale.pick(66, quick, 1000)


def entropies(book: Book, one: Draw) -> Entropy:
    """Entropies of a draw's source maps (paper A, section 3.3)."""
    from intarsia.provenance import map_entropies

    return map_entropies(book.runs.samples(one).sources)


def settings(book: Book, draws: Sequence[Draw]) -> str:
    """Resolved settings of draws that differ in their seed alone."""
    first = draws[0]
    pictures = len(book.runs.corpus(first.data, first.limit))
    return in_words(book.runs.resolved(first), pictures, draws)


def entropy_row(book: Book, what: str, published: str, one: Draw, more: str = "") -> Row:
    """Class and image-ID entropy of a draw, with the commands that print them.

    Parameters
    ----------
    more : what else was found of the same samples.
    """
    found = entropies(book, one)
    here = f"class entropy {number(found.class_map)}, image-ID entropy {number(found.image_map)}"
    here += f"; {more}" if more else ""
    return Row(what, published, here, settings(book, [one]), both([one], book.scale, ["entropy"]))


def row(
    book: Book,
    what: str,
    published: str,
    here: str | Several,
    draws: Sequence[Draw],
    metrics: Sequence[str] = (),
) -> Row:
    """Return any number of some draws, with the commands that make it."""
    commands: tuple[str, ...] = (generate(draws, book.scale),)
    if metrics:
        commands = both(draws, book.scale, metrics)
    return Row(what, published, str(here), settings(book, draws), commands)


def quality_row(
    book: Book,
    what: str,
    published: str,
    found: Mapping[str, Several],
    draws: Sequence[Draw],
    metrics: Sequence[str] = ("is", "fid"),
) -> Row:
    """Return IS and FID of some draws, with the deviation between seeds."""
    parts = []
    for metric in metrics:
        spread = found[metric].deviation
        between = "" if spread != spread else f", deviation {number(spread)}"
        parts.append(f"{metric.upper()} {found[metric]}{between}")
    return row(book, what, published, "; ".join(parts), draws, metrics)


def copied_note(book: Book, one: Draw) -> str:
    """Say how much of a draw's samples their most used pictures gave."""
    import numpy as np

    from intarsia.provenance import top_share

    copied = top_share(book.runs.samples(one).sources)
    return (
        f"The most used training picture of a sample gave {share(float(np.nanmedian(copied)))} of "
        f"its drawn pixels (median; {share(float(np.nanmax(copied)))} at most)."
    )


def classifier_note(book: Book, data: str) -> str:
    """Say what the classifier behind features and readings is."""
    card = book.measures.classifier(data).card
    accuracy = card.about.get("accuracy")
    right = (
        ""
        if accuracy is None
        else f", {100 * accuracy:.1f} % right on its {card.about['tested_on']}"
    )
    return (
        f"Classifier of {data}: a small residual network trained on {card.about['data']}{right}, "
        f"{card.dimension} features, weights `{card.fingerprint[:12]}`; a classifier trained "
        "elsewhere has other weights, and gives other values."
    )
