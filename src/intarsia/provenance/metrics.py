"""The numbers of a run, and a sentence on each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia.provenance.entropy import map_entropies
from intarsia.provenance.part_whole import part_whole
from intarsia.provenance.top_sources import distinct_sources, top_share
from intarsia.provenance.windows import SIDE

if TYPE_CHECKING:
    from intarsia.samples import Samples, Sources

_SEGMENTED = 256  # samples cut into segments, a few milliseconds each
_QUANTILES = {"min": 0, "p5": 5, "p25": 25, "median": 50, "p75": 75, "p95": 95, "max": 100}


def run_metrics(samples: Samples, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Compute what metrics.json holds.

    Parameters
    ----------
    samples : at least one.
    extra : what else the caller knows (seconds, empty pools); stored under ``run``.

    Returns
    -------
    dict
        Plain JSON types. None stands for what is undefined: no labels, no window without a seed.
        ``entropy`` (nats), ``top_source_share`` and ``distinct_sources`` (of drawn pixels, over
        samples), ``pool`` (quantiles over drawn pixels), ``part_whole`` by kind of region.
    """
    sources = samples.sources
    entropies = map_entropies(sources)
    share, distinct = top_share(sources), distinct_sources(sources)
    drawn = (sources.step >= 0) & (sources.image >= 0)
    pool = sources.pool[drawn]
    segmented = samples[:_SEGMENTED]
    return {
        "n": len(samples),
        "evidence": sources.evidence,
        "entropy": {
            "window": SIDE,
            "class_map": _number(entropies.class_map),
            "image_map": _number(entropies.image_map),
            "class_map_drawn": _number(entropies.class_map_drawn),
            "image_map_drawn": _number(entropies.image_map_drawn),
        },
        "top_source_share": {"mean": _mean(share), "max": _most(share)},
        "distinct_sources": {
            "mean": _mean(distinct),
            "min": _most(distinct, least=True),
            "max": _most(distinct),
        },
        "pool": {
            "mean": _mean(pool),
            **{
                name: float(np.percentile(pool, at)) if pool.size else None
                for name, at in _QUANTILES.items()
            },
        },
        "part_whole": {
            "windows": part_whole(samples).summary(),
            "segments": {
                "samples": len(segmented),
                **part_whole(segmented, "segments").summary(),
            },
        },
        "run": dict(extra or {}),
    }


def sample_numbers(sources: Sources) -> dict[str, float | None]:
    """Compute the numbers of one sample that it is sorted by.

    Parameters
    ----------
    sources : of one sample.

    Returns
    -------
    dict
        ``class_entropy`` and ``image_entropy`` (nats, over all windows), ``top_share`` and
        ``distinct`` (source images of drawn pixels). None stands for what is undefined.
    """
    entropies = map_entropies(sources)
    distinct = _number(distinct_sources(sources)[0])
    return {
        "class_entropy": _number(entropies.class_map),
        "image_entropy": _number(entropies.image_map),
        "top_share": _number(top_share(sources)[0]),
        "distinct": None if distinct is None else int(distinct),
    }


def explained(metrics: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Give (name, value, one line on what it means) for each number worth reading.

    Parameters
    ----------
    metrics : as `run_metrics` returns.
    """
    entropy, pool = metrics["entropy"], metrics["pool"]
    share, distinct = metrics["top_source_share"], metrics["distinct_sources"]
    windows, segments = metrics["part_whole"]["windows"], metrics["part_whole"]["segments"]
    side = entropy["window"]
    highest = f"{math.log(side * side):.2f}"
    rows = [
        (
            "Class-map entropy",
            _text(entropy["class_map"]),
            f"Mixing of source classes within {side}x{side} windows, from 0 (one class) to "
            f"{highest}. Low: neighbouring pixels agree on what they depict.",
        ),
        (
            "Image-map entropy",
            _text(entropy["image_map"]),
            f"The same for source images, from 0 (one image) to {highest}. High: each region is "
            "put together from many images.",
        ),
        (
            "The two, away from the seed",
            f"{_text(entropy['class_map_drawn'])} and {_text(entropy['image_map_drawn'])}",
            "Only over windows without a given pixel: a seed is one piece of one image.",
        ),
        (
            "Share of the top source",
            f"{_text(share['mean'], '.0%')} (at most {_text(share['max'], '.0%')})",
            "Of the drawn pixels, how many came from the training image used most. Near 100%: a "
            "copy.",
        ),
        (
            "Source images per picture",
            f"{_text(distinct['mean'], '.0f')} ({_text(distinct['min'], '.0f')} to "
            f"{_text(distinct['max'], '.0f')})",
            "How many different training images the drawn pixels came from.",
        ),
        (
            "Pool size",
            f"{_text(pool['median'], '.0f')} (5% to 95%: {_text(pool['p5'], '.0f')} to "
            f"{_text(pool['p95'], '.0f')})",
            "Median number of candidates a pixel was drawn from. 1 leaves no choice.",
        ),
        (
            "Part-whole windows",
            _text(windows["part_whole"], ".0%"),
            f"Share of {side}x{side} windows whose drawn pixels are mostly of one class, and "
            "from several images, none with the majority.",
        ),
        (
            "Part-whole segments",
            _text(segments["part_whole"], ".0%"),
            "The same for connected parts of the picture (strokes, sky), by area.",
        ),
    ]
    for name, value in _flat(metrics["run"]):
        rows.append((name.replace("_", " ").capitalize(), value, "Reported by the run."))
    return rows


def _flat(tree: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            out += _flat(value, f"{name}, ")
        else:
            out.append((name, f"{value:.4g}" if isinstance(value, float) else str(value)))
    return out


def _text(value: float | None, form: str = ".2f") -> str:
    return "undefined" if value is None else format(value, form)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _most(values: np.ndarray, *, least: bool = False) -> float | None:
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    return float(known.min() if least else known.max())
