"""Pictures larger than memory: laid out in a file, of which a bounded part is held at a time.

The layout lies in a file without a name, mapped; so does the corpus. Where a model has touched
more than its budget, both mappings are let go. What is asked about again comes back from the file,
mostly from the system's own cache, which gives way to other programs. No result depends on this.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int8

from intarsia.corpus.locate import cache_folder
from intarsia.errors import IntarsiaError
from intarsia.files import make_folder

_PAGE = mmap.PAGESIZE


@dataclass(eq=False)
class Room:
    """What mapped pictures may take of memory.

    Attributes
    ----------
    budget : bytes.
    spent : bytes touched since the mappings were last let go, from above.
    """

    budget: int
    spent: int = 0
    _maps: list[mmap.mmap] = field(default_factory=list)

    def blank(self, shape: tuple[int, ...]) -> Int8[np.ndarray, "..."]:
        """Return zeros in a file that vanishes with the process.

        Raises
        ------
        IntarsiaError
            If the cache folder has no room.
        """
        folder, size = cache_folder() / "layouts", int(np.prod(shape))
        make_folder(folder)
        try:
            with tempfile.TemporaryFile(dir=folder) as stream:
                stream.truncate(size)
                if hasattr(os, "posix_fallocate"):  # a full disk is found now, not in a mapping
                    os.posix_fallocate(stream.fileno(), 0, size)
                mapped = mmap.mmap(stream.fileno(), size)
        except OSError as error:
            raise IntarsiaError(
                f"{folder} has no room for {size / 2**30:.1f} GB of pictures laid out: {error}. "
                "Set INTARSIA_CACHE to a folder with room, or leave --memory out."
            ) from error
        self._maps.append(mapped)
        return np.frombuffer(mapped, np.int8).reshape(shape)

    def watch(self, array: np.ndarray) -> None:
        """Let a mapped array go with the others; one that lies in memory stays."""
        base: object = array
        while isinstance(base, np.ndarray):
            base = base.base
        if isinstance(base, mmap.mmap) and base not in self._maps:
            self._maps.append(base)

    def touch(self, pieces: int, length: int) -> None:
        """Count pieces of memory that were touched, and let all go where it was too much."""
        self.spent += pieces * (-(-length // _PAGE) + 1) * _PAGE
        if self.spent > self.budget:
            self.let_go()

    def let_go(self) -> None:
        """Give mapped pages back."""
        self.spent = 0
        for mapped in self._maps:
            if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows, which does so by itself
                mapped.madvise(mmap.MADV_DONTNEED)
