"""Results are ranked with their like, or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from intarsia import Corpus, Samples, UsageError
from intarsia.measure import Features, Report, evaluate, evaluate_runs, open_features, rank
from intarsia.measure.checks import least_for_fid
from intarsia.measure.classifier import Recipe, train
from tests.provenance.made import with_sources


@pytest.fixture(scope="module")
def reports(samples: Samples, digits: Corpus, features: Features) -> list[Report]:
    noise = np.random.default_rng(0).integers(0, 256, samples.images.shape, dtype=np.uint8)
    noisy = replace(samples, images=noise)
    return evaluate_runs([noisy, samples], digits, ["is", "fid", "kid"], features)


def test_best_comes_first_whichever_way_is_better(reports: list[Report]) -> None:
    assert list(reports[0].results) == ["fid", "kid", "is"]
    for metric in ("fid", "kid", "is"):
        assert rank(reports, metric) == [reports[1], reports[0]], metric


def test_other_features_are_never_ranked_together(
    reports: list[Report], samples: Samples, digits: Corpus, tmp_path: object
) -> None:
    path = f"{tmp_path}/other.safetensors"
    train(digits, recipe=Recipe(pictures=2000, seed=9)).save(path)
    other = evaluate(samples, digits, ["fid"], open_features("classifier", weights=path))
    assert other["fid"].features is not None
    with pytest.raises(UsageError, match="differ in features.*intarsia-classifier-"):
        rank([reports[1], other], "fid")


def test_other_references_and_other_numbers_are_not_ranked_together(
    reports: list[Report], samples: Samples, digits: Corpus, features: Features
) -> None:
    some = Corpus.open("digits", limit=1000)
    for other, words in (
        (evaluate(samples, some, ["fid"], features), "differ in a reference"),
        (evaluate(samples[:70], digits, ["fid"], features), "differ in a number of samples"),
    ):
        with pytest.raises(UsageError, match=words):
            rank([reports[1], other], "fid")
    with pytest.raises(UsageError, match="no 'nearest' measured|no better and worse"):
        rank(reports, "nearest")
    with pytest.raises(UsageError, match="no 'recall' measured, only fid, kid, is"):
        rank(reports, "recall")


def test_bias_and_another_corpus_are_said(
    samples: Samples, digits: Corpus, features: Features
) -> None:
    some = Corpus.open("digits", limit=1000)
    report = evaluate(samples, some, ["fid", "kid", "is"], features)
    own, reference, corpus = report.warnings
    assert "80 samples, fewer than 2,048: fid is biased, upwards" in own
    assert "is is biased, downwards" in own
    assert "the reference has 1,000 pictures" in reference
    assert "is compared with" in corpus
    assert not evaluate(samples, digits, ["entropy"]).warnings


def test_fid_of_fewer_pictures_is_greater(digits: Corpus, features: Features) -> None:
    """The bias that the warning speaks of."""
    from tests.measure.test_fidelity import _copies

    assert digits.images is not None
    half = Corpus.from_arrays(np.array(digits.images[::2]), digits.labels[::2])
    other = np.array(digits.images[1::2])
    few, many = (
        evaluate(_copies(images), half, ["fid"], features)["fid"].value
        for images in (other[:100], other)
    )
    assert few > many


def test_a_map_without_sources_has_no_entropy(samples: Samples) -> None:
    nothing = np.full_like(samples.sources.image, -1)
    with pytest.raises(UsageError, match="names no source of any pixel"):
        evaluate(with_sources(samples, image=nothing), metrics=["entropy"])


def test_fid_needs_more_pictures_than_dimensions_unless_inception() -> None:
    assert least_for_fid(64) == 65
    assert least_for_fid(2048) == 2


def test_nearest_counts_copies(samples: Samples, digits: Corpus) -> None:
    images = np.concatenate([samples.images[:5], np.array(digits.images[:3])])
    several = replace(samples[:8], images=images)
    values = evaluate(several, digits, ["nearest"])["nearest"].values
    assert values["copies"] >= 3
    assert values["ssim_max"] == pytest.approx(1.0)
