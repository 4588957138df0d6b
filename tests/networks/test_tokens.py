"""Networks over tokens: causal, close to eq. 9, resumed to the same weights, or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.models.run import run
from intarsia.models.token_network import TokenNetworkSampler
from intarsia.models.tokens import TokenGrid
from intarsia.networks.blae import BinaryAutoencoder, BlaeSettings
from intarsia.networks.saved_blae import SavedBlae
from intarsia.networks.saved_tokens import RECIPES, open_tokens, train_tokens
from intarsia.networks.token_network import DENSE, TokenHead, TokenSettings, bits_of, build
from intarsia.networks.token_training import log_shares
from tests.reference import arvm as reference


def tokens_of(bits: int, limit: int = 300) -> TokenGrid:
    """Digits of 8x8 as 4x4 tokens: which pixels of each 2x2 square pass thresholds."""
    corpus = Corpus.open("digits", limit=limit)
    assert corpus.images is not None
    squares = corpus.images[..., 0].reshape(-1, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4)
    levels = [squares.reshape(-1, 4, 4, 4) > level for level in (100, 40, 160, 220)]
    values = np.concatenate(levels, axis=-1)[..., :bits].astype(np.uint8)
    torch.manual_seed(0)
    network = BinaryAutoencoder(BlaeSettings(1, (8, 8), bits=bits, widths=(8,), hidden=16)).eval()
    blae = SavedBlae(network, {"data": "digits"}, corpus.fingerprint, len(corpus), {})
    return TokenGrid(corpus, blae, np.ascontiguousarray(values), 1.0)


@pytest.mark.parametrize("kind", ["arvm", "pixelcnn"])
@pytest.mark.parametrize("bits", [4, DENSE + 1])
def test_a_token_depends_on_all_tokens_before_it_and_on_no_other(kind, bits):
    torch.manual_seed(1)
    network = build(TokenSettings(kind, bits, (4, 4), gamma=7, width=32, layers=4)).eval()
    grids = torch.from_numpy(tokens_of(bits, 3).bits)
    for step, place in enumerate(np.ndindex(4, 4)):
        before = network.features_at(grids, place)
        for other in range(16):
            changed = grids.clone()
            changed.view(3, 16, bits)[:, other] ^= 1
            same = torch.equal(network.features_at(changed, place), before)
            assert same == (other >= step), (place, other)


@pytest.mark.parametrize("bits", [3, DENSE + 1])
def test_probabilities_of_all_tokens_sum_to_one(bits):
    torch.manual_seed(2)
    head = TokenHead(16, bits).eval()
    every = bits_of(torch.arange(2**bits), bits)
    features = torch.randn(1, 16).expand(len(every), 16)
    with torch.inference_mode():
        total = head.log_likelihood(features, every).double().exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("bits", [2, DENSE + 1])
def test_draws_follow_the_probabilities(bits):
    torch.manual_seed(3)
    head = TokenHead(16, bits).eval()
    count = 20_000
    features = torch.randn(1, 16).expand(count, 16)
    with torch.inference_mode():
        drawn = head.draw(features, torch.rand(count, bits))
        first = bits_of(torch.arange(4), bits) if bits == 2 else None
        if first is None:  # the chain's first bit, then the second given the first
            chance = head._bit_logits(features, drawn).sigmoid()
            assert torch.allclose(drawn.mean(0), chance.mean(0), atol=0.02)
        else:
            expected = head.log_likelihood(features[:4], first).exp()
            share = torch.stack([(drawn == one).all(dim=1).float().mean() for one in first])
            assert torch.allclose(share, expected, atol=0.02)


@pytest.mark.parametrize("gamma", [1, 3, 7])
def test_the_target_is_eq_9(gamma):
    tokens = tokens_of(4, 120)
    network = build(TokenSettings("arvm", 4, (4, 4), gamma=gamma, width=8))
    found = log_shares(tokens.bits, network.offsets)
    for number in range(0, 120, 17):
        for place in np.ndindex(4, 4):
            exact = reference.histogram(tokens.numbers, tokens.numbers[number], place, gamma)
            share = exact[int(tokens.numbers[number][place])]
            assert found[(number, *place)] == pytest.approx(np.log(share), abs=1e-9)


@pytest.mark.parametrize("kind", ["arvm", "pixelcnn"])
def test_training_nears_the_histogram_and_resumes_to_the_same_weights(kind, tmp_path):
    tokens = tokens_of(4)
    settings = TokenSettings(kind, 4, (4, 4), gamma=3, width=48, layers=3)
    recipe = replace(RECIPES[kind], epochs=4)
    whole, history = train_tokens(tokens, tmp_path / "whole", settings, recipe=recipe)
    assert history.rows[-1]["kl"] < 0.8 * history.rows[0]["kl"]

    def stop(state):
        if state.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_tokens(tokens, tmp_path / "cut", settings, recipe=recipe, on_step=stop)
    with pytest.raises(UsageError, match="has not ended"):
        open_tokens(tmp_path / "cut")
    again, _ = train_tokens(tokens, tmp_path / "cut", settings, recipe=recipe, resume=True)
    assert again.weights_fingerprint == whole.weights_fingerprint
    assert open_tokens(tmp_path / "whole").weights_fingerprint == whole.weights_fingerprint


def test_a_run_of_a_network_names_no_sources_and_does_not_depend_on_the_batch(tmp_path):
    tokens = tokens_of(4)
    settings = TokenSettings("arvm", 4, (4, 4), gamma=3, width=32, layers=1)
    recipe = replace(RECIPES["arvm"], epochs=1)
    saved, _ = train_tokens(tokens, tmp_path / "net", settings, recipe=recipe)
    sampler = TokenNetworkSampler(tokens, saved)
    drawn = run(sampler, 7, 3, tmp_path / "run")
    assert (drawn.sources.image == -1).all() and drawn.sources.evidence == "none"
    assert (sampler.sample(7, 3, batch=2).extra["tokens"] == drawn.extra["tokens"]).all()


def test_tokens_of_another_autoencoder_are_refused(tmp_path):
    tokens = tokens_of(4)
    settings = TokenSettings("arvm", 4, (4, 4), gamma=3, width=16, layers=1)
    saved, _ = train_tokens(
        tokens, tmp_path / "net", settings, recipe=replace(RECIPES["arvm"], epochs=1)
    )
    with pytest.raises(UsageError, match="makes 4x4 tokens of 6 bits, but the network was trained"):
        TokenNetworkSampler(tokens_of(6), saved)
    other = tokens_of(4)
    torch.manual_seed(9)
    object.__setattr__(other.blae, "network", BinaryAutoencoder(other.blae.settings).eval())
    with pytest.raises(UsageError, match="another BL-AE"):
        TokenNetworkSampler(other, saved)
