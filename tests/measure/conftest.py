"""Real pictures, a classifier trained on them once, and a cache that is nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from intarsia import Corpus, NonparametricSampler, Samples
from intarsia.measure import Features, open_features


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTARSIA_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def digits(cache: Path) -> Corpus:
    return Corpus.open("digits")


@pytest.fixture(scope="session")
def samples(digits: Corpus) -> Samples:
    return NonparametricSampler(digits).sample(80, seed=0)


@pytest.fixture(scope="session")
def features(digits: Corpus) -> Features:
    return open_features("classifier", training=digits)


@pytest.fixture(scope="session")
def run(samples: Samples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.save(tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture(scope="session")
def unlabelled(digits: Corpus) -> Corpus:
    return Corpus.from_arrays(np.array(digits.images), name="unlabelled")
