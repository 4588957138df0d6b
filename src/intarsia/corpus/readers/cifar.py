"""The binary version of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from intarsia.corpus.corpus import check_labels
from intarsia.corpus.readers.base import Block, Reading, explained
from intarsia.errors import DataError, UsageError

# One byte of label, then 32 x 32 bytes each of red, green and blue.
_RECORD = 1 + 3 * 32 * 32


def read(files: Sequence[Path], class_names: Sequence[str] = ()) -> Reading:
    """Return the reading of ``data_batch_1.bin`` and so on, in the order given.

    Raises
    ------
    DataError
        If a file is no whole number of records, or a label is out of range.
    """
    parts = []
    for path in files:
        with explained(path, "CIFAR-10's binary version"):
            size = path.stat().st_size
            if not size or size % _RECORD:
                raise DataError(
                    f"{path}: {size:,} bytes, which is no whole number of records of {_RECORD:,} "
                    "bytes. Fetch it again."
                )
            parts.append(np.memmap(path, np.uint8, mode="r").reshape(-1, _RECORD)[:, 0].copy())
    try:
        labels = check_labels(
            np.concatenate(parts), sum(map(len, parts)), tuple(class_names), str(files[0].parent)
        )
    except UsageError as error:
        raise DataError(str(error)) from error

    def blocks() -> Iterator[Block]:
        for path in files:
            with explained(path, "CIFAR-10's binary version"):
                records = np.fromfile(path, np.uint8).reshape(-1, _RECORD)
            planar = records[:, 1:].reshape(-1, 3, 32, 32)
            yield Block(np.ascontiguousarray(planar.transpose(0, 2, 3, 1)))

    return Reading(len(labels), blocks, labels, tuple(class_names))
