"""Whole pictures of paper A's models equal the obvious loop's, pixel by pixel."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.corpus import Corpus
from intarsia.models import NonparametricSampler
from tests.models.obvious import (
    assert_equal,
    assert_law,
    assert_same,
    expected_sample,
    seed_of,
)
from tests.pictures import colour_patches, digits

PRINCIPLES = ["L", "NS+L", "NS+H", "NS+L+H"]


@cache
def grey(count: int = 14) -> Corpus:
    """Digits in four shades, so that ties abound; labels 0 and 1."""
    images = np.array(digits().images[:count]) // 64 * 64
    return Corpus.from_arrays(images, np.arange(count) % 2)


@cache
def colour(count: int = 9) -> Corpus:
    return Corpus.from_arrays(np.array(colour_patches()[:count]))


@cache
def with_holes() -> Corpus:
    images = np.array(digits().images[:14])
    valid = np.random.default_rng(0).random(images.shape[:3]) < 0.97
    valid[:, 2:6, 2:6] = True
    return Corpus.from_arrays(images, valid=valid)


def equals_reference(corpus, n=2, seed=0, **options):
    model = NonparametricSampler(corpus, threads=2, **options)
    samples = model.sample(n, seed)
    assert_law(samples)
    for b in range(n):
        assert_equal(samples, b, expected_sample(model, samples, b))
    return samples


@pytest.mark.parametrize("border", ["ignore", "zeros", "wrap"])
@pytest.mark.parametrize("principles", PRINCIPLES)
def test_models_equal_the_reference_at_every_border(principles, border):
    equals_reference(grey(), 2, principles=principles, border=border, keep=6, refresh=9)


@pytest.mark.parametrize("principles", PRINCIPLES)
def test_models_equal_the_reference_in_colour(principles):
    equals_reference(colour(), 1, principles=principles, keep=4, seed_size=7, window=3)


@pytest.mark.parametrize("border", ["ignore", "wrap"])
@pytest.mark.parametrize("principles", ["NS+L+H", "NS+H"])
def test_class_conditional_models_equal_the_reference(principles, border):
    samples = equals_reference(grey(), 6, principles=principles, condition="class", border=border)
    grown = samples.sources.step >= 0
    asked = np.broadcast_to(samples.labels[:, None, None], grown.shape)
    assert (samples.sources.label[grown] == asked[grown]).all()
    assert len(set(samples.labels.tolist())) == 2


def test_an_asked_class_is_drawn_alone():
    samples = equals_reference(grey(), 3, principles="NS+L+H", condition="class", label=1)
    assert samples.labels.tolist() == [1, 1, 1] and (samples.sources.label == 1).all()
    seeds = equals_reference(grey(), 3, principles="NS+L", label=0)
    assert (seeds.sources.label[seeds.sources.step == -1] == 0).all()


@pytest.mark.parametrize("principles", ["NS+L", "NS+L+H"])
@pytest.mark.parametrize("min_pool", [2, 10, 1000])
def test_a_minimum_pool_equals_the_reference(principles, min_pool):
    samples = equals_reference(grey(), 2, principles=principles, min_pool=min_pool, keep=5)
    if min_pool == 10:
        inner = samples.sources.pool[:, 2:6, 2:6][samples.sources.step[:, 2:6, 2:6] >= 0]
        assert (inner >= 10).all()


@pytest.mark.parametrize("principles", ["L", "NS+L", "NS+L+H"])
def test_holes_of_the_corpus_are_never_sources(principles):
    corpus = with_holes()
    samples = equals_reference(corpus, 2, principles=principles, keep=9)
    for image, row, col in zip(
        *(getattr(samples.sources, k).ravel() for k in ("image", "row", "col")), strict=True
    ):
        assert corpus.valid[image][row, col]


@pytest.mark.parametrize("seed_at", ["center", "random", "0,0", "3, 4"])
@pytest.mark.parametrize("seed_size", [1, 3, 4])
def test_seeds_of_any_size_and_place_carry_their_true_source(seed_at, seed_size):
    samples = equals_reference(
        grey(), 2, principles="NS+L", seed_at=seed_at, seed_size=seed_size, window=3
    )
    for b in range(2):
        place, source, picture, side = seed_of(samples, b)
        assert side == seed_size and source == place
        if seed_at != "random":
            room = 8 - seed_size
            wanted = {"center": (room // 2, room // 2), "0,0": (0, 0), "3, 4": (3, 4)}
            assert place == wanted[seed_at]
        grown = samples.sources.step[b] >= 0
        assert (samples.sources.image[b][grown] != picture).all()


def test_with_the_seed_s_picture_allowed_the_reference_is_equalled_too():
    samples = equals_reference(colour(), 1, principles="NS+L", allow_seed_source=True, epsilon="0")
    _, _, picture, _ = seed_of(samples, 0)
    assert (samples.sources.image[0] == picture).any()


@settings(max_examples=20)
@given(
    principles=st.sampled_from(PRINCIPLES),
    border=st.sampled_from(["ignore", "zeros", "wrap"]),
    window=st.sampled_from([3, 5, 7]),
    epsilon=st.sampled_from(["0", "0.1", "0.123457", "2"]),
    min_pool=st.sampled_from([1, 1, 4]),
    radius=st.integers(0, 3),
    encoder=st.sampled_from(["lowres", "lowres1", "lowres3"]),
    keep=st.integers(1, 14),
    refresh=st.sampled_from([1, 5, 16]),
    seed_size=st.integers(4, 6),
    seed_at=st.sampled_from(["center", "random"]),
    allow_seed_source=st.booleans(),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_settings_equal_the_reference(seed, **options):
    equals_reference(grey(8), 1, seed, **options)


@pytest.mark.parametrize("principles", PRINCIPLES)
def test_a_sample_depends_on_its_number_and_the_seed_alone(principles):
    model = NonparametricSampler(grey(), principles=principles)
    seven = model.sample(7, 5)
    assert_same(model.sample(7, 5), seven)
    assert_same(seven, model.sample(3, 5), slice(0, 3))
    assert (model.sample(7, 6).images != seven.images).any()


def test_seeds_are_drawn_evenly_from_all_pictures_and_places():
    from scipy.stats import chisquare

    model = NonparametricSampler(grey(), principles="NS+L", seed_at="random", seed_size=6)
    groups = model._plan(np.arange(9000), 3)
    images = np.concatenate([g.images for g in groups])
    assert chisquare(np.bincount(images, minlength=14)).pvalue > 1e-6
    assert sorted(g.place for g in groups) == [(r, c) for r in range(3) for c in range(3)]
    assert chisquare([len(g.samples) for g in groups]).pvalue > 1e-6
    assert sorted(np.concatenate([g.samples for g in groups])) == list(range(9000))
