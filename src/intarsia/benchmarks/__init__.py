"""Measured claims: what ``intarsia bench`` runs, each in a process of its own."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from intarsia.errors import IntarsiaError, UsageError

GROUPS = {
    "nps": ("nps_exact_mnist", "nps_full_cifar10"),
    "machines": (
        "bbels_fashion200", "bbels_cifar200", "els_fashion200", "els_cifar200", "ls_cifar200",
        "is_cifar200",
    ),
    "attribution": ("attribute_everywhere", "attribute_near"),
    "opening": ("open_cifar10",),
    "large": ("bbels_cifar_class",),
    "explorer": ("explorer_hover",),
    "memory": ("nps_exact_larger_than_memory",),
    "workers": (
        "ray_samples_nps_exact", "ray_samples_nps_full", "ray_shards_nps_exact", "ray_shards_bbels",
    ),
    "peers": (
        "peer_nps_numpy", "peer_nps_torch", "peer_bbels_fashion200", "peer_bbels_cifar200",
        "peer_els_fashion200", "peer_els_cifar200",
    ),
}  # fmt: skip
"""Benchmarks by what they measure."""

DEFAULT = ("nps", "machines", "attribution", "opening")
"""Groups that are run where none is named."""

BUDGET = 480.0
"""Seconds after which the default set is not repeated once more."""

_MODULES = {
    "nps": "nonparametric", "machines": "machines", "large": "machines", "peers": "peers",
    "workers": "workers", "memory": "memory",
}  # fmt: skip


def measure(name: str | None, repeat: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Run a benchmark, a group of them, or the default set.

    Parameters
    ----------
    name : a key of `GROUPS`, or one benchmark; None for the default set, which is repeated less
        often where it would take more than about ten minutes.
    repeat : runs of each; medians and all runs are reported.
    say : called with a line before each.

    Returns
    -------
    dict
        ``machine``, ``square_gflops``, and an entry a benchmark: the median of every figure, and
        of the first one all runs, as ``FIGURE_runs``.

    Raises
    ------
    UsageError
        If there is no benchmark of that name.
    IntarsiaError
        If one fails.
    """
    chosen = _chosen(name)
    if repeat < 1:
        raise UsageError(f"--repeat is {repeat}; each benchmark runs at least once.")
    runs: dict[str, list[dict[str, Any]]] = {one: [] for one in chosen}
    began = time.perf_counter()
    for turn in range(repeat):
        spent = time.perf_counter() - began
        if name is None and turn and spent * (turn + 1) / turn > BUDGET:
            say(f"{spent:.0f} s are spent; the default set is not run once more.")
            break
        for one in chosen:
            say(f"{one}, run {turn + 1} of {repeat} ...")
            runs[one].append(_in_own_process(one))
    report: dict[str, Any] = {
        "machine": _machine(),
        "square_gflops": median(r["square_gflops"] for rs in runs.values() for r in rs),
    }
    for one, results in runs.items():
        names = [key for key in results[0] if key != "square_gflops"]
        report[one] = {key: median(result[key] for result in results) for key in names}
        report[one][f"{names[0]}_runs"] = [result[names[0]] for result in results]
    return report


def module_of(name: str) -> str:
    """Return the module that runs a benchmark."""
    group = next(group for group, names in GROUPS.items() if name in names)
    return f"intarsia.benchmarks.{_MODULES.get(group, 'others')}"


def _chosen(name: str | None) -> list[str]:
    if name is None:
        return [one for group in DEFAULT for one in GROUPS[group]]
    if name in GROUPS:
        return list(GROUPS[name])
    everything = [one for group in GROUPS.values() for one in group]
    if name not in everything:
        known = ", ".join([*GROUPS, *everything])
        raise UsageError(f"There is no benchmark called {name!r}. Known: {known}.")
    return [name]


def _in_own_process(name: str) -> dict[str, Any]:
    """Measure one benchmark where no other has left its memory behind."""
    command = [sys.executable, "-m", module_of(name), name]
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
