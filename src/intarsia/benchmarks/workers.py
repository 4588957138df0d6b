"""What workers cost: two processes of a local Ray cluster against two threads of one process.

Run as a module with one benchmark's name; both are timed in turn, twice, over the same samples.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from intarsia.benchmarks.machines import CIFAR
from intarsia.benchmarks.nonparametric import square_gflops
from intarsia.corpus import Corpus
from intarsia.models import NonparametricSampler, run
from intarsia.models.machine_run import run_machine
from intarsia.models.machines import MACHINES
from intarsia.reduce.workers import Workers

TURNS = 2


@dataclass(frozen=True)
class Case:
    """A model, how much of it, and what workers share."""

    model: str
    data: str
    limit: int
    samples: int
    by_shards: bool


CASES = {
    "ray_samples_nps_exact": Case("NS+L", "mnist", 20_000, 128, False),
    "ray_samples_nps_full": Case("NS+L+H", "cifar10", 20_000, 128, False),
    "ray_shards_nps_exact": Case("NS+L", "mnist", 20_000, 64, True),
    "ray_shards_bbels": Case("bbels", "cifar10", 200, 2, True),
}


def measure(name: str) -> dict[str, float]:
    """Time a run with workers and one without; ``ratio`` above 1 is what workers cost."""
    case = CASES[name]
    corpus = Corpus.open(case.data, limit=case.limit)
    with Workers(count=2) as workers:
        here, far = _model(case, corpus), _model(case, corpus)
        if case.by_shards:
            far.share_with(workers)
        elsewhere = {} if case.by_shards else {"workers": workers}
        _draw(far, 2, **elsewhere)  # compiled loops warm, corpus with the workers
        _draw(here, 2)
        pairs = [
            (_seconds(lambda: _draw(here, case.samples)),
             _seconds(lambda: _draw(far, case.samples, **elsewhere)))
            for _ in range(TURNS)
        ]  # fmt: skip
    return {
        "ratio": median(theirs / ours for ours, theirs in pairs),
        "seconds": median(theirs for _, theirs in pairs),
        "local_seconds": median(ours for ours, _ in pairs),
        "square_gflops": square_gflops(),
    }


def _model(case: Case, corpus: Corpus) -> Any:
    if case.model in MACHINES:
        return MACHINES[case.model](corpus, scales_from=CIFAR)
    return NonparametricSampler(corpus, principles=case.model)


def _draw(model: Any, n: int, **options: Any) -> None:
    draw: Callable[..., Any] = run if isinstance(model, NonparametricSampler) else run_machine
    with tempfile.TemporaryDirectory() as folder:
        draw(model, n, 1, Path(folder) / "run", **options)


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    json.dump(measure(sys.argv[1]), sys.stdout)
