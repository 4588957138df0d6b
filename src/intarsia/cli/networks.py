"""What commands that take ``--network`` share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.models.machine import ScoreMachine

NETWORK_ITSELF = Annotated[
    Path,
    typer.Option(
        help="Folder of intarsia train resnet or unet; or a UNet2DModel of diffusers: its folder, "
        "or OWNER/NAME on the hub."
    ),
]
"""The option ``--network`` where it cannot be left out."""


def trained_on(network: Path, how: Mapping[str, Any], given: set[str]) -> dict[str, Any]:
    """Return how a network's training pictures are opened, but for the options that were given.

    Parameters
    ----------
    network : folder of the network.
    how : corpus options with their defaults.
    given : names of the options that stood on the command line. ``data`` among them takes nothing
        from the network but its size.
    """
    from intarsia.networks.diffusers_unet import is_diffusers
    from intarsia.networks.saved import open_network

    opened = dict(how)
    if is_diffusers(network):
        if "data" not in given:
            raise UsageError(
                f"--network {network} does not say which pictures it was trained on. Name them "
                "with --data."
            )
        return opened
    saved = open_network(network)
    kept = {"resize": saved.corpus.get("resize")} if "data" in given else saved.corpus
    return opened | {name: value for name, value in kept.items() if name not in given}


def encoded_by(blae: Path, how: Mapping[str, Any], given: set[str]) -> dict[str, Any]:
    """Return how a BL-AE's training pictures are opened, but for the options that were given.

    Parameters, and what ``data`` among the given ones does: see `trained_on`.
    """
    from intarsia.networks.saved_blae import open_blae

    saved = open_blae(blae)
    sized = {name: saved.corpus.get(name) for name in ("resize", "fit", "grey")}
    kept = sized if "data" in given else saved.corpus
    held = {name: value for name, value in kept.items() if value is not None}
    return dict(how) | {name: value for name, value in held.items() if name not in given}


def opened_for(
    network: Path,
    how: Mapping[str, Any],
    given: set[str],
    progress: Callable[[str], Callable[[int, int], None]],
) -> Corpus:
    """Open a network's training pictures, or those that were named instead."""
    from intarsia.corpus import Corpus

    options = {k: v for k, v in trained_on(network, how, given).items() if v is not None}
    data = options.pop("data")
    return Corpus.open(data, progress=progress(f"reading {data}"), **options)


def settings_of(**asked: Any) -> dict[str, Any]:
    """Return settings as far as they were asked for."""
    return {name: value for name, value in asked.items() if value is not None}


def local_machine(name: str, known: tuple[str, ...]) -> type[ScoreMachine]:
    """Return a machine by name.

    Raises
    ------
    UsageError
        If it is none of those ``known`` to the command.
    """
    from intarsia.models.machines import MACHINES

    if name not in known:
        raise UsageError(f"--machine is {name!r}; it must be one of {', '.join(known)}.")
    return MACHINES[name]
