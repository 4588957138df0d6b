"""What can be reproduced, by name."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

from intarsia.errors import UsageError
from intarsia.reproduce.item import Item

PAPERS: dict[str, tuple[str, tuple[str, ...]]] = {
    # In the order of the paper, then what goes beyond it.
    "paper-a": (
        "intarsia.reproduce.paper_a",
        (
            "figure_2",
            "figure_3",
            "figure_4",
            "figure_5",
            "figure_6",
            "figure_7",
            "figures_8_9",
            "figure_10",
            "figure_11",
            "figure_12",
            "table_1",
            "table_2",
            "principles",
            "encoders",
            "defaults",
            "sensitivity",
            "fashion",
            "scaling",
        ),
    ),
    "paper-b": (
        "intarsia.reproduce.paper_b",
        (
            "exclusivity",
            "binary_latents",
            "generated",
            "figure_8",
            "variational",
            "adversarial",
            "diffusion",
            "locality",
        ),
    ),
    "paper-c": (
        "intarsia.reproduce.paper_c",
        ("two_images", "theorem_6", "coarse_to_fine", "correlation", "boundaries", "limbs"),
    ),
}
"""Package and modules of each paper; a module has ``ITEMS``."""


def catalogue(paper: str | None = None) -> list[Item]:
    """Return all items, or those of one paper, in the order of the book."""
    return [
        item
        for name, (package, modules) in PAPERS.items()
        if paper in (None, name)
        for module in modules
        for item in import_module(f"{package}.{module}").ITEMS
    ]


def chosen(names: Sequence[str]) -> list[Item]:
    """Return the items of these names, each once, in the order of the book.

    Parameters
    ----------
    names : ``paper-a`` for all of paper A, ``paper-a/figure-2``, or ``figure-2`` for short, which
        is the first paper's that has one.

    Raises
    ------
    UsageError
        If there is nothing of that name; it names what is close.

    Examples
    --------
    >>> [item.full_name for item in chosen(["table-2", "figure-8"])]
    ['paper-a/figure-8', 'paper-a/table-2']
    """
    everything = catalogue()
    wanted: set[str] = set()
    for name in names:
        asked = name.strip("/")
        found = [one.full_name for one in everything if asked in (one.paper, one.full_name)]
        found = found or [one.full_name for one in everything if asked == one.name][:1]
        if not found:
            raise UsageError(_no_such(name, everything))
        wanted.update(found)
    return [item for item in everything if item.full_name in wanted]


def _no_such(name: str, everything: Sequence[Item]) -> str:
    known = [*PAPERS, *(one.full_name for one in everything)]
    short = {one.name: one.full_name for one in reversed(everything)}
    close = get_close_matches(name, [*known, *short], n=3, cutoff=0.6)
    close = list(dict.fromkeys(short.get(one, one) for one in close))
    hint = f"Did you mean {' or '.join(close)}? " if close else ""
    return (
        f"There is nothing called {name!r} to reproduce. {hint}"
        "'intarsia reproduce' without a name lists what there is."
    )
