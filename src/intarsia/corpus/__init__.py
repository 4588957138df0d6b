"""Images in: every form of ``--data`` becomes a `Corpus`."""

from __future__ import annotations

from intarsia.corpus.corpus import Corpus
from intarsia.corpus.planes import Planes
from intarsia.corpus.registry import NAMED_SETS, Card

__all__ = ["NAMED_SETS", "Card", "Corpus", "Planes"]
