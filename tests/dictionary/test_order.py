"""Fill orders equal the greedy reference, for any mask of known pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.dictionary import BORDERS, FillOrder, Window
from intarsia.errors import UsageError
from tests.reference.fill_order import reference_fill_order


@st.composite
def masks(draw):
    """Any mask with a known pixel: scattered, a rectangle, a hole, or a single pixel."""
    height, width = draw(st.integers(3, 11)), draw(st.integers(3, 11))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    kind = draw(st.sampled_from(["scattered", "seed", "hole", "full"]))
    if kind == "scattered":
        known = rng.random((height, width)) < draw(st.sampled_from([0.02, 0.3, 0.8]))
    else:
        known = np.full((height, width), kind != "seed")
        (top, bottom), (left, right) = (np.sort(rng.integers(0, n, 2)) for n in (height, width))
        known[top : bottom + 1, left : right + 1] = kind != "hole"
    known[rng.integers(height), rng.integers(width)] = True
    return known


@settings(max_examples=120)
@given(
    known=masks(),
    side=st.sampled_from([3, 5, 7]),
    sigma=st.sampled_from([None, 0.6, 50.0]),
    border=st.sampled_from(BORDERS),
    centred=st.booleans(),
    data=st.data(),
)
def test_orders_equal_the_reference(known, side, sigma, border, centred, data):
    if border == "wrap" and side > min(known.shape):
        side = 3
    window = Window(side, sigma)
    centre = None
    if centred:
        centre = tuple(data.draw(st.integers(0, 2 * n - 2)) / 2 for n in known.shape)
    order = FillOrder.grow(known, window, border, centre)
    expected = reference_fill_order(known, window.weights, border, centre)
    assert list(order) == expected
    # Every unknown pixel exactly once, and no other.
    assert sorted(order) == [tuple(map(int, p)) for p in np.argwhere(~known)]
    assert len(order) == (~known).sum()


@given(known=masks(), part=st.floats(0, 1))
def test_known_before_a_step_is_what_is_filled_by_then(known, part):
    order = FillOrder.grow(known, Window(3))
    step = round(part * len(order))
    expected = known.copy()
    for place in list(order)[:step]:
        expected[place] = True
    assert (order.known_before(step) == expected).all()
    assert (order.known == known).all()
    assert order.known_before(len(order)).all()


def test_an_order_depends_on_the_mask_alone_and_keeps_its_own_copy():
    known = np.zeros((6, 6), bool)
    known[2:4, 2:4] = True
    order = FillOrder.grow(known, Window(3))
    known[:] = True
    assert len(order) == 32 and order.known.sum() == 4


def test_a_large_hole_is_filled_once_over():
    known = np.ones((40, 33), bool)
    known[5:31, 4:30] = False
    order = FillOrder.grow(known, Window(11), "ignore")
    assert len(set(order)) == len(order) == 26 * 26


def test_growing_from_nothing_is_refused():
    with pytest.raises(UsageError, match="nothing to grow from.*at least"):
        FillOrder.grow(np.zeros((4, 4), bool), Window(3))
