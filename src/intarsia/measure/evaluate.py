"""Measure runs: FID, KID, IS, precision and recall by torch-fidelity, entropies, nearest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.measure.checks import (
    METRICS,
    NEIGHBOURS,
    SEED,
    SPLITS,
    SUBSET,
    SUBSETS,
    WITH_FEATURES,
    WITH_REFERENCE,
    check_metrics,
    require_enough,
    require_enough_for_fid,
    require_one_corpus,
    require_sources,
    warnings_of,
)
from intarsia.measure.features import (
    DIMENSIONS,
    Extracted,
    Features,
    check_name,
    corpus_features,
    open_features,
    require_fidelity,
)
from intarsia.measure.nearest import FINALISTS, check_shape, nearest
from intarsia.measure.report import Reference, Report, Result
from intarsia.samples import Samples

Progress = Callable[[str, int, int], None]
Run = Samples | str | Path


@dataclass(frozen=True, eq=False)
class _Reference:
    """A reference whose features are computed once, for all runs."""

    corpus: Corpus
    features: Float64[np.ndarray, "n d"] | None
    statistics: dict[str, np.ndarray] | None


def evaluate(
    run: Run,
    reference: Corpus | None = None,
    metrics: Sequence[str] = METRICS,
    features: str | Features = "classifier",
    *,
    training: Corpus | None = None,
    test: Corpus | None = None,
    weights: str | Path | None = None,
    batch: int = 256,
    progress: Progress | None = None,
) -> Report:
    """Measure one run; see `evaluate_runs`."""
    return evaluate_runs(
        [run],
        reference,
        metrics,
        features,
        training=training,
        test=test,
        weights=weights,
        batch=batch,
        progress=progress,
    )[0]


def evaluate_runs(
    runs: Sequence[Run],
    reference: Corpus | None = None,
    metrics: Sequence[str] = METRICS,
    features: str | Features = "classifier",
    *,
    training: Corpus | None = None,
    test: Corpus | None = None,
    weights: str | Path | None = None,
    batch: int = 256,
    progress: Progress | None = None,
) -> list[Report]:
    """Measure runs made from one corpus, with the same features and reference.

    Everything is checked before anything is computed. Nothing is written but a trained classifier
    and the features of the reference, into the cache.

    Parameters
    ----------
    runs : samples, or run folders.
    reference : pictures to compare with, of the samples' size. Needed but for ``is`` (with
        given features) and ``entropy``. The split is part of every result.
    metrics : some of `METRICS`, in any order.
    features : a name for `open_features`, or features that are open already.
    training, test, weights : for `open_features`; ``training`` is ``reference`` where that is
        a training split.
    batch : pictures that features are computed of at once.
    progress : called with (what is done, so many done, so many in all).

    Returns
    -------
    list of Report
        In the order of ``runs``.

    Raises
    ------
    UsageError
        If a name is unknown, the runs come from several corpora, sizes do not fit, a metric
        has too few samples, or labels are needed and missing.
    DataError
        If a run folder is incomplete (it must hold its sources), or weights are damaged.
    """
    chosen = check_metrics(metrics)
    if isinstance(features, str):
        check_name(features)
    if not runs:
        raise UsageError("There are no runs to measure. Name at least one.")
    names, samples = _opened(runs)
    require_one_corpus(names, samples)
    needed = sorted(WITH_REFERENCE & set(chosen))
    if reference is None and needed:
        raise UsageError(
            f"{', '.join(needed)} compare with a reference, and none was named. Say --reference "
            "with the data the run was made from, or leave them out of --metrics."
        )
    for name, one in zip(names, samples, strict=True):
        if reference is not None:
            check_shape(one.images, reference)
        require_enough(name, one, reference, chosen)
        require_sources(name, one, chosen)
    if "fid" in chosen:
        known = features.card.dimension if isinstance(features, Features) else DIMENSIONS[features]
        require_enough_for_fid(names, samples, reference, known)
    opened = None
    if WITH_FEATURES & set(chosen):
        if training is None and reference is not None and reference.split == "train":
            training = reference
        opened = _features(features, samples, training, test, weights, progress)
    measured = _measured_reference(reference, opened, chosen, batch, progress)
    return [
        _measure(name, one, measured, opened, chosen, batch, progress)
        for name, one in zip(names, samples, strict=True)
    ]


def _opened(runs: Sequence[Run]) -> tuple[list[str], list[Samples]]:
    names, samples = [], []
    for at, run in enumerate(runs):
        if isinstance(run, Samples):
            names.append(f"run {at}" if len(runs) > 1 else "the run")
            samples.append(run)
        else:
            names.append(str(run))
            samples.append(Samples.load(run))
    return names, samples


def _features(
    features: str | Features,
    samples: Sequence[Samples],
    training: Corpus | None,
    test: Corpus | None,
    weights: str | Path | None,
    progress: Progress | None,
) -> Features:
    if isinstance(features, str):
        if features == "classifier" and weights is None and training is not None:
            check_shape(samples[0].images, training)
        features = open_features(
            features, training=training, test=test, weights=weights, progress=progress
        )
    else:
        require_fidelity()
    for one in samples:
        features.check(one.images, "a sample")
    return features


def _measured_reference(
    corpus: Corpus | None,
    features: Features | None,
    metrics: Sequence[str],
    batch: int,
    progress: Progress | None,
) -> _Reference | None:
    if corpus is None:
        return None
    if features is None or not {"fid", "kid", "precision", "recall"} & set(metrics):
        return _Reference(corpus, None, None)
    found = corpus_features(features, corpus, batch=batch, progress=progress)
    return _Reference(corpus, found, _statistics(found) if "fid" in metrics else None)


def _measure(
    name: str,
    samples: Samples,
    reference: _Reference | None,
    features: Features | None,
    metrics: Sequence[str],
    batch: int,
    progress: Progress | None,
) -> Report:
    results: dict[str, Result] = {}
    if features is not None:
        found = features.extract(samples.images, batch=batch, what=name, progress=progress)
        results |= _by_features(found, reference, features, metrics)
    if "entropy" in metrics:
        results["entropy"] = _entropy(samples)
    if "nearest" in metrics:
        assert reference is not None
        results["nearest"] = _nearest(samples, reference.corpus, progress)
    ordered = {metric: results[metric] for metric in metrics}
    corpus = None if reference is None else reference.corpus
    warnings = warnings_of(name, samples, corpus, ordered)
    return Report(name, len(samples), samples.origin, ordered, warnings)


def _by_features(
    found: Extracted, reference: _Reference | None, features: Features, metrics: Sequence[str]
) -> dict[str, Result]:
    """Compute what torch-fidelity computes, by its own functions."""
    import torch
    from torch_fidelity.metric_fid import fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    card, count = features.card, len(found)
    out: dict[str, Result] = {}
    if "is" in metrics:
        score = isc_features_to_metric(torch.from_numpy(found.logits), SPLITS, True, SEED)
        out["is"] = Result(
            "is",
            count,
            {"value": score["inception_score_mean"], "std": score["inception_score_std"]},
            card,
            settings={"splits": SPLITS, "seed": SEED},
        )
    if reference is None or reference.features is None:
        return out
    theirs, whole = reference.features, Reference.of(reference.corpus)
    if "fid" in metrics:
        distance = fid_statistics_to_metric(
            _statistics(found.features), reference.statistics, False
        )
        value = {"value": distance["frechet_inception_distance"]}
        out["fid"] = Result("fid", count, value, card, whole)
    if "kid" in metrics:
        size = min(SUBSET, count, len(theirs))
        distance = kid_features_to_metric(
            torch.from_numpy(found.features),
            torch.from_numpy(theirs),
            kid_subsets=SUBSETS,
            kid_subset_size=size,
            rng_seed=SEED,
            verbose=False,
        )
        out["kid"] = Result(
            "kid",
            count,
            {
                "value": distance["kernel_inception_distance_mean"],
                "std": distance["kernel_inception_distance_std"],
            },
            card,
            whole,
            {"subset_size": size, "subsets": SUBSETS, "seed": SEED},
        )
    if {"precision", "recall"} & set(metrics):
        # Radii of balls depend on how many pictures there are: take equally many of both.
        size = min(count, len(theirs))
        near = prc_features_to_metric(
            torch.from_numpy(found.features[_some(count, size)]),
            torch.from_numpy(theirs[_some(len(theirs), size)]),
            prc_neighborhood=NEIGHBOURS,
            prc_batch_size=1000,
            save_cpu_ram=True,
            verbose=False,
        )
        for metric in ("precision", "recall"):
            if metric in metrics:
                out[metric] = Result(
                    metric,
                    size,
                    {"value": near[metric]},
                    card,
                    Reference.of(reference.corpus, size),
                    {"neighbours": NEIGHBOURS, "seed": SEED},
                )
    return out


def frechet_distance(one: Float64[np.ndarray, "n d"], other: Float64[np.ndarray, "m d"]) -> float:
    """Return the Frechet distance (FID) of two sets of features, as torch-fidelity computes it."""
    from torch_fidelity.metric_fid import fid_statistics_to_metric

    found = fid_statistics_to_metric(_statistics(one), _statistics(other), False)
    return float(found["frechet_inception_distance"])


def _statistics(features: Float64[np.ndarray, "n d"]) -> dict[str, np.ndarray]:
    import torch
    from torch_fidelity.metric_fid import fid_features_to_statistics

    statistics: dict[str, np.ndarray] = fid_features_to_statistics(torch.from_numpy(features))
    return statistics


def _some(count: int, size: int) -> Int64[np.ndarray, " m"]:
    """Return ``size`` of ``count`` numbers, the same every time."""
    return np.sort(np.random.default_rng(SEED).permutation(count)[:size])


def _entropy(samples: Samples) -> Result:
    from intarsia.provenance import map_entropies, top_share
    from intarsia.provenance.windows import SIDE

    entropies, share = map_entropies(samples.sources), top_share(samples.sources)
    drawn = share[~np.isnan(share)]
    return Result(
        "entropy",
        len(samples),
        {
            "image_map": entropies.image_map,
            "class_map": entropies.class_map,
            "image_map_drawn": entropies.image_map_drawn,
            "class_map_drawn": entropies.class_map_drawn,
            "top_source_share": float(drawn.mean()) if drawn.size else float("nan"),
            "top_source_share_max": float(drawn.max()) if drawn.size else float("nan"),
        },
        settings={"window": SIDE, "stride": 1, "logarithm": "natural"},
    )


def _nearest(samples: Samples, corpus: Corpus, progress: Progress | None) -> Result:
    step = (
        None
        if progress is None
        else lambda done, total: progress("comparing with the reference", done, total)
    )
    found = nearest(samples.images, corpus, progress=step)
    finite = found.psnr[np.isfinite(found.psnr)]
    return Result(
        "nearest",
        len(samples),
        {
            "psnr": float(finite.mean()) if finite.size else float("nan"),
            "psnr_max": float(finite.max()) if finite.size else float("nan"),
            "ssim": float(found.ssim.mean()),
            "ssim_max": float(found.ssim.max()),
            "copies": float((found.squared_difference == 0).sum()),
        },
        reference=Reference.of(corpus),
        settings={"ssim_window": found.window, "ssim_finalists": min(FINALISTS, len(corpus))},
    )
