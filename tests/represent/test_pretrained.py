"""Networks from timm, transformers, ONNX, safetensors and TorchScript, all with random weights."""

from __future__ import annotations

import json
import sys
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from intarsia.errors import DataError, UsageError
from intarsia.represent import open_encoder, pretrained
from tests.pictures import colour_patches, digits
from tests.represent.networks import half_known, onnx_file, small_network, timm_folder, vit_folder

SIDE = 32
KNOWN = half_known(SIDE, SIDE)


@pytest.fixture(scope="module")
def images():
    return colour_patches(37, SIDE)


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """A folder or file of each kind."""
    kit = tmp_path_factory.mktemp("kit")
    timm_folder(kit / "timm")
    vit_folder(kit / "vit")
    onnx_file(kit / "small.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.jit.script(small_network({"channels": 3})).save(kit / "small.pt")
    return kit


KINDS = [
    "timm",
    "timm@layer2",
    "vit",
    "vit@embeddings",
    "small.onnx",
    "small.onnx@early",
    "small.pt",
]


@pytest.mark.parametrize("kind", KINDS)
def test_the_laws_of_an_encoder(kind, kit, images):
    phi = open_encoder(str(kit / kind), allow_torchscript=True)
    together = phi.codes(images, KNOWN)
    assert together.values.dtype == np.int8 and together.values.std() > 0
    noise = np.random.default_rng(0).integers(0, 256, images.shape, np.uint8)
    other = np.where(KNOWN[..., None], images, noise)
    assert (phi.codes(other, KNOWN).values == together.values).all()
    for at in (0, 31, 36):
        assert (phi.codes(images[at : at + 1], KNOWN).values == together.values[at]).all()
    again = open_encoder(str(kit / kind), allow_torchscript=True)
    assert again.fingerprint == phi.fingerprint and len(phi.fingerprint) == 64


def test_fingerprints_differ(kit):
    prints = {open_encoder(str(kit / kind), allow_torchscript=True).fingerprint for kind in KINDS}
    assert len(prints) == len(KINDS)


def test_timm_features_are_those_under_the_classifier(kit, images):
    import timm

    network = timm.create_model("resnet10t", pretrained=False, num_classes=7).eval()
    network.load_state_dict(load_file(kit / "timm" / "model.safetensors"))
    mean, std = torch.tensor([0.5, 0.4, 0.3]), torch.tensor(0.2)
    shown = ((torch.from_numpy(images) / 255 - mean) / std).permute(0, 3, 1, 2)
    everything = np.ones((SIDE, SIDE), bool)
    with torch.no_grad():
        maps = network.forward_features(shown)
        middle = network.layer2(network.layer1(network.maxpool(network.act1(
            network.bn1(network.conv1(shown))))))  # fmt: skip
    for spec, expected in (("timm", maps), ("timm@layer2", middle)):
        features = expected.mean((2, 3)).numpy()
        unit = 127 * features / np.linalg.norm(features, axis=1, keepdims=True)
        found = open_encoder(str(kit / spec)).codes(images, everything).values
        assert np.abs(found - unit).max() <= 0.51


def test_a_transformers_model_without_a_trained_pooler_is_its_mean_token(kit):
    from transformers import ViTModel

    images = colour_patches(3, 16)
    network = ViTModel.from_pretrained(kit / "vit", add_pooling_layer=False).eval()
    mean, std = (torch.tensor(v) for v in pretrained.IMAGENET)
    shown = ((torch.from_numpy(images) / 255 - mean) / std).permute(0, 3, 1, 2)
    with torch.no_grad():
        features = network(shown).last_hidden_state.mean(1).numpy()
    unit = 127 * features / np.linalg.norm(features, axis=1, keepdims=True)
    phi = open_encoder(str(kit / "vit"))
    found = phi.codes(images, np.ones((16, 16), bool)).values
    assert np.abs(found - unit).max() <= 0.51
    assert phi.takes.size == (16, 16)  # other sizes are resized


def test_a_preprocessor_says_how_pictures_are_normalised(tmp_path):
    folder = vit_folder(tmp_path / "vit")
    shown = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}
    (folder / "preprocessor_config.json").write_text(json.dumps(shown))
    takes = open_encoder(str(folder)).takes
    assert (takes.mean, takes.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))


def test_a_fixed_size_of_timm_is_kept(tmp_path):
    phi = open_encoder(str(timm_folder(tmp_path / "a", fixed_input_size=True)))
    assert phi.takes.size == (32, 32)


def test_onnx_sizes_and_batch_are_kept(tmp_path, images):
    path = onnx_file(tmp_path / "fixed.onnx", [5, 3, 16, 16])
    phi = open_encoder(str(path))
    assert (phi.block, phi.takes.size) == (5, (16, 16))
    assert phi.codes(images, KNOWN).values.shape == (37, 10)


def test_onnx_agrees_with_torch(kit, images):
    import onnx
    from onnx import numpy_helper

    model = onnx.load(kit / "small.onnx")
    weight = {
        w.name: torch.from_numpy(numpy_helper.to_array(w).copy()) for w in model.graph.initializer
    }
    shown = ((torch.from_numpy(images) / 255 - 0.5) / 0.5).permute(0, 3, 1, 2)
    early = torch.relu(torch.conv2d(shown, weight["w1"]))
    late = torch.conv2d(early, weight["w2"])
    for spec, expected in (("small.onnx", late), ("small.onnx@early", early)):
        features = expected.mean((2, 3)).numpy()
        unit = 127 * features / np.linalg.norm(features, axis=1, keepdims=True)
        found = open_encoder(str(kit / spec)).codes(images, np.ones((SIDE, SIDE), bool)).values
        assert np.abs(found - unit).max() <= 0.51


def test_torchscript_is_refused_unless_allowed(kit):
    with pytest.raises(UsageError, match="run code of its own.*--allow-torchscript"):
        open_encoder(str(kit / "small.pt"))
    with pytest.raises(UsageError, match="cannot be stopped at a layer"):
        open_encoder(f"{kit / 'small.pt'}@0", allow_torchscript=True)


def test_a_checkpoint_is_not_unpickled(tmp_path):
    crater = tmp_path / "crater"

    class Bomb:
        def __reduce__(self):
            return (open, (str(crater), "w"))

    torch.save({"bomb": Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(DataError, match="no TorchScript.*pickle"):
        open_encoder(str(tmp_path / "bomb.pt"), allow_torchscript=True)
    assert not crater.exists()


def test_pickles_are_refused_by_name(tmp_path):
    for name in ("weights.pth", "pytorch_model.bin", "model.ckpt"):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(UsageError, match="run code.*safetensors"):
            open_encoder(str(tmp_path / name))


def test_one_file_with_its_architecture_inside_or_beside(tmp_path, kit, images):
    expected = open_encoder(str(kit / "timm")).codes(images, KNOWN).values
    tensors = load_file(kit / "timm" / "model.safetensors")
    config = json.loads((kit / "timm" / "config.json").read_text())
    inside = {
        "architecture": config["architecture"],
        "num_classes": "7",
        "pretrained_cfg": json.dumps(config["pretrained_cfg"]),
    }
    save_file(tensors, tmp_path / "inside.safetensors", inside)
    (tmp_path / "beside").mkdir()
    save_file(tensors, tmp_path / "beside" / "any.safetensors")
    (tmp_path / "beside" / "config.json").write_text(json.dumps(config))
    places = ("inside.safetensors", "beside/any.safetensors")
    for path in (*(tmp_path / place for place in places), kit / "timm" / "model.safetensors"):
        assert (open_encoder(str(path)).codes(images, KNOWN).values == expected).all()


def break_timm(folder, how):
    config = json.loads((folder / "config.json").read_text())
    changes = {
        "unknown architecture": {"architecture": "resnet-10000"},
        "another architecture": {"architecture": "resnet18"},
        "a hub name as architecture": {"architecture": "hf-hub:someone/something"},
        "no architecture": {"architecture": None},
        "wrong arguments": {"model_args": {"colour": "blue"}},
        "five channels": {"model_args": {"in_chans": 5}},
    }
    config |= changes.get(how, {})
    if how == "neither kind":
        config = {"name": "x"}
    (folder / "config.json").write_text(json.dumps(config))
    if how == "damaged":
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1000])
    return folder


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ("unknown architecture", DataError, "'resnet-10000', which timm .* does not know"),
        ("another architecture", DataError, "weights of another network"),
        ("a hub name as architecture", DataError, "does not know"),
        ("no architecture", DataError, "does not know"),
        ("wrong arguments", DataError, "makes no resnet10t.*colour"),
        ("five channels", UsageError, "5 channels; pictures have 1 or 3"),
        ("neither kind", DataError, "neither an architecture of timm.*nor one of transformers"),
        ("damaged", DataError, "damaged.*Fetch it again"),
    ],
)
def test_timm_folders_that_lie(tmp_path, how, error, words):
    with pytest.raises(error, match=words):
        open_encoder(str(break_timm(timm_folder(tmp_path / "timm"), how)))


def test_transformers_folders_that_lie(tmp_path):
    folder = vit_folder(tmp_path / "vit")
    config = json.loads((folder / "config.json").read_text())
    tensors = load_file(folder / "model.safetensors")

    (folder / "config.json").write_text(json.dumps(config | {"model_type": "no-such-model"}))
    with pytest.raises(DataError, match="transformers .* cannot read .*Fetch"):
        open_encoder(str(folder))
    code = {"model_type": "mine", "auto_map": {"AutoConfig": "a.B", "AutoModel": "a.C"}}
    (folder / "a.py").write_text("raise SystemExit('code was run')")
    (folder / "config.json").write_text(json.dumps(config | code))
    with pytest.raises(DataError, match="code of their own are not read"):
        open_encoder(str(folder))
    (folder / "config.json").write_text(json.dumps(config))
    some = {name: value for name, value in tensors.items() if "layernorm" not in name}
    save_file(some, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(DataError, match="weights lack .*layernorm"):
        open_encoder(str(folder))
    (folder / "model.safetensors").write_bytes(b"hello")
    with pytest.raises(DataError, match="cannot read"):
        open_encoder(str(folder))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(DataError, match=r"no model\.safetensors.*pickles are not read"):
        open_encoder(str(folder))


def test_a_model_of_words_is_refused(tmp_path):
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    BertModel(BertConfig(**sizes, vocab_size=9, intermediate_size=8)).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="'bert' is no model of pictures"):
        open_encoder(str(tmp_path))


def test_onnx_files_that_lie(tmp_path, kit):
    from onnx import TensorProto

    with pytest.raises(UsageError, match="no output 'middle'; it has late, early"):
        open_encoder(f"{kit / 'small.onnx'}@middle")
    (tmp_path / "half.onnx").write_bytes((kit / "small.onnx").read_bytes()[:300])
    (tmp_path / "text.onnx").write_text("hello")
    for name in ("half.onnx", "text.onnx"):
        with pytest.raises(DataError, match="damaged or no ONNX file"):
            open_encoder(str(tmp_path / name))
    halves = onnx_file(tmp_path / "half-precision.onnx", kind=TensorProto.FLOAT16)
    with pytest.raises((UsageError, DataError)):
        open_encoder(str(halves))


def test_pictures_that_do_not_fit_are_refused(kit):
    tiny, grey = colour_patches(2, 2), np.array(digits().images[:2])
    with pytest.raises(UsageError, match="cannot take pictures of 3x2x2"):
        open_encoder(str(kit / "small.onnx")).codes(tiny, np.ones((2, 2), bool))
    assert open_encoder(str(kit / "small.onnx")).codes(grey, np.ones((8, 8), bool)).values.any()


@pytest.mark.parametrize("name", ["timm", "onnxruntime", "transformers"])
def test_a_missing_package_is_named_with_its_extra(name, kit, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    path = {"timm": "timm", "onnxruntime": "small.onnx", "transformers": "vit"}[name]
    with pytest.raises(UsageError, match=rf"needs the package {name}: .*intarsia\[encoders\]"):
        open_encoder(str(kit / path))


@pytest.mark.parametrize(
    ("spec", "repository"),
    [
        ("timm:resnet18", "timm/resnet18.a1_in1k"),
        ("timm:resnet18.a1_in1k@layer2", "timm/resnet18.a1_in1k"),
        ("hf:facebook/dinov2-small", "facebook/dinov2-small"),
    ],
)
def test_offline_says_what_is_missing_and_where_to_put_it(spec, repository, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DataError) as caught:
        open_encoder(spec)
    for words in (repository, "HF_HUB_OFFLINE", "model.safetensors", "--encoder FOLDER"):
        assert words in str(caught.value)


def test_what_the_hub_cached_before_needs_no_network(kit, monkeypatch, tmp_path, images):
    import shutil

    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    cached = tmp_path / "models--me--phi"
    shutil.copytree(kit / "timm", cached / "snapshots" / "abc")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    found = open_encoder("hf:me/phi").codes(images, KNOWN).values
    assert (found == open_encoder(str(kit / "timm")).codes(images, KNOWN).values).all()
    (cached / "snapshots" / "abc" / "model.safetensors").unlink()
    with pytest.raises(DataError, match="me/phi is not on this machine"):
        open_encoder("hf:me/phi")


def test_an_unknown_model_of_timm_is_refused_with_near_names():
    with pytest.raises(UsageError, match=r"'timm:resnet19'.*resnet18"):
        open_encoder("timm:resnet19")
