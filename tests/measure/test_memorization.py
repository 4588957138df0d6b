"""The memorization rate by its three rules, on real digits with copies planted among them."""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.measure.memorization import memorization, novelty


@pytest.fixture(scope="module")
def training() -> Corpus:
    return Corpus.open("mnist", limit=300)


def test_planted_copies_are_counted_and_strangers_are_not(training):
    unseen = Corpus.open("mnist", split="test", limit=30).images
    assert unseen is not None and training.images is not None
    near = np.array(training.images[:5])
    near[:, 0, 0] = 200  # 200^2 / 784 is 31 dB
    far = np.array(training.images[5:10])
    far[:, :2, :2] = 255  # 4 x 255^2 / 784 is 23 dB
    samples = np.concatenate([training.images[10:15], near, far, unseen])
    found = memorization(samples, training)
    assert found.by_psnr.tolist() == [True] * 10 + [False] * 35
    summary = found.summary()
    assert summary["rate"] == pytest.approx(10 / 45)
    low, high = summary["rate_interval"]
    assert low < 10 / 45 < high
    assert summary["rate_bits"] is None
    assert novelty(found.nearest)[0] == pytest.approx(0, abs=1e-9)
    assert novelty(found.nearest)[5] == pytest.approx(200 / 255 / 28, rel=1e-6)


def test_tokens_are_compared_exactly(training):
    assert training.images is not None
    tokens = np.arange(300 * 4).reshape(300, 2, 2)
    sampled = np.stack([tokens[7], tokens[8], tokens[8] + np.array([[0, 0], [0, 1]])])
    found = memorization(
        np.array(training.images[:3]), training, tokens=sampled, training_tokens=tokens
    )
    assert found.by_bits is not None and found.by_bits.tolist() == [True, True, False]
    with pytest.raises(UsageError, match="or neither"):
        memorization(np.array(training.images[:3]), training, tokens=sampled)


def test_pictures_of_another_size_are_refused(training):
    with pytest.raises(UsageError, match="8x8x1.*28x28x1"):
        memorization(np.zeros((1, 8, 8, 1), np.uint8), training)
