"""Shortlisting by the heaviest pixels never changes a pool, wherever the query is cut."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.dictionary import Window
from intarsia.errors import IntarsiaError
from intarsia.reduce import Drawn, PoolRule, cpu, keys, least_distance
from intarsia.reduce.fit import fitting
from intarsia.reduce.kernels import NO_KEY
from intarsia.reduce.state import Pool
from intarsia.reduce.vectors import LANES, QUERIES, TILE, WORDS, count_within, distances
from tests.pictures import digits
from tests.reduce.situations import Situation, check, situations

numba = pytest.importorskip("numba")


@pytest.fixture(params=[1, 2, 7, 10**6])
def head(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Cut every query after so many pixels; take products even for a single query."""
    monkeypatch.setattr(cpu, "HEAD", request.param)
    monkeypatch.setattr(cpu, "FEW", 0)
    return int(request.param)


def same(mine: Drawn, other: Drawn) -> None:
    for name in ("image", "row", "col", "distance", "pool"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(other, name), name)


@settings(max_examples=30)
@given(s=situations())
@pytest.mark.usefixtures("head")
def test_pools_equal_the_reference_wherever_queries_are_cut(s: Situation):
    expected = [s.expected(b) for b in range(len(s))]
    if any(e.size == 0 for e in expected):
        with pytest.raises(IntarsiaError, match="No training patch fits"):
            s.draw()
        return
    check(s.draw(), expected)
    check(s.draw(keep_members=True), expected)


@settings(max_examples=15)
@given(s=situations())
@pytest.mark.usefixtures("head")
def test_pools_under_a_given_limit_equal_the_reference_wherever_queries_are_cut(s: Situation):
    expected = [s.expected_intersection(b) for b in range(len(s))]
    least = least_distance(s.dictionary.everything(s.origins), s.query, threads=s.threads)
    limit = least.copy()
    for b, e in enumerate(expected):
        if e.least is not None:
            limit[b] = s.rule.threshold(int(least[b]), 0, s.query.known_weight)
    check(s.draw(limit=limit), expected)
    check(s.draw(limit=limit, keep_members=True), expected)


def crowd(queries: int, rule: PoolRule) -> Situation:
    """Many candidates, of which few survive the head."""
    images = np.array(digits().images[:1500])
    rng = np.random.default_rng(queries)
    noise = rng.integers(-40, 41, (queries, *images.shape[1:]))
    canvas = np.clip(images[rng.integers(0, 1500, queries)] + noise, 0, 255).astype(np.uint8)
    known = np.ones(images.shape[1:3], bool)
    known[4:, 4:] = False
    return Situation(
        list(images), None, canvas, known, (4, 4), Window(7), rule, border="zeros", radius=2
    )


@pytest.mark.parametrize("min_pool", [1, 50])
@pytest.mark.parametrize("epsilon", ["0", "0.3"])
@pytest.mark.usefixtures("head")
def test_few_survivors_among_many_candidates_are_finished_exactly(epsilon: str, min_pool: int):
    s = crowd(6, PoolRule(Fraction(epsilon), min_pool))
    plain = s.draw(compiled=False)
    assert (plain.pool >= min_pool).all()
    for block, threads in ((None, 1), (1500, 2), (77, 3)):
        same(replace(s, block=block, threads=threads).draw(), plain)


@pytest.mark.parametrize("work", ["_by_shortlist", "_by_differences"])
@pytest.mark.parametrize("min_pool", [1, 50])
@pytest.mark.usefixtures("head")
def test_pools_that_share_their_thresholds_merge_to_the_same(work: str, min_pool: int):
    s = crowd(6, PoolRule(Fraction("0.1"), min_pool))
    (candidates,) = s.candidates()
    view = fitting(candidates, s.query)
    assert view is not None
    blocks = list(cpu._blocks(view, 1000))
    first = Pool.empty(6, s.rule, s.query.known_weight, 0)
    halves = [
        getattr(cpu, work)(
            view, s.query, Pool.empty(6, s.rule, s.query.known_weight, 0).beside(first), half
        )
        for half in (blocks[::2], blocks[1::2])
    ]
    same(halves[0].merge(halves[1]).draw(), s.draw(compiled=False))


@pytest.mark.parametrize("few", [0, 4])
@pytest.mark.usefixtures("head")
def test_a_head_just_at_the_limit_is_still_finished(few: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cpu, "FEW", few)
    images = np.full((100, 3, 3, 1), 255, np.uint8)
    images[7] = 0
    images[7, 0, 1] = images[7, 0, 0] = 1  # weights 13 and 1
    known = np.ones((3, 3), bool)
    known[1, 1] = False
    s = Situation(
        list(images), None, np.zeros((1, 3, 3, 1), np.uint8), known, (1, 1), Window(3),
        PoolRule(Fraction(0)),
    )  # fmt: skip
    sizes = [int(s.draw(limit=np.array([limit])).pool[0]) for limit in (12, 13, 14)]
    assert sizes == [0, 0, 1]


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 3))
def test_vector_distances_equal_the_sums(seed: int, depth: int, tiles: int):
    rng = np.random.default_rng(seed)
    n, queries = tiles * TILE, 2 * QUERIES
    weights = rng.integers(1, 128, 2 * depth)
    # The extremes decide whether sums overflow.
    pixels = rng.choice([-128, -127, -1, 0, 5, 127], (2 * depth, n))
    values = rng.choice([-128, -127, 0, 77, 127], (queries, 2 * depth))
    coefs = -2 * weights * values
    out = np.empty((QUERIES, n), np.int32)
    given_ = [
        (pixels[0::2] & 0xFFFF) | (pixels[1::2] << 16),
        (weights[:, None] * pixels**2).sum(axis=0),
        (coefs[:, 0::2] & 0xFFFF) | (coefs[:, 1::2] << 16),
        (weights * values**2).sum(axis=1),
    ]
    _distances(out, *(np.ascontiguousarray(v, np.int32) for v in given_), QUERIES, tiles)
    away = values[QUERIES:, :, None] - pixels
    np.testing.assert_array_equal(out, (weights[:, None] * away**2).sum(axis=1))


@given(st.integers(0, 2**32), st.integers(0, 5 * LANES), st.sampled_from([np.int32, np.int64]))
def test_vectors_count_and_draw_as_one_by_one(seed: int, n: int, kind: type):
    rng = np.random.default_rng(seed)
    dist, words = rng.integers(-1, 4, n).astype(kind), rng.integers(0, 2**62, n)
    start, floor = int(rng.integers(-(2**63), 2**63 - 1)), int(rng.integers(-2, 4))
    count, least = _count_within(dist, words, floor, start)
    whole = slice(0, n // WORDS * WORDS)
    mixed = keys.mix(words.view(np.uint64) + np.int64(start).view(np.uint64)) >> np.uint64(1)
    inside = mixed[whole][dist[whole] <= floor]
    assert count == len(inside)
    assert least == min(inside.tolist(), default=int(NO_KEY))


@numba.njit
def _distances(out, pairs, norms, coefs, query_norms, query, tiles):  # type: ignore[no-untyped-def]
    distances(out, pairs, norms, coefs, query_norms, query, tiles)


@numba.njit
def _count_within(dist, words, floor, start):  # type: ignore[no-untyped-def]
    return count_within(dist, words, floor, start)
