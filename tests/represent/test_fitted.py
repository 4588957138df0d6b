"""Encoders fitted to a corpus: pca and kmeans, and what the cache keeps of them."""

from __future__ import annotations

import logging
from functools import cache

import numpy as np
import pytest
import torch

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.represent import codes_cache, fitting, open_encoder
from intarsia.represent.codes_cache import codes_path, corpus_codes
from intarsia.represent.fitting import fitted, state_path
from intarsia.represent.latent import Latent
from intarsia.represent.patch_features import PatchFeatures
from intarsia.represent.pca import PCA
from tests.pictures import colour_patches
from tests.represent.networks import half_known


@cache
def corpus():
    return Corpus.open("digits", limit=400)


@cache
def colour():
    return Corpus.from_arrays(colour_patches(60, 12))


@cache
def phi_of(kind):
    if kind == "pca":
        return PCA(20).fit(corpus())
    if kind == "kmeans":
        return PatchFeatures(filters=40, dims=30).fit(corpus())
    return PatchFeatures(filters=40, grid=2, dims=30).fit(colour())


def images_of(kind):
    return np.array((colour() if kind == "kmeans in colour" else corpus()).images)


KINDS = ("pca", "kmeans", "kmeans in colour")


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("INTARSIA_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("share", ["half", "whole", "none"])
@pytest.mark.parametrize("kind", KINDS)
def test_codes_do_not_depend_on_company(kind, share):
    phi, images = phi_of(kind), images_of(kind)[:45]
    size = images.shape[1:3]
    known = {"half": half_known(*size), "whole": np.ones(size, bool), "none": np.zeros(size, bool)}
    together = phi.codes(images, known[share])
    assert together.values.dtype == np.int8 and together.known.all()
    for at in (0, 3, 4, 31, 44):
        alone = phi.codes(images[at : at + 1], known[share]).values[0]
        assert (alone == together.values[at]).all()
    assert together.values.any() == (share != "none")


@pytest.mark.parametrize("kind", KINDS)
def test_codes_do_not_depend_on_the_number_of_threads(kind):
    phi, images = phi_of(kind), images_of(kind)[:45]
    known, before, found = half_known(*images.shape[1:3]), torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(phi.codes(images, known).values)
    finally:
        torch.set_num_threads(before)
    assert (found[0] == found[1]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_what_unknown_pixels_hold_does_not_matter(kind):
    phi, images = phi_of(kind), images_of(kind)[:20]
    known = half_known(*images.shape[1:3])
    noise = np.random.default_rng(0).integers(0, 256, images.shape, np.uint8)
    other = np.where(known[..., None], images, noise)
    assert (phi.codes(other, known).values == phi.codes(images, known).values).all()


@pytest.mark.parametrize("kind", KINDS)
def test_half_a_picture_is_nearer_to_its_whole_than_chance(kind):
    phi, images = phi_of(kind), images_of(kind)
    whole = phi.corpus_codes(images).astype(int)
    known = np.zeros(images.shape[1:3], bool)
    known[: len(known) * 2 // 3] = True
    half = phi.codes(images, known).values.astype(int)
    dist = ((half[:, None] - whole[None]) ** 2).sum(-1)
    ranks = (dist < np.diag(dist)[:, None]).sum(1)
    assert np.median(ranks) < len(images) / 20


@pytest.mark.parametrize("kind", KINDS)
def test_fitting_again_gives_the_same(kind):
    phi = phi_of(kind)
    again = phi.fit(colour() if kind == "kmeans in colour" else corpus())
    assert again.fingerprint == phi.fingerprint


def test_pca_is_the_posterior_mean_of_tipping_and_bishop():
    phi, images = phi_of("pca"), np.array(corpus().images[:30])
    known = half_known(8, 8)
    latent, seen = phi.latent, known.reshape(-1)
    x = images.reshape(30, -1).astype(float) - 128
    weight = latent.weight[seen]
    expected = np.empty((30, 20))
    for row in range(30):
        inner = weight.T @ weight + latent.noise * np.eye(20)
        z = np.linalg.inv(inner) @ weight.T @ (x[row] - latent.mean)[seen]
        z = z * latent.spread**latent.power
        expected[row] = 127 * z / np.linalg.norm(z)
    found = phi.codes(images, known).values
    assert np.abs(found - expected).max() <= 0.5001


def test_the_latent_holds_the_largest_variances():
    x = np.random.default_rng(0).normal(size=(500, 12)) * np.arange(1, 13)
    latent = Latent.fit(x, 5, 0.5)
    top = np.sort(np.linalg.eigvalsh(np.cov(x.T)))[::-1]
    np.testing.assert_allclose(latent.spread, top[:5], rtol=1e-4)
    assert latent.noise == pytest.approx(top[5:].mean(), rel=1e-4)
    np.testing.assert_allclose((latent.weight**2).sum(0), latent.spread - latent.noise, rtol=1e-4)


def test_a_sketch_finds_what_the_whole_covariance_shows(monkeypatch):
    x = np.array(corpus().images).reshape(400, -1).astype(np.float64)
    exact = Latent.fit(x, 10, 0.25)
    monkeypatch.setattr("intarsia.represent.latent._EXACT", 0)
    sketch = Latent.fit(x, 10, 0.25)
    np.testing.assert_allclose(sketch.spread, exact.spread, rtol=1e-3)
    assert np.abs(sketch.weight - exact.weight).max() < 0.02 * np.abs(exact.weight).max()


def test_kmeans_features_equal_a_slow_loop():
    phi, images = phi_of("kmeans in colour"), images_of("kmeans in colour")[:3]
    known = half_known(12, 12)
    known[:6] = True
    bank, side = phi.bank, 4
    filters, whiten = bank.filters.double().numpy(), bank.whiten.double().numpy()
    found = phi.features(images, known).reshape(3, 4, 40)
    for image, features in zip(images, found, strict=True):
        cells = {cell: [] for cell in range(4)}
        for row in range(9):
            for col in range(9):
                if known[row : row + side, col : col + side].all():
                    patch = image[row : row + side, col : col + side].astype(float)
                    x = patch.transpose(2, 0, 1).ravel()
                    x = (x - x.mean()) / np.sqrt(x.var() + 10)
                    z = np.sqrt((((x - bank.shift.numpy()) @ whiten - filters) ** 2).sum(1))
                    cells[row * 2 // 9 * 2 + col * 2 // 9].append(np.maximum(z.mean() - z, 0))
        assert cells[0] and cells[1]
        for cell, activations in cells.items():
            mean = np.mean(activations, axis=0) if activations else np.zeros(40)
            assert np.abs(features[cell] - np.sqrt(mean) * 4096).max() < 40


def test_an_encoder_that_is_not_fitted_says_so():
    with pytest.raises(UsageError, match="pca is fitted to a corpus first"):
        PCA().codes(np.zeros((1, 8, 8, 1), np.uint8), np.ones((8, 8), bool))
    with pytest.raises(UsageError, match="'kmeans' is fitted to a corpus"):
        open_encoder("kmeans")


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_another_shape_are_refused(kind):
    with pytest.raises(UsageError, match="was fitted to pictures of .* not 7x7x1"):
        phi_of(kind).codes(np.zeros((1, 7, 7, 1), np.uint8), np.ones((7, 7), bool))


def test_pictures_of_several_sizes_are_refused(cache_folder):
    mixed = Corpus.from_arrays([np.zeros((8, 8), np.uint8), np.zeros((9, 8), np.uint8)])
    with pytest.raises(UsageError, match="--resize"):
        open_encoder("pca", mixed)


@pytest.mark.parametrize("images", [np.zeros((5, 8, 8), np.uint8), corpus().images[:1]])
@pytest.mark.parametrize("spec", ["pca", "kmeans"])
def test_a_corpus_without_any_variety_can_be_fitted(spec, images, cache_folder):
    flat = Corpus.from_arrays(images)
    codes = open_encoder(spec, flat).codes(flat.images, np.ones((8, 8), bool)).values
    assert (codes == codes[0]).all()


def test_a_fitted_encoder_is_kept_and_read_back(cache_folder, monkeypatch):
    first = fitted(PCA(9), corpus())
    monkeypatch.setattr(PCA, "fit", None)
    again = fitted(PCA(9), corpus())
    assert again.fingerprint == first.fingerprint
    known = half_known(8, 8)
    assert (again.codes(corpus().images, known).values
            == first.codes(corpus().images, known).values).all()  # fmt: skip
    assert state_path(PCA(9), corpus()) != state_path(PCA(8), corpus())
    assert state_path(PCA(9), corpus()) != state_path(PCA(9), Corpus.open("digits", limit=399))


@pytest.mark.parametrize("how", ["cut", "flipped", "text", "other"])
def test_a_damaged_state_is_fitted_again_with_a_warning(how, cache_folder, caplog):
    first = fitted(PCA(9), corpus())
    path = state_path(PCA(9), corpus())
    content = bytearray(path.read_bytes())
    if how == "cut":
        content = content[:-8]
    elif how == "flipped":
        content[-3] ^= 1
    elif how == "text":
        content = bytearray(b"hello")
    else:
        fitted(PCA(8), corpus())
        content = bytearray(state_path(PCA(8), corpus()).read_bytes())
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "intarsia"):
        again = fitted(PCA(9), corpus())
    assert again.fingerprint == first.fingerprint
    assert "fitting the encoder again" in caplog.text and str(path) in caplog.text
    assert fitting._cached(path, PCA(9)) is not None


def test_a_cache_that_cannot_be_written_is_only_a_warning(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("INTARSIA_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING, "intarsia"):
        phi = fitted(PCA(9), corpus())
        codes = corpus_codes(phi, corpus())
    assert codes.shape == (400, 9)
    assert (
        "encoder is not kept" in caplog.text and "codes of the corpus are not kept" in caplog.text
    )


def test_codes_of_a_corpus_are_kept_and_mapped(cache_folder, monkeypatch):
    phi = phi_of("pca")
    fresh = np.array(corpus_codes(phi, corpus()))
    monkeypatch.setattr(PCA, "codes", None)
    mapped = corpus_codes(phi, corpus())
    assert isinstance(mapped, np.memmap) and (mapped == fresh).all()
    other = Corpus.open("digits", limit=399)
    assert codes_path(phi, corpus()) != codes_path(phi, other)
    assert codes_path(phi, corpus()) != codes_path(phi_of("kmeans"), corpus())


@pytest.mark.parametrize("how", ["cut", "flipped", "text", "empty", "float"])
def test_damaged_codes_are_made_again_with_a_warning(how, cache_folder, caplog):
    phi = phi_of("pca")
    fresh = np.array(corpus_codes(phi, corpus()))
    path = codes_path(phi, corpus())
    content = bytearray(path.read_bytes())
    if how == "float":
        np.save(path, fresh.astype(np.float32))
    else:
        content[-40] ^= 1
        cut = {"cut": content[:-5], "flipped": content, "text": b"hello", "empty": b""}
        path.write_bytes(cut[how])
    with caplog.at_level(logging.WARNING, "intarsia"):
        assert (corpus_codes(phi, corpus()) == fresh).all()
    assert "encoding the corpus again" in caplog.text
    assert codes_cache._cached(path, 400) is not None


def test_quick_encoders_are_not_cached(cache_folder):
    corpus_codes(open_encoder("lowres"), corpus())
    assert not (cache_folder / "codes").exists()


def test_a_patch_level_encoder_is_fitted_to_neighbourhoods(cache_folder):
    phi = open_encoder("patch:pca6", corpus(), patch_side=5)
    assert phi.side == 5 and phi.phi.shape == (5, 5, 1)
    assert phi.fingerprint == phi.phi.fingerprint
    with pytest.raises(UsageError, match="15x15 pixels.*8x8.*patch:lowres"):
        open_encoder("patch:pca6", corpus())
