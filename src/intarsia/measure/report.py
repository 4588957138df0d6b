"""Results that say what they are, and may be ranked only with their like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.measure.features import FeatureCard
from intarsia.samples import Origin

BETTER: dict[str, int] = {"fid": -1, "kid": -1, "is": 1, "precision": 1, "recall": 1}
"""The metrics that can be ranked: 1 where more is better, -1 where less is."""


@dataclass(frozen=True)
class Reference:
    """The pictures that samples are compared with.

    Attributes
    ----------
    data, split, fingerprint : as of the corpus.
    images : how many entered the result.
    """

    data: str
    split: str
    fingerprint: str
    images: int

    @classmethod
    def of(cls, corpus: Corpus, images: int | None = None) -> Reference:
        """Describe a corpus, or a number of its pictures."""
        count = len(corpus) if images is None else images
        return cls(str(corpus.name), corpus.split, corpus.fingerprint, count)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "data": self.data,
            "split": self.split,
            "fingerprint": self.fingerprint,
            "images": self.images,
        }


@dataclass(frozen=True)
class Result:
    """One metric of one run.

    Attributes
    ----------
    metric : its name, as ``--metrics`` takes it.
    images : how many samples entered it.
    values : its numbers; ``value`` is the one to quote. NaN where one is undefined.
    features : what it sees of a picture; None where it sees pixels or sources.
    reference : what it compares with; None where it compares with nothing.
    settings : what else decides the value (splits, subsets, neighbours, windows).
    """

    metric: str
    images: int
    values: dict[str, float]
    features: FeatureCard | None = None
    reference: Reference | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The number to quote: the first."""
        return next(iter(self.values.values()))

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types; None stands for what is undefined or infinite."""
        return {
            **{name: _finite(value) for name, value in self.values.items()},
            "images": self.images,
            "features": None if self.features is None else self.features.as_dict(),
            "reference": None if self.reference is None else self.reference.as_dict(),
            "settings": dict(self.settings),
        }


@dataclass(frozen=True)
class Report:
    """What was measured of one run.

    Attributes
    ----------
    run : the folder, or what the caller named it.
    images : how many samples it has.
    origin : the corpus it was made from.
    results : by metric.
    warnings : sentences a reader of the numbers must know.
    """

    run: str
    images: int
    origin: Origin
    results: dict[str, Result]
    warnings: tuple[str, ...] = ()

    def __getitem__(self, metric: str) -> Result:
        try:
            return self.results[metric]
        except KeyError:
            found = ", ".join(self.results)
            raise UsageError(f"{self.run} has no {metric!r} measured, only {found}.") from None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, as ``intarsia evaluate --json`` prints a run."""
        return {
            "run": self.run,
            "images": self.images,
            "corpus": {
                "data": self.origin.data,
                "split": self.origin.split,
                "images": self.origin.images,
                "fingerprint": self.origin.fingerprint,
            },
            "metrics": {name: result.as_dict() for name, result in self.results.items()},
            "warnings": list(self.warnings),
        }


def rank(reports: Sequence[Report], metric: str) -> list[Report]:
    """Order reports by a metric, best first.

    Raises
    ------
    UsageError
        If the metric has no best, or the results do not measure the same: other features or
        weights, another reference, other settings, or, where their number biases the value
        (fid, is, precision, recall), another number of samples.
    """
    if metric not in BETTER:
        raise UsageError(f"{metric!r} has no better and worse; rank by {', '.join(BETTER)}.")
    results = [report[metric] for report in reports]
    for report, result in zip(reports[1:], results[1:], strict=True):
        _require_alike(reports[0].run, results[0], report.run, result)
    order = sorted(range(len(reports)), key=lambda at: -BETTER[metric] * results[at].value)
    return [reports[at] for at in order]


def _require_alike(first: str, one: Result, second: str, other: Result) -> None:
    pairs: list[tuple[str, Any, Any]] = [
        ("features", one.features, other.features),
        ("a reference", one.reference, other.reference),
        ("settings", one.settings, other.settings),
    ]
    if one.metric != "kid":
        pairs.append(("a number of samples", one.images, other.images))
    for what, ours, theirs in pairs:
        if ours != theirs:
            raise UsageError(
                f"The {one.metric} of {first} and of {second} cannot be ranked together: they "
                f"differ in {what} ({_words(ours)}; {_words(theirs)}). Evaluate both in one call."
            )


def _words(value: Any) -> str:
    if isinstance(value, Reference):
        return f"{value.data} {value.split} {value.fingerprint[:12]}, {value.images:,} images"
    return str(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
