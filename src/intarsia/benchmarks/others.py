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
    times = {"seconds": _opening()} if name == "open_cifar10" else _attribution(name)
    peak = peak_memory_mb()
    square = square_gflops()
    return {
        **times,
        "seconds_at_343": times["seconds"] * square / TARGETS_AT,
        "peak_memory_mb": peak,
        "square_gflops": square,
    }


def _opening() -> float:
    """Open all of CIFAR-10 once more, from the cache."""
    Corpus.open("cifar10")
    start = time.perf_counter()
    Corpus.open("cifar10")
    return time.perf_counter() - start


def _attribution(name: str) -> dict[str, float]:
    """Attribute unseen 32x32 pictures to all of CIFAR-10, window 7, compiled loops warm.

    ``first_seconds`` also lays the corpus out and encodes it, once for as long as a process lives;
    ``seconds`` is what every further picture takes.
    """
    from intarsia.provenance.attribution import Attributor

    pictures = Corpus.open("cifar10", split="test", limit=2)
    radius = 2 if name == "attribute_near" else None
    Attributor(Corpus.open("cifar10", limit=100), 7).attribute(pictures[0], radius=radius)
    attributor = Attributor(Corpus.open("cifar10"), 7)
    seconds = []
    for picture in (pictures[0], pictures[1]):
        start = time.perf_counter()
        attributor.attribute(picture, radius=radius)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds[1], "first_seconds": seconds[0]}


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
