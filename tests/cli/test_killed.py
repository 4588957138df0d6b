"""A run that is stopped, by Ctrl-C or by kill -9, is finished by ``--resume`` to the same bytes."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import (
    PYTHON,
    arrays,
    assert_same_run,
    assert_tidy,
    contents,
    environment,
    made,
)
from tests.cli.conftest import Command

DIGITS = "generate nps --data mnist --limit 20000 --principles NS+L --n 24 --seed 5"
PATIENCE = 120.0
"""Seconds that a slow machine may take to start the command."""


@contextlib.contextmanager
def started(folder: Path, arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A command under way in a process of its own."""
    process = subprocess.Popen(
        [*PYTHON, *arguments.split()],
        cwd=folder,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def checkpoints(run: Path) -> int:
    """How often a checkpoint was written or written again, told apart by time."""
    found = contents(run / "partial") if (run / "partial").is_dir() else {}
    return hash(tuple(found.items())) if any("batch" in name for name in found) else 0


def wait_for_work(process: subprocess.Popen[str], run: Path) -> bool:
    """Wait for a checkpoint newer than those there are; False if the command ended before."""
    before, end = checkpoints(run), time.monotonic() + PATIENCE
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError):  # renamed while we looked
            if checkpoints(run) not in (0, before):
                return True
        assert time.monotonic() < end, "the command did nothing"
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def undisturbed(intarsia_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, never stopped, in one batch."""
    return made(DIGITS, tmp_path_factory.mktemp("undisturbed") / "run")


def test_killed_at_several_moments_a_run_resumes_to_the_same_bytes(
    undisturbed: Path, intarsia: Command, tmp_path: Path
) -> None:
    moments = random.Random(2)
    kills = 0
    # Other batches each time: those that were begun keep theirs.
    for batch in (5, 3):
        command = f"{DIGITS} --batch {batch} --out run {'--resume' if kills else ''}"
        with started(tmp_path, command, CHECKPOINT_PERIOD="0.05") as process:
            if not wait_for_work(process, tmp_path / "run"):
                break
            time.sleep(moments.uniform(0, 0.7))
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
    assert kills == 2, "the run was over before it could be killed twice"
    assert not (tmp_path / "run" / "metrics.json").exists()
    resumed = intarsia(DIGITS, "--batch 4 --out run --resume")
    assert resumed.code == 0, resumed.err
    assert_same_run(tmp_path / "run", undisturbed)
    assert_tidy(tmp_path / "run")


def test_ctrl_c_says_how_to_go_on_and_going_on_gives_the_same_bytes(
    undisturbed: Path, intarsia: Command, tmp_path: Path
) -> None:
    # As shipped: with a checkpoint every few seconds, and one at the end.
    with started(tmp_path, f"{DIGITS} --batch 6 --out run") as process:
        end = time.monotonic() + PATIENCE
        while not (tmp_path / "run" / "partial").is_dir() and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == "" and "Traceback" not in err
    assert "--resume" in err and "run" in err
    assert list((tmp_path / "run" / "partial").glob("batch-*.npz")), "Ctrl-C saves what is done"
    assert not list((tmp_path / "run").rglob("*.tmp"))
    resumed = intarsia(DIGITS, "--out run --resume")
    assert resumed.code == 0, resumed.err
    assert_same_run(tmp_path / "run", undisturbed)
    assert_tidy(tmp_path / "run")


def test_resuming_does_not_draw_again_what_was_drawn(
    intarsia: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intarsia.models import NonparametricSampler

    run = "generate nps --limit 50 --n 4 --batch 2 --out run"
    with monkeypatch.context() as patch:
        _stop_after(patch, 30)
        assert intarsia(run).code == 130
    drawn = 0
    grow = NonparametricSampler.grow

    def counted(*args: object, **options: object) -> Iterator[object]:
        nonlocal drawn
        for step in grow(*args, **options):  # type: ignore[arg-type]
            drawn += 1
            yield step

    monkeypatch.setattr(NonparametricSampler, "grow", counted)
    assert intarsia(run, "--resume").code == 0
    # 8x8 pixels less a 4x4 seed, in two batches, less the 30 steps made before.
    assert drawn == 2 * 48 - 30


def test_a_finished_run_is_only_read(intarsia: Command, tmp_path: Path) -> None:
    run = "generate nps --principles NS+L --limit 50 --n 2 --out run"
    assert intarsia(run).code == 0
    before = contents(tmp_path)
    again = intarsia(run, "--resume --json")
    assert again.code == 0 and again.report["n"] == 2
    assert contents(tmp_path) == before


@pytest.mark.parametrize("principles", ["NS+L+H", "L", "NS+H"])
def test_stopped_after_any_step_a_run_resumes_to_the_same_bytes(
    principles: str, intarsia: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = f"generate nps --principles {principles} --limit 50 --n 4 --batch 2 --keep-pools"
    assert intarsia(run, "--out undisturbed").code == 0
    pools = arrays(tmp_path / "undisturbed" / "pools.npz")
    # The first step, one within the first batch, its last one of 48, and one within the second.
    for steps in (1, 17, 48, 60):
        out = f"--out run{steps}"
        with monkeypatch.context() as patch:
            _stop_after(patch, steps)
            stopped = intarsia(run, out)
        assert stopped.code == 130
        assert "--resume" in stopped.err and f"run{steps}" in stopped.err
        assert intarsia(run, out, "--resume").code == 0
        assert_same_run(tmp_path / f"run{steps}", tmp_path / "undisturbed")
        assert_tidy(tmp_path / f"run{steps}", ["pools.npz"])
        resumed = arrays(tmp_path / f"run{steps}" / "pools.npz")
        for name in pools:
            np.testing.assert_array_equal(resumed[name], pools[name], err_msg=name)


def test_a_damaged_checkpoint_is_refused_with_the_way_out(
    intarsia: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = "generate nps --limit 50 --n 4 --batch 2 --out run"
    with monkeypatch.context() as patch:
        _stop_after(patch, 20)
        assert intarsia(run).code == 130
    (checkpoint,) = (tmp_path / "run" / "partial").glob("batch-*.npz")
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    before = contents(tmp_path)
    refused = intarsia(run, "--resume")
    assert refused.code == 1 and refused.err.count("\n") == 1
    assert checkpoint.name in refused.err and "Delete it" in refused.err
    assert contents(tmp_path) == before
    checkpoint.unlink()
    assert intarsia(run, "--resume").code == 0


def _stop_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Press Ctrl-C once so many steps are drawn."""
    from intarsia.models import Progress

    advance, drawn = Progress.advance, 0

    def pressed(progress: Progress, pixels: int) -> None:
        nonlocal drawn
        advance(progress, pixels)
        drawn += 1
        if drawn == steps:
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "advance", pressed)
