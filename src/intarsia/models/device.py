"""Devices by name."""

from __future__ import annotations

import torch

from intarsia.errors import UsageError


def torch_device(name: str) -> torch.device:
    """Return the device called ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises
    ------
    UsageError
        If there is none of that name here.
    """
    kind = name.split(":")[0]
    if kind not in ("cpu", "cuda", "mps"):
        raise UsageError(f"--device is {name!r}; it must be cpu, cuda or mps.")
    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not here[kind]:
        raise UsageError(
            f"--device {name} was asked for, but torch finds no such device here. "
            "Use --device cpu, or install a torch built for it."
        )
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"--device is {name!r}, which torch does not understand.") from error
