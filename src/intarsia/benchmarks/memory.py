"""A corpus larger than its budget: ``generate nps`` with ``--memory`` and without.

Run as a module with one benchmark's name. CIFAR-10, moved and mirrored, is written to a temporary
folder; each run is a process of its own, after one that fills the cache.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from intarsia.benchmarks.nonparametric import square_gflops
from intarsia.corpus import Corpus
from intarsia.errors import IntarsiaError

NAMES = ("nps_exact_larger_than_memory",)

COPIES = 4
BUDGET = "150MB"
SAMPLES = 8


def measure(name: str) -> dict[str, float]:
    """Draw the same samples twice; ``speed`` is that with the budget as a share of that without."""
    del name  # there is one
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "moved.npz"
        # In a process of its own: what this one holds when it forks would count as the runs' peak.
        subprocess.run([sys.executable, "-m", __spec__.name, "write", str(data)], check=True)
        _generate(data, Path(folder) / "first", 1)
        seconds, peak = _generate(data, Path(folder) / "bounded", SAMPLES, "--memory", BUDGET)
        free_seconds, free_peak = _generate(data, Path(folder) / "free", SAMPLES)
        corpus_mb = data.stat().st_size / 2**20
        same = _same(Path(folder) / "bounded", Path(folder) / "free")
    if not same:
        raise IntarsiaError("--memory changed what was drawn.")
    return {
        "speed": free_seconds / seconds,
        "seconds": seconds,
        "free_seconds": free_seconds,
        "peak_memory_mb": peak,
        "free_peak_memory_mb": free_peak,
        "corpus_mb": corpus_mb,
        "square_gflops": square_gflops(),
    }


def _write(path: Path) -> None:
    images = Corpus.open("cifar10").images
    assert images is not None
    moved = [np.roll(images, (k, -k), (1, 2))[:, :, :: 1 - 2 * (k % 2)] for k in range(COPIES)]
    np.savez(path, images=np.concatenate(moved))


def _generate(data: Path, out: Path, n: int, *options: str) -> tuple[float, float]:
    """Return seconds and peak memory in MB of one command."""
    command = [
        sys.executable, "-c", "from intarsia.cli.app import main; main()",
        "generate", "nps", "--data", str(data),
        "--principles", "NS+L", "--n", str(n), "--out", str(out), *options,
    ]  # fmt: skip
    start = time.perf_counter()
    quiet = subprocess.DEVNULL
    caches = os.environ | {"INTARSIA_CACHE": str(data.parent / "cache")}  # gone with the folder
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=caches)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise IntarsiaError(f"{' '.join(command[2:])} failed.")
    return time.perf_counter() - start, used.ru_maxrss / 1024


def _same(one: Path, other: Path) -> bool:
    return all(
        bool((np.load(one / file)[key] == np.load(other / file)[key]).all())
        for file, key in [("samples.npz", "images"), ("sources.npz", "image")]
    )


if __name__ == "__main__":
    if sys.argv[1] == "write":
        _write(Path(sys.argv[2]))
    else:
        json.dump(measure(sys.argv[1]), sys.stdout)
