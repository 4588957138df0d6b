"""torch-fidelity's numbers against direct computations on the same features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch_fidelity
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from intarsia import Corpus, Samples
from intarsia.measure import Features, Report, evaluate
from intarsia.measure.evaluate import _some

METRICS = ("fid", "kid", "is", "precision", "recall")


@pytest.fixture(scope="module")
def report(samples: Samples, digits: Corpus, features: Features) -> Report:
    return evaluate(samples, digits, METRICS, features)


@pytest.fixture(scope="module")
def found(samples: Samples, digits: Corpus, features: Features) -> tuple[np.ndarray, np.ndarray]:
    assert digits.images is not None
    ours, theirs = features.extract(samples.images), features.extract(digits.images)
    return ours.features, theirs.features


def test_fid_equals_a_direct_frechet_distance(
    report: Report, found: tuple[np.ndarray, np.ndarray]
) -> None:
    (m, s), (n, t) = ((x.mean(axis=0), np.cov(x.T)) for x in found)
    direct = ((m - n) ** 2).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert report["fid"].value == pytest.approx(direct, abs=1e-3)
    assert direct > 0.1


def test_kid_equals_the_mean_of_direct_unbiased_mmds(
    report: Report, found: tuple[np.ndarray, np.ndarray]
) -> None:
    ours, theirs = found
    size = report["kid"].settings["subset_size"]
    assert size == len(ours)
    rng = np.random.RandomState(2020)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1) ** 3

    values = []
    for _ in range(100):
        a = ours[rng.choice(len(ours), size, replace=False)]
        b = theirs[rng.choice(len(theirs), size, replace=False)]
        off = ~np.eye(size, dtype=bool)
        values.append(kernel(a, a)[off].mean() + kernel(b, b)[off].mean() - 2 * kernel(a, b).mean())
    assert report["kid"].value == pytest.approx(np.mean(values), rel=1e-6)
    assert report["kid"].values["std"] == pytest.approx(np.std(values), rel=1e-6)


def test_is_equals_a_direct_computation(
    report: Report, samples: Samples, features: Features
) -> None:
    logits = features.extract(samples.images).logits
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p = p[np.random.RandomState(2020).permutation(len(p))]
    scores = []
    for part in np.split(p, 10):
        divergence = (part * (np.log(part) - np.log(part.mean(axis=0)))).sum(axis=1)
        scores.append(np.exp(divergence.mean()))
    assert report["is"].value == pytest.approx(np.mean(scores), rel=1e-9)
    assert report["is"].values["std"] == pytest.approx(np.std(scores), rel=1e-6)
    assert 1 < report["is"].value < 10


def test_precision_and_recall_equal_brute_force(
    report: Report, found: tuple[np.ndarray, np.ndarray]
) -> None:
    ours, theirs = found
    theirs = theirs[_some(len(theirs), len(ours))]

    def inside(points: np.ndarray, manifold: np.ndarray) -> float:
        radii = np.sort(cdist(manifold, manifold), axis=1)[:, 3]
        return float((cdist(points, manifold) <= radii).any(axis=1).mean())

    assert report["precision"].value == pytest.approx(inside(ours, theirs), abs=1e-6)
    assert report["recall"].value == pytest.approx(inside(theirs, ours), abs=1e-6)
    assert report["precision"].reference is not None
    assert report["precision"].reference.images == len(ours)


class Pictures(torch.utils.data.Dataset):
    def __init__(self, images: np.ndarray) -> None:
        self.images = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.images[index]


def test_calculate_metrics_finds_the_features_by_name_and_agrees(
    report: Report, samples: Samples, digits: Corpus, features: Features
) -> None:
    assert digits.images is not None
    theirs = torch_fidelity.calculate_metrics(
        input1=Pictures(samples.images),
        input2=Pictures(digits.images),
        feature_extractor=features.card.name,
        fid=True,
        kid=True,
        isc=True,
        kid_subset_size=len(samples),
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
    )
    assert theirs["frechet_inception_distance"] == pytest.approx(report["fid"].value, abs=1e-4)
    assert theirs["inception_score_mean"] == pytest.approx(report["is"].value, rel=1e-5)
    assert theirs["kernel_inception_distance_mean"] == pytest.approx(report["kid"].value, rel=1e-3)


def test_real_digits_are_better_than_noise_by_every_measure(
    digits: Corpus, features: Features
) -> None:
    assert digits.images is not None
    half = Corpus.from_arrays(np.array(digits.images[::6]), digits.labels[::6])
    other, noise = np.array(digits.images[1::6]), np.random.default_rng(0)
    values = {}
    for name, images in {
        "real": other,
        "noise": noise.integers(0, 256, other.shape, dtype=np.uint8),
    }.items():
        report = evaluate(_copies(images), half, METRICS, features)
        values[name] = {metric: report[metric].value for metric in METRICS}
    for metric, sign in {"fid": -1, "kid": -1, "is": 1, "precision": 1, "recall": 1}.items():
        assert sign * values["real"][metric] > sign * values["noise"][metric], metric
    assert values["real"]["precision"] > 0.8


def _copies(images: np.ndarray) -> Samples:
    from intarsia.samples import SOURCE_FIELDS, Sources

    shape = images.shape[:3]
    fields = {name: np.zeros(shape, kind) for name, kind in SOURCE_FIELDS.items()}
    return Samples(images, Sources(**fields))


def test_the_part_of_the_reference_is_spread_over_it_and_always_the_same() -> None:
    """Folders are sorted by class: the first pictures would be of one class."""
    some = _some(1000, 100)
    assert len(set(some.tolist())) == 100
    assert (np.histogram(some, 4, (0, 1000))[0] > 10).all()
    np.testing.assert_array_equal(some, _some(1000, 100))
    np.testing.assert_array_equal(_some(7, 7), np.arange(7))
