"""Which training patches a query may use: windows, borders, fill orders and stages."""

from intarsia.dictionary.dictionary import Dictionary
from intarsia.dictionary.order import FillOrder
from intarsia.dictionary.query import Query
from intarsia.dictionary.stack import CodeBook, Stack
from intarsia.dictionary.stages import (
    Candidates,
    Everywhere,
    Near,
    NotSource,
    SameLabel,
    Similar,
    Stage,
    Surroundings,
)
from intarsia.dictionary.window import BORDERS, Border, Window

__all__ = [
    "BORDERS",
    "Border",
    "Candidates",
    "CodeBook",
    "Dictionary",
    "Everywhere",
    "FillOrder",
    "Near",
    "NotSource",
    "Stack",
    "Query",
    "SameLabel",
    "Similar",
    "Stage",
    "Surroundings",
    "Window",
]
