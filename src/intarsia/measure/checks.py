"""What must hold before anything is measured, and what must be said afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.measure.report import Result
from intarsia.samples import Samples

METRICS = ("fid", "kid", "is", "precision", "recall", "entropy", "nearest")
WITH_FEATURES = frozenset({"fid", "kid", "is", "precision", "recall"})
WITH_REFERENCE = frozenset({"fid", "kid", "precision", "recall", "nearest"})
ENOUGH = 2048
"""Fewer pictures than this, and the bias of FID is too large to be silent about."""

SPLITS = 10  # of the inception score (Salimans et al., 2016)
SUBSET, SUBSETS = 1000, 100  # of KID (Binkowski et al., 2018)
NEIGHBOURS = 3  # of precision and recall (Kynkaanniemi et al., 2019)
SEED = 2020  # torch-fidelity's own


def check_metrics(metrics: Sequence[str]) -> tuple[str, ...]:
    """Return the metrics in the order of `METRICS`, each once.

    Raises
    ------
    UsageError
        If there are none, or one is unknown.
    """
    unknown = [name for name in metrics if name not in METRICS]
    if unknown or not metrics:
        what = f"There is no metric {unknown[0]!r}" if unknown else "No metric was named"
        raise UsageError(f"{what}; choose from {', '.join(METRICS)}.")
    return tuple(name for name in METRICS if name in metrics)


def least_for_fid(dimension: int) -> int:
    """Return how many pictures FID needs on each side.

    Fewer than one more than the dimensions leave the covariance singular. With InceptionV3's
    2,048 dimensions that is common practice and has a warning; with few dimensions it is a
    mistake.
    """
    return dimension + 1 if dimension < ENOUGH else 2


def require_one_corpus(names: Sequence[str], samples: Sequence[Samples]) -> None:
    """Raise UsageError if the runs were made from several corpora."""
    first = samples[0].origin
    for name, one in zip(names, samples, strict=True):
        if one.origin.fingerprint != first.fingerprint:
            raise UsageError(
                f"{names[0]} was made from {first.data!r} ({first.images:,} images, fingerprint "
                f"{first.fingerprint[:12]}), and {name} from {one.origin.data!r} "
                f"({one.origin.images:,} images, {one.origin.fingerprint[:12]}). Runs of "
                "different corpora are measured one by one."
            )


def require_enough(
    name: str, samples: Samples, reference: Corpus | None, metrics: Sequence[str]
) -> None:
    """Raise UsageError if a metric has too few pictures whatever the features."""
    least = {"kid": 2, "is": SPLITS, "precision": NEIGHBOURS + 1, "recall": NEIGHBOURS + 1}
    for metric in metrics:
        if len(samples) < least.get(metric, 1):
            raise UsageError(
                f"{metric} needs at least {least[metric]} samples, and {name} has "
                f"{len(samples)}. Draw more, or leave {metric} out of --metrics."
            )
        if metric in WITH_REFERENCE and metric != "nearest" and reference is not None:
            _require_reference(reference, metric, least.get(metric, 1))


def require_enough_for_fid(
    names: Sequence[str], samples: Sequence[Samples], reference: Corpus | None, dimension: int
) -> None:
    """Raise UsageError if a covariance of these features is singular."""
    least = least_for_fid(dimension)
    for name, one in zip(names, samples, strict=True):
        if len(one) < least:
            raise UsageError(
                f"fid with {dimension:,} features needs at least {least:,} samples, and {name} has "
                f"{len(one):,}. Draw more, or leave fid out of --metrics."
            )
    if reference is not None:
        _require_reference(reference, "fid", least)


def _require_reference(reference: Corpus, metric: str, least: int) -> None:
    if len(reference) < least:
        raise UsageError(
            f"{metric} needs a reference of at least {least} pictures, and {reference.name!r} "
            f"({reference.split}) has {len(reference)}. Name more, or leave {metric} out."
        )


def require_sources(name: str, samples: Samples, metrics: Sequence[str]) -> None:
    """Raise UsageError if source maps are wanted where there are none."""
    if "entropy" in metrics and not (samples.sources.image >= 0).any():
        raise UsageError(
            f"{name} names no source of any pixel (evidence {samples.sources.evidence!r}), so its "
            "source maps have no entropy. Leave entropy out of --metrics."
        )


def warnings_of(
    name: str, samples: Samples, corpus: Corpus | None, results: dict[str, Result]
) -> tuple[str, ...]:
    """Say what a reader of the numbers must know."""
    effects = {
        "fid": "fid is biased, upwards",
        "kid": "kid, without bias on average, scatters widely",
        "is": "is is biased, downwards",
    }
    counts: list[tuple[str, int, tuple[str, ...]]]
    counts = [(f"{name} has {len(samples):,} samples", len(samples), ("fid", "kid", "is"))]
    if corpus is not None:
        counts.append((f"the reference has {len(corpus):,} pictures", len(corpus), ("fid", "kid")))
    out = []
    for what, count, touched in counts:
        told = [effects[metric] for metric in touched if metric in results]
        if told and count < ENOUGH:
            out.append(
                f"{what}, fewer than {ENOUGH:,}: {'; '.join(told)}. "
                "Compare only with values from equally many."
            )
    if "fid" in results and (card := results["fid"].features) is not None:
        fewest = min(len(samples), len(samples) if corpus is None else len(corpus))
        if fewest <= card.dimension:
            out.append(
                f"{fewest:,} pictures span fewer than the {card.dimension:,} dimensions of "
                f"{card.name}: a covariance is singular, and fid says little."
            )
    if corpus is not None and samples.origin.fingerprint not in ("", corpus.fingerprint):
        out.append(
            f"{name} was made from {samples.origin.data!r} {samples.origin.split} "
            f"({samples.origin.fingerprint[:12]}), and is compared with {corpus.name!r} "
            f"{corpus.split} ({corpus.fingerprint[:12]})."
        )
    return tuple(out)
