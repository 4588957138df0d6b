"""The arrays of an ``.npz``, mapped from disk, so that opening one does not fill memory."""

from __future__ import annotations

import shutil
import tempfile
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
        self._folder = Path(tempfile.mkdtemp(prefix="intarsia-explorer-"))
        self._arrays: dict[str, np.ndarray] = {}
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
                    self._unpack(archive, entry, self._folder / f"{number}.npy")
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            self.close()
            raise DataError(f"{path} is missing or damaged ({error}). Run it again.") from error
        except BaseException:
            self.close()
            raise

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def close(self) -> None:
        """Remove the temporary folder; arrays still in use stay readable until dropped."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _unpack(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, to: Path) -> None:
        with archive.open(entry) as packed, to.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
        small = to.stat().st_size <= SMALL
        array = np.load(to, mmap_mode=None if small else "r", allow_pickle=False)
        self._arrays[entry.filename.removesuffix(".npy")] = array
