"""Speed of the non-parametric sampler. Run as a module with one benchmark's name."""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from intarsia.corpus import Corpus
from intarsia.dictionary import Query
from intarsia.models import NonparametricSampler
from intarsia.reduce.fit import fitting
from intarsia.reduce.similar import Lookup, lay_out

BATCH = 64


@dataclass(frozen=True)
class Case:
    """One benchmark: a corpus and settings; all else as shipped."""

    data: str
    settings: dict[str, object]


CASES = {
    "nps_exact_mnist": Case("mnist", {"principles": "NS+L", "window": 9, "radius": 1}),
    "nps_full_cifar10": Case("cifar10", {}),
}


def square_gflops(side: int = 2048, seconds: float = 1.0) -> float:
    """Return the best rate of this machine's own square float32 product, in GFLOP/s."""
    left, right = torch.rand(side, side), torch.rand(side, side)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best / 1e9


def peak_memory_mb() -> float:
    """Return the most memory this process has had, in MB.

    Linux says it of the process alone; what getrusage says there can hold its parent's.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def operations(model: NonparametricSampler, n: int) -> float:
    """Count what a plain product would need: 2 x queries x candidates x known pixels x channels."""
    settings = model.settings
    order = model.order_from(next(model._plan(np.arange(1), 0).__iter__()).place)
    stack = None
    if model.dictionary.similar is not None:
        every = np.arange(settings.keep or 1, dtype=np.int64)[None]
        stack = lay_out(model.dictionary, Lookup(every))
    nobody, total = np.full(1, -1), 0.0
    blank = np.zeros((1, *model.canvas_size, model.corpus.channels), np.uint8)
    known = order.known.copy()
    for place in order:
        query = Query.at(place, blank, known, model.window, settings.border, np.zeros(1, np.int64))
        for candidates in model.dictionary.candidates(place, nobody, None, stack):
            view = fitting(candidates, query)
            assert view is not None
            patches = view.run * (view.rows[1] - view.rows[0] + 1)
            total += 2.0 * n * patches * len(query.offsets) * model.corpus.channels
        known[place] = True
    return total


def run(name: str) -> dict[str, float]:
    """Time one batch from opened corpus to finished samples, compiled loops warm."""
    case = CASES[name]
    corpus = Corpus.open(case.data)
    model = NonparametricSampler(corpus, **case.settings)  # type: ignore[arg-type]
    warm = model.grow(next(model.batches(BATCH, 1)), 1)
    for _ in range(3):
        next(warm)
    start = time.perf_counter()
    samples = model.sample(BATCH, seed=0, batch=BATCH)
    seconds = time.perf_counter() - start
    peak_mb = peak_memory_mb()  # before the product below needs memory of its own
    samples.check_pixel_law(corpus)
    square = square_gflops()
    assert corpus.images is not None
    return {
        "images_per_s": BATCH / seconds,
        "gflops_ratio": operations(model, BATCH) / seconds / 1e9 / square,
        "peak_memory_mb": peak_mb,
        "corpus_mb": corpus.images.nbytes / 2**20,
        "square_gflops": square,
    }


if __name__ == "__main__":
    json.dump(run(sys.argv[1]), sys.stdout)
