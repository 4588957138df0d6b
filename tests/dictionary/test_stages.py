"""Stages narrow candidates in order, and say what they lack."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from intarsia.corpus import Corpus
from intarsia.dictionary import (
    Dictionary,
    Everywhere,
    Near,
    NotSource,
    SameLabel,
    Similar,
    Window,
)
from intarsia.errors import UsageError
from intarsia.represent import LowResolution
from tests.pictures import colour_patches, digits

CPU = torch.device("cpu")
ORIGINS = np.array([4, 7])


def dictionary(*stages, images=None, labels=True):
    images = np.array(digits().images[:12]) if images is None else images
    marks = np.arange(len(images)) % 3 if labels else None
    return Dictionary(Corpus.from_arrays(images, marks), Window(3), "ignore", stages, CPU)


def test_everywhere_keeps_every_place_of_every_picture():
    (found,) = dictionary(Everywhere()).candidates((3, 3), ORIGINS)
    assert (found.rows, found.cols) == ((0, 7), (0, 7))
    assert found.barred.tolist() == [-1, -1] and found.stack.pictures.shape == (1, 12)


@pytest.mark.parametrize(
    ("place", "radius", "rows", "cols"),
    [
        ((3, 3), 1, (2, 4), (2, 4)),
        ((0, 7), 2, (0, 2), (5, 7)),
        ((5, 1), 0, (5, 5), (1, 1)),
        ((5, 1), 99, (0, 7), (0, 7)),
    ],
)
def test_near_keeps_the_square_around_the_place(place, radius, rows, cols):
    (found,) = dictionary(Near(radius)).candidates(place, ORIGINS)
    assert (found.rows, found.cols) == (rows, cols)


def test_not_source_bars_each_sample_s_own_picture():
    made = dictionary(NotSource(), Everywhere())
    (found,) = made.candidates((3, 3), ORIGINS)
    assert found.barred.tolist() == [4, 7]
    assert made.everything(ORIGINS)[0].barred.tolist() == [4, 7]
    assert dictionary(Everywhere()).everything(ORIGINS)[0].barred.tolist() == [-1, -1]


def test_same_label_keeps_the_pictures_of_one_class():
    (found,) = dictionary(NotSource(), SameLabel(), Near(1)).candidates((3, 3), ORIGINS, label=1)
    assert found.stack.pictures.tolist() == [[1, 4, 7, 10]]
    assert found.barred.tolist() == [4, 7] and found.rows == (2, 4)


def test_pictures_of_mixed_size_give_one_set_of_candidates_each():
    images = [p[: 10 - i % 2] for i, p in enumerate(np.array(colour_patches()[:6]))]
    found = dictionary(Everywhere(), images=images).candidates((0, 0), ORIGINS)
    assert [c.rows for c in found] == [(0, 8), (0, 9)]
    assert [c.stack.pictures.tolist() for c in found] == [[[1, 3, 5]], [[0, 2, 4]]]


def test_impossible_stages_are_refused():
    phi = LowResolution()
    with pytest.raises(UsageError, match="--radius is -1.*0 or more"):
        Near(-1)
    with pytest.raises(UsageError, match="--keep is 0.*at least 1"):
        Similar(phi, 0)
    with pytest.raises(UsageError, match="--refresh is 0.*1 or more"):
        Similar(phi, 1, refresh=0)
    with pytest.raises(UsageError, match=r"epsilon is -0.5.*0 or more"):
        Similar(phi, 1, Fraction(-1, 2))
    with pytest.raises(UsageError, match="no labels"):
        dictionary(SameLabel(), labels=False)
    with pytest.raises(UsageError, match="SameLabel before Similar"):
        dictionary(Similar(phi, 1), SameLabel())
    with pytest.raises(UsageError, match="label for each sample"):
        dictionary(SameLabel()).candidates((0, 0), ORIGINS)
    with pytest.raises(UsageError, match="not looked anything up"):
        dictionary(Similar(phi, 1)).candidates((0, 0), ORIGINS)
