"""BL-AE: binary latents, resumed to the same weights, a frozen encoder, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from intarsia.corpus import Corpus
from intarsia.errors import DataError, UsageError
from intarsia.models.tokens import TokenGrid
from intarsia.networks.binarising import binary_rate
from intarsia.networks.blae import BinaryAutoencoder, BlaeSettings, noise_like, shape_for
from intarsia.networks.saved_blae import RECIPE, open_blae, train_blae

RECIPE = replace(RECIPE, epochs=30, batch=50, rate=5e-3)
SETTLE = 0.8


@pytest.fixture(scope="module")
def digits() -> Corpus:
    return Corpus.open("digits", limit=200)


@pytest.fixture(scope="module")
def shape(digits) -> BlaeSettings:
    return shape_for(digits.size, 1, bits=6, widths=(32,), hidden=64)


@pytest.fixture(scope="module")
def trained(digits, shape, tmp_path_factory):
    folder = tmp_path_factory.mktemp("blae") / "whole"
    saved, history = train_blae(
        digits,
        folder,
        opened={"data": "digits", "limit": 200},
        settings=shape,
        recipe=RECIPE,
        settle=SETTLE,
    )
    return folder, saved, history


def test_latents_turn_binary_and_bits_say_what_pictures_are(trained, digits):
    _, saved, history = trained
    assert saved.grid == (4, 4)
    assert history.rows[-1]["binary_rate"] > history.rows[0]["binary_rate"]
    assert history.rows[-1]["psnr"] > history.rows[0]["psnr"] + 2
    latents = saved.latents(torch.from_numpy(np.array(digits.images)))
    assert saved.about["binary_rate"] == pytest.approx(binary_rate(latents), abs=1e-6)
    counts = history.rows[-1]["latents"]
    assert sum(counts) == latents.numel() and sum(counts[1:-1]) < 0.9 * sum(counts)


def test_the_folder_holds_the_network_and_its_pictures(trained):
    folder, saved, history = trained
    names = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "config.json", "curves.png", "latents.png",
            "reconstructions.png"} <= names  # fmt: skip
    again = open_blae(folder)
    assert again.weights_fingerprint == saved.weights_fingerprint
    assert [row["epoch"] for row in history.rows] == list(range(1, 31))


@pytest.mark.parametrize("epoch", [1, 26])
def test_a_training_cut_short_ends_with_the_same_weights(trained, digits, shape, tmp_path, epoch):
    seen = []

    def stop(state):
        seen.append(state)
        if len(seen) == 4 * epoch + 1:
            raise KeyboardInterrupt

    how = {
        "opened": {"data": "digits", "limit": 200},
        "settings": shape,
        "recipe": RECIPE,
        "settle": SETTLE,
    }
    with pytest.raises(KeyboardInterrupt):
        train_blae(digits, tmp_path / "cut", on_step=stop, **how)
    with pytest.raises(UsageError, match="has not ended.*--resume"):
        open_blae(tmp_path / "cut")
    with pytest.raises(UsageError, match="holds a training already"):
        train_blae(digits, tmp_path / "cut", **how)
    again, _ = train_blae(digits, tmp_path / "cut", resume=True, **how)
    assert again.weights_fingerprint == trained[1].weights_fingerprint


def test_a_kept_encoder_is_not_changed_and_more_noise_costs_reconstruction(
    trained, digits, shape, tmp_path
):
    _, saved, _ = trained
    before = {name: value.clone() for name, value in saved.network.encoder.state_dict().items()}
    psnr = []
    for sigma in (0.5, 3.0):
        noisy, _ = train_blae(
            digits, tmp_path / str(sigma), opened={"data": "digits"},
            settings=replace(shape, sigma=sigma), recipe=replace(RECIPE, epochs=10),
            encoder_of=saved,
        )  # fmt: skip
        for name, value in noisy.network.encoder.state_dict().items():
            assert torch.equal(value, before[name]), name
        psnr.append(noisy.about["psnr"])
    assert psnr[0] > psnr[1] + 0.5


def test_triangular_noise_is_the_triangle_of_eq_22():
    noise = noise_like(torch.zeros(200_000), "triangular", torch.Generator().manual_seed(0))
    assert noise.abs().max() < 1
    for at in (-0.5, 0.0, 0.5):  # distribution function of the triangle on (-1, 1)
        expected = (1 + at) ** 2 / 2 if at <= 0 else 1 - (1 - at) ** 2 / 2
        assert float((noise <= at).float().mean()) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(("size", "grid", "words"), [
    ((28, 28), None, "--resize 32"),
    ((32, 32), 5, "another --grid"),
    ((2, 2), 4, "does not lead to a grid"),
])  # fmt: skip
def test_sizes_that_do_not_halve_to_the_grid_are_refused(size, grid, words):
    with pytest.raises(UsageError, match=words):
        shape_for(size, 1, grid=grid)


@pytest.mark.parametrize(("wrong", "words"), [
    ({"bits": 0}, "--bits is 0"), ({"noise": "pink"}, "--noise is 'pink'"),
    ({"sigma": -1.0}, "--sigma is -1.0"), ({"widths": (8, 8)}, "multiples of 4"),
])  # fmt: skip
def test_shapes_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(UsageError, match=words):
        BlaeSettings(**({"channels": 1, "size": (10, 10), "widths": (8,)} | wrong))


def test_too_few_pictures_are_refused(shape, tmp_path):
    with pytest.raises(UsageError, match="There are 20 pictures, fewer than a batch of 50"):
        train_blae(
            Corpus.open("digits", limit=20), tmp_path / "few", opened={}, settings=shape,
            recipe=RECIPE,
        )  # fmt: skip
    assert not (tmp_path / "few").exists()


def test_damaged_and_foreign_folders_are_refused(trained, tmp_path):
    folder, _, _ = trained
    with pytest.raises(UsageError, match="is no folder of intarsia train blae"):
        open_blae(tmp_path / "nothing")
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text('{"kind": "resnet"}')
    with pytest.raises(DataError, match="does not describe a network of intarsia train blae"):
        open_blae(other)
    (other / "config.json").write_bytes((folder / "config.json").read_bytes())
    (other / "model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="missing or damaged"):
        open_blae(other)


def test_the_network_is_what_its_grid_says(trained, digits):
    _, saved, _ = trained
    tokens = TokenGrid.of(digits, saved, 0.0)
    assert tokens.bits.shape == (200, 4, 4, 6) and tokens.cell == (2, 2)
    assert tokens.decode(tokens.bits[:3]).shape == (3, 8, 8, 1)
    network = BinaryAutoencoder(replace(saved.settings, normalise=True)).eval()
    assert network(torch.zeros(1, 1, 8, 8)).shape == (1, 1, 8, 8)
