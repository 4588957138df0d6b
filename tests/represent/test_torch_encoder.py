"""Networks as encoders: exact quantisation, masks, early exit, and codes without company."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from intarsia.errors import DataError, IntarsiaError, UsageError
from intarsia.represent import blocks, torch_encoder
from intarsia.represent.network_input import Input
from intarsia.represent.torch_encoder import TorchEncoder, quantised
from tests.pictures import colour_patches, digits
from tests.represent.networks import COLOUR, GREY, half_known, small_network

IMAGES = np.array(digits().images[:70])
KNOWN = half_known(8, 8)


@pytest.fixture
def architecture(monkeypatch):
    monkeypatch.setitem(torch_encoder.ARCHITECTURES, "small", small_network)


def saved(tmp_path, **more):
    phi = TorchEncoder(small_network(), GREY, architecture="small", about={"seed": 7}, **more)
    phi.save_pretrained(tmp_path / "own")
    return phi, tmp_path / "own"


@pytest.mark.parametrize("known", [KNOWN, np.ones((8, 8), bool)], ids=["half", "whole"])
def test_a_code_does_not_depend_on_its_company_or_place_in_the_batch(known):
    phi = TorchEncoder(small_network(), GREY)
    together = phi.codes(IMAGES, known).values
    for at in (0, 1, 31, 32, 69):
        alone = phi.codes(IMAGES[at : at + 1], known).values[0]
        assert (together[at] == alone).all()
    assert (phi.codes(IMAGES[::-1], known).values[::-1] == together).all()


def test_a_code_does_not_depend_on_the_number_of_threads():
    phi = TorchEncoder(small_network(), GREY)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(phi.codes(IMAGES, KNOWN).values)
    finally:
        torch.set_num_threads(before)
    assert (found[0] == found[1]).all()


def test_the_network_always_sees_one_shape():
    shapes = set()
    network = small_network()
    network[0].register_forward_pre_hook(lambda _, x: shapes.add(tuple(x[0].shape)))
    phi = TorchEncoder(network, GREY)
    for count in (1, 31, 32, 33, 70):
        phi.codes(IMAGES[:count], KNOWN)
    assert shapes == {(blocks.BLOCK, 1, 8, 8)}


@pytest.mark.parametrize("mask_channel", [False, True])
def test_what_unknown_pixels_hold_does_not_matter(mask_channel):
    takes = Input(1, (0.3,), (0.4,), mask_channel=mask_channel, size=(12, 12))
    phi = TorchEncoder(small_network({"channels": 1 + mask_channel}), takes)
    noise = np.random.default_rng(0).integers(0, 256, IMAGES.shape, np.uint8)
    other = np.where(KNOWN[..., None], IMAGES, noise)
    assert (phi.codes(other, KNOWN).values == phi.codes(IMAGES, KNOWN).values).all()
    whole = phi.codes(IMAGES, np.ones((8, 8), bool)).values
    assert (whole != phi.codes(IMAGES, KNOWN).values).any()


def test_all_coordinates_mean_something():
    codes = TorchEncoder(small_network(), GREY).codes(IMAGES, KNOWN)
    assert codes.known.all() and codes.known.shape == (10,)
    assert codes.values.dtype == np.int8 and codes.values.std() > 0


def test_the_input_is_normalised_filled_and_followed_by_the_mask():
    takes = Input(3, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4), mask_channel=True)
    images = colour_patches()[:2]
    known = half_known(10, 10)
    made = takes.tensor(torch.from_numpy(images), torch.from_numpy(known)).numpy()
    assert made.shape == (2, 4, 10, 10)
    for c, (mean, std) in enumerate(zip(takes.mean, takes.std, strict=True)):
        expected = np.where(known, (images[..., c] / 255 - mean) / std, 0)
        np.testing.assert_allclose(made[:, c], expected, atol=1e-5)
    assert (made[:, 3] == known).all()


def test_grey_pictures_are_repeated_for_a_network_of_colour():
    phi = TorchEncoder(small_network({"channels": 3}), COLOUR)
    grey, colour = IMAGES[:5], IMAGES[:5].repeat(3, axis=3)
    assert (phi.codes(grey, KNOWN).values == phi.codes(colour, KNOWN).values).all()


def test_colour_is_refused_by_a_network_of_grey():
    phi = TorchEncoder(small_network(), GREY)
    with pytest.raises(UsageError, match="takes grey pictures.*--grey"):
        phi.codes(colour_patches()[:1], np.ones((10, 10), bool))


def test_pictures_are_made_to_fit_a_fixed_size():
    seen = []
    network = small_network()
    network[0].register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    takes = Input(1, (0.0,), (1.0,), size=(16, 20))
    TorchEncoder(network, takes).codes(np.full((1, 8, 8, 1), 51, np.uint8), np.ones((8, 8), bool))
    assert seen[0].shape[2:] == (16, 20)
    torch.testing.assert_close(seen[0][0], torch.full((1, 16, 20), 0.2))


def test_pictures_too_small_for_the_network_are_refused():
    network = nn.Sequential(nn.Conv2d(1, 2, 9))
    with pytest.raises(UsageError, match="cannot take pictures of 1x8x8.*--resize"):
        TorchEncoder(network, GREY).codes(IMAGES[:1], KNOWN)


def test_quantisation_is_the_direction_at_length_127_rounded_half_to_even():
    features = torch.tensor([[3.0, -4.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1e-30], [1, 1, 1]])
    expected = [[76, -102, 0], [0, 0, 0], [0, 0, 127], [73, 73, 73]]
    assert quantised(features).tolist() == expected
    # 0.5 and 1.5 of the unit that 127 makes: both are rounded to even.
    length = np.sqrt(127**2 - 0.5**2 - 1.5**2)
    code = quantised(torch.tensor([[0.5, 1.5, length]], dtype=torch.float64))
    assert code[0, :2].tolist() == [0, 2]


def test_features_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="not finite"):
        quantised(torch.tensor([[1.0, float("nan")]]))


def test_early_exit_equals_the_prefix_of_the_network():
    whole = small_network()
    ran = []
    whole[1].register_forward_hook(lambda *_: ran.append("the second stage"))
    early = TorchEncoder(whole, GREY, layer="0").codes(IMAGES, KNOWN).values
    prefix = TorchEncoder(small_network()[0], GREY).codes(IMAGES, KNOWN).values
    assert early.shape == (70, 6) and (early == prefix).all()
    assert not ran


def test_an_unknown_layer_is_refused_with_some_that_there_are():
    with pytest.raises(UsageError, match=r"no layer '0\.3'.*0\.0.*and others"):
        TorchEncoder(small_network(), GREY, layer="0.3")


@pytest.mark.parametrize(
    ("shape", "expected"), [((2, 5, 3, 4), 5), ((2, 6, 5), 5), ((2, 5), 5)], ids=str
)
def test_maps_and_tokens_are_averaged(shape, expected):
    found = torch_encoder.averaged(torch.arange(float(np.prod(shape))).reshape(shape))
    assert found.shape == (2, expected)


def test_the_fingerprint_names_weights_input_and_layer():
    def of(network=None, takes=GREY, layer=None):
        return TorchEncoder(network or small_network(), takes, layer=layer).fingerprint

    changed = small_network()
    with torch.no_grad():
        changed[1][0].bias[0] += 1e-6
    other = Input(1, (0.3,), (0.41,))
    assert of() == of()
    assert len({of(), of(changed), of(takes=other), of(layer="0")}) == 4


def test_saving_and_reading_back(tmp_path, architecture):
    phi, folder = saved(tmp_path, layer="0")
    assert {path.name for path in folder.iterdir()} == {
        "config.json", "model.safetensors", "README.md",
    }  # fmt: skip
    again = TorchEncoder.from_pretrained(folder)
    assert (again.layer, again.about, again.takes) == ("0", {"seed": 7}, GREY)
    # Weights are halved once: what is read and saved again stays the same.
    again.save_pretrained(tmp_path / "twice")
    twice = TorchEncoder.from_pretrained(tmp_path / "twice")
    assert twice.fingerprint == again.fingerprint
    close = phi.codes(IMAGES, KNOWN).values - again.codes(IMAGES, KNOWN).values.astype(int)
    assert np.abs(close).max() <= 1
    assert (
        TorchEncoder.from_pretrained(folder, layer="1").codes(IMAGES, KNOWN).values.shape[1] == 10
    )


def test_only_known_architectures_are_saved(tmp_path):
    with pytest.raises(UsageError, match="architecture None"):
        TorchEncoder(small_network(), GREY).save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


def damage(folder, how):
    config = json.loads((folder / "config.json").read_text())
    weights = folder / "model.safetensors"
    if how == "no weights":
        weights.unlink()
    elif how == "half a file":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif how == "no safetensors":
        weights.write_bytes(b"hello" * 100)
    elif how == "a pickle":
        torch.save(small_network().state_dict(), weights)
    elif how == "no config":
        (folder / "config.json").unlink()
    elif how == "no JSON":
        (folder / "config.json").write_text("{")
    elif how == "a list":
        (folder / "config.json").write_text("[]")
    elif how == "other weights":
        config["network"] = {"channels": 2}
    elif how == "unknown architecture":
        config["architecture"] = "vgg"
    elif how == "a future format":
        config["intarsia_encoder"] = 99
    elif how == "no input":
        del config["input"]
    elif how == "an impossible input":
        config["input"]["channels"] = 5
    if how not in ("no config", "no JSON", "a list"):
        (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("no weights", "model.safetensors is missing. Put"),
        ("half a file", "damaged.*Fetch it again"),
        ("no safetensors", "damaged.*Fetch it again"),
        ("a pickle", "damaged.*Fetch it again"),
        ("no config", "no config.json.*Put it there"),
        ("no JSON", "cannot be read.*Fetch it again"),
        ("a list", "no JSON object"),
        ("other weights", "weights of another network.*Put config.json and weights"),
        ("unknown architecture", "'vgg'; known are .*small"),
        ("a future format", "no encoder of this version"),
        ("no input", "does not describe a network.*'input'"),
        ("an impossible input", "does not describe a network.*5 channels"),
    ],
)
def test_damage_is_said_plainly(tmp_path, architecture, how, words):
    _, folder = saved(tmp_path)
    damage(folder, how)
    with pytest.raises(DataError, match=words):
        TorchEncoder.from_pretrained(folder)


def test_pushing_without_a_network_says_so(architecture, monkeypatch):
    import huggingface_hub

    def refuse(*_, **__):
        raise OSError("Name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", refuse)
    phi = TorchEncoder(small_network(), GREY, architecture="small")
    with pytest.raises(
        IntarsiaError, match="Nothing was pushed to huggingface.co/me/phi.*hf auth login"
    ):
        phi.push_to_hub("me/phi")


def test_pushing_uploads_what_is_saved(architecture, monkeypatch):
    import huggingface_hub

    seen = {}

    def upload(self, repo_id, folder_path):
        seen[repo_id] = sorted(path.name for path in folder_path.iterdir())
        return "https://huggingface.co/me/phi"

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", lambda *_, **__: None)
    monkeypatch.setattr(huggingface_hub.HfApi, "upload_folder", upload)
    phi = TorchEncoder(small_network(), GREY, architecture="small")
    assert phi.push_to_hub("me/phi") == "https://huggingface.co/me/phi"
    assert seen == {"me/phi": ["README.md", "config.json", "model.safetensors"]}
