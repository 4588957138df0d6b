"""``intarsia compare``: how well a machine predicts what a trained network draws."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, drawing_progress, emit, said, stderr_console
from intarsia.cli.networks import NETWORK_ITSELF, local_machine, opened_for, settings_of
from intarsia.errors import UsageError

if TYPE_CHECKING:
    import numpy as np


def compare_command(
    context: typer.Context,
    network: NETWORK_ITSELF,
    machine: Annotated[str, typer.Option(help="bbels, els, ls, es or is.")] = "bbels",
    n: o.N = 32,
    seed: o.Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; runs/compare-NETWORK by default.")
    ] = None,
    scales: o.Scales = None,
    scales_from: o.ScalesFrom = None,
    steps: o.Steps = None,
    noise: o.Noise = None,
    label: Annotated[int | None, typer.Option(help="Draw this class.")] = None,
    dictionary: o.DictionaryOf = None,
    data: o.Data = "",
    limit: o.Limit = None,
    classes: o.Classes = None,
    resize: o.Resize = None,
    device: o.Device = "cpu",
    threads: o.Threads = None,
    json: o.Json = False,
) -> None:
    """Draw with network, machine and the ideal score machine from the same noises, and compare.

    The machine sees the pictures that the network was trained on, unless others are named. Writes
    compare.json, samples.npz (noise and outputs), grid.png and scatter.png. --json prints
    {"network", "machine", "n", "seed", "scales", "pictures", "agreement": {machine: {"pearson_r",
    "pearson_r2", "r2_score": {"median", "samples"}}, "is": ...}, "share_won", "seconds", "folder"}.
    """
    from intarsia.models.comparison import compare
    from intarsia.models.comparison_folder import summary, write_comparison
    from intarsia.models.machines import MACHINES
    from intarsia.models.network import TrainedNetwork

    kind = local_machine(machine, ("bbels", "els", "ls", "es", "is"))
    given = {name for name in context.params if said(context, name)}
    folder = out or Path("runs") / f"compare-{network.name}-{machine}"
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} holds something already. Name another --out.")
    asked = {"data": data, "limit": limit, "classes": classes, "resize": resize}
    with decoding_progress() as progress:
        corpus = opened_for(network, asked, given, progress)
    shared = settings_of(steps=steps, label=label)
    drawn = TrainedNetwork(corpus, network=network, device=device, threads=threads, **shared)
    own = settings_of(scales=scales, scales_from=scales_from, dictionary=dictionary)
    machines = [kind(corpus, threads=threads, **shared, **own)]
    if machine != "is":
        machines.append(MACHINES["is"](corpus, threads=threads, **shared))
    given_noise = _noise(noise)
    if given_noise is not None and "n" not in given:
        n = len(given_noise)
    started = time.perf_counter()
    with drawing_progress(f"comparing {n} samples") as update:
        found = compare(drawn, machines, n, seed, noise=given_noise, on_progress=update)
    seconds = time.perf_counter() - started
    told = {
        "network": str(network),
        "machine": machine,
        "n": n,
        "seed": seed,
        "scales": list(machines[0].settings.scales or ()),
        "pictures": len(corpus),
        **summary(found),
        "seconds": round(seconds, 3),
    }
    write_comparison(folder, found, told)
    if json:
        emit(told | {"folder": str(folder)})
        return
    console = stderr_console(markup=False)
    for name, figures in told["agreement"].items():
        words = ", ".join(f"{key} {value['median']}" for key, value in figures.items())
        console.print(f"{name} against {drawn.saved.kind}, medians of {n}: {words}")
    console.print(f"{machine} wins against IS on {found.share_won:.0%}; pictures in {folder}")


def _noise(path: str | None) -> np.ndarray | None:
    from intarsia.models.starting_noise import read

    return None if path is None else read(path)
