"""The papers' tables and figures, drawn again and written beside the published values.

One file a table or figure (``paper_a/``), over a small harness: `scales` (how much of it),
`runs` (draw, resume, reuse), `measures` (features and spread), `page` (Markdown, pictures, the
table "published | here | settings | command") and `book` (several in one go).
"""

from __future__ import annotations

from intarsia.reproduce.book import Book, Made, reproduce
from intarsia.reproduce.catalogue import catalogue, chosen
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.runs import Draw, draw
from intarsia.reproduce.scales import SCALES, Scale

__all__ = [
    "SCALES",
    "Book",
    "Draw",
    "Item",
    "Made",
    "Needs",
    "Page",
    "Picture",
    "Row",
    "Scale",
    "catalogue",
    "chosen",
    "draw",
    "reproduce",
]
