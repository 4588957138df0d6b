"""Features have names, fingerprints, and fail in words."""

from __future__ import annotations

import logging
import pickle
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from intarsia import Corpus, DataError, UsageError
from intarsia.measure import Features, open_features
from intarsia.measure.classifier import (
    Classifier,
    Recipe,
    cache_path,
    classifier_for,
    train,
    weights_fingerprint,
)
from intarsia.measure.extractors import _read
from intarsia.measure.features import corpus_features

QUICK = Recipe(pictures=3000)


def test_the_classifier_says_what_it_is_and_how_good(features: Features, digits: Corpus) -> None:
    card = features.card
    assert card.name == f"intarsia-classifier-{card.fingerprint[:16]}"
    assert (card.dimension, card.classes) == (64, 10)
    assert card.about["fingerprint"] == digits.fingerprint
    assert card.about["tested_on"] == "held-out tenth" and card.about["tested_images"] == 179
    assert card.about["accuracy"] > 0.95


def test_accuracy_is_of_the_test_split_where_there_is_one(intarsia_data: Path) -> None:
    corpus = Corpus.open("mnist", limit=600)
    test = Corpus.open("mnist", split="test", limit=500)
    trained = train(corpus, test=test, recipe=Recipe(pictures=3600))
    shown = torch.from_numpy(np.array(test.images)).permute(0, 3, 1, 2)
    right = (trained.network(shown).argmax(1).numpy() == test.labels).mean()
    assert trained.about["accuracy"] == pytest.approx(right)
    assert trained.about["tested_on"] == "test"
    assert right > 0.5


def test_same_recipe_same_weights_other_seed_other_weights(digits: Corpus) -> None:
    before = torch.random.get_rng_state()
    one, again = train(digits, recipe=QUICK), train(digits, recipe=QUICK)
    other = train(digits, recipe=Recipe(pictures=3000, seed=1))
    assert one.fingerprint == again.fingerprint != other.fingerprint
    assert torch.equal(before, torch.random.get_rng_state())


def test_features_do_not_depend_on_the_batch(features: Features, digits: Corpus) -> None:
    assert digits.images is not None
    some = digits.images[:50]
    whole, one = features.extract(some), features.extract(some, batch=7)
    np.testing.assert_allclose(whole.features, one.features, atol=1e-5)
    np.testing.assert_allclose(whole.logits, one.logits, atol=1e-4)


def test_a_classifier_is_trained_once(digits: Corpus, cache: Path) -> None:
    seen: list[tuple[int, int]] = []
    first = classifier_for(digits, recipe=QUICK, progress=lambda *now: seen.append(now))
    assert seen[-1][0] == seen[-1][1]
    count = len(seen)
    again = classifier_for(digits, recipe=QUICK, progress=lambda *now: seen.append(now))
    assert len(seen) == count
    assert first.fingerprint == again.fingerprint
    assert again.about["accuracy"] == first.about["accuracy"]
    assert cache in cache_path(digits, None, QUICK).parents


def test_a_damaged_cache_is_said_and_made_again(
    digits: Corpus, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = Recipe(pictures=2000)
    first = classifier_for(digits, recipe=recipe)
    path = cache_path(digits, None, recipe)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "intarsia.measure"):
        again = classifier_for(digits, recipe=recipe)
    assert "damaged" in caplog.text
    assert again.fingerprint == first.fingerprint == Classifier.load(path).fingerprint


def test_classes_keep_their_labels(cache: Path) -> None:
    corpus = Corpus.open("digits", classes="3,8")
    trained = train(corpus, recipe=QUICK)
    assert trained.labels == (3, 8)
    assert trained.network.head.out_features == 2


def test_a_saved_classifier_measures_data_without_labels(
    digits: Corpus, unlabelled: Corpus, features: Features, tmp_path: Path
) -> None:
    classifier_for(digits).save(tmp_path / "own.safetensors")
    found = open_features("classifier", training=unlabelled, weights=tmp_path / "own.safetensors")
    assert found.card == features.card


def test_what_cannot_be_trained_is_refused(digits: Corpus, unlabelled: Corpus) -> None:
    ones = Corpus.open("digits", classes="1")
    ragged = Corpus.from_arrays([np.zeros((8, 8), np.uint8), np.zeros((9, 8), np.uint8)], [0, 1])
    for corpus, words in (
        (unlabelled, "'unlabelled' has none.*--features inception"),
        (ones, "at least two classes"),
        (ragged, "differ in size"),
        (None, "need the training split"),
    ):
        with pytest.raises(UsageError, match=words):
            open_features("classifier", training=corpus)
    with pytest.raises(UsageError, match="'vgg'; choose from classifier, inception"):
        open_features("vgg", training=digits)


def test_other_sizes_are_refused(features: Features) -> None:
    with pytest.raises(UsageError, match="28x28x1.*takes 8x8x1"):
        features.extract(np.zeros((2, 28, 28, 1), np.uint8))


def test_features_of_a_corpus_are_computed_once_and_damage_is_noticed(
    digits: Corpus, features: Features, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = Corpus.open("digits", limit=90)
    seen: list[int] = []

    def found() -> np.ndarray:
        return corpus_features(features, corpus, progress=lambda _, done, __: seen.append(done))

    direct = features.extract(corpus.images).features
    np.testing.assert_array_equal(found(), direct)
    assert seen == [90]
    np.testing.assert_array_equal(found(), direct)
    assert seen == [90]
    (path,) = (cache / "features").glob(f"*{corpus.fingerprint[:24]}*")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "intarsia.measure"):
        np.testing.assert_array_equal(found(), direct)
    assert seen == [90, 90] and "is damaged" in caplog.text


class Malice:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("touched"),))


def damaged_files(folder: Path, whole: Path) -> dict[str, Path]:
    files = {name: folder / f"{name}{whole.suffix}" for name in ("cut", "empty", "text", "malice")}
    files["cut"].write_bytes(whole.read_bytes()[:-1000])
    files["empty"].write_bytes(b"")
    files["text"].write_bytes(b"these are no weights\n" * 100)
    files["malice"].write_bytes(pickle.dumps(Malice()))
    return files | {"missing": folder / "nowhere.pth"}


def test_damaged_classifier_weights_are_a_data_error(digits: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "whole.safetensors"
    classifier_for(digits).save(path)
    other = tmp_path / "other.safetensors"
    save_file({"head.weight": torch.zeros(3)}, other)
    for bad in (*damaged_files(tmp_path, path).values(), other):
        with pytest.raises(DataError, match=bad.name):
            open_features("classifier", weights=bad)


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the true shape and random values: the true ones need a network."""
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        torch.manual_seed(0)
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        patch.setattr(torch, "load", lambda *_, **__: None)
        network = FeatureExtractorInceptionV3("random", ["2048"], str(path))
    torch.save(network.state_dict(), path)
    return path


def test_inception_is_torch_fidelitys_own(
    inception_file: Path, digits: Corpus, tmp_path: Path
) -> None:
    assert digits.images is not None
    found = open_features("inception", weights=inception_file)
    assert found.card.name == "inception-v3-compat"
    assert found.card.dimension == 2048
    grey = digits.images[:2]
    theirs = FeatureExtractorInceptionV3(
        "inception-v3-compat", ["2048", "logits_unbiased"], str(inception_file)
    )
    shown = torch.from_numpy(np.array(grey)).permute(0, 3, 1, 2).repeat(1, 3, 1, 1)
    features, logits = theirs(shown)
    ours = found.extract(grey)
    np.testing.assert_array_equal(ours.features, features.numpy())
    np.testing.assert_array_equal(ours.logits, logits.numpy())

    plain = tmp_path / "inception.safetensors"
    save_file(torch.load(inception_file, weights_only=True), plain)
    assert weights_fingerprint(_read(plain)) == found.card.fingerprint


def test_damaged_inception_weights_are_a_data_error_and_run_no_code(
    inception_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = damaged_files(tmp_path, inception_file)
    files["other"] = tmp_path / "other.pth"
    torch.save({"fc.weight": torch.zeros(2, 2)}, files["other"])
    files["list"] = tmp_path / "list.pth"
    torch.save([torch.zeros(2)], files["list"])
    files["cut safetensors"] = tmp_path / "cut.safetensors"
    files["cut safetensors"].write_bytes(b"\x10")
    for bad in files.values():
        with pytest.raises(DataError, match=bad.name):
            open_features("inception", weights=bad)
    assert not (tmp_path / "touched").exists()


def test_without_network_inception_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(DataError, match="Network is unreachable.*--weights.*classifier"):
        open_features("inception")
    assert not list(tmp_path.iterdir())
