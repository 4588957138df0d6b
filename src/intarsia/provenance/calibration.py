"""How often genuine, unseen pictures score as high: p-values, and control of false discoveries."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64, Int64

from intarsia.corpus.locate import cache_folder
from intarsia.errors import IntarsiaError, UsageError
from intarsia.files import make_folder, save_npz
from intarsia.provenance import copy_score

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.provenance.copy_score import CopyScorer

log = logging.getLogger("intarsia.provenance")

HELD_OUT = 1000
"""Genuine pictures scored. A p-value is never below 1 / (HELD_OUT + 1)."""


def held_out_scores(
    scorer: CopyScorer,
    held_out: Corpus,
    count: int = HELD_OUT,
    progress: Callable[[int, int], None] | None = None,
) -> Float64[np.ndarray, " m"]:
    """Return the scores of genuine pictures, from the cache if they were ever computed.

    Parameters
    ----------
    scorer : bound to the training images.
    held_out : pictures the model has not seen, of the same size and channels.
    count : how many of them, drawn without replacement by a fixed seed; all if there are fewer.

    Raises
    ------
    UsageError
        If held-out pictures are those of the corpus, or of another size.
    """
    corpus = scorer.corpus
    if held_out.fingerprint == corpus.fingerprint:
        raise UsageError(
            "The held-out pictures are the training pictures themselves, against which every "
            "score looks ordinary. Name pictures the model has not seen with --holdout."
        )
    from intarsia.measure.nearest import check_shape

    if held_out.images is None:
        held_out.size  # noqa: B018  (says that the sizes differ)
    assert held_out.images is not None
    check_shape(held_out.images[:1], corpus)
    names = (corpus.fingerprint[:24], held_out.fingerprint[:24], f"{count}-{copy_score.VERSION}")
    path = cache_folder() / "calibration" / ("-".join(names) + ".npz")
    try:
        with np.load(path, allow_pickle=False) as kept:
            return np.asarray(kept["scores"], np.float64)
    except (OSError, ValueError, KeyError, EOFError):
        pass
    found = scorer.scores(held_out.images[calibration_pictures(len(held_out), count)], progress)
    scores = np.array([one.score for one in found])
    try:
        make_folder(path.parent)
        save_npz(path, scores=scores)
    except IntarsiaError as error:
        log.warning("the calibration is not kept: %s", error)
    return scores


def calibration_pictures(pictures: int, count: int) -> Int64[np.ndarray, " m"]:
    """Return which of so many held-out pictures are scored, ascending: drawn by a fixed seed."""
    return np.sort(np.random.default_rng(0).permutation(pictures)[:count])


def p_values(
    scores: Float64[np.ndarray, " n"], held_out: Float64[np.ndarray, " m"]
) -> Float64[np.ndarray, " n"]:
    """Return (1 + #{held-out scores >= s}) / (1 + m) for each score s.

    If the picture is as genuine as the held-out ones, its p-value is at most u with a probability
    of at most u (a conformal p-value).

    References
    ----------
    S. Bates, E. Candes, L. Lei, Y. Romano, M. Sesia, "Testing for outliers with conformal
    p-values", Annals of Statistics 2023, section 2.2.

    Examples
    --------
    >>> p_values(np.array([0.5, 9.0]), np.array([0.1, 0.2, 0.5]))
    array([0.5 , 0.25])
    """
    ranked = np.sort(held_out)
    as_high = len(ranked) - np.searchsorted(ranked, scores, side="left")
    return np.asarray((1 + as_high) / (1 + len(ranked)))


def discoveries(p: Float64[np.ndarray, " n"], rate: float = 0.05) -> Bool[np.ndarray, " n"]:
    """Return which of n hypotheses are rejected at a false-discovery rate (Benjamini-Hochberg).

    References
    ----------
    Y. Benjamini, Y. Hochberg, JRSS B 57, 1995. Conformal p-values that share one held-out set
    depend on each other positively, and the control holds (Bates et al. 2023, theorem 2).

    Examples
    --------
    >>> discoveries(np.array([0.01, 0.9, 0.03, 0.6]))
    array([ True, False, False, False])
    """
    order = np.sort(p)
    allowed = rate * np.arange(1, len(p) + 1) / max(1, len(p))
    passed = np.flatnonzero(order <= allowed)
    return p <= order[passed[-1]] if len(passed) else np.zeros(len(p), bool)


def interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) confidence interval of a share.

    Examples
    --------
    >>> tuple(round(end, 3) for end in interval(0, 10))
    (0.0, 0.308)
    """
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, trials - successes + 1))
    high = 1.0
    if successes < trials:
        high = float(beta.ppf(1 - tail, successes + 1, trials - successes))
    return low, high
