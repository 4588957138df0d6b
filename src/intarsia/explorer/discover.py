"""Which run folders are shown, and their names in addresses."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from pathlib import Path

from intarsia.errors import DataError, UsageError

NEEDED = ("config.yaml", "samples.npz", "sources.npz", "metrics.json")
MOST = 2000
"""Runs found in one folder of runs."""


def discover(folders: Iterable[Path]) -> dict[str, Path]:
    """Find the runs in what was named: run folders, or folders of run folders.

    Parameters
    ----------
    folders : as given by the user. Symbolic links inside them that lead out of them are skipped.

    Returns
    -------
    dict
        The run folder by its identifier: lower-case letters, digits and hyphens.

    Raises
    ------
    UsageError
        If a folder does not exist, or holds no run.
    """
    runs: dict[str, Path] = {}
    known: set[Path] = set()
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder. Name a run, or a folder of runs.")
        found = [folder] if is_run(folder) else runs_below(folder)
        if not found:
            raise UsageError(
                f"{folder} holds no finished run (config.yaml, samples.npz, sources.npz and "
                "metrics.json). `intarsia generate --out FOLDER` writes one."
            )
        for run in found:
            resolved = run.resolve()
            if resolved not in known:
                known.add(resolved)
                runs[identifier(resolved.name, runs)] = run
    return runs


def is_run(folder: Path) -> bool:
    """Whether a folder holds a finished run."""
    return all((folder / name).is_file() for name in NEEDED)


def runs_below(folder: Path) -> list[Path]:
    """Return the runs directly in a folder or one level deeper, by name."""
    inside = folder.resolve()
    below = [*folder.glob("*/config.yaml"), *folder.glob("*/*/config.yaml")]
    runs = [path.parent for path in sorted(below) if path.resolve().is_relative_to(inside)]
    return [run for run in runs if is_run(run)][:MOST]


def identifier(name: str, taken: Container[str]) -> str:
    """Return a name for addresses that nobody has yet.

    Examples
    --------
    >>> identifier("NS+L run", {"ns-l-run"})
    'ns-l-run-2'
    """
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "run"
    number, chosen = 2, base
    while chosen in taken:
        chosen, number = f"{base}-{number}", number + 1
    return chosen


def file_of(run: Path, name: str) -> Path:
    """Return a file of a run, after every symbolic link.

    Raises
    ------
    DataError
        If it is missing, or a link leads out of the run folder.
    """
    path = (run / name).resolve()
    if not path.is_relative_to(run.resolve()):
        raise DataError(f"{run / name} leads out of its run folder and is not read.")
    if not path.is_file():
        raise DataError(f"{run / name} is missing, so the run is incomplete. Run it again.")
    return path
