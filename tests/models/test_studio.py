"""The Studio's methods against their equations, written out."""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.models import covariance
from intarsia.models.covariance import Covariance
from intarsia.models.machines import MACHINES
from tests.models.test_score_machines import small
from tests.reference import score as reference


def rows(corpus: Corpus) -> np.ndarray:
    return reference.unit(np.array(corpus.images)).reshape(len(corpus), -1)


@pytest.mark.parametrize("count", [6, 60])
def test_wiener_is_the_linear_estimate_over_n_minus_1(count: int) -> None:
    corpus = small(1, count)
    machine = MACHINES["wiener"](corpus)
    x = machine.starting_noise(1, 0, None)
    data, level = rows(corpus), machine.schedule.alpha_bar(300)
    mean, spread = data.mean(axis=0), np.cov(data.T)
    noisy = level * spread + (1 - level) * np.eye(36)
    gain = np.sqrt(level) * spread @ np.linalg.inv(noisy)
    expected = mean + gain @ (x.reshape(-1) - np.sqrt(level) * mean)
    np.testing.assert_allclose(machine.clean(x, 300).reshape(-1), expected, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_pca_locality_is_one_softmax_over_all_pictures(channels: int) -> None:
    corpus = small(channels, 30)
    threshold, t = 0.1, 400
    machine = MACHINES["pca-locality"](corpus, mask_threshold=threshold, temperature=2)
    x = machine.starting_noise(1, 0, None)
    data, level = rows(corpus), machine.schedule.alpha_bar(t)
    values, vectors = np.linalg.eigh(np.cov(data.T))
    matrix = (vectors * (level * values / (level * values + 1 - level))) @ vectors.T
    ratio = np.abs(matrix / np.diagonal(matrix)[:, None])
    expected = np.empty(data.shape[1])
    for m in range(data.shape[1]):
        sees = ratio[:, m] >= threshold * ratio.max()
        squares = ((x.reshape(-1) - np.sqrt(level) * data)[:, sees] ** 2).sum(axis=1)
        weights = np.exp(-(squares - squares.min()) / (2 * (1 - level) * 2))
        expected[m] = weights @ data[:, m] / weights.sum()
    np.testing.assert_allclose(machine.clean(x, t).reshape(-1), expected, atol=1e-5)


def test_scfdm_without_smoothing_is_the_ideal_machine() -> None:
    ideal = MACHINES["is"](small(1), schedule="linear", steps=10)
    smooth = MACHINES["scfdm"](small(1), smoothing=1e-9)
    x = ideal.starting_noise(1, 0, None)
    np.testing.assert_allclose(smooth.clean(x, 500), ideal.clean(x, 500), atol=1e-6)
    rough = MACHINES["scfdm"](small(1), smoothing=2.0)
    assert np.abs(rough.clean(x, 100) - ideal.clean(x, 100)).max() > 1e-3


def test_nearest_compares_x_itself_and_obeys_the_pixel_law() -> None:
    corpus = small(3)
    machine = MACHINES["nearest"](corpus)
    x = 3 * machine.starting_noise(2, 0, None)
    expected = ((x.reshape(2, 1, -1) - rows(corpus)) ** 2).sum(axis=2).argmin(axis=1)
    belief = machine.estimate(x, 900).belief
    np.testing.assert_array_equal(belief.image[:, 0, 0], expected)
    machine.sample(3, seed=1).check_pixel_law(corpus)


def test_defaults_are_the_studios() -> None:
    for name in ("wiener", "pca-locality", "scfdm", "nearest"):
        machine = MACHINES[name](small(1))
        assert (machine.schedule.name, machine.settings.steps) == ("linear", 10)
    assert MACHINES["wiener"](small(1)).sample(1).sources.evidence == "none"


def test_a_covariance_is_factorised_once_and_kept(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covariance, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(covariance, "_KEPT_FROM", 2)
    first = MACHINES["wiener"](small(1))
    monkeypatch.setattr(Covariance, "factorised", None)
    second = MACHINES["wiener"](small(1))
    x = first.starting_noise(1, 0, None)
    assert first.clean(x, 500).tobytes() == second.clean(x, 500).tobytes()
    (kept,) = (tmp_path / "covariance").glob("*.npz")
    kept.write_bytes(b"damaged")
    monkeypatch.undo()
    monkeypatch.setattr(covariance, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(covariance, "_KEPT_FROM", 2)
    third = MACHINES["wiener"](small(1))
    assert first.clean(x, 500).tobytes() == third.clean(x, 500).tobytes()


def test_one_picture_has_no_covariance() -> None:
    with pytest.raises(UsageError, match="at least 2 pictures"):
        MACHINES["wiener"](small(1, 1))
