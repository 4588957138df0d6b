"""`Corpus.open`, step by step: resolve, decode or map, check, select."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from intarsia.corpus.assemble import Progress
from intarsia.corpus.cache import load
from intarsia.corpus.corpus import Corpus
from intarsia.corpus.fingerprint import of_content
from intarsia.corpus.options import PixelOptions, Selection, class_numbers
from intarsia.corpus.registry import known_by_fingerprint
from intarsia.corpus.resolve import resolve
from intarsia.corpus.source import Source
from intarsia.errors import DataError, UsageError

log = logging.getLogger("intarsia.corpus")


def open_corpus(
    name: str | os.PathLike[str],
    *,
    split: str = "train",
    limit: int | None = None,
    classes: str | int | Sequence[str | int] | None = None,
    resize: int | None = None,
    fit: str = "resize",
    grey: bool = False,
    cache: bool = True,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> Corpus:
    """Open a corpus; see `intarsia.corpus.Corpus.open`.

    Parameters
    ----------
    rebuild : decode again even if there is a cache
    """
    options = PixelOptions.checked(resize, fit, grey)
    selection = Selection.checked(limit, classes)
    source = resolve(name, split, selection)
    corpus = load(source, options, cache=cache, rebuild=rebuild, progress=progress)
    check_identity(source, corpus, options)
    return corpus if source.selected else select(corpus, selection)


def select(corpus: Corpus, selection: Selection) -> Corpus:
    """Return the corpus with only the pictures selected; labels keep their numbers.

    The first so many pictures are a view; a choice of classes is copied into memory.

    Raises
    ------
    UsageError
        For a class that does not exist, or a corpus without labels.
    """
    planes, valid, labels = corpus.planes, corpus.valid, corpus.labels
    if selection.classes is not None:
        if labels is None:
            raise UsageError(f"{corpus.name} has no labels, so no classes can be chosen.")
        numbers = class_numbers(
            selection.classes, corpus.class_names, np.unique(labels).tolist(), corpus.name
        )
        chosen = np.flatnonzero(np.isin(labels, numbers))[: selection.limit]
        planes, labels = planes.take(chosen), labels[chosen]
        valid = None if valid is None else valid.take(chosen)
        labels.flags.writeable = False
    elif selection.limit is not None and selection.limit < len(corpus):
        planes = planes.prefix(selection.limit)
        valid = None if valid is None else valid.prefix(selection.limit)
        labels = None if labels is None else labels[: selection.limit]
    if planes is corpus.planes:
        return corpus
    if valid is not None and valid.flat.all():
        valid = None
    return replace(
        corpus,
        planes=planes,
        valid=valid,
        labels=labels,
        fingerprint=of_content(planes, labels, valid),
    )


def check_identity(source: Source, corpus: Corpus, options: PixelOptions) -> None:
    """Compare a named set with the original content, where its fingerprint is known.

    Content that only differs from the original is reported as a warning: copies do differ, and
    results carry the fingerprint.

    Raises
    ------
    DataError
        If the content is, bit for bit, that of another named set or split.
    """
    if source.card is None:
        return
    known = known_by_fingerprint(corpus.fingerprint)
    if known is not None and known != (source.card.name, source.split):
        raise DataError(
            f"{source.where}: the files of {source.card.name} ({source.split}) hold "
            f"{known[0]} ({known[1]}). Put the right files there."
        )
    original = source.card.fingerprints.get(source.split)
    if options == PixelOptions() and original not in (None, corpus.fingerprint):
        log.warning(
            "%s (%s) in %s differs from the original: fingerprint %.12s, the original's is %.12s",
            source.card.name,
            source.split,
            source.where,
            corpus.fingerprint,
            original,
        )
