"""The training pictures that runs speak of, opened only where that reads nothing unasked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.errors import DataError, IntarsiaError
from intarsia.explorer.bounded import Bounded

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.provenance import RunConfig

OPTIONS = ("split", "limit", "classes", "resize", "fit", "grey")
KEPT = 8
"""Corpora open at a time; their pixels are mapped from disk."""


@dataclass(frozen=True)
class Opening:
    """How a corpus is opened: ``--data``, and options of `Corpus.open`.

    Attributes
    ----------
    fingerprint : what it must be; empty if anything will do.
    """

    data: str
    options: tuple[tuple[str, Any], ...] = ()
    fingerprint: str = ""

    @property
    def words(self) -> str:
        """Describe it in a few words: ``mnist (first 2,000)``."""
        options = dict(self.options)
        name = Path(self.data).name if Path(self.data).exists() else self.data
        notes = []
        if options.get("split", "train") != "train":
            notes.append(str(options["split"]))
        if options.get("classes") is not None:
            notes.append(f"classes {options['classes']}")
        if options.get("limit") is not None:
            notes.append(f"first {options['limit']:,}")
        if options.get("resize") is not None:
            notes.append(f"{options['resize']}x{options['resize']}")
        if options.get("grey"):
            notes.append("grey")
        return f"{name} ({', '.join(notes)})" if notes else name


class Corpora:
    """Training pictures by how they are opened.

    A run's config.yaml may come from anywhere, so the path in it is not opened: only the data sets
    known by name, where this machine has them, and what the user named with ``--data``.

    Parameters
    ----------
    data : what ``--data`` said, or None.
    """

    def __init__(self, data: str | None = None) -> None:
        self.data = data
        self._open: Bounded[Corpus | IntarsiaError] = Bounded(KEPT, size=lambda corpus: 1)

    def opening(self, config: RunConfig) -> Opening | None:
        """Return how a run's corpus is opened; None where it may not be."""
        settings, origin = config.settings, config.origin
        name = settings.get("corpus_data", origin.data)
        options = _options(settings, origin.split, origin.images)
        own = name if isinstance(name, str) else ""
        chosen = self.data if self._is_given(own) else own
        if chosen is None or not (chosen == self.data or _is_here(chosen, options["split"])):
            return None
        return Opening(chosen, tuple(sorted(options.items())), origin.fingerprint)

    def open(self, opening: Opening) -> Corpus:
        """Open a corpus, or return the one that is open.

        Raises
        ------
        IntarsiaError
            If it cannot be opened, or is another one than the run's.
        """
        found = self._open.get(opening, lambda: _opened(opening))
        if isinstance(found, IntarsiaError):
            raise type(found)(str(found))
        return found

    def why_not(self, config: RunConfig) -> str:
        """Say what to do where `opening` returns None."""
        data = config.settings.get("corpus_data", config.origin.data)
        shown = json.dumps(data) if not isinstance(data, str) else data
        return (
            f"The training pictures are not open. Start again with --data {shown} to see them: "
            "only data sets known by name are opened unasked."
        )

    def _is_given(self, own: str) -> bool:
        """Whether ``--data`` stands for a run's corpus: it says the same, or that is a path."""
        return self.data is not None and (own == self.data or not _is_named(own))


def _options(settings: Mapping[str, Any], split: str, images: int) -> dict[str, Any]:
    """Return options of `Corpus.open` that a config records, without those left open."""
    options = {name: settings.get(f"corpus_{name}") for name in OPTIONS}
    if "corpus_data" not in settings:  # made from Python: what is known of its corpus
        options |= {"split": split or "train", "limit": images or None}
    kept = {name: value for name, value in options.items() if value not in (None, False)}
    kept.setdefault("split", "train")
    if isinstance(kept.get("classes"), list):
        kept["classes"] = ",".join(map(str, kept["classes"]))
    return kept


def _opened(opening: Opening) -> Corpus | IntarsiaError:
    """Open a corpus, or return what is wrong, so that it is not tried again and again."""
    from intarsia.corpus import Corpus

    try:
        corpus = Corpus.open(opening.data, **dict(opening.options))
    except IntarsiaError as error:
        return error
    if opening.fingerprint and corpus.fingerprint != opening.fingerprint:
        return DataError(
            f"{opening.words} is not the corpus of this run: its fingerprint is "
            f"{corpus.fingerprint[:12]}, not {opening.fingerprint[:12]}. Name the run's own data "
            "with --data."
        )
    return corpus


def _is_named(name: str) -> bool:
    from intarsia.corpus import NAMED_SETS

    return name in NAMED_SETS


def _is_here(name: str, split: str) -> bool:
    """Whether a data set is known by name and on this machine: a page never starts a download."""
    from intarsia.corpus import NAMED_SETS
    from intarsia.corpus.locate import on_this_machine

    if name == "digits":  # inside a package
        return True
    return name in NAMED_SETS and on_this_machine(NAMED_SETS[name], split) is not None
