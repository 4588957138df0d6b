"""What this project is measured against: the same results, written the straightforward way.

A NumPy loop and a torch version of one step of NS+L, and a torch version of paper C's released
algorithm (patches as filters, a softmax streamed over blocks). Run as a module with one benchmark's
name; results are compared in the same run.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections import defaultdict
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from intarsia.benchmarks.machines import CASES, SIDE, STEPS, Case
from intarsia.benchmarks.nonparametric import square_gflops
from intarsia.corpus import Corpus
from intarsia.dictionary import Query
from intarsia.models import NonparametricSampler
from intarsia.models.machines import MACHINES
from intarsia.reduce import keys, least_distance

FEW = 50
"""Pictures that machines are compared on: the straightforward version takes minutes on 200."""

QUERIES = 64
_FILTERS = 4096


def streamed(
    queries: Tensor, dictionary: Tensor, values: Tensor, alpha_bar: float, total: list[Tensor]
) -> None:
    """Add one block of patches to maximum, denominator and numerator of a softmax.

    Parameters
    ----------
    queries, dictionary, values : [Q, D], [K, D], [K, C].
    total : [Q, 1], [Q, 1] and [Q, C]; changed in place.
    """
    scaled = math.sqrt(alpha_bar) * dictionary
    squared = (queries**2).sum(1, keepdim=True) + (scaled**2).sum(1) - 2 * queries @ scaled.T
    logits = -squared / (2 * (1 - alpha_bar))
    most = torch.maximum(total[0], logits.amax(1, keepdim=True))
    kept, weights = torch.exp(total[0] - most), torch.exp(logits - most)
    total[0] = most
    total[1] = total[1] * kept + weights.sum(1, keepdim=True)
    total[2] = total[2] * kept + weights @ values


def belief(queries: Tensor, blocks: Any, channels: int, alpha_bar: float) -> Tensor:
    """Return the posterior mean of every query, [Q, C], over blocks of (patches, values)."""
    count = len(queries)
    total = [
        torch.full((count, 1), -math.inf), torch.zeros(count, 1), torch.zeros(count, channels),
    ]  # fmt: skip
    for patches, values in blocks:
        for at in range(0, len(patches), _FILTERS):
            some = slice(at, at + _FILTERS)
            streamed(queries, patches[some], values[some], alpha_bar, total)
    return total[2] / total[1]


def els_interior(pictures: Tensor, x: Tensor, side: int, alpha_bar: float) -> Tensor:
    """Return the clean estimate of ELS, [1, C, H, W]; patches from interiors, the canvas wraps."""
    half, (channels, height, width) = side // 2, x.shape[1:]
    wrapped = functional.pad(x, (half, half, half, half), mode="circular")
    queries = functional.unfold(wrapped, side)[0].T

    def blocks() -> Any:
        for picture in pictures:
            patches = functional.unfold(picture[None], side)[0].T
            inside = picture[:, half : height - half, half : width - half]
            yield patches, inside.reshape(channels, -1).T

    return belief(queries, blocks(), channels, alpha_bar).T.reshape(1, channels, height, width)


def boundary_broken(pictures: Tensor, x: Tensor, side: int, alpha_bar: float) -> Tensor:
    """Return the clean estimate of bbELS, [1, C, H, W], one group of equal borders at a time."""
    half, (channels, height, width) = side // 2, x.shape[1:]
    groups: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
    for row in range(height):
        for col in range(width):
            lost = (half - row, row + half - height + 1, half - col, col + half - width + 1)
            groups[tuple(max(0, one) for one in lost)].append((row, col))
    out = torch.zeros_like(x)
    for (above, below, left, right), places in groups.items():
        rows, cols = slice(-half + above, half - below + 1), slice(-half + left, half - right + 1)

        def patch(
            image: Tensor, row: int, col: int, rows: slice = rows, cols: slice = cols
        ) -> Tensor:
            part = image[
                ..., row + rows.start : row + rows.stop, col + cols.start : col + cols.stop
            ]
            return part.reshape(part.shape[0], -1)

        queries = torch.cat([patch(x, *place) for place in places])
        blocks = ((patch(pictures, *place), pictures[:, :, place[0], place[1]]) for place in places)
        found = belief(queries, blocks, channels, alpha_bar)
        at = torch.tensor(places).T
        out[0, :, at[0], at[1]] = found.T
    return out


def machine_peer(case: Case) -> dict[str, float]:
    """Time one sample both ways, on `FEW` pictures, and compare what they drew."""
    corpus = Corpus.open(case.data, resize=SIDE, limit=FEW)
    kind = MACHINES[case.machine]
    settings: dict[str, Any] = {"steps": STEPS, "scales_from": case.scales}
    if case.machine == "els":
        settings["dictionary"] = "interior"
    machine = kind(corpus, **settings)
    machine.sample(1, seed=1)  # compiled loops warm
    start = time.perf_counter()
    ours = machine.sample(1, seed=0)
    mine = time.perf_counter() - start
    assert corpus.images is not None
    pictures = torch.from_numpy(np.array(corpus.images)).permute(0, 3, 1, 2).float() / 127.5 - 1
    x = torch.from_numpy(ours.extra["noise"].copy())
    estimate = els_interior if case.machine == "els" else boundary_broken
    start = time.perf_counter()
    for stop in machine.stops:
        clean = estimate(pictures, x, machine.side(stop), stop.alpha_bar)
        noise = (x - math.sqrt(stop.alpha_bar) * clean) / math.sqrt(1 - stop.alpha_bar)
        after = stop.alpha_bar_next
        x = math.sqrt(after) * clean + math.sqrt(max(0.0, 1 - after)) * noise
    theirs = time.perf_counter() - start
    return {
        "seconds": mine,
        "peer_seconds": theirs,
        "ratio": theirs / mine,
        "largest_difference": float(np.abs(x.numpy() - ours.extra["raw"]).max()),
        "square_gflops": square_gflops(),
    }


def nonparametric_peer(name: str) -> dict[str, float]:
    """Time one step of NS+L on MNIST, by a NumPy loop over queries and by one torch product."""
    corpus = Corpus.open("mnist")
    assert corpus.images is not None
    model = NonparametricSampler(corpus, principles="NS+L", window=9, radius=1)
    height, width = corpus.size
    known = np.zeros((height, width), bool)
    known[: height // 2] = True
    place, numbers = (height // 2, width // 2), np.arange(QUERIES)
    unseen = Corpus.open("mnist", split="test").images
    assert unseen is not None
    canvas = np.array(unseen[numbers * 7])
    query = Query.at(place, canvas, known, model.window, "ignore", keys.salts(0, numbers, 0))
    nobody = np.full(QUERIES, -1)
    candidates = model.dictionary.candidates(place, nobody)
    least_distance(candidates, query)
    start = time.perf_counter()
    ours = least_distance(candidates, query)
    mine = time.perf_counter() - start

    start = time.perf_counter()
    patches = np.concatenate(
        [
            corpus.images[
                :, place[0] + dy + query.offsets[:, 0], place[1] + dx + query.offsets[:, 1], 0
            ]
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
        ]
    )
    if name == "peer_nps_numpy":
        found = np.array(
            [
                ((patches - values[0].astype(np.int32) - 128) ** 2 @ query.weights).min()
                for values in query.values
            ]
        )
    else:
        weights = torch.from_numpy(query.weights.astype(np.float32))
        candidate = torch.from_numpy(patches.astype(np.float32))
        asked = torch.from_numpy(query.values[:, 0].astype(np.float32) + 128)
        distances = (
            (candidate**2 * weights).sum(1)
            + (asked**2 * weights).sum(1, keepdim=True)
            - 2 * (asked * weights) @ candidate.T
        )
        found = distances.amin(1).numpy()
    theirs = time.perf_counter() - start
    return {
        "seconds": mine,
        "peer_seconds": theirs,
        "ratio": theirs / mine,
        "largest_difference": float(np.abs(found - ours).max() / max(1, int(ours.max()))),
        "square_gflops": square_gflops(),
    }


def run(name: str) -> dict[str, float]:
    """Time both versions and compare their results."""
    if name.startswith("peer_nps"):
        return nonparametric_peer(name)
    return machine_peer(CASES[name.removeprefix("peer_")])


NAMES = (
    "peer_nps_numpy", "peer_nps_torch", "peer_bbels_fashion200", "peer_bbels_cifar200",
    "peer_els_fashion200", "peer_els_cifar200",
)  # fmt: skip

if __name__ == "__main__":
    json.dump(run(sys.argv[1]), sys.stdout)
