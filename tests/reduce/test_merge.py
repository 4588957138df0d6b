"""Pools of parts merge to the pool of the whole, in any order and any grouping (law 2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.dictionary import Candidates, Stack
from intarsia.reduce import Pool
from intarsia.reduce.pool import reduced
from tests.reduce.situations import CPU, Situation, check, situations


def pool_of(s: Situation, some: list[Candidates], keep: bool, compiled: bool) -> Pool:
    return reduced(
        some, s.query, s.rule, None, keep, block=s.block, threads=s.threads, compiled=compiled
    )


def empty(s: Situation, keep: bool) -> Pool:
    return Pool.empty(len(s), s.rule, s.query.known_weight, 0, keep_members=keep)


def parts(s: Situation, rng: np.random.Generator) -> list[Candidates]:
    """The candidates in random rectangles of random sets of pictures, in random order."""
    corpus, half = s.dictionary.corpus, s.window.half
    share = rng.integers(0, 3, len(corpus))
    found = []
    for k in range(3):
        members = np.flatnonzero(share == k)
        if not len(members):
            continue
        for whole, stack in zip(
            _wholes(s, members), Stack.of(corpus, s.border, half, CPU, members), strict=True
        ):
            (r0, r1), (c0, c1) = whole.rows, whole.cols
            row, col = rng.integers(r0, r1 + 2), rng.integers(c0, c1 + 2)
            for rows in ((r0, int(row) - 1), (int(row), r1)):
                for cols in ((c0, int(col) - 1), (int(col), c1)):
                    if rows[0] <= rows[1] and cols[0] <= cols[1]:
                        found.append(Candidates(stack, rows, cols, s.origins))
    return [found[i] for i in rng.permutation(len(found))]


def _wholes(s: Situation, members: np.ndarray) -> list[Candidates]:
    sizes = {s.planes[i].shape[:2] for i in members}
    return [c for c in s.candidates() if c.stack.size in sizes]


@settings(max_examples=60)
@given(s=situations(own_lists=False), data=st.data())
def test_any_parts_in_any_order_merge_to_the_whole(s: Situation, data: Any):
    s = replace(s, block=None if s.block is None else max(50, s.block))
    keep = data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    pools = [pool_of(s, [part], keep, bool(rng.random() < 0.7)) for part in parts(s, rng)]
    pools += [empty(s, keep)]
    while len(pools) > 1:  # a random tree
        i, j = rng.choice(len(pools), 2, replace=False)
        merged = pools[i].merge(pools[j])
        pools = [p for k, p in enumerate(pools) if k not in (i, j)] + [merged]
    check(pools[0].draw(keep_members=keep), [s.expected(b) for b in range(len(s))])


@settings(max_examples=25)
@given(s=situations())
def test_the_empty_pool_changes_nothing_on_either_side(s: Situation):
    expected = [s.expected(b) for b in range(len(s))]
    left = empty(s, True).merge(pool_of(s, s.candidates(), True, True))
    check(left.draw(keep_members=True), expected)
    right = pool_of(s, s.candidates(), True, True).merge(empty(s, True))
    check(right.draw(keep_members=True), expected)


@settings(max_examples=25)
@given(s=situations())
def test_a_merged_pool_is_left_as_it_was(s: Situation):
    expected = [s.expected(b) for b in range(len(s))]
    part = pool_of(s, s.candidates(), False, True)
    empty(s, False).merge(part)
    check(part.draw(), expected)
