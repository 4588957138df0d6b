"""A query is what the reference reads around a place: known pixels, weights and values."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intarsia.dictionary import BORDERS, Query, Window
from tests.pictures import colour_patches
from tests.reference.pool import known_offsets


@given(
    border=st.sampled_from(BORDERS),
    side=st.sampled_from([3, 5, 9]),
    share=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 2**31),
)
def test_queries_hold_the_known_pixels_of_the_window(border, side, share, seed):
    rng = np.random.default_rng(seed)
    canvas = np.array(colour_patches()[:3])
    known = rng.random((10, 10)) < share
    place = int(rng.integers(10)), int(rng.integers(10))
    known[place] = False
    window = Window(side)
    query = Query.at(place, canvas, known, window, border, np.arange(3))
    for b in range(3):
        expected = known_offsets(canvas[b].tolist(), known.tolist(), place, window.weights, border)
        assert query.offsets.tolist() == [[k.dy, k.dx] for k in expected]
        assert query.weights.tolist() == [k.weight for k in expected]
        values = query.values[b].astype(int).T + 128
        assert values.tolist() == [k.pixel for k in expected]
    assert query.known_weight == 3 * sum(k.weight for k in expected)
    assert len(query) == 3 and query.salts.tolist() == [0, 1, 2]


def test_a_query_without_appearance_compares_nothing():
    canvas, known = np.array(colour_patches()[:2]), np.ones((10, 10), bool)
    known[4, 4] = False
    query = Query.at((4, 4), canvas, known, Window(3), "ignore", np.arange(2)).without_appearance()
    assert query.known_weight == 0 and len(query.offsets) == 0 and len(query) == 2
