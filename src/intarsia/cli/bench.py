"""``intarsia bench``: how fast this machine is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import emit, stderr_console


def bench_command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="nps, machines, attribution, opening (all four by default), large, explorer, "
            "workers, memory, peers, or one benchmark.",
        ),
    ] = None,
    repeat: Annotated[int, typer.Option(help="Runs of each; the median counts.")] = 3,
    json: o.Json = False,
) -> None:
    """Measure the engine against this machine's own square matrix product.

    --json prints {"machine": {...}, "square_gflops": number, "nps_exact_mnist": {"images_per_s",
    "images_per_s_runs", "gflops_ratio", "peak_memory_mb", "corpus_mb"}, "nps_full_cifar10": ...},
    and so on: medians, and all runs of the first figure. Score machines (bbels_fashion200,
    bbels_cifar200, els_fashion200, els_cifar200) have seconds, seconds_at_343 and
    peak_memory_mb; peers have seconds, peer_seconds, ratio and largest_difference; workers have
    ratio, seconds and local_seconds.
    """
    from intarsia.benchmarks import measure

    console = stderr_console()
    report = measure(name, repeat, say=console.print)
    if json:
        emit(report)
        return
    console.print(f"square float32 product: {report['square_gflops']:.0f} GFLOP/s")
    for key, result in report.items():
        if key not in ("machine", "square_gflops"):
            console.print(f"{key}: {_in_words(result)}")


def _in_words(result: dict[str, Any]) -> str:
    """Say the medians, and the least and the largest of the first figure."""
    runs = next(value for value in result.values() if isinstance(value, list))
    figures = [f"{name} {value:.4g}" for name, value in result.items() if value is not runs]
    return ", ".join(figures) + f" ({min(runs):.4g} to {max(runs):.4g} in {len(runs)} runs)"
