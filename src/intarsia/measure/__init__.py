"""What samples are worth: FID, KID, IS, precision, recall, entropies, the nearest picture."""

from __future__ import annotations

from intarsia.measure.checks import METRICS
from intarsia.measure.evaluate import evaluate, evaluate_runs
from intarsia.measure.features import FeatureCard, Features, open_features
from intarsia.measure.nearest import Nearest, nearest
from intarsia.measure.report import Reference, Report, Result, rank

__all__ = [
    "METRICS",
    "FeatureCard",
    "Features",
    "Nearest",
    "Reference",
    "Report",
    "Result",
    "evaluate",
    "evaluate_runs",
    "nearest",
    "open_features",
    "rank",
]
