"""What ``intarsia data`` says, as plain values."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from intarsia.corpus import locate
from intarsia.corpus.assemble import Progress
from intarsia.corpus.cache import Damaged, Stale, path_of, verify
from intarsia.corpus.corpus import Corpus
from intarsia.corpus.opening import open_corpus
from intarsia.corpus.options import PixelOptions
from intarsia.corpus.registry import NAMED_SETS, Card
from intarsia.corpus.resolve import resolve
from intarsia.errors import DataError


def list_sets() -> dict[str, Any]:
    """Return the named sets, and where each split was found; nothing is downloaded."""
    return {
        "command": "data list",
        "cache": str(locate.cache_folder()),
        "sets": [
            {
                "name": card.name,
                "title": card.title,
                "shape": list(card.shape),
                "classes": len(card.classes),
                "splits": {split: _split_status(card, split) for split in card.counts},
            }
            for card in NAMED_SETS.values()
        ],
    }


def describe(name: str, split: str, progress: Progress | None = None) -> dict[str, Any]:
    """Return what is known of a corpus. It is decoded, but a named set is not downloaded.

    Raises
    ------
    UsageError, DataError
        As `intarsia.corpus.Corpus.open` does, except that a named set which is not on this
        machine is described by its card alone.
    """
    card = NAMED_SETS.get(name)
    about: dict[str, Any] = {
        "command": "data info",
        "name": name,
        "split": split,
        "card": card.summary() if card else None,
        "found": True,
    }
    if card and card.files and split in card.counts and not locate.on_this_machine(card, split):
        return {**about, "found": False, "advice": locate.advice(card, split)}
    source = resolve(name, split)
    corpus = open_corpus(name, split=split, progress=progress)
    cache = path_of(source, PixelOptions())
    original = card.fingerprints.get(split) if card else None
    return {
        **about,
        "where": source.where,
        "format": source.kind,
        "files": [str(path) for path in source.files[:16]],
        **_content(corpus),
        "class_counts": _class_counts(corpus),
        "original": None if original is None else original == corpus.fingerprint,
        "notes": list(corpus.notes),
        "cache": str(cache) if source.cacheable and cache.is_file() else None,
    }


def prepare(
    name: str,
    split: str | None,
    options: PixelOptions,
    *,
    force: bool = False,
    progress: Callable[[str], Progress] | None = None,
) -> dict[str, Any]:
    """Download and decode a corpus into the cache; check what is there already.

    Parameters
    ----------
    name : the ``--data`` string
    split : None for every split of a named set
    options : what is done to the pixels
    force : decode even if the cache is whole
    progress : makes a progress callback for a split

    Raises
    ------
    UsageError, DataError
        As `intarsia.corpus.Corpus.open` does, and where the cache cannot be written.
    """
    card = NAMED_SETS.get(name)
    splits = [split] if split else list(card.counts) if card else ["train"]
    done = []
    for each in splits:
        started = time.monotonic()
        source = resolve(name, each)
        file = path_of(source, options)
        corpus = open_corpus(
            name,
            split=each,
            **options.key(),
            rebuild=force or (file.is_file() and not _whole(file, source, options)),
            progress=progress(each) if progress else None,
        )
        if source.cacheable and not file.is_file():
            raise DataError(
                f"{name} ({each}) was read, but the cache in {file.parent} could not be written. "
                "Set INTARSIA_CACHE to a folder with room."
            )
        done.append(
            {
                "split": each,
                **_content(corpus),
                "notes": list(corpus.notes),
                "cache": str(file) if source.cacheable else None,
                "seconds": round(time.monotonic() - started, 3),
            }
        )
    return {"command": "data prepare", "name": name, "prepared": done}


def _whole(file: Path, source: Any, options: PixelOptions) -> bool:
    try:
        verify(file, source, options)
    except (Damaged, Stale, OSError):
        return False
    return True


def _split_status(card: Card, split: str) -> dict[str, Any]:
    status: dict[str, Any] = {"count": card.counts[split], "found": True}
    if not card.files:
        return {**status, "where": "inside scikit-learn", "bytes": None}
    try:
        place = locate.on_this_machine(card, split)
    except DataError as error:
        return {**status, "found": False, "problem": str(error)}
    if place is None:
        return {**status, "found": False}
    size = sum(path.stat().st_size for path in place.found.files)
    return {**status, "where": place.where, "bytes": size}


def _content(corpus: Corpus) -> dict[str, Any]:
    return {
        "count": len(corpus),
        "shape": None if corpus.is_ragged else [*corpus.size, corpus.channels],
        "channels": corpus.channels,
        "holes": corpus.valid is not None,
        "fingerprint": corpus.fingerprint,
    }


def _class_counts(corpus: Corpus) -> dict[str, int] | None:
    if corpus.labels is None:
        return None
    counts = np.bincount(corpus.labels, minlength=len(corpus.class_names))
    names = corpus.class_names or [str(k) for k in range(len(counts))]
    return {name: int(count) for name, count in zip(names, counts, strict=True)}
