"""The reference windows, hash and fill orders, on cases small enough to work out by hand."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest

from tests.reference.fill_order import reference_fill_order
from tests.reference.pool import Candidate, draw
from tests.reference.window import GOLDEN, key, mix, salt, window_weights

ONES = np.ones((3, 3), np.int64)


# window


def test_weights_of_window_3_by_hand():
    # 2 sigma^2 = 1/2: exp(-2) = 0.1353 and exp(-4) = 0.0183, times 127: 17.19 and 2.33.
    assert window_weights(3, 0.5).tolist() == [[2, 17, 2], [17, 127, 17], [2, 17, 2]]


def test_default_weights_of_window_9_are_never_zero():
    weights = window_weights(9)
    assert weights.max() == weights[4, 4] == 127
    assert weights.min() == weights[0, 0] == 1
    assert (weights == weights.T).all() and (weights == weights[::-1]).all()


def test_no_default_weight_depends_on_the_last_digit_of_the_exponential():
    for side in range(1, 33, 2):
        sigma = Decimal(side) / Decimal("6.4")
        weights = window_weights(side)
        for dy in range(side // 2 + 1):
            for dx in range(dy + 1):
                exact = 127 * (-Decimal(dy * dy + dx * dx) / (2 * sigma**2)).exp() + Decimal("0.5")
                if (dy, dx) != (0, 0):
                    assert abs(exact - exact.to_integral_value()) > Decimal("1e-6")
                expected = min(127, max(1, math.floor(exact)))
                assert weights[side // 2 + dy, side // 2 + dx] == expected


@pytest.mark.parametrize(("side", "sigma"), [(4, None), (0, None), (-1, None), (3, 0.0)])
def test_impossible_windows_are_refused(side, sigma):
    with pytest.raises(ValueError):
        window_weights(side, sigma)


# hash


def test_mix_gives_the_published_outputs_of_splitmix64():
    outputs = [mix(i * GOLDEN) for i in (1, 2, 3)]
    assert outputs == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert mix(1234567 + GOLDEN) == 6457827717110365317
    assert mix(0) == 0


def mix_in_numpy(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def test_key_equals_wrapping_64_bit_arithmetic():
    golden = np.array([GOLDEN], np.uint64)
    for numbers in [(0, 0, 0), (7, 31, 575), (2**64 - 1, 4095, 2**31 - 1)]:
        state = np.zeros(1, np.uint64)
        for number in numbers:
            state = mix_in_numpy(state + np.array([number], np.uint64) + golden)
        assert salt(*numbers) == int(state[0])
        for image, row, col in [(0, 0, 0), (1, 2, 3), (59_999, 27, 27), (2**31 - 1, 65535, 65535)]:
            code = np.array([image], np.uint64) << np.uint64(32)
            code += np.array([row * 65536 + col], np.uint64)
            expected = mix_in_numpy(state + code * golden) >> np.uint64(1)
            assert key(int(state[0]), image, row, col) == int(expected[0]) < 2**63


def test_draw_is_near_uniform_over_a_pool():
    pool = [Candidate(image, 3, 4, 0) for image in (5, 6, 7, 1000)]
    counts = dict.fromkeys((5, 6, 7, 1000), 0)
    for sample in range(4000):
        counts[draw(pool, 1, sample, 9).image] += 1
    # chi-square with 3 degrees of freedom: 16.27 is passed once in 1000.
    assert sum((n - 1000) ** 2 / 1000 for n in counts.values()) < 16.27


def test_equal_keys_go_to_the_least_tuple(monkeypatch):
    monkeypatch.setattr("tests.reference.pool.key", lambda *ignored: 0)
    pool = [Candidate(2, 0, 0, 1), Candidate(1, 5, 1, 9), Candidate(1, 5, 0, 9)]
    assert draw(pool, 0, 0, 0) == (1, 5, 0, 9)


# fill order


def test_fill_order_by_hand_around_a_corner_pixel():
    known = np.zeros((2, 3), bool)
    known[0, 0] = True
    # (0,1), (1,0), (1,1) each see one known pixel; distance settles (0,1) and (1,0), raster
    # those two. Then (1,1) and (1,0) see two; (1,0) is nearer. Then (1,1) sees three.
    expected = [(0, 1), (1, 0), (1, 1), (0, 2), (1, 2)]
    assert reference_fill_order(known, ONES, "ignore") == expected
    assert reference_fill_order(known, ONES, "zeros") == expected


def test_fill_order_prefers_heavy_weights_over_near_pixels():
    known = np.array([[True, False, False, True, True]])
    weights = np.zeros((5, 5), np.int64)
    weights[2] = [1, 2, 127, 50, 3]
    # pixel 1 sees 2 + 3 (offsets -1 and +2), pixel 2 sees 1 + 50 + 3.
    assert reference_fill_order(known, weights, "ignore") == [(0, 2), (0, 1)]


def test_seed_centre_lies_between_pixels_of_an_even_seed():
    known = np.zeros((4, 4), bool)
    known[1:3, 1:3] = True
    order = reference_fill_order(known, ONES, "ignore", (1.5, 1.5))
    # all eight pixels on the sides see two known; they tie on distance too: raster order.
    assert order[0] == (0, 1) and order[1] == (0, 2)
    assert sorted(order) == sorted((int(r), int(c)) for r, c in np.argwhere(~known))


def test_seed_centre_and_nearest_known_pixel_break_ties_differently():
    known = np.array([[True, True, True, True, True, False], [False] * 6])
    # with weight only on the left neighbour and the one above, (1,0) to (1,4) and (0,5) tie.
    weights = np.array([[0, 1, 0], [1, 127, 0], [0, 0, 0]])
    assert reference_fill_order(known, weights, "ignore")[0] == (0, 5)
    assert reference_fill_order(known, weights, "ignore", (0, 2))[0] == (1, 2)


def test_wrap_counts_pixels_around_the_edge():
    known = np.zeros((1, 5), bool)
    known[0, 0] = True
    row = np.array([[0, 0, 0], [1, 127, 1], [0, 0, 0]])
    assert reference_fill_order(known, row, "ignore") == [(0, 1), (0, 2), (0, 3), (0, 4)]
    # around the edge (0,4) sees the known pixel as (0,1) does, but distances do not go around.
    assert reference_fill_order(known, row, "wrap") == [(0, 1), (0, 2), (0, 3), (0, 4)]
    known[0, 2] = True
    # (0,1) sees two; (0,3) and (0,4) one each, both one away: raster.
    assert reference_fill_order(known, row, "wrap") == [(0, 1), (0, 3), (0, 4)]
    right = np.array([[0, 0, 0], [0, 127, 1], [0, 0, 0]])
    # a window that looks right only: around the edge, (0,4) alone sees the known pixel.
    known[0, 2] = False
    assert reference_fill_order(known, right, "wrap") == [(0, 4), (0, 3), (0, 2), (0, 1)]
    assert reference_fill_order(known, right, "ignore") == [(0, 1), (0, 2), (0, 3), (0, 4)]


def test_an_empty_canvas_starts_in_the_corner():
    assert reference_fill_order(np.zeros((2, 2), bool), ONES, "ignore")[0] == (0, 0)


def test_unknown_border_is_refused():
    with pytest.raises(ValueError):
        reference_fill_order(np.zeros((2, 2), bool), ONES, "mirror")
