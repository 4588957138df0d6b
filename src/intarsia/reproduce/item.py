"""What a table or figure has to say about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from intarsia.reproduce.runs import Draw
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book
    from intarsia.reproduce.page import Page

Arms = Mapping[str, Sequence[Draw]]
"""Draws by the name of the model compared; one a seed."""


@dataclass(frozen=True)
class Needs:
    """What an item takes at some scale; several items share what they have in common.

    Attributes
    ----------
    arms : what is drawn.
    classifiers : data sets whose classifier features are used.
    seconds : what else it takes, on two cores.
    """

    arms: Arms = field(default_factory=dict)
    classifiers: tuple[str, ...] = ()
    seconds: float = 2.0

    @property
    def draws(self) -> list[Draw]:
        """All that is drawn."""
        return [one for arm in self.arms.values() for one in arm]


@dataclass(frozen=True)
class Item:
    """One table or figure of a paper.

    Attributes
    ----------
    name : such as ``figure-2``.
    title : heading of its page.
    shows : one line for the listing.
    needs : what it takes at a scale.
    make : draws what it needs (finished runs are reused) and returns its page.
    remarks : what a person saw in the pictures, by scale; a page made anew keeps it.
    paper : such as ``paper-a``.
    """

    name: str
    title: str
    shows: str
    needs: Callable[[Scale], Needs]
    make: Callable[[Book, Needs], Page]
    remarks: Mapping[str, str] = field(default_factory=dict)
    paper: str = "paper-a"

    @property
    def full_name(self) -> str:
        """Name with the paper: ``paper-a/figure-2``."""
        return f"{self.paper}/{self.name}"
