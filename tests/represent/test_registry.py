"""Encoders are found by name or path, and what names none is refused with the known ones."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import DataError, UsageError
from intarsia.models import NonparametricSampler
from intarsia.represent import LowResolution, PatchLevel, check_encoder, open_encoder
from intarsia.represent.spec import Spec
from tests.represent.networks import timm_folder


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lowres", LowResolution(2)),
        ("lowres4", LowResolution(4)),
        ("lowres16", LowResolution(16)),
        ("patch:lowres", PatchLevel(LowResolution(2))),
        ("patch:lowres3", PatchLevel(LowResolution(3))),
    ],
)
def test_names_make_encoders(name, expected):
    assert open_encoder(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pca", ("pca", "", None, False)),
        ("pca32", ("pca", "32", None, False)),
        ("kmeans", ("kmeans", "", None, False)),
        ("spectral", ("spectral", "", None, False)),
        ("simclr", ("simclr", "", None, False)),
        ("simclr-fashion-mnist", ("simclr", "fashion-mnist", None, False)),
        ("patch:pca32", ("pca", "32", None, True)),
        ("timm:resnet18", ("timm", "resnet18", None, False)),
        ("timm:resnet18.a1_in1k@layer2.0", ("timm", "resnet18.a1_in1k", "layer2.0", False)),
        ("patch:timm:resnet18@layer2", ("timm", "resnet18", "layer2", True)),
        ("hf:facebook/dinov2-small", ("hf", "facebook/dinov2-small", None, False)),
        ("hf:gpt@encoder.layer.3", ("hf", "gpt", "encoder.layer.3", False)),
    ],
)
def test_names_are_taken_apart(text, expected):
    found = Spec.parse(text)
    assert (found.kind, found.argument, found.layer, found.patch) == expected
    assert found.text == text


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a@b.onnx", "c:d.safetensors", "patch:e.onnx", "f.onnx", "f.onnx@g.onnx"):
        (tmp_path / name).write_bytes(b"")
    for folder in ("lowres", "own@v2", "timm:x"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "config.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b.onnx", ("path", "a@b.onnx", None, False)),
        ("a@b.onnx@late", ("path", "a@b.onnx", "late", False)),
        ("patch:a@b.onnx@late", ("path", "a@b.onnx", "late", True)),
        ("c:d.safetensors", ("path", "c:d.safetensors", None, False)),
        ("patch:e.onnx", ("path", "patch:e.onnx", None, False)),
        ("f.onnx@g.onnx", ("path", "f.onnx@g.onnx", None, False)),
        ("own@v2", ("path", "own@v2", None, False)),
        ("own@v2@layer1.0", ("path", "own@v2", "layer1.0", False)),
        ("lowres", ("lowres", "", None, False)),  # our own names cannot be taken
        ("./lowres", ("path", "./lowres", None, False)),
        ("timm:x", ("timm", "x", None, False)),
        ("./timm:x", ("path", "./timm:x", None, False)),
    ],
)
def test_a_path_that_exists_may_hold_any_sign(here, text, expected):
    found = Spec.parse(text)
    assert (found.kind, found.argument, found.layer, found.patch) == expected


@pytest.mark.parametrize(
    "name", ["dino", "", "lowres-4", "lowres100", "pca-3", "patch:", "patch:dino", "lowres@x", "@"]
)
def test_an_unknown_name_is_refused_and_the_known_ones_listed(name):
    with pytest.raises(UsageError, match=r"no encoder called .*Known: lowres, .*patch:NAME"):
        check_encoder(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("patch:patch:lowres", "names patch: twice"),
        ("lowres0", "side 0"),
        ("pca0", "keeps 0 numbers"),
        ("simclr-imagenet", "shipped for mnist, fashion-mnist, cifar10"),
        ("timm:", "timm:resnet18"),
        ("timm:a/b", "timm:resnet18"),
        ("timm:resnet18@", "name a layer after '@'"),
        ("hf:", "hf:facebook/dinov2-small"),
        ("hf:a/b/c", "hf:facebook/dinov2-small"),
        ("hf:../x", "hf:facebook/dinov2-small"),
        ("nowhere.onnx", "no such file or folder"),
        ("nowhere/at/all", "no such file or folder"),
        ("patch:nowhere.safetensors@x", "no such file or folder"),
        ("nowhere.pth", "no such file or folder"),
        ("file.onnx@", "name a layer after '@'"),
        ("file.txt", "folders and from files that end in .safetensors, .onnx, .pt"),
        ("file.pth", "run code.*Save the weights as .safetensors"),
        ("empty", "no config.json"),
    ],
)
def test_what_cannot_be_an_encoder_is_refused_at_once(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in ("file.onnx", "file.txt", "file.pth"):
        (tmp_path / file).write_bytes(b"")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=words) as caught:
        check_encoder(name)
    assert name in str(caught.value)


def test_checking_a_name_loads_no_network_library():
    program = (
        "import sys; from intarsia.represent import check_encoder; "
        "[check_encoder(n) for n in ('timm:resnet18', 'hf:a/b', 'simclr', 'patch:kmeans')]; "
        "print([m for m in ('timm', 'transformers', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_no_shipped_weights_for_a_corpus_says_what_else_there_is():
    with pytest.raises(UsageError, match=r"'digits'.*simclr-DATA.*pca or kmeans"):
        open_encoder("simclr", Corpus.open("digits", limit=9))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return str(timm_folder(tmp_path_factory.mktemp("timm")))


@pytest.mark.parametrize("spec", ["pca8", "kmeans", "TIMM", "TIMM@layer1", "patch:TIMM"])
def test_samplers_take_every_kind_and_note_its_fingerprint(spec, trained, tmp_path, monkeypatch):
    monkeypatch.setenv("INTARSIA_CACHE", str(tmp_path))
    corpus = Corpus.open("digits", limit=40)
    spec = spec.replace("TIMM", trained)
    drawn = []
    for batch in (1, 3):
        model = NonparametricSampler(corpus, encoder=spec, keep=5, radius=0, seed_size=6)
        samples = model.sample(3, batch=batch)
        samples.check_pixel_law()
        drawn.append(samples)
    assert (drawn[0].images == drawn[1].images).all()
    assert (drawn[0].sources.image == drawn[1].sources.image).all()
    noted = drawn[0].settings["encoder_fingerprint"]
    assert len(noted) == 64 and drawn[0].settings["encoder"] == spec
    with pytest.raises(DataError, match="not the one of that run.*same weights"):
        NonparametricSampler(corpus, encoder=spec, encoder_fingerprint="0" * 64)


def test_a_model_that_asks_no_encoder_opens_none(trained):
    corpus = Corpus.open("digits", limit=40)
    model = NonparametricSampler(corpus, encoder=trained, principles="NS+L")
    assert "encoder_fingerprint" not in model.resolved_settings(1, 0)
    assert "encoder_fingerprint" not in NonparametricSampler(corpus).resolved_settings(1, 0)


def test_pictures_that_do_not_fit_are_refused_when_it_is_opened(tmp_path):
    from tests.represent.networks import onnx_file

    tiny = Corpus.from_arrays(np.zeros((3, 2, 2), np.uint8))
    with pytest.raises(UsageError, match="cannot take pictures of 3x2x2.*--resize"):
        open_encoder(str(onnx_file(tmp_path / "small.onnx")), tiny)
