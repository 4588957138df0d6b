"""What every reader hands on, and how it reports a file it cannot read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int16, UInt8

from intarsia.errors import DataError, IntarsiaError

# Enough pictures at a time to make Python's part small, few enough to stay small in memory.
BLOCK_BYTES = 1 << 22


class Block(NamedTuple):
    """Some pictures of one size. ``valid`` is None where every pixel is."""

    pixels: UInt8[np.ndarray, "b h w c"]
    valid: Bool[np.ndarray, "b h w"] | None = None


class Notes:
    """What happened to the pictures on the way in, each thing with a count."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, text: str, count: int = 1) -> None:
        """Note that something happened to ``count`` more pictures."""
        self._counts[text] += count

    def lines(self) -> tuple[str, ...]:
        """Return one line for each thing noted."""
        return tuple(
            f"{count:,} picture{'s' if count > 1 else ''} {text}"
            for text, count in self._counts.items()
        )


@dataclass(frozen=True)
class Reading:
    """A data set about to be decoded.

    Attributes
    ----------
    count : pictures it claims to hold
    blocks : opens the stream of pictures, in order; each call starts from the first
    labels : int16 [count], or None
    class_names : position is number; may be empty
    notes : filled while the stream is read
    """

    count: int
    blocks: Callable[[], Iterator[Block]]
    labels: Int16[np.ndarray, " n"] | None = None
    class_names: tuple[str, ...] = ()
    notes: Notes = field(default_factory=Notes)


@contextmanager
def explained(path: Path, what: str) -> Iterator[None]:
    """Turn what goes wrong while reading ``path`` into a DataError that names it."""
    try:
        yield
    except IntarsiaError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; it was to be {what}.") from error
    except PermissionError as error:
        raise DataError(f"{path}: no permission to read it. Change its permissions.") from error
    # Parsers of damaged bytes raise errors of every family; all mean the same here.
    except Exception as error:
        detail = str(error).strip().splitlines() or [type(error).__name__]
        raise DataError(
            f"{path}: damaged, or not {what} ({detail[0]}). Fetch or make it again."
        ) from error
