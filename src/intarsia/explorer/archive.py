"""The arrays of an ``.npz``, mapped from disk, so that opening one does not fill memory."""

from __future__ import annotations

import shutil
import tempfile
import weakref
import zipfile
import zlib
from pathlib import Path

import numpy as np

from intarsia.errors import DataError

LARGEST = 8 << 30
"""Bytes an archive may take unpacked."""
SMALL = 1 << 16
"""Bytes up to which an array is read into memory: the system refuses to map an empty one."""


class MappedArchive:
    """An ``.npz`` unpacked into a temporary folder and memory-mapped from there.

    A compressed array cannot be mapped, and the pools of a run may exceed memory; unpacked, one
    sample's share is read at a time.

    Parameters
    ----------
    path : of the archive.

    Raises
    ------
    DataError
        If it is missing, damaged, or larger than `LARGEST`.
    """

    def __init__(self, path: Path) -> None:
        folder = Path(tempfile.mkdtemp(prefix="intarsia-explorer-"))
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._files: dict[str, Path] = {}
        self.bytes = 0
        try:
            with zipfile.ZipFile(path) as archive:
                self.bytes = sum(entry.file_size for entry in archive.infolist())
                if self.bytes > LARGEST:
                    raise DataError(
                        f"{path} takes {self.bytes >> 30} GB unpacked, and the explorer opens at "
                        f"most {LARGEST >> 30} GB. Draw fewer samples a run."
                    )
                for number, entry in enumerate(archive.infolist()):
                    to = folder / f"{number}.npy"
                    with archive.open(entry) as packed, to.open("wb") as unpacked:
                        shutil.copyfileobj(packed, unpacked, 1 << 20)
                    self._files[entry.filename.removesuffix(".npy")] = to
                    self[entry.filename.removesuffix(".npy")]  # refuses what is no array
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            self.close()
            raise DataError(f"{path} is missing or damaged ({error}). Run it again.") from error
        except BaseException:
            self.close()
            raise

    def __getitem__(self, name: str) -> np.ndarray:
        """Map an array anew: what was read of it leaves memory with the last use of it."""
        path = self._files[name]
        small = path.stat().st_size <= SMALL
        array: np.ndarray = np.load(path, mmap_mode=None if small else "r", allow_pickle=False)
        return array

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def close(self) -> None:
        """Remove the temporary folder; arrays still in use stay readable until dropped."""
        self._remove()
