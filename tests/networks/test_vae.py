"""The VAE of paper B's appendix: its divergence, resuming, bounded latents, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.networks.vae import Vae, VaeSettings
from tests.networks.generators import resumed_to_the_same

SHAPE = (1, 8, 8)


@pytest.mark.parametrize("sigma", [0.05, 0.5, 1.0])
def test_the_divergence_is_that_of_two_gaussians(sigma):
    network = Vae(VaeSettings(SHAPE, dims=3, sigma=sigma))
    mean = sigma * torch.tensor([[0.3, -1.2, 0.0]])
    spread = torch.tensor([[-0.5, 0.2, 0.0]])
    theirs = torch.distributions.Normal(torch.zeros(1, 3), sigma)
    ours = torch.distributions.Normal(mean, sigma * spread.exp())
    expected = torch.distributions.kl_divergence(ours, theirs).sum()
    assert float(network.divergence(mean, spread)[0]) == pytest.approx(float(expected), rel=1e-5)


def test_a_unit_prior_leaves_the_divergence_alone_and_scales_the_noise():
    network = Vae(VaeSettings(SHAPE, dims=3, sigma=0.1, prior="unit"))
    mean, spread = torch.tensor([[0.3, -1.2, 0.0]]), torch.tensor([[-0.5, 0.2, 0.0]])
    ours = torch.distributions.Normal(mean, spread.exp())
    theirs = torch.distributions.Normal(torch.zeros(1, 3), 1.0)
    expected = torch.distributions.kl_divergence(ours, theirs).sum()
    assert float(network.divergence(mean, spread)[0]) == pytest.approx(float(expected), rel=1e-5)


def test_bounded_latents_begin_near_their_ends():
    torch.manual_seed(0)
    mean, _ = Vae(VaeSettings((1, 28, 28), dims=16, latents="triangular")).encode(
        torch.rand(50, 1, 28, 28)
    )
    assert mean.abs().mean() > 0.7


def test_training_lowers_the_loss_and_resumes_to_the_same_weights(tmp_path):
    digits = Corpus.open("digits", limit=300)
    settings = VaeSettings(SHAPE, dims=8, hidden=64)
    _, history = resumed_to_the_same("vae", settings, digits, tmp_path)
    assert history.rows[-1]["loss"] < history.rows[0]["loss"]
    with np.load(tmp_path / "whole" / "samples.npz") as stored:
        assert stored["images"].shape == (4, 8, 8, 1)


def test_triangular_latents_are_bounded_and_drawn_from_the_ends():
    network = Vae(VaeSettings(SHAPE, dims=5, latents="triangular")).eval()
    mean, _ = network.encode(100 * torch.rand(20, *SHAPE))
    assert mean.abs().max() <= 1
    assert network.samples(40, 0).shape == (40, 8, 8, 1)
    few = {
        tuple(one.flatten().tolist())
        for one in Vae(VaeSettings(SHAPE, dims=2, latents="triangular")).eval().samples(40, 0)
    }
    assert len(few) <= 4  # 2^dims latents


@pytest.mark.parametrize(("wrong", "words"), [
    ({"latents": "square"}, "--latents is 'square'"), ({"sigma": 0.0}, "--sigma is 0.0"),
    ({"dims": 0}, "--dims"), ({"prior": "flat"}, "--prior is 'flat'"),
])  # fmt: skip
def test_settings_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(UsageError, match=words):
        VaeSettings(SHAPE, **wrong)
