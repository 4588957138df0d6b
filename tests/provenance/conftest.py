from __future__ import annotations

import os

import pytest

from intarsia import Corpus, NonparametricSampler, Samples


@pytest.fixture(scope="session")
def mnist() -> Corpus:
    if not os.environ.get("INTARSIA_DATA"):
        pytest.skip("needs INTARSIA_DATA")
    return Corpus.open("mnist", limit=2000)


@pytest.fixture(scope="session")
def mnist_samples(mnist: Corpus) -> Samples:
    return NonparametricSampler(mnist).sample(6, seed=0)
