"""A corpus in shards, each with a worker: pools merge by the monoid law, whoever made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from intarsia.dictionary import Candidates, Dictionary, Query, Stack
from intarsia.reduce.pool import reduced
from intarsia.reduce.rule import PoolRule
from intarsia.reduce.state import Pool
from intarsia.reduce.workers import Held, Workers


@dataclass(frozen=True, eq=False)
class FarCandidates:
    """Candidates that lie with workers.

    Attributes
    ----------
    workers, shards : who has which part of the dictionary.
    ask : the method of `Dictionary` that names them.
    args : what it is asked.
    """

    workers: Workers
    shards: list[Held]
    ask: str
    args: tuple[Any, ...]

    def start(
        self,
        query: Query,
        rule: PoolRule,
        limit: Int64[np.ndarray, " b"] | None,
        keep_members: bool,
    ) -> list[Any]:
        """Ask every worker for its pool; return promises of them."""
        asked = (self.ask, self.args, query, rule, limit, keep_members)
        return [
            self.workers.start(number, pool_of_shard, shard, *asked)
            for number, shard in enumerate(self.shards)
        ]

    def results(self, promises: list[Any]) -> list[Pool]:
        """Return the pools promised."""
        return self.workers.results(promises)


def pool_of_shard(
    shard: Dictionary,
    ask: str,
    args: tuple[Any, ...],
    query: Query,
    rule: PoolRule,
    limit: Int64[np.ndarray, " b"] | None,
    keep_members: bool,
) -> Pool:
    """Reduce what one shard has to offer."""
    candidates = getattr(shard, ask)(*args)
    return reduced(candidates, query, rule, limit, keep_members).trimmed()


class ShardedDictionary(Dictionary):
    """A dictionary whose pictures lie with workers.

    Look-ups under phi, and the few pictures they leave, stay here: there is nothing to share out.

    Parameters
    ----------
    whole : the dictionary to share out.
    workers : a shard goes to each.
    """

    def __init__(self, whole: Dictionary, workers: Workers) -> None:
        super().__init__(whole.corpus, whole.window, whole.border, whole.stages, whole.device)
        self._workers = workers
        stages = [stage for stage in whole.stages if stage is not whole.similar]
        count = len(whole.corpus)
        edges = [count * k // len(workers) for k in range(len(workers) + 1)]
        self._shards = [
            workers.hold(
                Dictionary(
                    whole.corpus.part(first, stop), whole.window, whole.border, stages,
                    whole.device, first=first,
                )
            )
            for first, stop in zip(edges[:-1], edges[1:], strict=True)
            if stop > first
        ]  # fmt: skip

    def everything(self, origins: Int64[np.ndarray, " b"]) -> list[Candidates]:
        """Return every place of every picture, wherever it lies."""
        return self._far("everything", origins)

    def candidates(
        self,
        place: tuple[int, int],
        origins: Int64[np.ndarray, " b"],
        label: int | None = None,
        similar: Stack | None = None,
    ) -> list[Candidates]:
        """Return what the stages leave, wherever it lies."""
        if similar is not None:
            return super().candidates(place, origins, label, similar)
        return self._far("candidates", place, origins, label)

    def _far(self, ask: str, *args: Any) -> list[Candidates]:
        far: Any = FarCandidates(self._workers, self._shards, ask, args)
        return [far]
