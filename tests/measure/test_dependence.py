"""Mutual information of tokens by distance: copies, independence, and real digits."""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.measure.dependence import information_by_distance


def test_equal_bits_say_all_and_independent_ones_nothing():
    generator = np.random.default_rng(0)
    column = generator.integers(0, 2, (4000, 1, 1, 1))
    equal = np.broadcast_to(column, (4000, 1, 3, 1)).astype(np.uint8)
    for found in information_by_distance(equal):
        assert found.nats == pytest.approx(np.log(2), abs=0.01) and found.chance < 0.01
    free = generator.integers(0, 2, (4000, 2, 3, 2)).astype(np.uint8)
    for found in information_by_distance(free):
        assert found.nats == pytest.approx(found.chance, abs=2e-4)


def test_near_parts_of_digits_say_more_about_each_other_than_far_ones():
    corpus = Corpus.open("digits")
    assert corpus.images is not None
    dark = (corpus.images[..., 0] > 100).reshape(-1, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4)
    found = information_by_distance(dark.reshape(-1, 4, 4, 4).astype(np.uint8))
    assert [one.distance for one in found] == [1, 2, 3]
    assert found[0].nats > found[2].nats > found[2].chance


def test_one_grid_is_too_few():
    with pytest.raises(UsageError, match="at least 2 grids"):
        information_by_distance(np.zeros((1, 2, 2, 1), np.uint8))
