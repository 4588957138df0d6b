"""``intarsia bench``: how fast this machine is."""

from __future__ import annotations

from typing import Annotated

import typer

from intarsia.cli import options as o
from intarsia.cli.common import emit, stderr_console


def bench_command(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="nps; all by default.")] = None,
    repeat: Annotated[int, typer.Option(help="Runs of each; the median counts.")] = 3,
    json: o.Json = False,
) -> None:
    """Measure the engine against this machine's own square matrix product.

    --json prints {"machine": {...}, "square_gflops": number, "nps_exact_mnist": {"images_per_s",
    "images_per_s_runs", "gflops_ratio", "peak_memory_mb", "corpus_mb"}, "nps_full_cifar10": ...}.
    """
    from intarsia.benchmarks import measure

    console = stderr_console()
    report = measure(name, repeat, say=console.print)
    if json:
        emit(report)
        return
    console.print(f"square float32 product: {report['square_gflops']:.0f} GFLOP/s")
    for key, result in report.items():
        if isinstance(result, dict) and "images_per_s" in result:
            console.print(
                f"{key}: {result['images_per_s']:.2f} images/s "
                f"({min(result['images_per_s_runs']):.2f} to "
                f"{max(result['images_per_s_runs']):.2f}), {result['gflops_ratio']:.2f} of the "
                f"square product, peak memory {result['peak_memory_mb']:.0f} MB "
                f"(corpus {result['corpus_mb']:.0f} MB)"
            )
