"""Measured claims: what ``intarsia bench`` runs, each in a process of its own."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from typing import Any

from intarsia.errors import IntarsiaError, UsageError

GROUPS = {"nps": ("nps_exact_mnist", "nps_full_cifar10")}


def measure(name: str | None, repeat: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Run a group of benchmarks, or all.

    Parameters
    ----------
    name : a key of `GROUPS`, or one benchmark; None for all.
    repeat : runs of each; medians and all runs are reported.
    say : called with a line before each.

    Returns
    -------
    dict
        ``machine``, ``square_gflops``, and an entry a benchmark.

    Raises
    ------
    UsageError
        If there is no benchmark of that name.
    """
    everything = [one for group in GROUPS.values() for one in group]
    if name is None:
        chosen = everything
    elif name in GROUPS:
        chosen = list(GROUPS[name])
    elif name in everything:
        chosen = [name]
    else:
        known = ", ".join([*GROUPS, *everything])
        raise UsageError(f"There is no benchmark called {name!r}. Known: {known}.")
    if repeat < 1:
        raise UsageError(f"--repeat is {repeat}; each benchmark runs at least once.")
    runs: dict[str, list[dict[str, Any]]] = {one: [] for one in chosen}
    for turn in range(repeat):
        for one in chosen:
            say(f"{one}, run {turn + 1} of {repeat} ...")
            runs[one].append(_in_own_process(one))
    report: dict[str, Any] = {
        "machine": _machine(),
        "square_gflops": median(r["square_gflops"] for rs in runs.values() for r in rs),
    }
    for one, results in runs.items():
        keys = [key for key in results[0] if key != "square_gflops"]
        report[one] = {key: median(result[key] for result in results) for key in keys}
        report[one]["images_per_s_runs"] = [result["images_per_s"] for result in results]
    return report


def _in_own_process(name: str) -> dict[str, Any]:
    """Measure one benchmark where no other has left its memory behind."""
    command = [sys.executable, "-m", "intarsia.benchmarks.nonparametric", name]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise IntarsiaError(f"The benchmark {name} failed: {lines[-1]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _machine() -> dict[str, Any]:
    import numba
    import torch

    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    except OSError:
        pass  # not Linux
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numba": numba.__version__,
    }
