"""Numbers of runs: features opened once a data set, spread over seeds, belief of a classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from intarsia.errors import DataError, UsageError
from intarsia.reproduce.runs import Draw, Runs

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.measure import Features, Report

SURE = 0.9
"""A sample is read for certain if the classifier gives a class at least this belief."""


@dataclass(frozen=True)
class Several:
    """One number over several seeds.

    Examples
    --------
    >>> print(Several((12.0, 13.0)))
    12.50 (12.00 to 13.00)
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(self.values))

    @property
    def deviation(self) -> float:
        """Standard deviation between seeds (n - 1); NaN for one seed."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan

    def below(self, other: Several) -> bool:
        """Whether the largest value is smaller than the other's least: by more than the spread."""
        return max(self.values) < min(other.values)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return number(self.mean)
        # The spread shown is the whole of it: with two or three seeds a deviation says less.
        return f"{number(self.mean)} ({number(min(self.values))} to {number(max(self.values))})"


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What a classifier reads in pictures.

    Attributes
    ----------
    label : the corpus label of the likeliest class.
    belief : its probability.
    """

    label: Int64[np.ndarray, " n"]
    belief: Float64[np.ndarray, " n"]

    @property
    def sure(self) -> float:
        """Share of the pictures that are read with a belief of at least `SURE`."""
        return float((self.belief >= SURE).mean())


def number(value: float | None) -> str:
    """Write a number with two or three figures behind what matters; ``undefined`` for NaN."""
    if value is None or math.isnan(value):
        return "undefined"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"


class Measures:
    """Measures runs of the book.

    Parameters
    ----------
    runs : where samples and corpora come from.
    weights : a file of InceptionV3 weights; torch's own cache is looked into as well.
    """

    def __init__(self, runs: Runs, weights: Path | None = None) -> None:
        self.runs = runs
        self.weights = weights
        self._classifiers: dict[str, Features] = {}

    def classifier(self, data: str) -> Features:
        """Open the classifier features of a data set, trained on its whole training split."""
        from intarsia.measure import open_features

        key = str(self.runs.scale.corpus(data))
        if key not in self._classifiers:
            training = self.runs.corpus(data)
            self._classifiers[key] = open_features(
                "classifier",
                training=training,
                test=self._test(data),
                progress=self.runs.teller.measuring,
            )
        return self._classifiers[key]

    @cached_property
    def inception(self) -> Features | None:
        """InceptionV3, if its weights were named or are in torch's cache; nothing is fetched."""
        from intarsia.measure import open_features

        if self.weights is None and not _cached_inception().exists():
            return None
        return open_features("inception", weights=self.weights)

    def report(
        self, draw: Draw, metrics: Sequence[str], features: Features | None = None
    ) -> Report:
        """Measure one run against the whole training split of its data set.

        Parameters
        ----------
        draw : what is measured.
        metrics : as of `intarsia.measure.evaluate`.
        features : the data set's classifier by default.
        """
        from intarsia.measure import evaluate

        samples = self.runs.samples(draw)
        if set(metrics) == {"entropy"}:
            return evaluate(samples, metrics=metrics)
        return evaluate(
            samples,
            self.runs.corpus(draw.data),
            metrics,
            features or self.classifier(draw.data),
            progress=self.runs.teller.measuring,
        )

    def values(
        self, draws: Sequence[Draw], metrics: Sequence[str], features: Features | None = None
    ) -> dict[str, Several]:
        """Measure runs of several seeds: every number of every metric, by name.

        A metric with one number goes by its own name (``fid``), the others by those of their
        numbers (``class_map``, ``image_map``).
        """
        found: dict[str, list[float]] = {}
        for draw in draws:
            report = self.report(draw, metrics, features)
            for metric, result in report.results.items():
                for name, value in result.values.items():
                    found.setdefault(metric if name == "value" else name, []).append(value)
        return {name: Several(tuple(values)) for name, values in found.items()}

    def beliefs(self, data: str, images: UInt8[np.ndarray, "n h w c"]) -> Beliefs:
        """Let the classifier of a data set read pictures."""
        features = self.classifier(data)
        logits = features.extract(images, what="samples").logits
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        beliefs = shifted / shifted.sum(axis=1, keepdims=True)
        labels = self.runs.corpus(data).labels
        assert labels is not None
        return Beliefs(
            np.unique(labels)[beliefs.argmax(axis=1)].astype(np.int64), beliefs.max(axis=1)
        )

    def real(self, data: str, n: int) -> UInt8[np.ndarray, "n h w c"]:
        """Return the first pictures of the test split; the last of the corpus if it has none."""
        test = self._test(data)
        if test is not None:
            assert test.images is not None
            return np.asarray(test.images[:n])
        images = self.runs.corpus(data).images
        assert images is not None
        return np.asarray(images[-n:])

    def _test(self, data: str) -> Corpus | None:
        try:
            return self.runs.corpus(data, split="test")
        except (UsageError, DataError):
            return None


def _cached_inception() -> Path:
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    return Path(torch.hub.get_dir()) / "checkpoints" / URL_INCEPTION_V3.rsplit("/", 1)[1]
