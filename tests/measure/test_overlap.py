"""Overlap coefficients equal integrals; theorem 3.3 is a bound (paper B, section 3)."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.errors import UsageError
from intarsia.measure.overlap import (
    gaussian_overlap,
    gaussian_overlaps,
    gtd_density,
    is_exclusive,
    latent_distances,
    least_mse,
    numerical_overlap,
    sampled_overlap,
    triangular_overlap,
)


@pytest.mark.parametrize("distance", [0.0, 0.3, 1.0, 1.9, 3.0])
@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
def test_closed_forms_equal_numerical_integration(distance, sigma):
    def gaussian(z):
        return math.exp(-0.5 * (z / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))

    def triangle(z):
        return max(0.0, 1 - abs(z) / sigma) / sigma

    reach = 12 * sigma
    assert gaussian_overlap(distance, sigma) == pytest.approx(
        numerical_overlap(gaussian, distance, -reach, reach), abs=1e-6
    )
    assert triangular_overlap(distance, sigma) == pytest.approx(
        numerical_overlap(triangle, distance, -sigma, sigma), abs=1e-6
    )


def test_eq_6_is_the_triangle_of_eq_22_at_one_half_and_not_at_two():
    def overlap(kappa):
        return numerical_overlap(lambda z: gtd_density(z, kappa), 1.0, -1.0, 1.0)

    assert overlap(0.5) == pytest.approx(triangular_overlap(1.0, 1.0), abs=1e-6)
    assert overlap(2.0) == pytest.approx(0.293, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.floats(0.1, 2.0))
def test_bound_never_exceeds_the_error_of_any_decoder(seed, count, sigma):
    rng = np.random.default_rng(seed)
    latents = rng.uniform(-1, 1, count)
    images = rng.uniform(-1, 1, (count, 3))
    z = np.linspace(-1 - 10 * sigma, 1 + 10 * sigma, 8001)
    weights = np.exp(-0.5 * ((z - latents[:, None]) / sigma) ** 2)
    weights /= weights.sum(1, keepdims=True)
    best = weights.T @ images / np.maximum(weights.sum(0)[:, None], 1e-300)
    overlaps = np.array([[gaussian_overlap(a - b, sigma) for b in latents] for a in latents])
    for decoded in (best, rng.uniform(-1, 1, (len(z), 3))):
        errors = ((decoded[None] - images[:, None]) ** 2).sum(-1)
        assert least_mse(overlaps, images) <= (weights * errors).sum(1).mean() + 1e-9


def test_larger_squared_distance_can_overlap_more():
    def sums(latents):
        pairs = [(a, b) for i, a in enumerate(latents) for b in latents[:i]]
        return 2 * sum((a - b) ** 2 for a, b in pairs), sum(
            gaussian_overlap(a - b, 0.5) for a, b in pairs
        )

    ends, spread = sums((-1, -1, 1)), sums((-1, 0, 1))
    assert ends[0] > spread[0]
    assert ends[1] > spread[1]


def test_exclusive_ignores_a_latent_beside_itself():
    overlaps = np.array([[1.0, 0.1], [0.1, 1.0]])
    assert is_exclusive(overlaps, 0.1)
    assert not is_exclusive(overlaps, 0.05)


def test_impossible_settings_are_refused():
    with pytest.raises(UsageError, match="sigma is 0"):
        gaussian_overlap(1, 0)
    with pytest.raises(UsageError, match="kappa is -1"):
        gtd_density(0, -1)
    with pytest.raises(UsageError, match="3 images"):
        least_mse(np.eye(2), np.zeros((3, 1)))


@pytest.mark.parametrize("dimensions", [1, 3, 12])
def test_sampling_many_dimensions_agrees_with_the_closed_forms(dimensions):
    shift = np.zeros(dimensions)
    shift[0] = 0.7
    found, error = sampled_overlap(shift, "gaussian", 0.5, draws=40_000)
    assert abs(found - gaussian_overlap(0.7, 0.5)) < 4 * error
    turned = np.full(dimensions, 0.7 / math.sqrt(dimensions))
    found, error = sampled_overlap(turned, "gaussian", 0.5, draws=40_000)
    assert abs(found - gaussian_overlap(0.7, 0.5)) < 4 * error
    found, error = sampled_overlap(shift, "triangular", 0.5, draws=40_000)
    assert abs(found - triangular_overlap(0.7, 0.5)) < 4 * error
    both = gaussian_overlaps(np.stack([np.zeros(dimensions), shift]), 0.5)
    assert both[0, 1] == pytest.approx(gaussian_overlap(0.7, 0.5)) and both[0, 0] == 1


def test_the_bound_holds_on_a_trained_autoencoder(tmp_path):
    """Theorem 3.3 for the decoder of a BL-AE, over its own pictures and Gaussian noise."""
    import torch

    from intarsia.corpus import Corpus
    from intarsia.networks.blae import shape_for, to_unit
    from intarsia.networks.saved_blae import RECIPE, train_blae

    corpus = Corpus.open("digits", limit=200)
    shape = shape_for((8, 8), 1, bits=2, widths=(16,), hidden=32, memory=0, sigma=2.0)
    recipe = replace(RECIPE, epochs=12, rate=5e-3)
    saved, _ = train_blae(corpus, tmp_path / "blae", opened={}, settings=shape, recipe=recipe)
    pictures = torch.from_numpy(np.array(corpus.images))
    latents = saved.latents(pictures)
    targets = to_unit(pictures).flatten(1).double().numpy()
    bound = least_mse(gaussian_overlaps(latents.flatten(1).double().numpy(), 2.0), targets)
    generator = torch.Generator().manual_seed(0)
    errors = []
    for _ in range(30):
        noise = torch.randn(latents.shape, generator=generator)
        with torch.inference_mode():
            decoded = saved.network.decode(latents + 2.0 * noise).flatten(1).double().numpy()
        errors.append(((decoded - targets) ** 2).sum(axis=1).mean())
    assert 0 < bound < np.mean(errors) + 4 * np.std(errors) / math.sqrt(len(errors))
    assert np.mean(errors) > bound  # with room to spare


def test_distances_of_latents():
    assert latent_distances(np.array([[0.0, 0], [3, 4], [0, 1]])) == pytest.approx(
        ((5 + 1 + math.sqrt(18)) / 3, 1.0)
    )
