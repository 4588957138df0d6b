"""Which training patches a query may use: windows, borders, fill orders and stages."""

from intarsia.dictionary.dictionary import Dictionary
from intarsia.dictionary.orbit import Group, Orbit
from intarsia.dictionary.order import FillOrder
from intarsia.dictionary.query import Query
from intarsia.dictionary.sharing import (
    QueryGroup,
    SameBorder,
    SamePlace,
    Sharing,
    SharingStage,
)
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
from intarsia.dictionary.whole import Pictures
from intarsia.dictionary.window import BORDERS, Border, Window

__all__ = [
    "Group",
    "Orbit",
    "Pictures",
    "QueryGroup",
    "SameBorder",
    "SamePlace",
    "Sharing",
    "SharingStage",
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
