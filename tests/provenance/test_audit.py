"""The audit finds what was planted, with its sources, and hardly anything else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from intarsia import Corpus
from intarsia.errors import UsageError
from intarsia.provenance.audit import Audit, audit
from intarsia.provenance.calibration import calibration_pictures, discoveries, interval, p_values
from intarsia.provenance.planted import GENUINE, KINDS, Planted, plant
from intarsia.provenance.sample_set import SampleSet

TRAINING, HELD_OUT, CALIBRATED = 2000, 400, 150


@pytest.fixture(scope="module", params=["mnist", "fashion-mnist", "cifar10"])
def audited(request: pytest.FixtureRequest, intarsia_data: Path) -> tuple[Planted, Audit]:
    corpus = Corpus.open(request.param, limit=TRAINING)
    held_out = Corpus.open(request.param, split="test", limit=HELD_OUT)
    planted = plant(corpus, held_out, each=8, genuine=60, calibrated=CALIBRATED)
    return planted, audit(planted.samples, corpus, held_out, count=CALIBRATED)


@pytest.mark.parametrize("kind", list(KINDS))
def test_planted_copies_are_found_with_the_right_sources(
    audited: tuple[Planted, Audit], kind: str
) -> None:
    planted, found = audited
    assert planted.found(found, kind) == (8, 8)


def test_false_alarms_are_rare(audited: tuple[Planted, Audit]) -> None:
    planted, found = audited
    alarms, genuine = planted.found(found, GENUINE)
    assert genuine == 60 and alarms <= 0.05 * genuine


def test_what_is_copied_is_outlined(audited: tuple[Planted, Audit]) -> None:
    planted, found = audited
    for kind, finding in zip(planted.kinds, found.findings, strict=True):
        if kind == "exact":
            assert finding.is_equal and finding.copied_fraction == 1 and finding.mask.all()
        if kind == "halves":
            assert len(finding.scored.sources) == 2 and finding.copied_fraction > 0.9


def test_the_report_is_plain_json(audited: tuple[Planted, Audit]) -> None:
    _, found = audited
    report = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert report["rate"] == found.copies / len(found.findings)
    low, high = report["rate_interval"]
    assert low <= report["rate"] <= high
    assert {"name", "p_value", "source_image", "psnr", "copied_fraction"} <= set(
        report["samples"][0]
    )
    assert report["samples"][0]["name"].endswith(".png")


def test_genuine_pictures_alone_are_declared_no_more_often_than_promised(
    intarsia_data: Path,
) -> None:
    corpus = Corpus.open("fashion-mnist", limit=TRAINING)
    held_out = Corpus.open("fashion-mnist", split="test", limit=HELD_OUT)
    free = np.setdiff1d(np.arange(HELD_OUT), calibration_pictures(HELD_OUT, CALIBRATED))[:100]
    images = held_out.images[free]
    samples = SampleSet(images, tuple(f"{i}.png" for i in free))
    found = audit(samples, corpus, held_out, count=CALIBRATED)
    p = np.array([one.p_value for one in found.findings])
    assert found.copies <= 0.05 * len(p)
    assert 0.3 < p.mean() < 0.7  # p-values of genuine pictures are spread evenly


def test_training_pictures_are_no_held_out_ones(intarsia_data: Path) -> None:
    corpus = Corpus.open("mnist", limit=200)
    samples = SampleSet(corpus.images[:2], ("0.png", "1.png"))
    with pytest.raises(UsageError, match="training pictures themselves"):
        audit(samples, corpus, Corpus.open("mnist", limit=200))


def test_the_least_number_of_copies_that_can_be_declared_is_said(
    audited: tuple[Planted, Audit],
) -> None:
    _, found = audited
    count, samples = len(found.held_out), len(found.findings)
    least = found.least_copies
    for copies in (least - 1, least):
        p = np.ones(samples)
        p[:copies] = 1 / (1 + count)
        assert discoveries(p).sum() == (copies if copies == least else 0)


def test_p_values_count_ties_as_high() -> None:
    assert p_values(np.array([2.0, 3.0, 9.0]), np.array([1.0, 2.0, 2.0, 3.0])).tolist() == [
        4 / 5,
        2 / 5,
        1 / 5,
    ]


def test_benjamini_hochberg_takes_every_p_value_up_to_the_last_that_passes() -> None:
    p = np.array([0.012, 0.5, 0.024, 0.036, 0.9])  # each just above 0.01, 0.02, 0.03
    assert discoveries(p, 0.05).tolist() == [False] * 5
    p = np.array([0.012, 0.5, 0.024, 0.029, 0.9])  # the third passes, and so the first two
    assert discoveries(p, 0.05).tolist() == [True, False, True, True, False]


def test_intervals_hold_the_share() -> None:
    assert interval(0, 20)[0] == 0 and interval(20, 20)[1] == 1
    low, high = interval(3, 20)
    # Clopper and Pearson 1934: each tail of the binomial is 2.5 %.
    from scipy.stats import binom

    assert binom.sf(2, 20, low) == pytest.approx(0.025)
    assert binom.cdf(3, 20, high) == pytest.approx(0.025)
