"""A folder of pictures; its sub-folders, if it has any, are the classes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from intarsia.corpus.corpus import check_labels
from intarsia.corpus.options import Selection, class_numbers
from intarsia.corpus.readers.base import Block, Notes, Reading, explained
from intarsia.corpus.readers.picture import OTHER_SUFFIXES, SUFFIXES, decode_file
from intarsia.errors import DataError, UsageError

log = logging.getLogger("intarsia.corpus")
_SPLITS = frozenset(("train", "test", "val", "valid", "validation"))


@dataclass(frozen=True)
class Listing:
    """The pictures of a folder, class by class, names sorted.

    Attributes
    ----------
    root : the folder
    files : paths below it
    classes : number of the class of each file; empty without sub-folders
    class_names : names of the sub-folders, sorted
    split : the split it was asked for
    """

    root: Path
    files: tuple[Path, ...]
    classes: tuple[int, ...]
    class_names: tuple[str, ...]
    split: str

    def selected(self, selection: Selection, data: str) -> Listing:
        """Return the listing with only the pictures selected, before any is decoded."""
        keep = list(range(len(self.files)))
        if selection.classes is not None:
            if not self.classes:
                raise UsageError(
                    f"{data} has no classes: put each class's pictures in a sub-folder of its own."
                )
            numbers = class_numbers(selection.classes, self.class_names, self.classes, data)
            keep = [i for i in keep if self.classes[i] in numbers]
        keep = keep[: selection.limit]
        return replace(
            self,
            files=tuple(self.files[i] for i in keep),
            classes=tuple(self.classes[i] for i in keep) if self.classes else (),
        )


def list_pictures(root: Path, split: str) -> Listing:
    """List the pictures below a folder.

    A folder whose sub-folders are all called train, test or validation is split so, and the
    one asked for is listed.

    Raises
    ------
    UsageError
        If the split asked for is not there.
    DataError
        If there is no picture, or pictures lie both beside and inside sub-folders.
    """
    with explained(root, "a folder of pictures"):
        files, others = _walk(root)
    tops = {path.relative_to(root).parts[0] for path in files if path.parent != root}
    if tops and tops <= _SPLITS and all(path.parent != root for path in files):
        return replace(_one_split(root, tops, split), split=split)
    if split != "train":
        raise UsageError(
            f"{root} has no split {split!r}: the folder has no sub-folders train and test, so all "
            "of it is train."
        )
    _report_ignored(root, others)
    if not files:
        raise DataError(
            f"{root}: no pictures in this folder, expected files such as .png or .jpg "
            f"({_held(others)})."
        )
    loose = [path for path in files if path.parent == root]
    if tops and loose:
        raise DataError(
            f"{root}: {len(loose)} pictures (such as {loose[0].name}) lie beside the class folders "
            f"{', '.join(sorted(tops)[:5])}. Move them into a class folder, or out."
        )
    names = tuple(sorted(tops))
    numbers = {name: k for k, name in enumerate(names)}
    # Class by class, so that the order is the same as the numbering on every system.
    ordered = sorted(files, key=lambda path: path.relative_to(root).parts)
    classes = tuple(numbers[path.relative_to(root).parts[0]] for path in ordered) if names else ()
    return Listing(root, tuple(ordered), classes, names, split)


def read(listing: Listing) -> Reading:
    """Return the reading of the pictures listed."""
    notes = Notes()

    def blocks() -> Iterator[Block]:
        for path in listing.files:
            yield decode_file(path, notes)

    count = len(listing.files)
    labels = None
    if listing.classes:
        labels = check_labels(np.array(listing.classes), count, listing.class_names)
    return Reading(count, blocks, labels, listing.class_names, notes)


def has_pictures(root: Path) -> bool:
    """Whether any picture lies in or below a folder."""
    with explained(root, "a folder"):
        return bool(_walk(root)[0])


def _one_split(root: Path, tops: set[str], split: str) -> Listing:
    wanted = ("val", "valid", "validation") if split.startswith("val") else (split,)
    for name in wanted:
        if name in tops:
            return list_pictures(root / name, "train")
    raise UsageError(f"{root} has no split {split!r}, only {', '.join(sorted(tops))}.")


def _walk(root: Path) -> tuple[list[Path], list[Path]]:
    """Return the pictures and the other files below a folder; hidden ones count as neither."""
    pictures: list[Path] = []
    others: list[Path] = []
    seen = {os.path.realpath(root)}
    for folder, below, names in os.walk(root, followlinks=True, onerror=_raise):
        kept = []
        for name in sorted(below):
            real = os.path.realpath(os.path.join(folder, name))
            if not name.startswith(".") and real not in seen:  # a link may lead in a circle
                seen.add(real)
                kept.append(name)
        below[:] = kept
        for name in names:
            if name.startswith("."):
                continue
            suffix = os.path.splitext(name)[1].lower()
            (pictures if suffix in SUFFIXES else others).append(Path(folder, name))
    return pictures, others


def _raise(error: OSError) -> None:
    raise error


def _report_ignored(root: Path, others: list[Path]) -> None:
    unread = [path for path in others if path.suffix.lower() in OTHER_SUFFIXES]
    if unread:
        log.warning(
            "%s: %d pictures ignored, their format is not read (such as %s); save them as PNG",
            root,
            len(unread),
            unread[0].name,
        )
    if rest := len(others) - len(unread):
        log.info("%s: %d files ignored that are no pictures (%s)", root, rest, _held(others))


def _held(others: list[Path]) -> str:
    if not others:
        return "it holds no other files either"
    names = sorted(path.name for path in others)
    return "it holds " + ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
