"""The GAN of paper B's appendix: two players in one loss, learned means, resuming, refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.networks.gan import Adversarial, Gan, GanSettings
from intarsia.networks.saved_generator import RECIPES
from tests.networks.generators import resumed_to_the_same

SHAPE = (1, 8, 8)
SMALL = GanSettings(SHAPE, dims=6, components=5, width=8)


def test_one_sum_gives_each_player_the_gradient_of_its_own_loss():
    digits = Corpus.open("digits", limit=40)
    torch.manual_seed(0)
    network = Gan(SMALL)
    task = Adversarial(network, digits)
    (batch,) = task.batches(40, torch.Generator().manual_seed(1))
    task.loss(batch).backward()
    ours = {name: value.grad.clone() for name, value in network.named_parameters()}
    random = torch.Generator().manual_seed(1)
    torch.randperm(40, generator=random)
    latents = network.latents(40, random)
    for player, loss in {
        "discriminator": lambda made: (
            functional.softplus(-network.score(batch)).mean()
            + functional.softplus(network.score(made.detach())).mean()
        ),
        "generator": lambda made: functional.softplus(-network.score(made)).mean(),
    }.items():
        network.zero_grad()
        loss(network.generate(latents)).backward(retain_graph=True)
        for name, value in network.named_parameters():
            if name.startswith(player) or (player == "generator" and name == "means"):
                torch.testing.assert_close(ours[name], value.grad, msg=f"{player}: {name}")


def test_inputs_lie_around_the_means_which_learn_and_plain_noise_has_none():
    network = Gan(replace(SMALL, spread=0.0))
    found = network.latents(60, torch.Generator().manual_seed(0))
    assert (torch.cdist(found, network.means).min(dim=1).values < 0.01).all()
    assert len(torch.unique(found, dim=0)) == SMALL.components
    plain = Gan(replace(SMALL, components=0))
    assert not plain.means.requires_grad
    assert plain.latents(2000, torch.Generator().manual_seed(0)).std() == pytest.approx(1, abs=0.05)


def test_training_resumes_to_the_same_weights_and_moves_the_means(tmp_path):
    digits = Corpus.open("digits", limit=200)
    read, history = resumed_to_the_same("gan", SMALL, digits, tmp_path)
    assert {"generator", "discriminator"} <= history.rows[-1].keys()
    torch.manual_seed(RECIPES["gan"].seed)
    assert not torch.equal(Gan(SMALL).means, read.network.means)
    assert read.network.samples(3, 0).shape == (3, 8, 8, 1)


@pytest.mark.parametrize(("wrong", "words"), [
    ({"dims": 0}, "--dims"), ({"components": -1}, "--components"), ({"spread": -1.0}, "--spread"),
    ({"shape": (1, 9, 9)}, "--resize 32"),
])  # fmt: skip
def test_settings_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(UsageError, match=words):
        GanSettings(**{"shape": SHAPE} | wrong)
