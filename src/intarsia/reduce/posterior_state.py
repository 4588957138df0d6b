"""Posterior means in the making: the running sums of a softmax, and how two of them merge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64


@dataclass(frozen=True)
class Level:
    """A noise level: x = sqrt(alpha_bar) picture + sqrt(1 - alpha_bar) noise.

    Parameters
    ----------
    alpha_bar : above 0, below 1.
    """

    alpha_bar: float

    @property
    def signal(self) -> float:
        """sqrt(alpha_bar)."""
        return float(np.sqrt(self.alpha_bar))

    @property
    def variance(self) -> float:
        """1 - alpha_bar."""
        return 1 - self.alpha_bar

    @property
    def scale(self) -> float:
        """What turns a squared distance into minus a logit: 1 / (2 (1 - alpha_bar))."""
        return 0.5 / self.variance


@dataclass(frozen=True, eq=False)
class Posterior:
    """Running sums over candidates seen so far, for Q queries (paper C, eqs. 3 to 10).

    The weight of a candidate is e^(logit - top), where logit is minus its squared distance over
    2 (1 - alpha_bar). Two values over disjoint candidates `merge` into the one over all.

    Attributes
    ----------
    top : float64 [Q], the largest logit; minus infinity before any candidate.
    denominator : float64 [Q], the sum of weights.
    numerator : float64 [Q, V], the weighted sum of values.
    source : int64 [Q], the name of the heaviest candidate, the least of equals; -1 for none.
    """

    top: Float64[np.ndarray, " q"]
    denominator: Float64[np.ndarray, " q"]
    numerator: Float64[np.ndarray, "q v"]
    source: Int64[np.ndarray, " q"]

    @classmethod
    def empty(cls, queries: int, width: int) -> Posterior:
        """Return the value of no candidates."""
        return cls(
            np.full(queries, -np.inf),
            np.zeros(queries),
            np.zeros((queries, width)),
            np.full(queries, -1, np.int64),
        )

    def merge(self, other: Posterior) -> Posterior:
        """Take the sums of another value into this one."""
        from intarsia.reduce import posterior_kernels as kernels

        kernels.merge(*self.arrays(), *other.arrays())
        return self

    def arrays(
        self,
    ) -> tuple[
        Float64[np.ndarray, " q"],
        Float64[np.ndarray, " q"],
        Float64[np.ndarray, "q v"],
        Int64[np.ndarray, " q"],
    ]:
        """Return the four arrays, for compiled loops."""
        return self.top, self.denominator, self.numerator, self.source

    def part(self, rows: slice) -> Posterior:
        """Return some of the queries; what is written there is written here."""
        return Posterior(*(array[rows] for array in self.arrays()))

    @property
    def mean(self) -> Float32[np.ndarray, "q v"]:
        """The posterior mean of the values."""
        return (self.numerator / self.denominator[:, None]).astype(np.float32)

    @property
    def weight(self) -> Float32[np.ndarray, " q"]:
        """The share of the heaviest candidate: its own weight is e^0."""
        return (1 / self.denominator).astype(np.float32)


def merged(parts: Sequence[Posterior]) -> Posterior:
    """Merge values in a fixed binary tree, so that no result depends on who made which when."""
    level = list(parts)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        paired = [left.merge(right) for left, right in pairs]
        level = paired + (level[-1:] if len(level) % 2 else [])
    return level[0]


@dataclass(frozen=True, eq=False)
class Sums:
    """What a share of the work adds up to.

    Attributes
    ----------
    branches : whole branches of the merge tree, in order (see `Share.of`).
    common : float64 [Q], what the logits of a query have in common and none was given; None if
        they are complete.
    """

    branches: list[Posterior]
    common: Float64[np.ndarray, " q"] | None = None

    def total(self) -> Posterior:
        """Merge the branches of all shares. It writes to them."""
        state = merged(self.branches)
        if self.common is not None:
            state.top[:] += self.common
        return state

    @classmethod
    def joined(cls, shares: Sequence[Sums]) -> Sums:
        """Put the sums of all shares, in order, side by side, copied so that they can merge."""
        branches = [
            Posterior(*map(np.copy, one.arrays())) for share in shares for one in share.branches
        ]
        return cls(branches, shares[0].common)


@dataclass(frozen=True)
class Share:
    """What one of several workers does of a list of tasks.

    Parameters
    ----------
    number : which worker, from 0.
    workers : how many there are.
    """

    number: int = 0
    workers: int = 1

    def of(self, tasks: int) -> list[range]:
        """Return runs of tasks, each a whole branch of the tree that `merged` follows.

        So what all workers return, in order, merges to the same bytes as if one had done it.
        """
        if self.workers == 1:
            return [range(tasks)]
        length = 1
        while 8 * self.workers * length <= tasks:
            length *= 2
        runs = [range(at, min(at + length, tasks)) for at in range(0, tasks, length)]
        edges = [len(runs) * k // self.workers for k in (self.number, self.number + 1)]
        return runs[edges[0] : edges[1]]


WHOLE = Share()
"""All there is to do."""
