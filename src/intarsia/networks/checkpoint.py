"""Checkpoints of a training as safetensors: network, optimizer, and what was measured so far."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from intarsia.errors import DataError, UsageError
from intarsia.files import write_bytes

Row = dict[str, Any]
"""What was measured in an epoch: numbers, or lists of them (a histogram)."""

FORMAT = 1
"""Version of the file: checkpoints of another version are refused."""


@dataclass(frozen=True)
class Checkpoint:
    """A file that a training goes on from.

    Attributes
    ----------
    path : of the file.
    what : recipe and task, in JSON types; a checkpoint of anything else is refused.
    """

    path: Path
    what: dict[str, Any]

    def found(self, resume: bool) -> bool:
        """Whether there is a checkpoint to go on from.

        Raises
        ------
        UsageError
            If there is one and it was not asked to go on.
        """
        if self.path.exists() and not resume:
            raise UsageError(
                f"{self.path.parent} holds a training already. Add --resume to go on with it, or "
                "name another --out."
            )
        return self.path.exists()

    def save(self, network: nn.Module, optimizer: torch.optim.Optimizer, rows: list[Row]) -> None:
        """Write the file, whole or not at all."""
        from safetensors.torch import save

        tensors = {f"network.{k}": v.detach().cpu() for k, v in network.state_dict().items()}
        state = optimizer.state_dict()["state"]
        for number, values in state.items():
            tensors |= {f"optimizer.{number}.{k}": v.detach().cpu() for k, v in values.items()}
        header = {"format": FORMAT, "what": self.what, "rows": rows}
        solid = {name: value.contiguous() for name, value in tensors.items()}
        write_bytes(self.path, save(solid, {"intarsia": json.dumps(header)}))

    def restore(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> list[Row]:
        """Put network and optimizer where they were, and return what was measured.

        Raises
        ------
        DataError
            If the file is damaged.
        UsageError
            If it is of another recipe or task.
        """
        header, tensors = _read(self.path)
        if header["what"] != json.loads(json.dumps(self.what)):
            different = _differences(header["what"], self.what)
            raise UsageError(
                f"{self.path.parent} holds another training: it differs in {different}. Give the "
                "same options, or name another --out."
            )
        weights = {
            name.removeprefix("network."): value
            for name, value in tensors.items()
            if name.startswith("network.")
        }
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimizer."):
                _, number, field = name.split(".", 2)
                state.setdefault(int(number), {})[field] = value
        try:
            network.load_state_dict(weights)
            whole = optimizer.state_dict()
            optimizer.load_state_dict({**whole, "state": state})
        except (RuntimeError, ValueError, KeyError) as error:
            raise DataError(
                f"{self.path} does not fit the network ({error}). Delete it."
            ) from error
        rows: list[Row] = header["rows"]
        return rows


def read_rows(path: Path) -> list[Row]:
    """Return what was measured in a training, an entry an epoch.

    Raises
    ------
    DataError
        If the file is damaged or missing.
    """
    rows: list[Row] = _read(path)[0]["rows"]
    return rows


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as stream:
            header = json.loads((stream.metadata() or {}).get("intarsia", "{}"))
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        if header.get("format") != FORMAT or not {"what", "rows"} <= header.keys():
            raise DataError(
                f"{path} is no checkpoint of this version of intarsia. Name another --out."
            )
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(
            f"{path} is damaged ({error}). Delete it to train anew, or name another --out."
        ) from error
    return header, tensors


def _differences(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Name the settings in which two trainings differ."""
    found = []
    for part in ("recipe", "task"):
        ours, theirs = one.get(part, {}), other.get(part, {})
        found += [name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)]
    return ", ".join(sorted(found)) or "its description"
