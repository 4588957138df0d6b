"""Thresholds are exact: decimals are read as fractions, and floors taken once."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia.errors import UsageError
from intarsia.reduce import PoolRule, exact_fraction
from tests.reference.pool import Candidate, pool_threshold


@pytest.mark.parametrize(
    ("value", "fraction"),
    [
        (0.1, Fraction(1, 10)),
        ("0.1", Fraction(1, 10)),
        (0, Fraction(0)),
        ("0.123457", Fraction(123457, 10**6)),
        (1e-06, Fraction(1, 10**6)),
        ("1e-3", Fraction(1, 1000)),
        (Fraction(1, 3), Fraction(1, 3)),
        (1000, Fraction(1000)),
    ],
)
def test_decimals_are_read_exactly(value, fraction):
    assert exact_fraction(value) == fraction


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("-0.1", "0 or more"),
        (-1e-6, "0 or more"),
        ("0.1234567", "at most 6 decimals"),
        (1 / 3, "at most 6 decimals"),
        (Fraction(1, 10**6 + 1), "at most 6 decimals"),
        ("much", "not a number"),
        ("", "not a number"),
        ("nan", "not a number"),
        ("inf", "not a number"),
        ("1000.5", "Try 0.1"),
    ],
)
def test_what_is_no_tolerance_is_refused_by_value(value, says):
    with pytest.raises(UsageError, match=says) as caught:
        exact_fraction(value)
    assert "--epsilon is" in str(caught.value) and str(value) in str(caught.value)


def test_a_pool_of_none_is_refused():
    with pytest.raises(UsageError, match="--min-pool is 0"):
        PoolRule(Fraction(0), 0)


@given(
    distances=st.lists(st.integers(0, 2**40), min_size=1, max_size=6),
    weight=st.integers(0, 10**6),
    millionths=st.integers(0, 2 * 10**6),
    min_pool=st.integers(1, 8),
)
def test_the_threshold_is_the_reference_s(distances, weight, millionths, min_pool):
    epsilon = Fraction(millionths, 10**6)
    ordered = sorted(distances)
    rule = PoolRule(epsilon, min_pool)
    mth = ordered[min(min_pool, len(ordered)) - 1]
    expected = pool_threshold([Candidate(0, 0, 0, d) for d in distances], weight, epsilon, min_pool)
    assert rule.threshold(ordered[0], mth, weight) == expected


@given(
    share=st.floats(0, 1),
    weight=st.integers(33_100, 350_000),  # the heaviest that millionths are allowed with
    millionths=st.integers(0, 10**6),
)
def test_compiled_and_torch_thresholds_are_the_rule_s(share, weight, millionths):
    import torch

    from intarsia.reduce import Pool, kernels
    from intarsia.reduce.device import _Tally

    rule = PoolRule(Fraction(millionths, 10**6))
    rule.check(weight)
    least = int(share * weight * 255**2)
    pool = Pool.empty(1, rule, weight, 0)
    expected = rule.threshold(least, least, weight)
    assert int(kernels._threshold(least, least, pool.rule)) == expected
    tally = _Tally(pool, torch.device("cpu"))
    tally.least[:] = least
    assert int(tally._thresholds()[0]) == expected
