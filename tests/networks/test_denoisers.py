"""Paper C's networks: what a pixel sees, what shifts, and what a training leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from intarsia import Corpus
from intarsia.errors import DataError, UsageError
from intarsia.networks.denoiser import Denoiser, DenoiserSettings
from intarsia.networks.denoising import Denoising
from intarsia.networks.resnet import FIELD, ResNet
from intarsia.networks.saved import open_network
from intarsia.networks.train import train_denoiser
from intarsia.networks.training import Recipe
from intarsia.networks.unet import UNet

QUICK = Recipe(epochs=2, batch=16, rate=2e-3, decay=0.0, warm_up=0.0, schedule="halving")
OPENED = {"data": "digits", "limit": 48}


def made(kind: type[Denoiser], **settings: Any) -> Denoiser:
    torch.manual_seed(0)
    widths = (6,) if kind is ResNet else (4, 6, 8)
    return kind(DenoiserSettings(1, widths, **settings)).double().eval()


def seen(network: Denoiser, side: int, row: int, col: int) -> np.ndarray:
    """Which pixels the output at one place depends on."""
    torch.manual_seed(1)
    x = torch.randn(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    network(x, torch.tensor([0.5], dtype=torch.float64))[0, 0, row, col].backward()
    assert x.grad is not None
    return (x.grad[0, 0] != 0).numpy()


@pytest.mark.parametrize("padding", ["zero", "circular"])
def test_a_pixel_of_the_resnet_sees_17_by_17_and_not_one_more(padding: str) -> None:
    field = seen(made(ResNet, padding=padding), 32, 16, 15)
    expected = np.zeros((32, 32), bool)
    expected[16 - 8 : 16 + 9, 15 - 8 : 15 + 9] = True
    np.testing.assert_array_equal(field, expected)
    assert FIELD == 17


def test_at_a_corner_the_field_is_cut_off_or_wraps() -> None:
    cut = seen(made(ResNet), 32, 0, 0)
    assert cut[:9, :9].all() and cut.sum() == 81
    wrapped = seen(made(ResNet, padding="circular"), 32, 0, 0)
    assert wrapped.sum() == 17 * 17 and wrapped[-8:, -8:].all()


def test_a_pixel_of_the_unet_sees_the_whole_picture() -> None:
    assert seen(made(UNet), 32, 16, 16).all()


@pytest.mark.parametrize(("padding", "equivariant"), [("circular", True), ("zero", False)])
def test_a_circular_resnet_commutes_with_shifts_and_a_padded_one_does_not(
    padding: str, equivariant: bool
) -> None:
    network = made(ResNet, padding=padding)
    x = torch.randn(2, 1, 12, 12, dtype=torch.float64)
    t = torch.tensor([0.2, 0.9], dtype=torch.float64)
    moved = network(x.roll((3, 5), (2, 3)), t)
    assert torch.allclose(moved, network(x, t).roll((3, 5), (2, 3))) is equivariant


@pytest.mark.parametrize("kind", [ResNet, UNet])
def test_nothing_normalises_and_nothing_passes_between_pictures(kind: type[Denoiser]) -> None:
    network = made(kind)
    assert not [m for m in network.modules() if "Norm" in type(m).__name__]
    x = torch.randn(3, 1, 16, 16, dtype=torch.float64)
    t = torch.full((3,), 0.4, dtype=torch.float64)
    torch.testing.assert_close(network(x, t)[1:2], network(x[1:2], t[1:2]))


@pytest.mark.parametrize("kind", [ResNet, UNet])
def test_time_and_class_matter_everywhere(kind: type[Denoiser]) -> None:
    network = made(kind, classes=3)
    x = torch.randn(1, 1, 8, 8, dtype=torch.float64).expand(3, -1, -1, -1)
    t = torch.tensor([0.3, 0.3, 0.7], dtype=torch.float64)
    first, other_class, other_time = network(x, t, torch.tensor([0, 2, 0]))
    assert (first != other_class).all() and (first != other_time).all()
    with pytest.raises(UsageError, match="class-conditional"):
        network(x, t)
    with pytest.raises(UsageError, match="not class-conditional"):
        made(kind)(x, t, torch.tensor([0, 0, 0]))


def test_batches_are_training_pictures_under_the_noise_of_the_cosine_schedule() -> None:
    from intarsia.models.schedule import Cosine

    corpus = Corpus.open("digits", limit=48)
    task = Denoising(ResNet(DenoiserSettings(1, (4,), classes=10)), corpus)
    batches = list(task.batches(16, torch.Generator().manual_seed(0)))
    assert len(batches) == task.batch_count(16) == 3
    found = []
    for batch in batches:
        assert batch.labels is not None
        levels = [Cosine().alpha_bar(float(t)) for t in batch.t]
        for x, noise, level, label in zip(batch.x, batch.noise, levels, batch.labels, strict=True):
            if level > 0.05:
                clean = (x - (1 - level) ** 0.5 * noise) / level**0.5
                pixels = np.rint((clean[0].numpy() + 1) * 127.5).astype(np.uint8)
                assert corpus.images is not None and corpus.labels is not None
                same = (corpus.images[..., 0] == pixels).all(axis=(1, 2))
                assert same.any() and label in corpus.labels[same]
                found.append(int(np.flatnonzero(same)[0]))
        assert torch.equal((batch.t * 16).floor(), torch.arange(16).float())
    assert len(set(found)) == len(found) > 30


@pytest.mark.parametrize(
    ("kind", "widths", "padding", "conditional"),
    [("resnet", (6,), "circular", True), ("unet", (4, 6, 8), "zero", False)],
)
def test_a_training_learns_and_is_read_back_to_the_same_outputs(
    tmp_path: Path, kind: str, widths: tuple[int, ...], padding: str, conditional: bool
) -> None:
    corpus = Corpus.open("digits", limit=48)
    trained = train_denoiser(
        kind, corpus, tmp_path, opened=OPENED, widths=widths, padding=padding,
        conditional=conditional, recipe=Recipe(**{**vars(QUICK), "epochs": 12}),
    )  # fmt: skip
    rows = trained.history.rows
    assert rows[-1]["loss"] < 0.8 * rows[0]["loss"]
    again = open_network(tmp_path)
    assert (again.kind, again.size, again.pictures) == (kind, (8, 8), 48)
    assert again.corpus == OPENED and again.fingerprint == corpus.fingerprint
    assert again.classes == (10 if conditional else 0)
    x, t = torch.randn(2, 1, 8, 8), torch.tensor([0.3, 0.6])
    labels = torch.tensor([1, 2]) if conditional else None
    with torch.inference_mode():
        assert torch.equal(again.network(x, t, labels), trained.saved.network(x, t, labels))


def test_weights_of_another_architecture_are_named(tmp_path: Path) -> None:
    corpus = Corpus.open("digits", limit=48)
    for kind, widths in (("resnet", (6,)), ("unet", (4, 6, 8))):
        train_denoiser(kind, corpus, tmp_path / kind, opened=OPENED, widths=widths, recipe=QUICK)
    weights = load_file(tmp_path / "unet" / "model.safetensors")
    save_file(weights, tmp_path / "resnet" / "model.safetensors")
    with pytest.raises(DataError, match="another architecture"):
        open_network(tmp_path / "resnet")
    config = tmp_path / "unet" / "config.json"
    config.write_text(json.dumps({"architectures": ["ViT"]}))
    with pytest.raises(DataError, match="another architecture"):
        open_network(tmp_path / "unet")
    config.write_text("{")
    with pytest.raises(DataError, match=r"config\.json"):
        open_network(tmp_path / "unet")
    with pytest.raises(UsageError, match="no folder"):
        open_network(tmp_path / "nowhere")


def test_a_training_that_has_not_ended_is_no_network(tmp_path: Path) -> None:
    corpus = Corpus.open("digits", limit=48)

    def stop(state: Any) -> None:
        if state.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_denoiser(
            "resnet", corpus, tmp_path, opened=OPENED, widths=(4,), recipe=QUICK, on_step=stop
        )
    with pytest.raises(UsageError, match="--resume"):
        open_network(tmp_path)


def test_sizes_and_shapes_that_do_not_fit_are_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    odd = Corpus.open("digits", limit=48, resize=10)
    with pytest.raises(UsageError, match=r"10x10.*--resize 8"):
        train_denoiser("unet", odd, tmp_path / "a", opened=OPENED, recipe=QUICK)
    corpus = Corpus.open("digits", limit=48)
    for widths, padding, word in (
        ((4, 4), "zero", "--width"),
        ((0,), "zero", "--width"),
        ((4,), "mirror", "--padding"),
    ):
        with pytest.raises(UsageError, match=word):
            train_denoiser(
                "resnet", corpus, tmp_path / "a", opened=OPENED, widths=widths, padding=padding,
                recipe=QUICK,
            )  # fmt: skip
    nameless = Corpus.from_arrays(np.zeros((20, 8, 8), np.uint8))
    with pytest.raises(UsageError, match="--conditional"):
        train_denoiser(
            "resnet", nameless, tmp_path / "a", opened=OPENED, widths=(4,), conditional=True,
            recipe=QUICK,
        )  # fmt: skip
    assert not (tmp_path / "a").exists()
