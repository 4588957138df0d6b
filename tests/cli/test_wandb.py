"""``--wandb``: kept steps, logged offline and read back from wandb's own file."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.command import arrays
from tests.cli.conftest import Command

RUN = "generate bbels --data digits --limit 30 --scales 3 --n 2 --steps 4 --out run"


BLOCK, HEADER = 32768, 7


def records(path: Path) -> Iterator[bytes]:
    """wandb's file: blocks of pieces with checksum, length and kind, after seven bytes."""
    data, at, whole = path.read_bytes(), HEADER, b""
    while at + HEADER <= len(data):
        if BLOCK - at % BLOCK < HEADER:  # no header fits the rest of a block
            at += BLOCK - at % BLOCK
            continue
        length, kind = struct.unpack("<HB", data[at + 4 : at + HEADER])
        whole += data[at + HEADER : at + HEADER + length]
        at += HEADER + length
        if kind in (1, 4):  # all of it, or its last piece
            yield whole
            whole = b""


def logged(folder: Path) -> list[dict[str, Any]]:
    """The history of the only offline run under a folder."""
    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = folder.rglob("*.wandb")
    rows = []
    for data in records(path):
        record = Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            rows.append(
                {one.key or "/".join(one.nested_key): json.loads(one.value_json) for one in items}
            )
    return rows


def test_every_step_is_logged_as_it_was_kept(
    intarsia: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    outcome = intarsia(RUN, "--keep-steps --wandb mosaics --json")
    assert outcome.code == 0, outcome.err
    steps = arrays(tmp_path / "run" / "steps.npz")
    rows = logged(tmp_path)
    assert [row["t"] for row in rows] == pytest.approx(steps["t"].tolist())
    for at, row in enumerate(rows):
        assert row["weight"] == pytest.approx(np.median(steps["weight"][:, at]), abs=1e-6)
        assert row["collapsed"] == pytest.approx(np.mean(steps["weight"][:, at] > 0.99))


def test_it_asks_for_steps_and_writes_nothing(intarsia: Command, tmp_path: Path) -> None:
    for words in (f"{RUN} --wandb mosaics", "generate nps --wandb mosaics --out run"):
        outcome = intarsia(words)
        assert outcome.code == 2 and "--keep-steps" in outcome.err
    assert not list(tmp_path.iterdir())


def test_without_wandb_nothing_is_begun(
    intarsia: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intarsia.provenance.wandb_log.find_spec", lambda name: None)
    outcome = intarsia(RUN, "--keep-steps --wandb mosaics")
    assert outcome.code == 2 and "intarsia[wandb]" in outcome.err
    assert not (tmp_path / "run").exists()
