"""How much memory canvases side by side may take, and how sizes are written."""

from __future__ import annotations

import re

from intarsia.errors import UsageError

BUDGET = 2**30
"""Bytes that canvases side by side may take, beside the corpus and the libraries."""

_UNITS = {"": 1, "B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


def in_bytes(text: str) -> int:
    """Read a size such as ``500MB`` or ``1.5GB`` (powers of 1,024).

    Raises
    ------
    UsageError
        If it is no size, or below 1 MB.

    Examples
    --------
    >>> in_bytes("1.5GB")
    1610612736
    """
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?B|)\s*", text.upper())
    size = round(float(found[1]) * _UNITS[found[2]]) if found else 0
    if size < 2**20:
        raise UsageError(f"--memory is {text!r}; give a size of 1MB or more, such as 500MB or 2GB.")
    return size


def in_words(size: int) -> str:
    """Write a size in MB or GB.

    Examples
    --------
    >>> in_words(1610612736)
    '1.5 GB'
    """
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"
