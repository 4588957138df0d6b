"""The files of the page itself, read once from the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

SCRIPTS = (
    "pack.js",
    "dom.js",
    "store.js",
    "paint.js",
    "gallery.js",
    "source.js",
    "replay.js",
    "sample.js",
    "compare.js",
    "picture.js",
    "workshop.js",
    "app.js",
)
"""Modules, each after those it imports."""

TYPES = {"js": "text/javascript", "css": "text/css", "html": "text/html", "svg": "image/svg+xml"}


@cache
def page_files() -> dict[str, bytes]:
    """Return the files by their address relative to the page."""
    page = files("intarsia.explorer").joinpath("page")
    names = ["explorer.css", "icon.svg", *SCRIPTS]
    found = {f"page/{name}": page.joinpath(name).read_bytes() for name in names}
    found["index.html"] = page.joinpath("index.html").read_bytes()
    found["page/theme.css"] = files("intarsia.provenance").joinpath("theme.css").read_bytes()
    return found


def media_type(name: str) -> str:
    """Return the type of a file of the page, by its extension."""
    return TYPES[name.rsplit(".", 1)[-1]] + "; charset=utf-8"
