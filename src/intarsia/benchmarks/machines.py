"""Seconds of one sample of a score machine, as paper C's released code was timed.

200 pictures at 32x32, 20 steps, one sample, the published window sides of the ResNets. Run as a
module with one benchmark's name.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import Any

from intarsia.benchmarks.nonparametric import peak_memory_mb, square_gflops
from intarsia.corpus import Corpus
from intarsia.models.machines import MACHINES

PICTURES, SIDE, STEPS = 200, 32, 20

TARGETS_AT = 343.0
"""GFLOP/s of the square product on the machine that targets were set for."""


@dataclass(frozen=True)
class Case:
    """One benchmark: a machine, a corpus, and where its window sides come from."""

    machine: str
    data: str
    scales: str
    limit: int = PICTURES
    classes: str | None = None


FASHION, CIFAR = "FashionMNIST_ResNet_zeros_conditional", "CIFAR10_ResNet_zeros_conditional"

CASES = {
    "bbels_fashion200": Case("bbels", "fashion-mnist", FASHION),
    "bbels_cifar200": Case("bbels", "cifar10", CIFAR),
    "els_fashion200": Case("els", "fashion-mnist", FASHION),
    "els_cifar200": Case("els", "cifar10", CIFAR),
    "ls_cifar200": Case("ls", "cifar10", CIFAR),
    "is_cifar200": Case("is", "cifar10", CIFAR),
    "bbels_cifar_class": Case("bbels", "cifar10", CIFAR, 5000, "0"),
}


def run(name: str) -> dict[str, float]:
    """Time one sample from opened corpus to finished picture, compiled loops warm."""
    case = CASES[name]
    corpus = Corpus.open(case.data, resize=SIDE, limit=case.limit, classes=case.classes)
    few = Corpus.open(case.data, resize=SIDE, limit=8)
    kind = MACHINES[case.machine]
    settings: dict[str, Any] = {"steps": STEPS, "scales_from": case.scales}
    if case.machine == "els":
        settings["dictionary"] = "interior"  # as the released code has it
    kind(few, **settings).sample(1, seed=0)
    machine = kind(corpus, **settings)
    start = time.perf_counter()
    machine.sample(1, seed=0)
    seconds = time.perf_counter() - start
    peak = peak_memory_mb()
    square = square_gflops()
    return {
        "seconds": seconds,
        "seconds_at_343": seconds * square / TARGETS_AT,
        "peak_memory_mb": peak,
        "square_gflops": square,
    }


if __name__ == "__main__":
    json.dump(run(sys.argv[1]), sys.stdout)
