"""Posterior sums of many queries over one dictionary, by matrix products."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64

from intarsia.reduce.crew import each
from intarsia.reduce.posterior_state import WHOLE, Level, Posterior, Share, Sums, merged

KEYS = 2048
"""Keys in a block."""

TILE = 128
"""Queries in one matrix product."""

_BLOCK_VALUES = 2**21
"""Numbers in a block of keys, where patches are long."""

SPAN = 4
"""Blocks that are folded one after another; more where there would be too many spans."""

SPANS = 64
"""The most spans, each of which has sums of its own."""

NEGLIGIBLE = 1e-7
"""What all candidates left out may weigh together, as a share of the total."""

_ROUNDING = 2.0**-24

_TOLERANCE = 2e-4
"""Error of a logit from which on differences are taken directly."""

FAINT = 0.006
"""Noise below t = 1/20 of the cosine schedule, where differences are always taken directly."""


def spans(total: int, length: int) -> tuple[int, list[range]]:
    """Return how many keys a block has, and where the blocks of each span begin.

    Parameters
    ----------
    total : keys in the dictionary.
    length : D, numbers compared.
    """
    from intarsia.reduce import posterior_kernels as kernels

    block = max(kernels.SPAN, min(KEYS, _BLOCK_VALUES // length, total))
    block = -(-block // kernels.SPAN) * kernels.SPAN
    starts = range(0, total, block)
    span = max(SPAN, -(-len(starts) // SPANS))
    return block, [starts[at : at + span] for at in range(0, len(starts), span)]


def room(queries: int, length: int, width: int, total: int) -> int:
    """Return the bytes that queries of one canvas take while they are reduced, from above.

    Parameters
    ----------
    queries : M, all at once.
    length : D, numbers compared.
    width : V, numbers in a value.
    total : keys in the dictionary.
    """
    windows = 4 * queries * length * 4  # cut out of a padded canvas, in order, and in a tile
    return windows + (len(spans(total, length)[1]) + 1) * queries * (width + 3) * 8


@dataclass(frozen=True, eq=False)
class KeyBlock:
    """Room for a block of keys, which a thread uses again and again.

    Attributes
    ----------
    room : float32, the keys one after another and a little more; see `posterior_kernels.cut_out`.
    length : D + 1.
    centres : float32 [C, K].
    codes : int64 [K].
    """

    room: np.ndarray
    length: int
    centres: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, count: int, length: int, channels: int) -> KeyBlock:
        """Make room for ``count`` keys."""
        from intarsia.reduce.posterior_kernels import VECTOR

        return cls(
            np.zeros(count * length + VECTOR, np.float32),
            length,
            np.empty((channels, count), np.float32),
            np.empty(count, np.int64),
        )

    @property
    def keys(self) -> np.ndarray:
        """float32 [K, D + 1], the keys as rows."""
        return self.room[: len(self.codes) * self.length].reshape(-1, self.length)


@dataclass(frozen=True, eq=False)
class Products:
    """Many queries against one dictionary, by matrix products.

    A logit less a constant of its query is sqrt(ab) q.k / (1 - ab) - ab |k|^2 / (2 (1 - ab)): one
    product, if -|k|^2 / 2 is one more coordinate of the key.

    Attributes
    ----------
    queries : float32 [B, M, D]. Those of one canvas share matrix products.
    level : the noise level.
    total : keys in the dictionary.
    channels : C.
    width : V, numbers in a value.
    cut : cuts out the keys from a number on, and returns their values [V, K].
    tile : queries taken at a time.
    """

    queries: Float32[np.ndarray, "b m d"]
    level: Level
    total: int
    channels: int
    width: int
    cut: Callable[[KeyBlock, int], np.ndarray]
    tile: int

    def sums(self, threads: int | None, share: Share = WHOLE) -> Sums:
        """Fold every block of a share, span by span, and merge what lies together."""
        batch, pixels, length = self.queries.shape
        block, starts = spans(self.total, length)
        plan = self._plan()
        found: dict[int, Posterior] = {}

        def work(tasks: Iterable[int]) -> None:
            keys = KeyBlock.of(block, length + 1, self.channels)
            logits = torch.empty((min(self.tile, pixels), block))
            for task in tasks:
                state = Posterior.empty(batch * pixels, self.width)
                for first in starts[task]:
                    values = self.cut(keys, first)
                    for rows in self._tiles():
                        self._fold(rows, plan, keys, values, logits, state)
                found[task] = state

        runs = share.of(len(starts))
        each(work, (task for run in runs for task in run), threads)
        branches = [merged([found[task] for task in run]) for run in runs]
        return Sums(branches, None if plan.exact else plan.offsets)

    def _tiles(self) -> Iterator[slice]:
        """Yield rows of queries that share a product: never of two canvases."""
        batch, pixels, _ = self.queries.shape
        for b in range(batch):
            for at in range(0, pixels, self.tile):
                yield slice(b * pixels + at, b * pixels + min(at + self.tile, pixels))

    def _plan(self) -> _Plan:
        """Scale the queries, and decide whether their logits can be taken as they come."""
        flat = self.queries.reshape(-1, self.queries.shape[2])
        level, length = self.level, flat.shape[1]
        scaled = np.empty((len(flat), length + 1), np.float32)
        scaled[:, :-1] = flat * np.float32(level.signal / level.variance)
        scaled[:, -1] = level.alpha_bar / level.variance
        norms = (flat.astype(np.float64) ** 2).sum(axis=1)
        # Keys are in [-1, 1], so |k|^2 <= D; what is rounded is at most this large.
        size = (level.signal * np.sqrt(norms * length) + level.alpha_bar * length) / level.variance
        # Of a query with |q|^2 = D, so that no canvas decides for another.
        typical = (level.signal + level.alpha_bar) * length / level.variance * _ROUNDING
        return _Plan(
            flat,
            scaled,
            exact=typical > _TOLERANCE or level.variance < FAINT,
            offsets=-norms * level.scale,
            margins=size * (length + 4) * _ROUNDING,
            cut=float(np.log(self.total / NEGLIGIBLE)),
        )

    def _fold(
        self,
        rows: slice,
        plan: _Plan,
        block: KeyBlock,
        values: np.ndarray,
        room: torch.Tensor,
        state: Posterior,
    ) -> None:
        from intarsia.reduce import posterior_kernels as kernels

        logits = room[: rows.stop - rows.start]
        keys, codes = block.keys, block.codes
        torch.mm(torch.from_numpy(plan.scaled[rows]), torch.from_numpy(keys).T, out=logits)
        peaks = logits.view(len(logits), -1, kernels.SPAN).amax(dim=2).numpy()
        sums = state.part(rows).arrays()
        if not plan.exact:
            kernels.fold(logits.numpy(), peaks, values, codes, plan.cut, *sums)
            return
        kernels.fold_exactly(
            logits.numpy(), peaks, values, codes, plan.cut, *sums, plan.queries[rows], keys,
            self.level.signal, self.level.scale, plan.offsets[rows], plan.margins[rows],
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is known of queries before any key is seen; see `fold_exactly` for the names."""

    queries: Float32[np.ndarray, "q d"]
    scaled: Float32[np.ndarray, "q d1"]
    exact: bool
    offsets: Float64[np.ndarray, " q"]
    margins: Float64[np.ndarray, " q"]
    cut: float
