"""What a ``--data`` string turned out to be, before anything is decoded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intarsia.corpus.readers.base import Reading, explained
from intarsia.corpus.registry import Card

# Up to so many files are named one by one in a cache's header, and hashed.
_FEW = 16
_CHUNK = 1 << 22


@dataclass(frozen=True)
class Source:
    """Files (or a package) that hold a corpus, and how to read them.

    Attributes
    ----------
    name : the ``--data`` string
    kind : the format, such as ``idx``
    split : such as ``train``
    where : where it is, for people
    read : opens the reading
    files : every file it reads; a change of one makes a cache stale
    facts : anything else its content depends on, such as the version of a package
    card : what is known of it, if it has a name
    cacheable : False where decoding is not worth a file
    selected : whether limit and classes have already been applied
    """

    name: str
    kind: str
    split: str
    where: str
    read: Callable[[], Reading]
    files: tuple[Path, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    card: Card | None = None
    cacheable: bool = True
    selected: bool = False

    def identity(self) -> dict[str, Any]:
        """Return what stays the same when the files change: it names the cache file."""
        return {
            "kind": self.kind,
            "split": self.split,
            "where": self.where,
            "facts": dict(self.facts),
            "card": self.card.name if self.card else None,
        }

    def state(self) -> list[Any]:
        """Return sizes and times of the files, to be compared with a cache's."""
        found = []
        for path in self.files:
            with explained(path, f"part of {self.name}"):
                stat = path.stat()
            found.append([str(path), stat.st_size, stat.st_mtime_ns])
        return found if len(found) <= _FEW else [_digest(found)]

    def sha256(self) -> list[str] | None:
        """Return the SHA-256 of each file, or None if there are too many to hash."""
        if len(self.files) > _FEW:
            return None
        return [file_sha256(path) for path in self.files]


def file_sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with explained(path, "a file"), path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
