"""A run at a glance: its numbers, its samples in sheets, and which sample used which picture."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intarsia.explorer.pack import pack
from intarsia.explorer.run import Shown
from intarsia.files import png_bytes
from intarsia.provenance import draw
from intarsia.provenance.metrics import explained, sample_numbers

SHOWN = 1000
"""Samples of a run that the page lists: the first. It says so where there are more."""
PAGE = 100
"""Samples on one sheet."""
COLUMNS = 10
_SIDE = 96  # pixels of a sample on a sheet, at most
_BLOCK = 64


def card(run: Shown) -> dict[str, Any]:
    """Say what a run is, without reading its samples: an entry of runs.json."""
    settings, origin = run.config.settings, run.config.origin
    entropy, share = run.metrics.get("entropy", {}), run.metrics.get("top_source_share", {})
    return {
        "id": run.id,
        "title": run.title,
        "model": str(settings.get("model", "")),
        "principles": settings.get("principles"),
        "data": origin.data.rstrip("/").split("/")[-1],
        "images": origin.images,
        "fingerprint": origin.fingerprint,
        "seed": settings.get("seed"),
        "n": run.metrics.get("n"),
        "class_entropy": entropy.get("class_map"),
        "image_entropy": entropy.get("image_map"),
        "top_share": share.get("mean"),
        "has": run.has | {"training": run.corpus is not None},
    }


def summary(run: Shown, most: int = SHOWN) -> dict[str, Any]:
    """Say what a run's samples are: run.json.

    Parameters
    ----------
    most : samples to list: the first.

    Returns
    -------
    dict
        ``card`` and, of the first ``most`` samples, one list a number under ``samples``; ``sheet``
        says how sheets are laid out; ``numbers`` and ``settings`` are rows to print.
    """
    n = min(len(run), most)
    first = run.samples(slice(0, 1))
    height, width, channels = first.images.shape[1:]
    columns: dict[str, list[Any]] = {
        "number": [], "label": [], "class_entropy": [], "image_entropy": [], "top_share": [],
        "distinct": [],
    }  # fmt: skip
    for samples in _blocks(run, n):
        columns["number"] += samples.seeds.tolist()
        labels = samples.labels
        columns["label"] += [None] * len(samples) if labels is None else labels.tolist()
        for index in range(len(samples)):
            for name, value in sample_numbers(samples.sources[index]).items():
                columns[name].append(value)
    scores = run.copy_scores()
    if scores:
        columns["copy"] = [scores.get(i, {}).get("p_value") for i in range(n)]
        columns["copied"] = [scores.get(i, {}).get("copied_fraction") for i in range(n)]
    tall, wide = _thinned(height, width)
    return card(run) | {
        "n": len(run),
        "shown": n,
        "size": [height, width],
        "channels": channels,
        "evidence": first.sources.evidence,
        "class_names": list(run.config.origin.class_names),
        "why_no_training": "" if run.corpus is not None else run.why_no_corpus,
        "sheet": {"columns": COLUMNS, "page": PAGE, "size": [tall, wide]},
        "numbers": explained(run.metrics) if "entropy" in run.metrics else [],
        "settings": [[str(key), str(value)] for key, value in run.config.settings.items()],
        "samples": columns,
    }


def sheet(run: Shown, page: int, most: int = SHOWN) -> bytes:
    """Draw `PAGE` of the first ``most`` samples side by side, pixel for pixel, as PNG.

    Raises
    ------
    IndexError
        If there is no such page.
    """
    n = min(len(run), most)
    if not 0 <= page * PAGE < n:
        raise IndexError(f"The run {run.id} has sheets 0 to {(n - 1) // PAGE}, not {page}.")
    images = draw.to_rgb(run.samples(slice(page * PAGE, min(n, (page + 1) * PAGE))).images)
    height, width = images.shape[1:3]
    stride = _stride(height, width)
    images = images[:, ::stride, ::stride]
    tall, wide = images.shape[1:3]
    rows = math.ceil(len(images) / COLUMNS)
    out = np.zeros((rows * COLUMNS, tall, wide, 3), np.uint8)
    out[: len(images)] = images
    grid = out.reshape(rows, COLUMNS, tall, wide, 3).swapaxes(1, 2)
    return png_bytes(grid.reshape(rows * tall, COLUMNS * wide, 3))


def uses(run: Shown, most: int = SHOWN) -> bytes:
    """Pack which of the first ``most`` samples used which training picture, by picture.

    ``image``, ``sample`` (its index) and ``count`` of pixels, one entry a pair.
    """
    found = []
    for start, samples in enumerate(_blocks(run, min(len(run), most))):
        for index in range(len(samples)):
            image = samples.sources.image[index]
            numbers, counts = np.unique(image[image >= 0], return_counts=True)
            sample = np.full(len(numbers), start * _BLOCK + index)
            found.append(np.stack([numbers, sample, counts]))
    table = np.concatenate(found, axis=1) if found else np.zeros((3, 0), np.int64)
    image, sample, count = table[:, np.lexsort((table[1], -table[2], table[0]))]
    return pack({}, {"image": image, "sample": sample, "count": count})


def _blocks(run: Shown, n: int):  # type: ignore[no-untyped-def]
    return (run.samples(slice(at, min(n, at + _BLOCK))) for at in range(0, n, _BLOCK))


def _stride(height: int, width: int) -> int:
    return -(-max(height, width) // _SIDE)


def _thinned(height: int, width: int) -> tuple[int, int]:
    stride = _stride(height, width)
    return -(-height // stride), -(-width // stride)
