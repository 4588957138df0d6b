"""The accuracy of nearest neighbours equals an obvious loop, ties and masks included."""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.measure.neighbours import half_known, neighbour_accuracy
from intarsia.represent import LowResolution

PHI = LowResolution(2)


def part(first: int, stop: int) -> Corpus:
    whole = Corpus.open("digits")
    assert whole.images is not None and whole.labels is not None
    return Corpus.from_arrays(whole.images[first:stop], whole.labels[first:stop])


def obvious(corpus: Corpus, test: Corpus, known: np.ndarray, k: int) -> float:
    """One test picture at a time, one training picture at a time."""
    assert corpus.images is not None and corpus.labels is not None
    assert test.images is not None and test.labels is not None
    trained = PHI.corpus_codes(corpus.images).astype(np.float64)
    right = 0
    for image, label in zip(test.images, test.labels, strict=True):
        codes = PHI.codes(image[None], known)
        asked = codes.values[0, codes.known].astype(np.float64)
        similar = []
        for row in trained[:, codes.known]:
            similar.append(asked @ row / np.linalg.norm(row))
        near = np.argsort(-np.array(similar), kind="stable")[:k]
        votes = np.bincount(corpus.labels[near].astype(int), minlength=10)
        right += int(votes.argmax() == label)
    return right / len(test)


@pytest.mark.parametrize("k", [1, 7, 20])
@pytest.mark.parametrize("half", [False, True])
def test_accuracy_equals_the_obvious_loop(k: int, half: bool) -> None:
    corpus, test = part(0, 300), part(300, 360)
    known = half_known((8, 8)) if half else np.ones((8, 8), bool)
    found = neighbour_accuracy(PHI, corpus, test, known=known, neighbours=k)
    assert found == pytest.approx(obvious(corpus, test, known, k))
    assert 0.5 < found <= 1


def test_half_of_a_canvas_is_its_middle() -> None:
    known = half_known((32, 32))
    assert 0.45 < known.mean() < 0.55
    assert known[16, 16] and not known[0].any() and not known[:, 0].any()


def test_labels_are_asked_for() -> None:
    corpus = Corpus.open("digits", limit=50)
    assert corpus.images is not None
    bare = Corpus.from_arrays(corpus.images)
    with pytest.raises(UsageError, match="needs labels"):
        neighbour_accuracy(PHI, bare, corpus)
