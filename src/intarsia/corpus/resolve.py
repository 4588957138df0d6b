"""From a ``--data`` string to the files behind it."""

from __future__ import annotations

import importlib.metadata
import os
from functools import partial
from pathlib import Path

from intarsia.corpus import layout, locate
from intarsia.corpus.options import Selection, suggestion
from intarsia.corpus.readers import digits, folder, hub, idx, npz, parquet, picture
from intarsia.corpus.readers.base import Reading, explained
from intarsia.corpus.registry import NAMED_SETS, Card
from intarsia.corpus.source import Source
from intarsia.errors import DataError, UsageError

_FORMS = (
    "Use digits, mnist, fashion-mnist, cifar10, a folder of pictures, a .npz, a .parquet, an IDX "
    "file, one picture, or hf:NAME"
)


def resolve(
    data: str | os.PathLike[str],
    split: str,
    selection: Selection | None = None,
    *,
    download: bool = True,
) -> Source:
    """Return what a ``--data`` string stands for. Nothing is decoded.

    Parameters
    ----------
    data : see `intarsia.corpus.Corpus.open`
    split : such as ``train``
    selection : applied already here to a folder, so that only what is needed is decoded
    download : whether a named set that is not on this machine is fetched

    Raises
    ------
    UsageError
        If the name or the split is unknown.
    DataError
        If it cannot be fetched, or files that belong together are missing.
    """
    name = os.fspath(data)
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"--data is {name!r}. {_FORMS}.")
    if name in NAMED_SETS:
        return _named(NAMED_SETS[name], split, download)
    if name.startswith("hf:"):
        return _hub(name, split)
    path = Path(name).expanduser()
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError) as error:  # a name too long, or a folder closed to us
        raise UsageError(f"--data is {name!r}, which cannot be opened: {error}.") from error
    if is_folder:
        return _folder(name, path, split, selection or Selection())
    if is_file:
        return _file(name, path, split)
    if os.sep in name or path.suffix:
        raise UsageError(f"{name}: no such file or folder. {_FORMS}.")
    raise UsageError(f"Unknown data set {name!r}{suggestion(name, list(NAMED_SETS))}. {_FORMS}.")


def _named(card: Card, split: str, download: bool) -> Source:
    if split not in card.counts:
        raise UsageError(
            f"{card.name} has no split {split!r}{suggestion(split, list(card.counts))}, "
            f"only {' and '.join(card.counts)}."
        )
    if card.name == "digits":
        version = importlib.metadata.version("scikit-learn")
        return Source(
            name=card.name,
            kind="digits",
            split=split,
            where="inside scikit-learn",
            read=partial(digits.read, card.classes),
            facts={"scikit-learn": version},
            card=card,
        )
    place = locate.on_this_machine(card, split)
    if place is None:
        if not download:
            raise DataError(f"{card.name} ({split}) is not here. {locate.advice(card, split)}")
        place = locate.fetch(card, split)

    def read() -> Reading:
        place.check()
        return place.found.read(card.classes)

    return Source(
        name=card.name,
        kind=place.found.kind,
        split=split,
        where=place.where,
        read=read,
        files=place.found.files,
        card=card,
    )


def _folder(name: str, path: Path, split: str, selection: Selection) -> Source:
    path = path.resolve()
    if not folder.has_pictures(path):
        splits = layout.splits(path)
        if splits:
            found = layout.find(path, split)
            if found is None:
                raise UsageError(f"{name} has no split {split!r}, only {', '.join(splits)}.")
            return Source(name, found.kind, split, str(path), found.read, found.files)
    listing = folder.list_pictures(path, split).selected(selection, name)
    chosen = {"limit": selection.limit, "classes": selection.classes and list(selection.classes)}
    return Source(
        name=name,
        kind="folder",
        split=split,
        where=str(path),
        read=partial(folder.read, listing),
        files=listing.files,
        facts=chosen if selection else {},
        selected=True,
    )


def _file(name: str, path: Path, split: str) -> Source:
    path = path.resolve()
    if split != "train":
        raise UsageError(
            f"{name} is one file, which has no split {split!r}: leave --split out, and name the "
            "file you want."
        )
    kind = _kind(path)
    if kind == "idx":
        labels = idx.labels_beside(path)
        files = (path, labels) if labels else (path,)
        return Source(name, kind, split, str(path), partial(idx.read, path, labels), files)
    if kind == "parquet":
        return Source(name, kind, split, str(path), partial(parquet.read, (path,)), (path,))
    if kind == "npz":
        return Source(name, kind, split, str(path), partial(npz.read, path), (path,))
    read = partial(picture.read, path)
    return Source(name, kind, split, str(path), read, (path,), cacheable=False)


def _kind(path: Path) -> str:
    """Return the format, by the end of the name where it says, else by the first bytes."""
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".npz"):
        return suffix[1:]
    if suffix in picture.SUFFIXES:
        return "picture"
    with explained(path, "a file of pictures"), path.open("rb") as stream:
        start = stream.read(4)
    if start.startswith((b"\x1f\x8b", b"\0\0")) or "idx" in path.name or suffix == ".gz":
        return "idx"
    if start == b"PAR1":
        return "parquet"
    fix = ""
    if suffix == ".npy":
        fix = " Save the array with np.savez(path, images=...)."
    raise DataError(
        f"{path}: starts with {start.hex() or 'nothing'}, which is no format read here.{fix} "
        f"{_FORMS}."
    )


def _hub(name: str, split: str) -> Source:
    rest = name.removeprefix("hf:")
    if not rest.strip():
        raise UsageError("hf: needs a name behind it, such as hf:ylecun/mnist, or a path.")
    path = Path(rest).expanduser()
    files: tuple[Path, ...] = ()
    where = f"huggingface.co/datasets/{rest}"
    if path.exists():
        path = path.resolve()
        where, rest = str(path), str(path)
        files = (path,)
        if path.is_dir():
            below = (item for item in sorted(path.rglob("*")) if item.is_file())
            files = tuple(item for item in below if not item.name.startswith("."))
    return Source(name, "hub", split, where, partial(hub.read, rest, split), files)
