"""``intarsia calibrate``: the window sides at which a machine explains a trained network best."""

from __future__ import annotations

import time
from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, drawing_progress, emit, said, stderr_console
from intarsia.cli.networks import NETWORK_ITSELF, local_machine, opened_for, settings_of
from intarsia.errors import UsageError


def calibrate_command(
    context: typer.Context,
    network: NETWORK_ITSELF,
    machine: Annotated[str, typer.Option(help="bbels, els or ls.")] = "bbels",
    sides: Annotated[str, typer.Option(help="Window sides to try, odd.")] = "3,5,7,9,11,13,15,17",
    n: o.N = 16,
    seed: o.Seed = 1000,
    out: Annotated[
        Path | None, typer.Option(help="File to write; scales.json in --network by default.")
    ] = None,
    steps: o.Steps = None,
    label: Annotated[int | None, typer.Option(help="Follow this class.")] = None,
    dictionary: o.DictionaryOf = None,
    data: o.Data = "",
    limit: o.Limit = None,
    classes: o.Classes = None,
    resize: o.Resize = None,
    device: o.Device = "cpu",
    threads: o.Threads = None,
    json: o.Json = False,
) -> None:
    """Find window sides along a network's own reverse trajectories; use them with --scales-from.

    At each step, each sample votes for the side whose noise has the highest cosine similarity to
    the network's; the median counts. --json prints {"file", "scales": [...], "sides", "steps",
    "n", "seed", "machine", "network", "pictures", "similarity": [median of each side, a step],
    "seconds"}; the file holds the same.
    """
    from intarsia.files import write_text
    from intarsia.models.calibration import calibrate
    from intarsia.models.comparison import labels_in_turn
    from intarsia.models.network import TrainedNetwork
    from intarsia.models.scales import parse

    kind = local_machine(machine, ("bbels", "els", "ls"))
    given = {name for name in context.params if said(context, name)}
    if out is None and not network.is_dir():
        raise UsageError(f"--network {network} is no folder to write to. Name a file with --out.")
    file = out or network / "scales.json"
    if file.suffix != ".json":
        raise UsageError(f"--out is {file}; scales are written as .json.")
    tried = parse(sides)
    asked = {"data": data, "limit": limit, "classes": classes, "resize": resize}
    with decoding_progress() as progress:
        corpus = opened_for(network, asked, given, progress)
    shared = settings_of(steps=steps, label=label)
    own = settings_of(dictionary=dictionary)
    drawn = TrainedNetwork(corpus, network=network, device=device, threads=threads, **shared)
    machines = {
        side: kind(corpus, threads=threads, scales=str(side), **shared, **own) for side in tried
    }
    labels = labels_in_turn(drawn, corpus, n)
    started = time.perf_counter()
    with drawing_progress(f"calibrating on {n} samples") as update:
        found = calibrate(drawn, machines, n, seed, labels=labels, on_progress=update)
    told = found.summary() | {
        "n": n,
        "seed": seed,
        "machine": machine,
        "network": str(network),
        "pictures": len(corpus),
        "seconds": round(time.perf_counter() - started, 3),
    }
    write_text(file, dumps(told, indent=2) + "\n")
    if json:
        emit({"file": str(file)} | told)
        return
    console = stderr_console(markup=False)
    listed = ",".join(map(str, found.scales))
    console.print(f"sides for i = 0, ..., {len(found.scales) - 1}: {listed}")
    console.print(f"{file}: use them with --scales-from {file}")
