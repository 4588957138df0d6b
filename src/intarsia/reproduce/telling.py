"""How the harness tells of its progress; the command line shows bars, a test nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intarsia.models import Progress


class Teller:
    """Says nothing. What wants to be told overrides these."""

    def say(self, words: str) -> None:
        """Hear a line about what happens now, or has happened."""

    def drawing(self, what: str) -> AbstractContextManager[Callable[[Progress], None] | None]:
        """Give what is called after every step of a run."""
        return nullcontext()

    def measuring(self, what: str, done: int, total: int) -> None:
        """Hear how far a measurement or a corpus is."""
