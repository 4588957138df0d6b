"""One run as the page needs it: a sample at a time, whatever the size of the run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from intarsia.errors import DataError, IntarsiaError, UsageError
from intarsia.explorer.archive import MappedArchive
from intarsia.explorer.bounded import Bounded
from intarsia.explorer.discover import file_of
from intarsia.provenance.folder import RunConfig, read_config, read_sources
from intarsia.samples import SOURCE_FIELDS, Samples

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

Archives = Bounded[MappedArchive]
ON_DISK = 2 << 30
"""Bytes of unpacked archives kept in the temporary folder."""

Arrays = dict[str, np.ndarray]


def archives() -> Archives:
    """Return a store for the archives of all runs."""
    return Bounded(ON_DISK, size=lambda one: one.bytes, dropped=MappedArchive.close)


class Shown(Protocol):
    """What the page can show: a run folder, or samples in memory."""

    id: str
    title: str
    config: RunConfig
    metrics: dict[str, Any]
    corpus: Corpus | None
    why_no_corpus: str

    def __len__(self) -> int: ...

    def samples(self, which: slice) -> Samples:
        """Return some of the samples."""
        ...

    def pools(self, index: int) -> Arrays | None:
        """Return the candidates of each pixel of a sample, as in pools.npz; None if not kept."""
        ...

    def steps(self, index: int) -> Arrays | None:
        """Return the reverse steps of a sample, as in steps.npz less the first axis, or None."""
        ...

    @property
    def has(self) -> dict[str, bool]:
        """Whether pools and steps are there."""
        ...

    def copy_scores(self) -> dict[int, dict[str, Any]]:
        """Return what an audit found, by sample; empty where there was none."""
        ...


@dataclass
class RunFolder:
    """A run on disk.

    Parameters
    ----------
    id : its name in addresses.
    folder : where it is.
    archives : store that unpacked archives are taken from.
    corpus, why_no_corpus : its training pictures, or why there are none.
    """

    id: str
    folder: Path
    archives: Archives = field(repr=False)
    corpus: Corpus | None = None
    why_no_corpus: str = ""

    def __post_init__(self) -> None:
        self.title = self.folder.resolve().name
        self.config = read_config(file_of(self.folder, "config.yaml"))
        self.metrics = _json(file_of(self.folder, "metrics.json"))

    def __len__(self) -> int:
        return len(self._archive("samples.npz")["images"])

    def samples(self, which: slice) -> Samples:
        """Return some of the samples, read from disk.

        Raises
        ------
        DataError
            If the files do not fit together.
        """
        pictures, sources = self._archive("samples.npz"), self._archive("sources.npz")
        try:
            return Samples(
                images=np.array(pictures["images"][which]),
                sources=read_sources(
                    {name: np.array(sources[name][which]) for name in SOURCE_FIELDS}
                    | {name: sources[name] for name in ("evidence", "grid") if name in sources},
                    pictures["images"].shape,
                ),
                settings=self.config.settings,
                labels=np.array(pictures["labels"][which]) if "labels" in pictures else None,
                seeds=np.array(pictures["seeds"][which]),
                corpus=self.corpus,
                origin=self.config.origin,
            )
        except (KeyError, IndexError, TypeError, UsageError) as error:
            raise DataError(f"The files in {self.folder} do not fit together: {error}") from error

    def pools(self, index: int) -> Arrays | None:
        """Return the candidates of each pixel of a sample; None if they were not kept."""
        if not self.has["pools"]:
            return None
        pools = self._archive("pools.npz")
        mine = np.flatnonzero(pools["sample"] == self._number(index))
        entry = {name: np.asarray(pools[name])[mine] for name in ("row", "col", "start", "count")}
        members = np.concatenate(
            [
                np.arange(start, start + count)
                for start, count in zip(entry["start"], entry["count"], strict=True)
            ]
            or [np.zeros(0, np.int64)]
        )
        out = {name: entry[name] for name in ("row", "col", "count")}
        for name in ("source_image", "source_row", "source_col", "distance"):
            out[name] = np.asarray(pools[name][members])
        return out

    def steps(self, index: int) -> Arrays | None:
        """Return the reverse steps of a sample; None if they were not kept."""
        if not self.has["steps"]:
            return None
        steps = self._archive("steps.npz")
        names = ("x", "clean", "image", "row", "col", "transform", "weight")
        out = {name: np.array(steps[name][index]) for name in names}
        return out | {name: np.array(steps[name]) for name in ("t", "alpha_bar")}

    @property
    def has(self) -> dict[str, bool]:
        """Whether pools and steps were kept."""
        return {name: (self.folder / f"{name}.npz").is_file() for name in ("pools", "steps")}

    def copy_scores(self) -> dict[int, dict[str, Any]]:
        """Read what an audit of the run found, by sample; empty if there was none.

        It is looked for in ``audit.json`` and ``audit/audit.json`` of the run folder.
        """
        for name in ("audit.json", "audit/audit.json"):
            try:
                audit = _json(file_of(self.folder, name))
                return {_last_number(row["name"]): row for row in audit["samples"]}
            except (IntarsiaError, KeyError, TypeError):
                continue
        return {}

    def _number(self, index: int) -> int:
        return int(self._archive("samples.npz")["seeds"][index])

    def _archive(self, name: str) -> MappedArchive:
        path = file_of(self.folder, name)
        key = (str(path), path.stat().st_mtime_ns)
        return self.archives.get(key, lambda: MappedArchive(path))


@dataclass
class InMemory:
    """Samples that are in no folder: an attributed picture, or those of a notebook.

    Parameters
    ----------
    pool_entries : by sample, what `Shown.pools` returns.
    """

    id: str
    title: str
    all: Samples
    pool_entries: list[Arrays] | None = None
    why_no_corpus: str = ""

    def __post_init__(self) -> None:
        self.corpus = self.all.corpus
        self.config = RunConfig(dict(self.all.settings), self.all.origin)
        self.metrics: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.all)

    def samples(self, which: slice) -> Samples:
        """Return some of the samples."""
        return self.all[which]

    def pools(self, index: int) -> Arrays | None:
        """Return the candidates of each pixel, or None."""
        return None if self.pool_entries is None else self.pool_entries[index]

    def steps(self, index: int) -> Arrays | None:
        """Return None: steps are only kept in run folders."""
        return None

    @property
    def has(self) -> dict[str, bool]:
        """Whether pools and steps are there."""
        return {"pools": self.pool_entries is not None, "steps": False}

    def copy_scores(self) -> dict[int, dict[str, Any]]:
        """Return nothing: only run folders are audited."""
        return {}


def checked_index(run: Shown, index: int) -> int:
    """Return a sample's index.

    Raises
    ------
    IndexError
        If there is no such sample.
    """
    if not 0 <= index < len(run):
        raise IndexError(f"The run {run.id} has samples 0 to {len(run) - 1}, not {index}.")
    return index


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON ({error}). Run it again.") from error
    if not isinstance(found, dict):
        raise DataError(f"{path} is not a JSON object. Run it again.")
    return found


def _last_number(name: str) -> int:
    """Return the number at the end of a file name without its extension."""
    digits = "".join(char if char.isdigit() else " " for char in str(name)).split()
    if not digits:
        raise IntarsiaError(f"{name!r} holds no number.")
    return int(digits[-1])
