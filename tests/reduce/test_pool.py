"""The engine's pools equal the obvious loop's: winners, sizes and members, ties included."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from intarsia.errors import IntarsiaError
from intarsia.reduce import least_distance
from tests.reduce.situations import Situation, check, situations


@settings(max_examples=150)
@given(s=situations())
def test_winners_and_pools_equal_the_reference(s: Situation):
    expected = [s.expected(b) for b in range(len(s))]
    if any(e.size == 0 for e in expected):
        with pytest.raises(IntarsiaError, match="No training patch fits"):
            s.draw()
        return
    check(s.draw(), expected)
    check(s.draw(keep_members=True), expected)


@settings(max_examples=45)
@given(s=situations())
def test_plain_torch_pools_equal_the_reference(s: Situation):
    s = replace(s, block=None if s.block is None else max(50, s.block))  # blocks of 1 take long
    expected = [s.expected(b) for b in range(len(s))]
    if any(e.size == 0 for e in expected):
        with pytest.raises(IntarsiaError, match="No training patch fits"):
            s.draw(compiled=False)
        return
    check(s.draw(compiled=False), expected)
    check(s.draw(compiled=False, keep_members=True), expected)


@settings(max_examples=45)
@given(s=situations())
def test_pools_under_a_given_limit_equal_the_reference_and_may_be_empty(s: Situation):
    expected = [s.expected_intersection(b) for b in range(len(s))]
    everything = s.dictionary.everything(s.origins)
    least = least_distance(everything, s.query, threads=s.threads)
    found = [b for b, e in enumerate(expected) if e.least is not None]
    assert [int(least[b]) for b in found] == [expected[b].least for b in found]
    limit = least.copy()
    for b in found:
        limit[b] = s.rule.threshold(int(least[b]), 0, s.query.known_weight)
        if s.rule.min_pool == 1:
            assert limit[b] == expected[b].threshold
    for compiled in (True, False):
        check(s.draw(limit=limit, compiled=compiled), expected)
        check(s.draw(limit=limit, compiled=compiled, keep_members=True), expected)


def test_examples_reach_every_kind_of_dictionary_and_empty_pools():
    seen = dict.fromkeys(("lists", "ragged", "holes", "barred", "no candidate", "empty pool"), 0)

    @settings(max_examples=100, derandomize=True, database=None)
    @given(s=situations())
    def count(s: Situation) -> None:
        seen["lists"] += s.lists is not None
        seen["ragged"] += s.dictionary.corpus.is_ragged
        seen["holes"] += s.valid is not None
        seen["barred"] += s.barred is not None
        seen["no candidate"] += s.expected(0).size == 0
        both = s.expected_intersection(0)
        seen["empty pool"] += both.size == 0 and both.least is not None

    count()
    assert min(seen.values()) >= 2, seen
