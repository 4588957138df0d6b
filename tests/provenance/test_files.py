from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intarsia import IntarsiaError, files


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_what_is_written_is_read_back(tmp_path):
    files.write_bytes(tmp_path / "a", b"\0\xff")
    files.write_text(tmp_path / "b", "Gerät\n")
    files.save_npz(tmp_path / "c.npz", x=np.arange(3), word=np.array("exact"))
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    files.save_png(tmp_path / "d.png", picture)
    files.save_png(tmp_path / "e.png", picture[..., :1])
    assert (tmp_path / "a").read_bytes() == b"\0\xff"
    assert (tmp_path / "b").read_bytes() == "Gerät\n".encode()
    with np.load(tmp_path / "c.npz", allow_pickle=False) as archive:
        assert archive["x"].tolist() == [0, 1, 2] and str(archive["word"]) == "exact"
    assert (np.asarray(Image.open(tmp_path / "d.png")) == picture).all()
    assert (np.asarray(Image.open(tmp_path / "e.png")) == picture[..., 0]).all()
    assert names(tmp_path) == ["a", "b", "c.npz", "d.png", "e.png"]


def test_same_arrays_give_same_bytes(tmp_path):
    for name in "ab":
        files.save_npz(tmp_path / name, x=np.arange(1000), y=np.ones(3))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("existing", [None, b"as before"])
@pytest.mark.parametrize(
    ("code", "fix"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "may not write"), (errno.EROFS, "read-only")],
)
@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch, existing, code, fix, where):
    target = tmp_path / "run.npz"
    if existing:
        target.write_bytes(existing)

    def fail(*_args, **_keywords):
        raise OSError(code, os.strerror(code))

    if where == "write":
        monkeypatch.setattr(np, "savez_compressed", fail)
    else:
        monkeypatch.setattr(os, where, fail)
    with pytest.raises(IntarsiaError) as caught:
        files.save_npz(target, x=np.arange(4))
    assert str(target) in str(caught.value) and fix in str(caught.value)
    assert names(tmp_path) == (["run.npz"] if existing else [])
    assert not existing or target.read_bytes() == existing


def test_a_write_that_runs_out_of_room_leaves_nothing(tmp_path):
    """The system itself refuses half-way: the limit on file size stands in for a full disk."""
    code = (
        "import resource, sys, numpy as np\n"
        "from intarsia import IntarsiaError, files\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "noise = np.random.default_rng(0).integers(0, 256, 100_000, dtype=np.uint8)\n"
        "try:\n"
        "    files.save_npz(sys.argv[1], noise=noise)\n"
        "except IntarsiaError as error:\n"
        "    print(error)\n"
    )
    target = tmp_path / "noise.npz"
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=True
    )
    assert str(target) in done.stdout and "larger than" in done.stdout
    assert done.stderr == ""
    assert names(tmp_path) == []


def test_ctrl_c_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), files.replacing(tmp_path / "a") as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_the_target_is_untouched_until_the_end(tmp_path):
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with files.replacing(target) as temporary:
        temporary.write_bytes(b"new")
        assert target.read_bytes() == b"old"
        assert temporary.parent == tmp_path
    assert target.read_bytes() == b"new"


def test_a_missing_folder_or_one_in_the_way_is_named(tmp_path):
    with pytest.raises(IntarsiaError, match="its folder does not exist"):
        files.write_text(tmp_path / "no" / "a", "")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IntarsiaError, match="folder of that name is in the way"):
        files.write_text(tmp_path / "folder", "")
    files.write_text(tmp_path / "file", "")
    with pytest.raises(IntarsiaError, match="in the way|not a folder"):
        files.make_folder(tmp_path / "file")
    with pytest.raises(IntarsiaError, match="not a folder"):
        files.make_folder(tmp_path / "file" / "below")
    assert names(tmp_path) == ["file", "folder"]


def test_others_may_read_what_is_written(tmp_path):
    before = os.umask(0o022)
    try:
        files.write_text(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


def test_python_objects_are_refused(tmp_path):
    with pytest.raises(TypeError, match="'x' holds Python objects"):
        files.save_npz(tmp_path / "a.npz", x=np.array([{}]))
    assert names(tmp_path) == []
