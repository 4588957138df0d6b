"""What the pool reduction carries: a monoid.

An empty value and a `merge` that has no order, so blocks, threads, shards and machines combine
the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Int64

from intarsia.reduce import keys
from intarsia.reduce.rule import FLOOR, PoolRule

if TYPE_CHECKING:
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
    weight : int64 [B], the known weight W that distances are relative to.
    members : for each query its whole pool as (codes, distances), each int64 [Z] in order of
        name, when asked for; otherwise None. `keys.decode` opens a code.
    """

    image: Int64[np.ndarray, " b"]
    row: Int64[np.ndarray, " b"]
    col: Int64[np.ndarray, " b"]
    distance: Int64[np.ndarray, " b"]
    pool: Int64[np.ndarray, " b"]
    weight: Int64[np.ndarray, " b"]
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
            either(self.weight, other.weight),
            members,
        )


class Pool:
    """Pools in the making for a batch of queries.

    See Also
    --------
    intarsia.reduce.kernels.State : what is carried, and why it is enough.
    """

    def __init__(self, state: State, rule: Rule, known_weight: int) -> None:
        self.state = state
        self.rule = rule
        self.known_weight = known_weight

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
        if limit is not None:
            floor = min(floor, int(limit.min(initial=floor)))
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
        return cls(state, Rule(a, b, floor_num, floor, far), known_weight)

    def beside(self, other: Pool) -> Pool:
        """Let the threshold of an empty pool fall with that of another, which sees other blocks."""
        self.state = self.state._replace(limit=other.state.limit)
        return self

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

    def trimmed(self) -> Pool:
        """Return the pool without the room it has to spare, to be sent."""
        from intarsia.reduce.kernels import compact

        compact(self.state)
        used = int(self.state.band_n[0])
        names = ("band_query", "band_dist", "band_key", "band_code")
        kept = {name: getattr(self.state, name)[:used].copy() for name in names}
        return Pool(self.state._replace(**kept), self.rule, self.known_weight)

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
        weight = np.full(len(code), self.known_weight, np.int64)
        members = self._members() if keep_members else None
        return Drawn(image, row, col, distance, count, weight, members)

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
