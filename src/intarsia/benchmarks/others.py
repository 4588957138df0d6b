"""Attribution, opening a corpus, and pointing at a pixel. Run as a module with one name."""

from __future__ import annotations

import json
import sys
import time

from intarsia.benchmarks.machines import TARGETS_AT
from intarsia.benchmarks.nonparametric import peak_memory_mb, square_gflops
from intarsia.corpus import Corpus

NAMES = ("attribute_everywhere", "attribute_near", "open_cifar10", "explorer_hover")


def run(name: str) -> dict[str, float]:
    """Measure one."""
    if name == "explorer_hover":
        return _hover()
    seconds = _opening() if name == "open_cifar10" else _attribution(name)
    peak = peak_memory_mb()
    square = square_gflops()
    return {
        "seconds": seconds,
        "seconds_at_343": seconds * square / TARGETS_AT,
        "peak_memory_mb": peak,
        "square_gflops": square,
    }


def _opening() -> float:
    """Open all of CIFAR-10 once more, from the cache."""
    Corpus.open("cifar10")
    start = time.perf_counter()
    Corpus.open("cifar10")
    return time.perf_counter() - start


def _attribution(name: str) -> float:
    """Attribute one unseen 32x32 picture to all of CIFAR-10, window 7, compiled loops warm."""
    from intarsia.provenance.attribution import Attributor

    picture = Corpus.open("cifar10", split="test", limit=1)[0]
    radius = 2 if name == "attribute_near" else None
    Attributor(Corpus.open("cifar10", limit=100), 7).attribute(picture, radius=radius)
    attributor = Attributor(Corpus.open("cifar10"), 7)
    start = time.perf_counter()
    attributor.attribute(picture, radius=radius)
    return time.perf_counter() - start


def _hover() -> dict[str, float]:
    """Ask a served explorer for what it shows of a pixel, over all of MNIST."""
    from intarsia.benchmarks.explorer import measure_hover

    found = measure_hover(hovers=200)
    report = {
        "first_page_s": found["first_page_s"],
        "server_p95_ms": found["server_ms"]["p95"],
        "server_memory_mb": found["server_memory_mb"],
        "square_gflops": square_gflops(),
    }
    if "browser_ms" in found:
        report["browser_p95_ms"] = found["browser_ms"]["p95"]
    return report


if __name__ == "__main__":
    json.dump(run(sys.argv[1]), sys.stdout)
