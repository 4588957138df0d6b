"""The pool reduction: distances, threshold and draw (paper A, sections 2.2 and 2.4).

One door, `pool`, for every device. What it carries is a monoid: an empty value and a `merge`
that has no order, so blocks, threads, shards and machines combine the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Int64

from intarsia.errors import IntarsiaError, UsageError
from intarsia.reduce import keys
from intarsia.reduce.rule import FLOOR, PoolRule

if TYPE_CHECKING:
    from intarsia.dictionary import Candidates, Query
    from intarsia.reduce.kernels import Rule, State

INT32_MAX = 2**31 - 1


@dataclass(frozen=True)
class Drawn:
    """One draw for each query of a batch.

    Attributes
    ----------
    image, row, col : int64 [B], the winner's name.
    distance : int64 [B], its weighted squared distance.
    pool : int64 [B], how many candidates were in the pool.
    members : for each query its whole pool as (codes, distances), each int64 [Z] in order of
        name, when asked for; otherwise None. `keys.decode` opens a code.
    """

    image: Int64[np.ndarray, " b"]
    row: Int64[np.ndarray, " b"]
    col: Int64[np.ndarray, " b"]
    distance: Int64[np.ndarray, " b"]
    pool: Int64[np.ndarray, " b"]
    members: list[tuple[np.ndarray, np.ndarray]] | None = None

    def filled_in(self, where: Bool[np.ndarray, " b"], other: Drawn) -> Drawn:
        """Return these draws with those of ``other`` where asked."""

        def either(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
            return np.where(where, theirs, mine)

        members = None
        if self.members is not None and other.members is not None:
            pairs = zip(where, self.members, other.members, strict=True)
            members = [theirs if take else mine for take, mine, theirs in pairs]
        return Drawn(
            either(self.image, other.image),
            either(self.row, other.row),
            either(self.col, other.col),
            either(self.distance, other.distance),
            either(self.pool, other.pool),
            members,
        )


class Pool:
    """Pools in the making for a batch of queries.

    See Also
    --------
    intarsia.reduce.kernels.State : what is carried, and why it is enough.
    """

    def __init__(self, state: State, rule: Rule) -> None:
        self.state = state
        self.rule = rule

    @classmethod
    def empty(
        cls,
        queries: int,
        rule: PoolRule,
        known_weight: int,
        capacity: int,
        *,
        limit: Int64[np.ndarray, " b"] | None = None,
        keep_members: bool = False,
    ) -> Pool:
        """Return the empty value: pools that have seen no candidate.

        Parameters
        ----------
        queries : B.
        rule, known_weight : what the threshold is made of.
        capacity : band entries to make room for.
        limit : thresholds given from outside (``intersection``), instead of falling ones.
        keep_members : remember every member by name.
        """
        from intarsia.reduce.kernels import NO_KEY, Rule, State

        far = INT32_MAX if narrow(known_weight) else 2**62
        a, b = rule.epsilon.numerator, rule.epsilon.denominator
        floor_num = FLOOR.numerator * known_weight
        floor = -1 if keep_members else floor_num // FLOOR.denominator
        zeros = np.zeros(queries, np.int64)
        state = State(
            least=np.full((queries, rule.min_pool), far, np.int64),
            # No higher than true distances go: what is out of reach stays out.
            limit=np.minimum(np.full(queries, far - 1) if limit is None else limit, far - 1),
            fixed=limit is not None,
            sure_count=zeros,
            sure_key=np.full(queries, NO_KEY, np.int64),
            sure_code=np.full(queries, NO_KEY, np.int64),
            sure_dist=zeros.copy(),
            band_n=np.zeros(1, np.int64),
            band_query=np.empty(capacity, np.int64),
            band_dist=np.empty(capacity, np.int64),
            band_key=np.empty(capacity, np.int64),
            band_code=np.empty(capacity, np.int64),
        )
        return cls(state, Rule(a, b, floor_num, floor, far))

    def reserve(self, more: int) -> None:
        """Make room for ``more`` further band entries."""
        from intarsia.reduce.kernels import compact

        have = len(self.state.band_dist)
        if self.state.band_n[0] + more <= have:
            return
        compact(self.state)
        used = int(self.state.band_n[0])
        if used + more > have:
            wider = {}
            for name in ("band_query", "band_dist", "band_key", "band_code"):
                wider[name] = np.empty(max(2 * have, used + more), np.int64)
                wider[name][:used] = getattr(self.state, name)[:used]
            self.state = self.state._replace(**wider)

    def merge(self, other: Pool) -> Pool:
        """Take another pool of the same queries into this one; the order never matters."""
        from intarsia.reduce.kernels import merge_into

        self.reserve(int(other.state.band_n[0]))
        merge_into(self.state, other.state, self.rule)
        return self

    def draw(self, *, keep_members: bool = False) -> Drawn:
        """Settle the thresholds, count each pool, and let the least key win.

        ``pool`` is 0 and ``image`` -1 where no candidate was within the threshold.
        """
        from intarsia.reduce.kernels import compact, settle

        compact(self.state)
        code, distance, count = settle(self.state)
        image, row, col = keys.decode(code)
        empty = count == 0
        for part in (image, row, col):
            part[empty] = -1
        return Drawn(image, row, col, distance, count, self._members() if keep_members else None)

    def _members(self) -> list[tuple[np.ndarray, np.ndarray]]:
        state, used = self.state, int(self.state.band_n[0])
        query, code = state.band_query[:used], state.band_code[:used]
        order = np.lexsort((code, query))
        ends = np.searchsorted(query[order], np.arange(len(state.limit) + 1))
        pairs = zip(ends[:-1], ends[1:], strict=True)
        parts = [order[first:last] for first, last in pairs]
        return [(code[part], state.band_dist[:used][part]) for part in parts]


def narrow(known_weight: int) -> bool:
    """Whether every distance under this known weight fits 32 bits."""
    return known_weight * 255**2 < INT32_MAX


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

    Returns
    -------
    Drawn

    Raises
    ------
    IntarsiaError
        If no candidate exists at all and no ``limit`` was given.
    """
    weight = query.known_weight
    if 400 * rule.epsilon.denominator * weight * 255**2 >= 2**63:
        raise UsageError(
            f"epsilon {float(rule.epsilon)} has too many decimals for a window this heavy; "
            "use fewer decimals or a smaller window."
        )
    state = _reduce(candidates, query, rule, limit, keep_members, block, threads, compiled)
    drawn = state.draw(keep_members=keep_members)
    if limit is None and (drawn.pool == 0).any():
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
    from fractions import Fraction

    state = _reduce(candidates, query, PoolRule(Fraction(0)), None, False, None, threads, None)
    return state.state.least[:, 0].copy()


def _reduce(
    candidates: Sequence[Candidates],
    query: Query,
    rule: PoolRule,
    limit: Int64[np.ndarray, " b"] | None,
    keep_members: bool,
    block: int | None,
    threads: int | None,
    compiled: bool | None,
) -> Pool:
    """Reduce every stack and merge."""
    from intarsia.reduce.fit import fitting

    def fresh(capacity: int) -> Pool:
        return Pool.empty(
            len(query), rule, query.known_weight, capacity, limit=limit, keep_members=keep_members
        )

    total = fresh(0)
    for some in candidates:
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
    return total
