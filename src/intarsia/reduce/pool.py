"""The pool reduction: distances, threshold and draw (paper A, sections 2.2 and 2.4).

One door, `pool`, for every device.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int64

from intarsia.errors import IntarsiaError
from intarsia.reduce.rule import PoolRule
from intarsia.reduce.state import Drawn, Pool

if TYPE_CHECKING:
    from intarsia.dictionary import Candidates, Query
    from intarsia.reduce.shards import FarCandidates


def pool(
    candidates: Sequence[Candidates],
    query: Query,
    rule: PoolRule,
    *,
    limit: Int64[np.ndarray, " b"] | None = None,
    keep_members: bool = False,
    block: int | None = None,
    threads: int | None = None,
    compiled: bool | None = None,
    may_be_empty: bool = False,
) -> Drawn:
    """Draw one training pixel for each query, uniformly from its pool.

    Parameters
    ----------
    candidates : what the query may use, in one or more stacks.
    query : a batch of patches at one place.
    rule : how far a candidate may be.
    limit : int64 [B] thresholds that replace the rule's (paper A's letter, ``intersection``);
        then a pool may be empty.
    keep_members : return whole pools.
    block : candidates taken at a time; chosen by size when None. No result depends on it.
    threads : CPU threads; torch's number when None. No result depends on it.
    compiled : use the compiled loops, or plain torch; the loops where stacks are on the CPU when
        None. No result depends on it.
    may_be_empty : return pools of size 0 where no candidate exists, instead of raising.

    Returns
    -------
    Drawn

    Raises
    ------
    IntarsiaError
        If no candidate exists at all, unless there is a ``limit`` or pools may be empty.
    """
    rule.check(query.known_weight)
    state = reduced(
        candidates, query, rule, limit, keep_members, block=block, threads=threads,
        compiled=compiled,
    )  # fmt: skip
    drawn = state.draw(keep_members=keep_members)
    if limit is None and not may_be_empty and (drawn.pool == 0).any():
        raise IntarsiaError(
            f"No training patch fits around row {query.place[0]}, column {query.place[1]}: "
            "the corpus has no picture with all of these pixels. Use a smaller --window, a larger "
            "corpus, or --allow-seed-source where the corpus is one picture."
        )
    return drawn


def least_distance(
    candidates: Sequence[Candidates], query: Query, *, threads: int | None = None
) -> Int64[np.ndarray, " b"]:
    """Return each query's least distance; for `limit` in paper A's letter."""
    state = reduced(candidates, query, PoolRule(Fraction(0)), threads=threads)
    return state.state.least[:, 0].copy()


def reduced(
    candidates: Sequence[Candidates],
    query: Query,
    rule: PoolRule,
    limit: Int64[np.ndarray, " b"] | None = None,
    keep_members: bool = False,
    *,
    block: int | None = None,
    threads: int | None = None,
    compiled: bool | None = None,
) -> Pool:
    """Reduce every stack and merge: `pool` before anything is drawn."""
    from intarsia.reduce.fit import fitting

    def fresh(capacity: int) -> Pool:
        return Pool.empty(
            len(query), rule, query.known_weight, capacity, limit=limit, keep_members=keep_members
        )

    total = fresh(0)
    far = [(some, some.start(query, rule, limit, keep_members)) for some in _far(candidates)]
    for some in candidates:
        if not hasattr(some, "stack"):
            continue
        view = fitting(some, query)
        if view is None:
            continue
        on_cpu = view.stack.pixels.device.type == "cpu"
        if on_cpu if compiled is None else compiled:
            from intarsia.reduce import cpu

            total.merge(cpu.reduce(view, query, fresh, block, threads))
        else:
            from intarsia.reduce import device

            total.merge(device.reduce(view, query, fresh(0), block))
    for shards, promises in far:
        for part in shards.results(promises):
            total.merge(part)
    return total


def _far(candidates: Sequence[Any]) -> list[FarCandidates]:
    """Return those candidates that lie with workers (`reduce.shards`)."""
    return [some for some in candidates if not hasattr(some, "stack")]
