"""The real command, run inside this process or in one of its own, and what it left behind."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

PYTHON = [sys.executable, "-m", "tests.cli.entry"]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """What ``--json`` printed: one object and nothing else."""
        report = json.loads(self.out)
        assert isinstance(report, dict)
        return report


def in_this_process(capsys: Any, arguments: Sequence[str]) -> Outcome:
    """Run ``intarsia ARGUMENTS`` as the script does, without starting Python again."""
    from intarsia.cli.app import app
    from intarsia.cli.common import run_app

    capsys.readouterr()
    code = run_app(app, list(arguments))
    printed = capsys.readouterr()
    return Outcome(code, printed.out, printed.err)


def made(command: str, run: Path) -> Path:
    """Return the run folder that a command makes; for fixtures."""
    from intarsia.cli.app import app
    from intarsia.cli.common import run_app

    assert run_app(app, [*command.split(), "--out", str(run)]) == 0
    return run


def environment(**more: str) -> dict[str, str]:
    """The environment for a process of its own: it finds tests.cli.entry from any folder."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **more}


def in_own_process(arguments: Sequence[str], **options: Any) -> Outcome:
    """Run ``intarsia ARGUMENTS`` in a process of its own."""
    done = subprocess.run(
        [*PYTHON, *arguments], capture_output=True, text=True, env=environment(), **options
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file and folder below a folder: its content and when it was last written."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = (digest, path.stat().st_mtime_ns)
        else:
            found[name] = ("folder", 0)
    return found


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def assert_same_run(left: Path, right: Path) -> None:
    """Two run folders hold the same pictures with the same sources, to the last bit."""
    for name in ("samples.npz", "sources.npz"):
        ours, theirs = arrays(left / name), arrays(right / name)
        assert ours.keys() == theirs.keys()
        for key in ours:
            assert ours[key].dtype == theirs[key].dtype, f"{name}: {key}"
            np.testing.assert_array_equal(ours[key], theirs[key], err_msg=f"{name}: {key}")


def assert_tidy(run: Path, more: Sequence[str] = ()) -> None:
    """A finished run folder holds what the contract names and nothing else."""
    expected = {
        "config.yaml",
        "samples.npz",
        "sources.npz",
        "grid.png",
        "maps.png",
        "report.html",
        "metrics.json",
    }
    assert {path.name for path in run.iterdir()} == expected | set(more)


def assert_pixel_law(run: Path, planes: Mapping[int, np.ndarray] | Sequence[np.ndarray]) -> None:
    """Every pixel drawn equals the pixel its source names, looked up one by one."""
    images, sources = arrays(run / "samples.npz")["images"], arrays(run / "sources.npz")
    names = ("image", "row", "col")
    for at in np.argwhere(sources["image"] >= 0):
        image, row, col = (int(sources[name][tuple(at)]) for name in names)
        np.testing.assert_array_equal(images[tuple(at)], planes[image][row, col], err_msg=str(at))
