"""The pictures that an audit looks at, from whatever they are kept in, with names."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from intarsia.corpus import Corpus
from intarsia.corpus.readers.base import explained
from intarsia.corpus.readers.foreign import read_picture
from intarsia.corpus.readers.picture import SUFFIXES
from intarsia.errors import DataError, UsageError


@dataclass(frozen=True, eq=False)
class SampleSet:
    """Pictures of one size, with names.

    Attributes
    ----------
    images : uint8 [n, H, W, C].
    names : of the files, with extension and relative to their folder; or ``FILE[i]`` for the
        i-th picture of an archive.
    notes : what was converted.
    """

    images: UInt8[np.ndarray, "n h w c"]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_samples(
    source: str | os.PathLike[str],
    size: tuple[int, int],
    channels: int,
    progress: Callable[[int, int], None] | None = None,
) -> SampleSet:
    """Read a folder of pictures, a run folder, a .npz, a .parquet or one picture.

    Parameters
    ----------
    source : where they are.
    size, channels : what the corpus has, and so what is needed.
    progress : called with (pictures read, all of them).

    Raises
    ------
    UsageError
        If there is no such place, or a picture has another size.
    DataError
        If there are no pictures, or one cannot be read.
    """
    path = Path(source)
    if not path.exists():
        raise UsageError(
            f"{path}: no such file or folder. Name a folder of pictures, a run folder, a .npz, a "
            ".parquet or a picture."
        )
    if path.is_dir() and (path / "samples.npz").is_file():
        path = path / "samples.npz"
    if path.is_file() and path.suffix.lower() in (".npz", ".parquet"):
        return _archive(path, size, channels)
    files, root = ([path], path.parent) if path.is_file() else (_pictures_in(path), path)
    if not files:
        raise DataError(f"{path}: no pictures in this folder, such as .png or .jpg files.")
    images: list[UInt8[np.ndarray, "y x c"]] = []
    notes: list[str] = []
    for done, file in enumerate(files, 1):
        picture, said = read_picture(file, channels)
        _check(str(file), picture.shape[:2], size)
        images.append(picture)
        notes += said
        if progress is not None:
            progress(done, len(files))
    names = tuple(file.relative_to(root).as_posix() for file in files)
    return SampleSet(np.stack(images), names, _counted(notes))


def _pictures_in(folder: Path) -> list[Path]:
    with explained(folder, "a folder of pictures"):
        found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def _archive(path: Path, size: tuple[int, int], channels: int) -> SampleSet:
    held = Corpus.open(path, cache=False)
    if held.images is None:
        held.size  # noqa: B018  (says that the sizes differ)
    assert held.images is not None
    _check(str(path), held.size, size)
    images, notes = np.asarray(held.images), held.notes
    if held.channels != channels:
        if channels == 1 and (images != images[..., :1]).any():
            raise UsageError(f"{path}: in colour, but the corpus is grey. Convert them first.")
        images = images[..., :1] if channels == 1 else np.repeat(images, 3, axis=3)
        notes = (*notes, f"{len(images):,} pictures turned to {channels} channels, nothing lost")
    return SampleSet(images, tuple(f"{path.name}[{i}]" for i in range(len(images))), notes)


def _check(what: str, found: tuple[int, ...], size: tuple[int, int]) -> None:
    if tuple(found) != size:
        raise UsageError(
            f"{what} is {found[0]}x{found[1]}, but the pictures of the corpus are "
            f"{size[0]}x{size[1]}. An audit compares whole pictures: scale the samples, or add "
            f"--resize {min(found)} to the corpus."
        )


def _counted(notes: list[str]) -> tuple[str, ...]:
    """Merge what was said of single pictures ("1 picture of grey turned to RGB")."""
    counts: dict[str, int] = {}
    for note in notes:
        words = note.removeprefix("1 picture ")
        counts[words] = counts.get(words, 0) + 1
    return tuple(f"{n:,} picture{'s' if n > 1 else ''} {words}" for words, n in counts.items())
