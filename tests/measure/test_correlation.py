"""Three figures that are all called r^2 elsewhere are what their names say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

from intarsia.corpus import Corpus
from intarsia.dictionary.whole import Pictures, to_unit
from intarsia.errors import UsageError
from intarsia.measure.correlation import correlation


def digits(first: int, count: int) -> np.ndarray:
    pixels = Pictures.of(Corpus.open("digits", limit=first + count)).pixels[first:]
    return to_unit(pixels)


def test_figures_are_those_of_numpy_and_scikit_learn() -> None:
    ours, theirs = digits(0, 5), digits(5, 5)
    found = correlation(ours, theirs)
    for at in range(5):
        one, other = ours[at].ravel().astype(float), theirs[at].ravel().astype(float)
        assert found.pearson_r[at] == pytest.approx(np.corrcoef(one, other)[0, 1])
        assert found.pearson_r2[at] == pytest.approx(np.corrcoef(one, other)[0, 1] ** 2)
        assert found.r2_score[at] == pytest.approx(r2_score(other, one))


def test_scale_and_shift_matter_to_the_score_alone() -> None:
    pictures = digits(0, 4)
    found = correlation(pictures * 0.5 + 0.3, pictures)
    np.testing.assert_allclose(found.pearson_r, 1)
    assert (found.r2_score < 0.9).all()
    np.testing.assert_allclose(correlation(-pictures, pictures).pearson_r, -1)
    np.testing.assert_allclose(correlation(-pictures, pictures).pearson_r2, 1)


def test_a_constant_picture_has_no_correlation_and_is_left_out_of_medians() -> None:
    pictures = digits(0, 3)
    flat = pictures.copy()
    flat[1] = 0.5
    found = correlation(flat, pictures)
    assert np.isnan(found.pearson_r[1]) and np.isfinite(found.r2_score).all()
    assert found.medians()["pearson_r"] == pytest.approx(1)
    assert correlation(flat[1:2], flat[1:2]).medians()["r2_score"] is None


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(UsageError, match=r"\[3, 1, 8, 8\].*\[4, 1, 8, 8\]"):
        correlation(digits(0, 3), digits(0, 4))
