"""Real corpora, opened once."""

from __future__ import annotations

from pathlib import Path

import pytest

from intarsia.corpus import Corpus


@pytest.fixture(scope="session")
def mnist(intarsia_data: Path) -> Corpus:
    return Corpus.open("mnist", limit=3000, cache=False)


@pytest.fixture(scope="session")
def few(mnist: Corpus) -> Corpus:
    """300 digits of MNIST, for models that look at every place."""
    return Corpus.from_arrays(mnist.images[:300], mnist.labels[:300])


@pytest.fixture(scope="session")
def cifar10(intarsia_data: Path) -> Corpus:
    return Corpus.open("cifar10", limit=2000, cache=False)
