"""``intarsia train encoder``: killed and resumed, it ends with the same weights, and is used."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.test_killed import PATIENCE, started

TRAIN = (
    "train encoder --data digits --resize 24 --limit 640 --batch 64 --epochs 8 --atoms 64 "
    "--widths 16,24,32 --seed 3"
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("undisturbed")
    with started(folder, f"{TRAIN} --out phi") as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert out == ""
    return (folder / "phi" / "model.safetensors").read_bytes()


def test_killed_training_resumes_to_the_same_weights(
    undisturbed: bytes, intarsia: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "phi"
    with started(tmp_path, f"{TRAIN} --out phi") as process:
        end = time.monotonic() + PATIENCE
        while not (folder / "checkpoint.safetensors").exists():
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not (folder / "model.safetensors").exists()
    resumed = intarsia(TRAIN, "--out phi --resume --json")
    assert resumed.code == 0, resumed.err
    assert len(resumed.report["epochs"]) == 8
    assert (folder / "model.safetensors").read_bytes() == undisturbed
    assert not list(folder.glob("views*"))
    drawn = intarsia("generate nps --resize 24 --limit 100 --n 2 --encoder phi --out run")
    assert drawn.code == 0, drawn.err
    unasked = intarsia(TRAIN, "--out phi")
    assert unasked.code == 2 and "--resume" in unasked.err
