"""What a run leaves on disk while it is under way, so that any end but the last is only a pause."""

from __future__ import annotations

import shutil
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64

from intarsia.errors import DataError, UsageError
from intarsia.files import make_folder, save_npz, write_text
from intarsia.models.batch import Batch
from intarsia.provenance.folder import config_text, package_version, plain, read_config
from intarsia.reduce import keys
from intarsia.samples import Origin

PERIOD = 5.0
"""Seconds between checkpoints."""

TEMPORARY = f".*.{'[0-9a-f]' * 12}.tmp"
"""How `intarsia.files` names a file that is not whole yet."""

POOL_LIMIT = 1000
"""Candidates kept a pixel by ``--keep-pools``: the nearest, ties by name."""


@runtime_checkable
class Kept(Protocol):
    """A batch that a checkpoint can write."""

    samples: Int64[np.ndarray, " b"]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the batch as plain arrays."""
        ...


class Checkpoint:
    """The unfinished part of a run folder.

    Parameters
    ----------
    folder : the run folder. ``folder/partial`` holds batches under way and is gone at the end.

    Attributes
    ----------
    fresh : whether this session made the folder's run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.partial = folder / "partial"
        self.fresh = False
        self._saved_at = time.monotonic()
        self._pools: dict[int, list[dict[str, np.ndarray]]] = {}

    @classmethod
    def open(
        cls, folder: Path, settings: Mapping[str, Any], origin: Origin, resume: bool
    ) -> Checkpoint:
        """Claim a run folder, or take up the run in it.

        Raises
        ------
        UsageError
            If the folder holds something else: another run, the same run without ``resume``, or
            files that are no run's.
        """
        config = folder / "config.yaml"
        if config.exists():
            _compare(folder, settings, origin, resume)
        elif folder.exists() and (not folder.is_dir() or _others(folder)):
            raise UsageError(
                f"{folder} exists and is not a run of intarsia. Choose another --out; nothing "
                "was changed."
            )
        else:
            make_folder(folder)
            write_text(config, config_text(settings, origin))
            checkpoint = cls(folder)
            checkpoint.fresh = True
            make_folder(checkpoint.partial)
            return checkpoint
        checkpoint = cls(folder)
        if not checkpoint.finished:
            make_folder(checkpoint.partial)
        return checkpoint

    @property
    def finished(self) -> bool:
        """Whether the run in the folder is complete: metrics are written last."""
        return (self.folder / "metrics.json").exists() and not self.partial.exists()

    def batches(self) -> list[dict[str, np.ndarray]]:
        """Read the batches of an earlier session, as `Batch.to_arrays` made them."""
        return [_read(path) for path in sorted(self.partial.glob("batch-*.npz"))]

    def keep(self, batch: Kept, *, now: bool = False) -> None:
        """Save a batch if the last time was long ago, or ``now``."""
        if not now and time.monotonic() - self._saved_at < PERIOD:
            return
        self._write_pools(batch)
        save_npz(self.partial / f"batch-{batch.samples[0]:08d}.npz", **batch.to_arrays())
        self._saved_at = time.monotonic()

    def note_pools(
        self, batch: Batch, place: tuple[int, int], members: list[tuple[np.ndarray, np.ndarray]]
    ) -> None:
        """Remember the pools of the step just made."""
        parts: list[dict[str, np.ndarray]] = []
        for sample, (codes, distances) in zip(batch.samples, members, strict=True):
            nearest = np.sort(np.lexsort((codes, distances))[:POOL_LIMIT])
            image, row, col = keys.decode(codes[nearest])
            entry = {
                "sample": [sample],
                "row": [place[0]],
                "col": [place[1]],
                "step": [batch.step - 1],
                "count": [len(nearest)],
                "source_image": image,
                "source_row": row,
                "source_col": col,
                "distance": distances[nearest],
            }
            parts.append({name: np.asarray(value, np.int64) for name, value in entry.items()})
        # One step is one entry, so that Ctrl-C finds it noted as a whole or not at all.
        self._pools.setdefault(int(batch.samples[0]), []).append(_joined(parts))

    def _write_pools(self, batch: Kept) -> None:
        first = int(batch.samples[0])
        entries = self._pools.get(first, [])
        if entries:
            joined = _joined(entries)
            save_npz(self.partial / f"pools-{first:08d}-{joined['step'][0]:06d}.npz", **joined)
            self._pools[first] = []

    def align(self, batch: Batch) -> None:
        """Bring a batch that is taken up again and the pools kept of it to the same step.

        Pools of later steps go, since they will be made again. Where the pools of the last step
        are missing, the batch takes that step again; where more is missing (the run began without
        ``keep_pools``), it starts over.
        """
        kept = 0
        files = sorted(self.partial.glob(f"pools-{batch.samples[0]:08d}-*.npz"))
        for path in files:
            if int(path.stem.split("-")[2]) >= batch.step:
                path.unlink()
            else:
                kept = int(_read(path)["step"].max()) + 1
        if kept == batch.step - 1:
            batch.step = kept
        elif kept < batch.step:
            batch.step, batch.lookups = 0, []
            for path in files:
                path.unlink(missing_ok=True)

    def pools(self) -> dict[str, np.ndarray] | None:
        """Return all kept pools as the arrays of pools.npz, or None if there are none.

        One entry a pixel: ``sample``, ``row``, ``col``, ``step``, ``start``, ``count``; its
        candidates are entries start to start + count - 1 of ``source_image``, ``source_row``,
        ``source_col`` and ``distance`` (int64, the weighted sum of squared differences).
        """
        parts = [_read(path) for path in sorted(self.partial.glob("pools-*.npz"))]
        if not parts:
            return None
        joined = _joined(parts)
        joined["start"] = np.cumsum(joined["count"]) - joined["count"]
        return joined

    def abandon(self) -> None:
        """Undo `open`: leave nothing of a run that failed before it drew a pixel."""
        self.clear()
        (self.folder / "config.yaml").unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def clear(self) -> None:
        """Remove what only an unfinished run needs, and what ``kill -9`` left of it."""
        shutil.rmtree(self.partial, ignore_errors=True)
        for path in self.folder.glob(TEMPORARY):
            path.unlink(missing_ok=True)


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _others(folder: Path) -> bool:
    """Whether a folder holds more than files that a killed process was about to rename."""
    return any(not path.match(TEMPORARY) for path in folder.iterdir())


def _compare(folder: Path, settings: Mapping[str, Any], origin: Origin, resume: bool) -> None:
    """Refuse a folder whose run is not the one asked for."""
    found = read_config(folder)
    if found.package != package_version():
        raise UsageError(
            f"{folder} holds a run of intarsia {found.package}, and this is {package_version()}, "
            "which may draw other pixels. Resume with that version, or choose another --out."
        )
    wanted = plain(dict(settings), "settings")
    differing = sorted(
        name
        for name in {*wanted, *found.settings} - {"asked"}
        if wanted.get(name) != found.settings.get(name)
    )
    if found.origin.fingerprint != origin.fingerprint:
        differing.append("corpus")
    if differing:
        raise UsageError(
            f"{folder} holds another run; it differs in {', '.join(differing)}. Choose another "
            "--out; nothing was changed."
        )
    if not resume:
        raise UsageError(
            f"{folder} already holds this run. Add --resume to finish it, or choose another "
            "--out; nothing was changed."
        )


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} cannot be read ({error}). Delete it and --resume; its batch starts again."
        ) from error
