"""The draw is a hash: the same everywhere, and uniform over the pool (law 2)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from intarsia.corpus import Corpus
from intarsia.dictionary import Candidates, Query, Stack, Window
from intarsia.reduce import PoolRule, keys, pool
from tests.pictures import digits
from tests.reference.window import key, salt

WORDS = st.integers(0, 2**63 - 1)
PLAUSIBLE = 1e-6
"""Least p value of a chi-square test. Seeds are fixed: a test passes always or never."""


EXACT = PoolRule(Fraction(0))


def draws(images, samples, step=0, seed=11, rule=EXACT, query_of=None, radius=1):
    """Winners at the centre of pictures, one for each sample: (image, row, col) and members."""
    corpus = Corpus.from_arrays(images)
    height, width = corpus.size
    centre = height // 2, width // 2
    salts = keys.salts(seed, samples, step)
    known = np.ones((height, width), bool)
    known[centre] = False
    picture = images[0] if query_of is None else query_of
    canvas = np.broadcast_to(picture, (len(samples), *picture.shape))
    query = Query.at(centre, canvas, known, Window(3), "ignore", salts)
    if query_of is None:
        query = query.without_appearance()
    (stack,) = Stack.of(corpus, "ignore", 1, torch.device("cpu"))
    box = [(c - radius, c + radius) for c in centre]
    some = Candidates(stack, box[0], box[1], np.full(len(samples), -1))
    return pool([some], query, rule)


def p_value(counts):
    assert len(counts) > 1 and counts.sum() >= 20 * len(counts)
    return chisquare(counts).pvalue


@settings(max_examples=100)
@given(
    seed=WORDS,
    sample=WORDS,
    step=st.integers(0, 2**31),
    image=st.integers(0, 2**31 - 1),
    row=st.integers(0, 2**15 - 1),
    col=st.integers(0, 2**15 - 1),
)
def test_keys_of_numpy_numba_and_torch_are_the_reference_s(seed, sample, step, image, row, col):
    from intarsia.reduce import device, kernels

    expected = key(salt(seed, sample, step), image, row, col)
    salts = keys.salts(seed, np.array([sample]), step)
    assert int(salts.view(np.uint64)[0]) == salt(seed, sample, step)
    code = keys.encode(np.array([image]), np.array([row]), np.array([col]))
    assert [int(part[0]) for part in keys.decode(code)] == [image, row, col]
    with np.errstate(over="ignore"):
        total = salts + keys.words(code)
        assert int(keys.mix(total.view(np.uint64))[0]) >> 1 == expected
    assert int(kernels._key(salts[0], keys.words(code)[0])) == expected
    assert int(kernels._word(code[0])) == int(keys.words(code)[0])
    word = device._word(int(code[0]))
    assert word == int(keys.words(code)[0])
    assert int(device._key(torch.from_numpy(salts) + word)[0]) == expected


def test_the_draw_is_uniform_over_images_rows_and_columns():
    images = np.array(digits().images[:5])
    drawn = draws(images, np.arange(9000))
    assert (drawn.pool == 45).all()
    cells = drawn.image * 9 + (drawn.row - 3) * 3 + (drawn.col - 3)
    assert p_value(np.bincount(cells, minlength=45)) > PLAUSIBLE
    for part, count in ((drawn.image, 5), (drawn.row - 3, 3), (drawn.col - 3, 3)):
        counts = np.bincount(part, minlength=count)
        assert p_value(counts) > PLAUSIBLE
        # The first is no likelier than the others: within 5 standard deviations of its share.
        deviation = np.sqrt(9000 / count * (1 - 1 / count))
        assert abs(counts[0] - 9000 / count) < 5 * deviation


@pytest.mark.parametrize("along", ["steps", "seeds"])
def test_the_draw_is_uniform_over_steps_and_over_seeds(along):
    images = np.array(digits().images[:3])
    winners = []
    for i in range(900):
        at = {"step": i} if along == "steps" else {"seed": i}
        drawn = draws(images, np.arange(6), radius=0, **at)
        winners.append(drawn.image)
    winners = np.array(winners)
    assert p_value(np.bincount(winners.ravel(), minlength=3)) > PLAUSIBLE
    # One draw says nothing about the next one, nor about the next sample's.
    for first, second in ((winners[:-1], winners[1:]), (winners[:, :-1], winners[:, 1:])):
        pairs = first.ravel() * 3 + second.ravel()
        assert p_value(np.bincount(pairs, minlength=9)) > PLAUSIBLE


def test_equal_patches_count_as_often_as_they_occur():
    pictures = np.array(digits().images[:2])
    images = pictures[[0, 1, 0, 0]]
    drawn = draws(images, np.arange(8000), radius=0)
    assert (drawn.pool == 4).all()
    assert p_value(np.bincount(drawn.image, minlength=4)) > PLAUSIBLE


def test_the_draw_is_uniform_over_a_pool_of_appearance_and_never_leaves_it():
    images = np.array(digits().images[:300])
    rule = PoolRule(Fraction("0.1"), 25)
    one = draws(images, np.arange(1), rule=rule, query_of=images[7])
    (corpus_codes, distances) = _members(images, rule)
    assert int(one.pool[0]) == len(corpus_codes) >= 25 and len(set(distances.tolist())) > 10
    drawn = draws(images, np.arange(6000), rule=rule, query_of=images[7])
    winners = keys.encode(drawn.image, drawn.row, drawn.col)
    at = np.searchsorted(corpus_codes, winners)
    assert (corpus_codes[at] == winners).all() and (distances[at] == drawn.distance).all()
    # A nearer member is no likelier than a farther one.
    assert p_value(np.bincount(at, minlength=len(corpus_codes))) > PLAUSIBLE


def _members(images, rule):
    """The pool by the reference: codes in order, and distances."""
    from tests.reference.pool import reference_pool

    known = np.ones((8, 8), bool)
    known[4, 4] = False
    found = reference_pool(
        list(images), None, images[7], known, (4, 4), Window(3).weights, "ignore", radius=1,
        epsilon=rule.epsilon, min_pool=rule.min_pool, seed=11, sample=0, step=0,
    )  # fmt: skip
    image, row, col, distance = np.array(sorted(found.pool)).T
    return keys.encode(image, row, col), distance


def test_numbers_drawn_below_a_count_are_uniform():
    for count in (2, 7, 100):
        drawn = keys.draw_index(3, np.arange(200 * count), -1, count)
        assert drawn.min() >= 0 and drawn.max() < count
        assert p_value(np.bincount(drawn, minlength=count)) > PLAUSIBLE
