"""One sample as the page needs it: pixels, sources, maps, candidates, steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from intarsia.explorer.pack import pack
from intarsia.explorer.run import Arrays, Shown, checked_index
from intarsia.explorer.training import training_block
from intarsia.provenance import draw, maps
from intarsia.provenance.colours import (
    CLASS_COLOURS,
    class_colours,
    hex_of,
    id_colours,
    ramp_colours,
)
from intarsia.provenance.metrics import sample_numbers
from intarsia.provenance.top_sources import top_sources
from intarsia.samples import Samples

TOP = 8
TRIMMED = 40
"""Candidates a pixel that static pages carry: the nearest."""


def sample_block(run: Shown, index: int) -> bytes:
    """Pack a sample: ``pixels`` [H, W, 3], the nine source arrays, and a map of each kind.

    Maps are the colours of `intarsia.provenance.maps`, ``map_image`` and so on, uint8 [H, W, 3].
    """
    samples = run.samples(slice(checked_index(run, index), index + 1))
    sources = samples.sources
    pictures = {
        "image": maps.image_map,
        "class": maps.class_map,
        "place": maps.place_map,
        "step": maps.step_map,
        "pool": maps.pool_map,
        "distance": maps.distance_map,
    }
    arrays = {name: value[0] for name, value in sources.arrays().items()}
    arrays["pixels"] = draw.to_rgb(samples.images)[0]
    for name, painted in pictures.items():
        arrays[f"map_{name}"] = painted(sources)[0]
    return pack(_meta(run, samples, index), arrays)


def sources_block(run: Shown, index: int) -> bytes:
    """Pack the training pictures that a sample's pixels came from, the most used first.

    Raises
    ------
    LookupError
        If the training pictures are not open.
    """
    image = run.samples(slice(checked_index(run, index), index + 1)).sources.image
    numbers, counts = np.unique(image[image >= 0], return_counts=True)
    return training_block(_corpus(run), numbers[np.argsort(-counts, kind="stable")].tolist())


def pools_block(run: Shown, index: int, most: int | None = None) -> bytes:
    """Pack the candidates of each pixel of a sample, the nearest first.

    Parameters
    ----------
    most : carry only so many a pixel; ``meta.trimmed`` says so.

    Returns
    -------
    bytes
        As `pack`: ``start`` and ``count`` [H, W], and for each candidate ``image``, ``row``,
        ``col``, ``distance`` (weighted sum of squared differences) and, where the training
        pictures are open, ``label`` and ``value``, the pixel it would have given [m, C].

    Raises
    ------
    LookupError
        If the run kept no pools.
    """
    arrays = _members(run, index, most)
    if run.corpus is not None:
        if run.corpus.labels is not None:
            arrays["label"] = run.corpus.labels[arrays["image"]]
        arrays["value"] = run.corpus[arrays["image"], arrays["row"], arrays["col"]]
    return pack({"trimmed": most}, arrays)


def pool_sources_block(run: Shown, index: int, most: int) -> bytes:
    """Pack the training pictures of the nearest candidates of a sample, for static pages.

    Raises
    ------
    LookupError
        If the training pictures are not open, or no pools were kept.
    """
    numbers, counts = np.unique(_members(run, index, most)["image"], return_counts=True)
    return training_block(_corpus(run), numbers[np.argsort(-counts, kind="stable")].tolist())


def steps_block(run: Shown, index: int) -> bytes:
    """Pack the reverse steps of a sample, noisiest first.

    ``x``, ``clean`` uint8 [T, H, W, 3]; beliefs [T, H, W] as in steps.npz, with the ``label`` of
    the heaviest source; ``map_image``, ``map_class`` and ``map_weight``, their colours, uint8
    [T, H, W, 3]; ``side`` [T], the window's.

    Raises
    ------
    LookupError
        If the run kept no steps.
    """
    from intarsia.dictionary.whole import to_pixels  # loads torch, which no other block needs

    steps = run.steps(checked_index(run, index))
    if steps is None:
        raise LookupError("This run kept no steps. Draw it again with --keep-steps to see them.")
    arrays = {name: steps[name] for name in ("image", "row", "col", "weight", "t", "alpha_bar")}
    for name in ("x", "clean"):
        arrays[name] = draw.to_rgb(to_pixels(steps[name]))
    arrays["label"] = np.full(steps["image"].shape, -1)
    if run.corpus is not None and run.corpus.labels is not None:
        arrays["label"] = run.corpus.labels[steps["image"]]
    arrays["side"] = _sides(run.config.settings, steps["t"])
    arrays["map_image"] = id_colours(steps["image"])
    arrays["map_class"] = class_colours(arrays["label"])
    arrays["map_weight"] = ramp_colours(steps["weight"])
    return pack({}, arrays)


def _members(run: Shown, index: int, most: int | None) -> Arrays:
    """Return the candidates of each pixel, by pixel and then by distance; no labels yet."""
    pools = run.pools(checked_index(run, index))
    if pools is None:
        raise LookupError("This run kept no pools. Draw it again with --keep-pools to see them.")
    height, width = run.samples(slice(index, index + 1)).sources.shape[1:]
    place = np.repeat(pools["row"].astype(np.int64) * width + pools["col"], pools["count"])
    order = np.lexsort((pools["source_image"], pools["distance"], place))
    count = np.bincount(place, minlength=height * width)
    if most is not None:
        rank = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
        order, count = order[rank < most], np.minimum(count, most)
    return {
        "start": (np.cumsum(count) - count).reshape(height, width),
        "count": count.reshape(height, width),
        "image": pools["source_image"][order],
        "row": pools["source_row"][order],
        "col": pools["source_col"][order],
        "distance": pools["distance"][order],
        "label": np.full(len(order), -1),
    }


def _meta(run: Shown, samples: Samples, index: int) -> dict[str, Any]:
    sources, settings = samples.sources, samples.settings
    drawn = sources.step >= 0
    largest = float(np.sqrt(max(0.0, sources.distance[drawn].max(initial=0))))
    label = None if samples.labels is None else int(samples.labels[0])
    return {
        "run": run.id,
        "index": index,
        "number": int(samples.seeds[0]),
        "evidence": sources.evidence,
        "asked": None if label is None or label < 0 else samples.origin.class_words(label),
        "notes": settings.get("notes", []),
        "window": settings.get("window"),
        "epsilon": settings.get("epsilon"),
        "seeded": maps.has_seed(sources),
        "top": [
            {
                "image": use.image,
                "class": samples.origin.class_words(use.label) if use.label >= 0 else None,
                "pixels": use.pixels,
                "share": use.share,
                "given": use.seed,
                "colour": hex_of(id_colours(np.array([use.image]))[0]),
            }
            for use in top_sources(sources, 0, k=TOP)
        ],
        "legend": maps.class_legend(samples) if (sources.label >= 0).any() else [],
        "class_colours": _class_colours(samples.origin.class_names),
        "ramp": [hex_of(colour) for colour in ramp_colours(np.linspace(0, 1, 13))],
        "most": {
            "step": int(sources.step.max(initial=0)),
            "pool": int(sources.pool[drawn].max(initial=0)),
            "distance": 255 * largest,
        },
        "numbers": sample_numbers(sources),
        "has": run.has | {"training": run.corpus is not None},
    }


def _sides(settings: Mapping[str, Any], t: np.ndarray) -> np.ndarray:
    """Return the window side at each time: entry i of ``scales`` is for t = i / steps."""
    scales, steps = settings.get("scales"), settings.get("steps")
    if not isinstance(scales, list) or not isinstance(steps, int):
        return np.full(len(t), scales if isinstance(scales, int) else 1)
    entry = np.clip(np.rint(t * steps).astype(np.int64), 0, len(scales) - 1)
    return np.asarray(scales)[entry]


def _class_colours(names: tuple[str, ...]) -> list[str]:
    """Return the colour of each class, by number."""
    numbers = np.arange(max(len(names), len(CLASS_COLOURS)))
    return [hex_of(colour) for colour in class_colours(numbers)]


def _corpus(run: Shown):  # type: ignore[no-untyped-def]
    if run.corpus is None:
        raise LookupError(run.why_no_corpus or "The training pictures are not open.")
    return run.corpus
