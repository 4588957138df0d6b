"""Which files of a folder hold a data set, by the names their makers gave them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from intarsia.corpus.readers import cifar, idx, parquet
from intarsia.corpus.readers.base import Reading
from intarsia.errors import DataError

# Sub-folders used by the hub's repositories, by torchvision, and by the sets' own archives.
_BELOW = (
    "",
    "data",
    "raw",
    "mnist",
    "fashion_mnist",
    "plain_text",
    "data/fashion",
    "MNIST/raw",
    "FashionMNIST/raw",
    "cifar-10-batches-bin",
)
_IDX_PREFIX = {"train": "train", "test": "t10k"}
_CIFAR = {"train": tuple(f"data_batch_{k}.bin" for k in range(1, 6)), "test": ("test_batch.bin",)}
_SHARD = re.compile(r"(?P<split>[A-Za-z]+)-(?P<part>\d{5})-of-(?P<parts>\d{5})\.parquet")


class Found(NamedTuple):
    """Files that hold one split. For ``idx`` they are images and, if present, labels."""

    kind: str
    files: tuple[Path, ...]

    def read(self, class_names: Sequence[str] = ()) -> Reading:
        """Return the reading of these files."""
        if self.kind == "idx":
            labels = self.files[1] if len(self.files) > 1 else None
            return partial(idx.read, self.files[0], labels)(class_names)
        return (parquet.read if self.kind == "parquet" else cifar.read)(self.files, class_names)


def find(folder: Path, split: str) -> Found | None:
    """Return the files of a split in a folder, or None if it holds none by a known name.

    Raises
    ------
    DataError
        If some of the files that belong together are missing.
    """
    for below in _BELOW:
        place = folder / below
        if place.is_dir():
            found = _idx(place, split) or _parquet(place, split) or _cifar(place, split)
            if found:
                return found
    return None


def splits(folder: Path) -> list[str]:
    """Return the splits that a folder holds by known names."""
    names = {"train", "test"}
    for below in _BELOW:
        names.update(match["split"] for match, _ in _shards(folder / below))
    return sorted(name for name in names if find(folder, name))


def _idx(place: Path, split: str) -> Found | None:
    prefix = _IDX_PREFIX.get(split)
    for name in (f"{prefix}-images-idx3-ubyte", f"{prefix}-images.idx3-ubyte"):
        for images in (place / name, place / f"{name}.gz"):
            if prefix and images.is_file():
                labels = idx.labels_beside(images)
                return Found("idx", (images, labels) if labels else (images,))
    return None


def _parquet(place: Path, split: str) -> Found | None:
    whole = place / f"{split}.parquet"
    if whole.is_file():
        return Found("parquet", (whole,))
    shards = [(match, path) for match, path in _shards(place) if match["split"] == split]
    if not shards:
        return None
    parts = int(shards[0][0]["parts"])
    held = {int(match["part"]) for match, _ in shards}
    if len(shards) != parts or held != set(range(parts)):
        missing = sorted(set(range(parts)) - held)
        named = f"{split}-{missing[0]:05d}-of-{parts:05d}.parquet" if missing else "a single set"
        raise DataError(
            f"{place}: {len(shards)} Parquet files of split {split!r}, but their names say "
            f"{parts}; {named} is missing. Put all parts of one copy there."
        )
    return Found("parquet", tuple(path for _, path in shards))


def _shards(place: Path) -> Iterator[tuple[re.Match[str], Path]]:
    for path in sorted(place.glob("*.parquet")):
        if match := _SHARD.fullmatch(path.name):
            yield match, path


def _cifar(place: Path, split: str) -> Found | None:
    files = [place / name for name in _CIFAR.get(split, ())]
    held = [path for path in files if path.is_file()]
    if not held:
        return None
    if len(held) < len(files):
        missing = next(path.name for path in files if path not in held)
        raise DataError(f"{place}: {missing} is missing; {held[0].name} is there.")
    return Found("cifar", tuple(files))
