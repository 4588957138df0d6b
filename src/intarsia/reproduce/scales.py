"""How much of a table or figure is drawn: for a test, for an evening, for the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from intarsia.errors import UsageError

T = TypeVar("T")

SCALES = ("smoke", "quick", "full")

STAND_IN, FEW, FEWER = {"data": "digits", "resize": 16}, 300, 100
"""At smoke scale every data set is scikit-learn's digits, the first so many of them."""

ENCODER = "lowres"
"""Phi at smoke scale, which has nothing to learn or to load."""


@dataclass(frozen=True)
class Scale:
    """A scale by name.

    Attributes
    ----------
    name : ``smoke`` shows in seconds that an item works, on digits that need no download;
        ``quick`` runs paper A in less than 40 minutes on two cores; ``full`` takes the
        numbers of pictures and seeds that the claims are made for.

    Examples
    --------
    >>> Scale("quick").pick(4, 36, 100)
    36
    """

    name: str

    def __post_init__(self) -> None:
        if self.name not in SCALES:
            raise UsageError(f"--scale is {self.name!r}; it must be one of {', '.join(SCALES)}.")

    @property
    def is_smoke(self) -> bool:
        """Whether the digits stand in for every data set."""
        return self.name == "smoke"

    def pick(self, smoke: T, quick: T, full: T) -> T:
        """Return the value of this scale."""
        return {"smoke": smoke, "quick": quick, "full": full}[self.name]

    def corpus(self, data: str, limit: int | None = None) -> dict[str, Any]:
        """Return how a corpus is opened: ``data``, ``limit`` and ``resize`` of `Corpus.open`."""
        if not self.is_smoke:
            return {"data": data, "limit": limit}
        few = FEW if limit is None else limit if limit <= FEW else FEWER
        return STAND_IN | {"limit": few}

    def settings(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return what a model is asked for: what an item asks, and at smoke scale a quick phi.

        The encoders of defaults and presets may need weights that nobody shipped for the digits.
        """
        return {"encoder": ENCODER} | asked if self.is_smoke else asked
