"""The nearest picture against one comparison after another."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from intarsia import Corpus, UsageError
from intarsia.measure import nearest
from tests.provenance.made import colour_samples, crops


def brute_force(images: np.ndarray, corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Least squared difference and its first picture, in integers, one pair at a time."""
    best, number = [], []
    for image in images.astype(np.int64):
        all_of_them = [
            int(((image - np.asarray(corpus[i], np.int64)) ** 2).sum()) for i in range(len(corpus))
        ]
        best.append(min(all_of_them))
        number.append(all_of_them.index(min(all_of_them)))
    return np.array(number), np.array(best)


def test_psnr_equals_brute_force_over_blocks(
    intarsia_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules[nearest.__module__]  # the package gives its name to the function
    corpus = Corpus.open("mnist", limit=700)
    images = np.array(Corpus.open("mnist", split="test", limit=20).images)
    number, best = brute_force(images, corpus)
    for block in (2048, 64, 7):
        monkeypatch.setattr(module, "_BLOCK", block)
        found = nearest(images, corpus)
        np.testing.assert_array_equal(found.image_by_psnr, number)
        np.testing.assert_array_equal(found.squared_difference, best)
    psnr = [
        peak_signal_noise_ratio(corpus[int(i)], image, data_range=255)
        for i, image in zip(number, images, strict=True)
    ]
    np.testing.assert_allclose(found.psnr, psnr)


def test_colour_equals_brute_force() -> None:
    images, corpus = colour_samples().images, crops()
    number, best = brute_force(images, corpus)
    found = nearest(images, corpus)
    np.testing.assert_array_equal(found.image_by_psnr, number)
    np.testing.assert_array_equal(found.squared_difference, best)


def test_equal_pictures_are_named_by_the_first_and_are_infinitely_near(digits: Corpus) -> None:
    pictures = np.array(digits.images[:50])
    corpus = Corpus.from_arrays(np.concatenate([pictures] * 30))
    found = nearest(pictures, corpus)
    np.testing.assert_array_equal(found.image_by_psnr, np.arange(50))
    assert np.isinf(found.psnr).all()
    assert not found.squared_difference.any()
    np.testing.assert_allclose(found.ssim, 1.0)


def test_black_against_white_has_no_decibel_left() -> None:
    corpus = Corpus.from_arrays(np.full((2, 64, 64, 3), 255, np.uint8))
    found = nearest(np.zeros((1, 64, 64, 3), np.uint8), corpus)
    assert found.squared_difference[0] == 64 * 64 * 3 * 255**2
    assert found.psnr[0] == 0.0


def test_ssim_is_the_best_of_the_finalists(digits: Corpus) -> None:
    corpus = Corpus.from_arrays(np.array(digits.images[:120]))
    images = np.array(digits.images[200:210])
    found = nearest(images, corpus, finalists=len(corpus))
    for at, image in enumerate(images):
        scores = [
            structural_similarity(image[..., 0], corpus[i][..., 0], win_size=7, data_range=255)
            for i in range(len(corpus))
        ]
        assert found.ssim[at] == pytest.approx(max(scores))
        assert scores[found.image_by_ssim[at]] == pytest.approx(max(scores))
    fewer = nearest(images, corpus, finalists=5)
    assert (fewer.ssim <= found.ssim + 1e-12).all()
    one = nearest(images, corpus, finalists=1)
    np.testing.assert_array_equal(one.image_by_ssim, one.image_by_psnr)


@pytest.mark.parametrize(("side", "window"), [(8, 7), (6, 5), (4, 3), (3, 3), (7, 7), (30, 7)])
def test_small_pictures_have_small_ssim_windows(side: int, window: int) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (5, side, side, 1), dtype=np.uint8)
    found = nearest(pictures[:2], Corpus.from_arrays(pictures))
    assert found.window == window
    assert np.isfinite(found.ssim).all()


def test_two_pixels_have_no_ssim() -> None:
    pictures = np.zeros((3, 2, 2, 1), np.uint8)
    assert np.isnan(nearest(pictures, Corpus.from_arrays(pictures)).ssim).all()


def test_other_sizes_are_refused(digits: Corpus) -> None:
    with pytest.raises(UsageError, match="9x8x1.*8x8x1"):
        nearest(np.zeros((1, 9, 8, 1), np.uint8), digits)
    with pytest.raises(UsageError, match="finalists is 0"):
        nearest(np.zeros((1, 8, 8, 1), np.uint8), digits, finalists=0)
