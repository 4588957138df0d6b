"""A disk that refuses: full, read-only or not ours. Nothing half-written, and no work is lost."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path
from typing import Any

import pytest

from intarsia import files
from tests.cli.command import arrays, assert_same_run, assert_tidy, in_own_process, made
from tests.cli.conftest import Command

RUN = "generate nps --principles NS+L --limit 40 --n 3 --batch 2"
# config; one checkpoint a batch; samples, sources, grid, maps, report, config, metrics.
WRITES = 1 + 2 + 7


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run on a disk that refuses nothing."""
    return made(RUN, tmp_path_factory.mktemp("undisturbed") / "run")


class Disk:
    """Counts the files that `intarsia.files` writes, and refuses from one of them on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refuse_from: int, code: int) -> None:
        self.writes = 0
        sync = files._sync

        def refusing(path: Path) -> None:
            if path.is_file():
                if self.writes >= refuse_from:
                    raise OSError(code, os.strerror(code))
                self.writes += 1
            sync(path)

        monkeypatch.setattr(files, "_sync", refusing)


def assert_all_files_are_whole(run: Path) -> None:
    for path in run.rglob("*"):
        assert not path.name.endswith(".tmp"), path
        if path.suffix == ".npz":
            arrays(path)  # raises for half an archive
        elif path.suffix == ".png":
            assert path.read_bytes().endswith(b"IEND\xaeB`\x82")
        elif path.is_file():
            assert path.read_bytes().endswith((b"\n", b"</html>")), path


def test_a_run_of_these_settings_writes_so_many_files(
    intarsia: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch, 99, errno.ENOSPC)
    assert intarsia(RUN, "--out run").code == 0
    assert disk.writes == WRITES


@pytest.mark.parametrize("write", range(WRITES))
def test_a_disk_full_at_any_file_loses_no_work_and_keeps_no_half_file(
    write: int,
    undisturbed: Path,
    intarsia: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        Disk(patch, write, errno.ENOSPC)
        refused = intarsia(RUN, "--out run")
    assert refused.code == 1 and refused.out == ""
    assert refused.err.count("\n") == 1
    assert "run" in refused.err and "the disk is full. Free some space" in refused.err
    assert_all_files_are_whole(tmp_path)
    # Settings come first: without them, nothing is there that --resume could finish.
    assert (tmp_path / "run" / "config.yaml").exists() == (write > 0)
    again = intarsia(RUN, "--out run", "--resume" if write > 0 else "")
    assert again.code == 0, again.err
    assert_same_run(tmp_path / "run", undisturbed)
    assert_tidy(tmp_path / "run")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EACCES, "you may not write there. Choose a folder you own"),
        (errno.EROFS, "that disk is read-only. Choose a folder on another disk"),
        (errno.EDQUOT, "your quota on that disk is used up"),
        (errno.EIO, "Choose another path"),
    ],
)
def test_every_refusal_names_the_folder_and_the_way_out(
    code: int, words: str, intarsia: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Disk(monkeypatch, 0, code)
    refused = intarsia(RUN, "--out run")
    assert refused.code == 1 and refused.out == ""
    assert refused.err.count("\n") == 1 and "run" in refused.err and words in refused.err
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_system_s_own_limit_on_files_ends_in_one_line(
    undisturbed: Path, intarsia: Command, tmp_path: Path
) -> None:
    def small_files() -> None:
        # Enough for config.yaml, and too little for a checkpoint.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1200, 1200))

    refused = in_own_process([*RUN.split(), "--out", "run"], cwd=tmp_path, preexec_fn=small_files)
    assert refused.code == 1 and refused.out == ""
    assert refused.err.count("\n") == 1 and "the file would be larger than" in refused.err
    assert_all_files_are_whole(tmp_path)
    assert intarsia(RUN, "--out run --resume").code == 0
    assert_same_run(tmp_path / "run", undisturbed)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_ends_in_one_line(
    intarsia: Command, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    refused = intarsia(RUN, "--out", closed / "run")
    assert refused.code == 1 and refused.out == ""
    assert refused.err.count("\n") == 1
    assert str(closed) in refused.err and "Choose a folder you own" in refused.err
    assert not list(closed.iterdir())


class Killed(BaseException):
    """Stands for kill -9: nothing in the command may catch it and clean up."""


def _kill_at(monkeypatch: pytest.MonkeyPatch, write: int) -> None:
    """End the process, as far as files can tell, after a temporary file is whole, not renamed."""
    replace, fresh = os.replace, files._fresh
    state = {"writes": 0, "dead": False}

    def dying(*paths: Any) -> None:
        if state["writes"] == write:
            state["dead"] = True
            raise Killed
        state["writes"] += 1
        replace(*paths)

    def dead(path: Path) -> Path:
        if state["dead"]:
            raise Killed
        return fresh(path)

    def undeletable(path: Path, missing_ok: bool = False) -> None:
        if not state["dead"]:
            os.unlink(path)

    monkeypatch.setattr(files.os, "replace", dying)
    monkeypatch.setattr(files, "_fresh", dead)
    monkeypatch.setattr(Path, "unlink", undeletable)


@pytest.mark.parametrize("write", range(WRITES))
def test_killed_between_writing_and_renaming_any_file_a_run_resumes_to_the_same_bytes(
    write: int,
    undisturbed: Path,
    intarsia: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        _kill_at(patch, write)
        with pytest.raises(Killed):
            intarsia(RUN, "--out run")
    assert list(tmp_path.rglob("*.tmp")), "the simulation leaves what kill -9 leaves"
    again = intarsia(RUN, "--out run --resume")
    assert again.code == 0, again.err
    assert_same_run(tmp_path / "run", undisturbed)
    assert_tidy(tmp_path / "run")
