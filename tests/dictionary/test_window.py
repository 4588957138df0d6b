"""Window weights equal the reference, and impossible windows are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia.dictionary import Window
from intarsia.errors import UsageError
from tests.reference.window import window_weights


@given(
    side=st.integers(1, 20).map(lambda half: 2 * half + 1),
    sigma=st.none() | st.floats(0.05, 300, allow_nan=False),
)
def test_weights_equal_the_reference(side, sigma):
    window = Window(side, sigma)
    assert (window.weights == window_weights(side, sigma)).all()
    assert window.weights.min() >= 1 and window.weights[window.half, window.half] == 127


def test_offsets_are_the_window_in_raster_order():
    window = Window(5)
    expected = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)]
    assert [tuple(offset) for offset in window.offsets.tolist()] == expected
    at = window.offsets + window.half
    assert (window.weights.ravel() == window.weights[at[:, 0], at[:, 1]]).all()


def test_the_default_gaussian_is_a_window_over_6_4():
    for side in (3, 7, 9, 11):
        assert np.array_equal(Window(side).weights, Window(side, side / 6.4).weights)


@pytest.mark.parametrize(("side", "fix"), [(4, 5), (2, 3), (0, 3), (-3, 3), (1, 3), (100, 101)])
def test_a_side_without_a_centre_is_refused_and_the_next_odd_one_named(side, fix):
    with pytest.raises(UsageError, match=rf"--window is {side}\b.*Try {fix}\."):
        Window(side)


@pytest.mark.parametrize("sigma", [0, -1.5, math.nan, math.inf])
def test_a_gaussian_without_a_width_is_refused(sigma):
    with pytest.raises(UsageError, match="positive width") as caught:
        Window(5, sigma)
    assert str(sigma) in str(caught.value)
