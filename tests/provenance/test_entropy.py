from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from intarsia import NonparametricSampler
from intarsia.provenance import map_entropies, window_entropy
from tests.provenance.made import colour_samples, digit_samples, with_sources


def slow_entropy(window: np.ndarray) -> float:
    """Paper A, section 3.3, word for word."""
    counts = Counter(window.ravel().tolist())
    return -sum(c / window.size * math.log(c / window.size) for c in counts.values())


def slow_windows(maps: np.ndarray, side: int) -> np.ndarray:
    n, height, width = maps.shape
    out = np.zeros((n, max(0, height - side + 1), max(0, width - side + 1)))
    for i, y, x in np.ndindex(*out.shape):
        out[i, y, x] = slow_entropy(maps[i, y : y + side, x : x + side])
    return out


@pytest.mark.parametrize("side", [1, 3, 7, 16])
@pytest.mark.parametrize("field", ["image", "label"])
def test_fast_entropy_equals_the_slow_loop(field, side):
    maps = getattr(colour_samples().sources, field)
    np.testing.assert_allclose(
        window_entropy(maps, side=side), slow_windows(maps, side), rtol=0, atol=1e-12
    )


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        np.int32, hnp.array_shapes(min_dims=3, max_dims=3, max_side=9), elements=st.integers(-1, 3)
    ),
    st.integers(1, 5),
)
def test_fast_entropy_equals_the_slow_loop_on_any_map(maps, side):
    np.testing.assert_allclose(
        window_entropy(maps, side=side), slow_windows(maps, side), rtol=0, atol=1e-12
    )


def test_blocks_do_not_change_entropy(monkeypatch):
    maps = colour_samples().sources.image
    whole = window_entropy(maps)
    monkeypatch.setattr("intarsia.provenance.windows._ENTRIES", 1)
    assert (window_entropy(maps) == whole).all()


def test_one_label_gives_exactly_zero_and_all_different_the_logarithm():
    same = np.full((1, 7, 7), 5)
    assert window_entropy(same).item() == 0
    different = np.arange(49).reshape(1, 7, 7)
    assert window_entropy(different).item() == pytest.approx(math.log(49), abs=1e-12)


def test_windows_that_touch_the_seed_are_left_out():
    sources = colour_samples().sources
    windows = slow_windows(sources.image, 3)
    away = [
        windows[i, y, x]
        for i, y, x in np.ndindex(*windows.shape)
        if (sources.step[i, y : y + 3, x : x + 3] >= 0).all()
    ]
    entropies = map_entropies(sources, side=3)
    assert 0 < len(away) < windows.size
    assert entropies.image_map_drawn == pytest.approx(np.mean(away), abs=1e-12)
    assert entropies.image_map == pytest.approx(windows.mean(), abs=1e-12)
    assert entropies.image_map_drawn > entropies.image_map


def test_windows_without_a_source_are_left_out():
    samples = colour_samples()
    image = samples.sources.image.copy()
    image[:, :, :5] = -1
    cut = map_entropies(with_sources(samples, image=image).sources, side=3)
    expected = slow_windows(samples.sources.image[:, :, 5:], 3).mean()
    assert cut.image_map == pytest.approx(expected, abs=1e-12)


def test_what_is_undefined_is_nan():
    samples = digit_samples()  # 8x8 with a seed in the middle: every 7x7 window touches it
    assert math.isnan(map_entropies(samples.sources).image_map_drawn)
    assert math.isnan(map_entropies(samples.sources, side=9).image_map)
    unlabelled = with_sources(samples, label=np.full_like(samples.sources.label, -1))
    assert math.isnan(map_entropies(unlabelled.sources).class_map)


def test_representation_makes_neighbours_agree_on_mnist(mnist, mnist_samples):
    """Paper A, table 2: conditioning on phi lowers the entropy of the class map."""
    without = NonparametricSampler(mnist, principles="NS+L").sample(6, seed=0)
    assert (
        map_entropies(mnist_samples.sources).class_map
        < 0.75 * map_entropies(without.sources).class_map
    )
