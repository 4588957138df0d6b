"""Pools stay exact where distances outgrow 32 bits, and where a band outgrows its room."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from intarsia.dictionary import Window
from intarsia.reduce import PoolRule
from intarsia.reduce.state import narrow
from tests.pictures import digits
from tests.reduce.situations import Situation, check


def photographs(count: int, side: int) -> np.ndarray:
    """Crops of a photograph with hard contrast, so that distances come near their greatest."""
    photograph = load_sample_image("china.jpg")[60:, 100:]
    crops = [photograph[4 * i : 4 * i + side, 7 * i : 7 * i + side] for i in range(count)]
    return np.where(np.stack(crops) > 110, 255, 0).astype(np.uint8)


def large(queries: int, window: Window, side: int, **options: object) -> Situation:
    """Negatives are asked for what only positives can answer."""
    images = photographs(7, side)
    known = np.random.default_rng(queries).random((side, side)) < 0.95
    known[side // 2, side // 2] = False
    canvas = 255 - images[np.arange(queries) % 7]
    barred = np.arange(queries) % 7
    s = Situation(
        list(images), None, canvas, known, (side // 2, side // 2), window,
        PoolRule(Fraction("0.1")), radius=1, barred=barred, threads=2,
    )  # fmt: skip
    return replace(s, **options)


LISTS = np.array([[1, 2, 3, 5], [0, 3, 4, -1], [0, 1, 6, -1]])


@pytest.mark.parametrize("compiled", [True, False], ids=["loops", "torch"])
@pytest.mark.parametrize("border", ["ignore", "zeros", "wrap"])
@pytest.mark.parametrize("queries", [1, 3, 6])
def test_distances_beyond_32_bits_equal_the_reference(queries, border, compiled):
    s = large(queries, Window(23, 200.0), 25, border=border)
    assert not narrow(s.query.known_weight)
    expected = [s.expected(b) for b in range(queries)]
    assert max(e.distance for e in expected) > 2**31
    check(s.draw(compiled=compiled, keep_members=True), expected)


@pytest.mark.parametrize("compiled", [True, False], ids=["loops", "torch"])
def test_distances_beyond_32_bits_equal_the_reference_in_lists_of_a_query_s_own(compiled):
    s = large(3, Window(23, 200.0), 25, lists=LISTS)
    expected = [s.expected(b) for b in range(3)]
    assert max(e.distance for e in expected) > 2**31
    check(s.draw(compiled=compiled), expected)


@pytest.mark.parametrize("compiled", [True, False], ids=["loops", "torch"])
@pytest.mark.parametrize("lists", [None, LISTS], ids=["shared", "lists"])
@pytest.mark.parametrize("queries", [3, 6])
@pytest.mark.parametrize("epsilon", ["1.5", "20", "1000"])
def test_no_threshold_is_so_high_that_it_lets_in_what_is_barred_or_a_hole(
    epsilon, queries, lists, compiled
):
    rng = np.random.default_rng(4)
    s = large(queries, Window(9, 20.0), 13, rule=PoolRule(Fraction(epsilon)))
    s = replace(
        s,
        valid=[rng.random((13, 13)) < 0.995 for _ in s.planes],
        lists=None if lists is None else np.resize(lists, (queries, 4)),
        barred=None if lists is not None else s.barred,
    )
    weight = s.query.known_weight
    assert narrow(weight) and weight * 255**2 * 3 > 2**31
    expected = [s.expected(b) for b in range(queries)]
    assert max(e.threshold for e in expected) > 2**31 or epsilon == "1.5"
    for threads in (1, 3):
        check(s.draw(compiled=compiled, threads=threads), expected)
    limit = np.full(queries, 2**40)
    everything = [replace(s, rule=PoolRule(Fraction(1000))).expected(b) for b in range(queries)]
    assert all(e.size == len(e.pool) > 0 for e in everything)
    drawn = s.draw(compiled=compiled, limit=limit)
    assert drawn.pool.tolist() == [e.size for e in everything]


@pytest.mark.parametrize("keep_members", [False, True], ids=["draw", "members"])
@pytest.mark.parametrize("lists", [False, True], ids=["shared", "lists"])
def test_pools_that_outgrow_their_room_equal_the_reference(lists, keep_members):
    """Farthest pictures first: a falling threshold lets in what it must throw out again."""
    pictures = np.array(digits().images[:400])
    target = pictures[17]
    order = np.argsort(-((pictures.astype(int) - target) ** 2).sum(axis=(1, 2, 3)), kind="stable")
    known = np.zeros((8, 8), bool)
    known[2:6, 2:5] = True
    known[4, 4] = False
    canvas = np.stack([target, pictures[3], pictures[41]])
    s = Situation(
        list(pictures[order]), None, canvas, known, (4, 4), Window(5),
        PoolRule(Fraction("0.1"), 8000), radius=2,
        lists=np.tile(np.arange(400), (3, 1)) if lists else None, seed=5,
    )  # fmt: skip
    expected = [s.expected(b) for b in range(3)]
    assert min(e.size for e in expected) >= 8000
    for block, threads in ((None, 1), (13, 2), (4000, 3)):
        drawn = s.draw(block=block, threads=threads, keep_members=keep_members)
        check(drawn, expected)


def test_a_minimum_pool_larger_than_the_corpus_takes_every_candidate():
    s = large(2, Window(5), 13, rule=PoolRule(Fraction(0), 10**5))
    drawn = s.draw()
    assert drawn.pool.tolist() == [6 * 9] * 2
    check(drawn, [s.expected(b) for b in range(2)])
