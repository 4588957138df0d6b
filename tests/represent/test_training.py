"""Encoders trained here: masks hide, the last layer is what it says, files hold what was made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch

from intarsia.corpus import Corpus
from intarsia.errors import DataError, UsageError
from intarsia.networks.patch_net import PatchNet
from intarsia.represent import metric, open_encoder, patch_stage
from intarsia.represent.contrastive import Views
from intarsia.represent.simclr import SimCLREncoder
from intarsia.represent.spectral import SpectralPatches
from intarsia.represent.train import RECIPE, train_encoder
from intarsia.represent.views import Augmentation, growing, rectangles

SMALL = replace(RECIPE, epochs=2, batch=64, precision="float32")
WIDTHS = (16, 24, 32)


@pytest.fixture(scope="module")
def digits() -> Corpus:
    return Corpus.open("digits", resize=24, limit=320)


@pytest.fixture(scope="module")
def network(digits: Corpus) -> PatchNet:
    torch.manual_seed(0)
    phi = PatchNet(1, atoms=48, width=12, widths=WIDTHS, outputs=20)
    patch_stage.fit(phi.patches, digits)
    torch.nn.init.normal_(phi.metric)
    return phi.eval()


@pytest.fixture(scope="module")
def trained(digits: Corpus, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SimCLREncoder]:
    folder = tmp_path_factory.mktemp("encoder")
    done = train_encoder(
        digits, folder, test=digits, recipe=SMALL, widths=WIDTHS, atoms=48, command="a command"
    )
    return folder, done.phi


def pictures(corpus: Corpus, count: int) -> torch.Tensor:
    assert corpus.images is not None
    return torch.from_numpy(np.array(corpus.images[:count])).permute(0, 3, 1, 2).float() / 255


def test_known_patches_answer_as_in_the_whole_picture(digits: Corpus, network: PatchNet) -> None:
    x = pictures(digits, 6)
    known = torch.zeros(6, 24, 24, dtype=torch.bool)
    known[:, 4:22, 2:20] = True
    whole, _ = network.patches.activations(x)
    hidden = torch.where(known[:, None], x, torch.rand_like(x))
    part, there = network.patches.activations(hidden, known)
    inside = torch.zeros(5, 5, dtype=torch.bool)  # cells of which every patch is known
    inside[1:4, 1:3] = True
    torch.testing.assert_close(part[:, :, inside], whole[:, :, inside])
    assert there[0, 0].bool().sum() < 25 and there[0, 0][inside].all()


def test_a_cell_is_the_mean_of_its_known_patches(digits: Corpus, network: PatchNet) -> None:
    x = pictures(digits, 2)
    known = torch.ones(2, 24, 24, dtype=torch.bool)
    known[:, :2] = False  # the first row of patches is not whole
    part, _ = network.patches.activations(x, known)
    stage = network.patches
    white = torch.nn.functional.conv2d(x, stage.whitening, stride=2)
    white = white / (white.norm(dim=1, keepdim=True) + 0.1)
    answers = torch.einsum("bphw,kp->bkhw", white, stage.dictionary) - stage.threshold
    second = answers.clamp_min(0)[:, :, 1].unflatten(2, (5, 2)).mean(dim=3)
    torch.testing.assert_close(part[:, :, 0], second)


def test_unknown_pixels_do_not_matter(digits: Corpus, network: PatchNet) -> None:
    phi = SimCLREncoder.around(network)
    assert digits.images is not None
    known = np.zeros((24, 24), bool)
    known[6:19, 5:20] = True
    images = np.array(digits.images[:40])
    other = np.where(known[None, :, :, None], images, 255 - images)
    assert (phi.codes(images, known).values == phi.codes(other, known).values).all()
    assert (phi.codes(images, known).values != phi.codes(images, ~known).values).any()


def test_codes_do_not_depend_on_the_batch(
    digits: Corpus, trained: tuple[Path, SimCLREncoder]
) -> None:
    phi = trained[1]
    assert digits.images is not None
    known = np.zeros((24, 24), bool)
    known[4:20] = True
    together = phi.codes(digits.images[:70], known).values
    alone = [phi.codes(digits.images[at : at + 1], known).values[0] for at in (0, 33, 69)]
    assert (together[[0, 33, 69]] == alone).all()


def test_the_last_layer_solves_its_eigenvalue_problem() -> None:
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(400, 6)) @ rng.normal(size=(6, 9))
    views = [torch.from_numpy(parts + rng.normal(size=(400, 9))) for _ in range(3)]

    class Last:
        centre, metric = torch.zeros(9), torch.zeros(9, 4)

    last = Last()
    metric.fit(last, iter([[v[:150] for v in views], [v[150:] for v in views]]))
    stacked = np.stack([v.numpy() for v in views])
    centred = stacked - stacked.mean(axis=(0, 1))
    total = np.einsum("vni,vnj->ij", centred, centred) / 1200
    pairs = [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]
    between = sum(centred[a].T @ centred[b] for a, b in pairs) / 2400
    total += metric.RIDGE * np.trace(total) / 9 * np.eye(9)
    agreed, axes = scipy.linalg.eigh(between, total)
    expected = axes[:, -4:] * agreed[-4:]
    found = last.metric.double().numpy()
    signs = np.sign((expected * found).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-5)
    np.testing.assert_allclose(last.centre, views[0].mean(dim=0), atol=1e-6)


def test_growing_masks_grow_from_a_block() -> None:
    masks = growing(500, (7, 6), torch.Generator().manual_seed(1))
    counts = masks.sum(dim=(1, 2))
    assert counts.min() >= 4 and counts.max() == 42
    assert len(counts.unique()) > 30
    for mask in masks[counts < 30][:50]:
        rows, cols = torch.nonzero(mask, as_tuple=True)
        height, width = int(rows.max() - rows.min()) + 1, int(cols.max() - cols.min()) + 1
        assert int(mask.sum()) >= (height - 2) * (width - 2)  # all but the last shell is full


def test_rectangles_are_rectangles_of_half_a_side_or_more() -> None:
    for mask in rectangles(200, (7, 6), torch.Generator().manual_seed(2)):
        rows, cols = torch.nonzero(mask, as_tuple=True)
        height, width = int(rows.max() - rows.min()) + 1, int(cols.max() - cols.min()) + 1
        assert int(mask.sum()) == height * width and height >= 4 and width >= 3


def test_augmentations_repeat_with_their_seed_and_leave_the_global_one(digits: Corpus) -> None:
    augment = Augmentation((24, 24), 1)
    x = pictures(digits, 5)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    assert torch.equal(augment(x, 3), augment(x, 3))
    assert not torch.equal(augment(x, 3), augment(x, 4))
    assert torch.equal(before, torch.get_rng_state())


def test_folder_holds_what_was_trained(digits: Corpus, trained: tuple[Path, SimCLREncoder]) -> None:
    folder, phi = trained
    again = open_encoder(str(folder), digits)
    assert again.fingerprint == phi.fingerprint
    assert digits.images is not None
    known = np.ones((24, 24), bool)
    assert (again.codes(digits.images[:9], known).values
            == phi.codes(digits.images[:9], known).values).all()  # fmt: skip
    config = json.loads((folder / "config.json").read_text())
    assert config["training"]["fingerprint"] == digits.fingerprint
    assert 0.5 < config["training"]["knn"] <= 1
    card = (folder / "README.md").read_text()
    assert digits.fingerprint in card and "a command" in card and "nearest neighbours" in card
    assert not list(folder.glob("views*"))


def test_interrupted_training_ends_with_the_same_codes(
    digits: Corpus, trained: tuple[Path, SimCLREncoder], tmp_path: Path
) -> None:
    def stop(state: object) -> None:
        if getattr(state, "done", 0) == 7:
            raise KeyboardInterrupt

    common = {"test": digits, "recipe": SMALL, "widths": WIDTHS, "atoms": 48}
    with pytest.raises(KeyboardInterrupt):
        train_encoder(digits, tmp_path, on_step=stop, **common)  # type: ignore[arg-type]
    done = train_encoder(digits, tmp_path, resume=True, **common)  # type: ignore[arg-type]
    assert done.phi.fingerprint == trained[1].fingerprint


def test_views_may_be_drawn_anew_in_every_step(digits: Corpus, tmp_path: Path) -> None:
    fresh = Views(drawn=0)
    done = train_encoder(
        digits, tmp_path, recipe=replace(SMALL, epochs=1), views=fresh, widths=WIDTHS, atoms=48
    )
    assert done.history.rows[0]["loss"] > 0
    assert digits.images is not None
    assert done.phi.corpus_codes(digits.images[:3]).any()


def test_spectral_encoder_is_read_back_as_it_was_fitted(digits: Corpus) -> None:
    phi = SpectralPatches(atoms=40, width=8, outputs=16).fit(digits)
    again = SpectralPatches(atoms=40, width=8, outputs=16).with_state(phi.state())
    assert phi.fingerprint == again.fingerprint
    assert digits.images is not None
    assert (phi.corpus_codes(digits.images) == again.corpus_codes(digits.images)).all()
    with pytest.raises(ValueError):
        SpectralPatches(atoms=41, width=8, outputs=16).with_state(phi.state())


def test_pictures_too_small_are_refused(tmp_path: Path) -> None:
    small = Corpus.open("digits", limit=100)
    with pytest.raises(UsageError, match="12x12"):
        train_encoder(small, tmp_path / "no")
    assert not (tmp_path / "no").exists()
    with pytest.raises(UsageError, match="12x12"):
        SpectralPatches().fit(small)


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("intarsia.represent.simclr.WEIGHTS", tmp_path)
    with pytest.raises(DataError, match="mnist"):
        SimCLREncoder.shipped("mnist")
