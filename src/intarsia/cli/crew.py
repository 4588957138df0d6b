"""``--engine``: who does the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.reduce.workers import Workers


@dataclass(frozen=True)
class Crew:
    """Workers, or none; and what they share.

    Attributes
    ----------
    workers : None where all is done here.
    by_shards : whether each holds a part of the corpus.
    """

    workers: Workers | None = None
    by_shards: bool = False

    def for_samples(self, model: Any) -> Workers | None:
        """Return who samples are spread over; share the model's corpus out if that is asked."""
        if self.workers is None or not self.by_shards:
            return self.workers
        model.share_with(self.workers)
        return None


@contextmanager
def crew(engine: str, workers: int | None, spread: str, threads: int | None) -> Iterator[Crew]:
    """Open the workers that ``--engine``, ``--workers`` and ``--spread`` ask for.

    Raises
    ------
    UsageError
        For a word that is none of the choices, or workers where the engine has none.
    """
    if spread not in ("samples", "shards"):
        raise UsageError(f"--spread is {spread!r}; it must be samples or shards.")
    if engine == "local":
        if workers is not None or spread == "shards":
            option = "--workers" if workers is not None else "--spread shards"
            raise UsageError(f"{option} is for --engine ray.")
        yield Crew()
        return
    if engine != "ray" and ":" not in engine:
        raise UsageError(
            f"--engine is {engine!r}; it must be local, ray, or the ray://HOST:PORT of a cluster."
        )
    from intarsia.reduce.workers import Workers

    with Workers(None if engine == "ray" else engine, workers, threads) as team:
        yield Crew(team, spread == "shards")
