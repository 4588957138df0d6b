"""Phi at patch level sees what a slow loop cuts out, at every move that fits."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.represent import LowResolution, PatchLevel
from tests.pictures import colour_patches
from tests.represent.slow_patches import slow_code, slow_moves


@settings(max_examples=60)
@given(
    side=st.sampled_from([3, 5, 15]),
    factor=st.sampled_from([1, 2, 3]),
    radius=st.integers(0, 3),
    share=st.sampled_from([0.05, 0.4, 1.0]),
    seed=st.integers(0, 2**31),
)
def test_queries_and_neighbourhoods_equal_the_slow_loop(side, factor, radius, share, seed):
    rng = np.random.default_rng(seed)
    images = np.array(colour_patches()[:4])
    known = rng.random((10, 10)) < share
    place = int(rng.integers(10)), int(rng.integers(10))
    known[place] = False
    phi = PatchLevel(LowResolution(factor), side)

    query = phi.query(images[:2], known, place)
    for b in range(2):
        assert (query.values[b].tolist(), query.known.tolist()) == slow_code(
            images[b], known, place, phi
        )
    everything = np.ones((10, 10), bool)
    found = list(phi.neighbourhoods(images, known, place, radius))
    assert [move for move, _ in found] == slow_moves(known, place, side, radius)
    for (dy, dx), codes in found:
        for n, image in enumerate(images):
            expected = slow_code(image, everything, (place[0] + dy, place[1] + dx), phi)
            assert (codes.values[n].tolist(), codes.known.tolist()) == expected
        assert (codes.known | ~query.known).all()  # what the query knows, the pictures have


def test_a_picture_is_at_no_distance_from_itself_at_an_edge_either():
    images, known = np.array(colour_patches()[:6]), np.ones((10, 10), bool)
    for place in ((0, 0), (1, 9), (5, 0), (9, 9)):
        phi = PatchLevel(LowResolution(2), 15)
        query = phi.query(images, known, place)
        ((move, codes),) = phi.neighbourhoods(images, known, place, 0)
        assert move == (0, 0) and (codes.known == query.known).all()
        assert (codes.values == query.values).all()


def test_an_encoder_s_name_says_that_it_sees_patches():
    assert PatchLevel(LowResolution()).name == "patch:lowres"
