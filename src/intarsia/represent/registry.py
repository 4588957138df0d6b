"""Encoders by name, as ``--encoder`` takes them."""

from __future__ import annotations

import re

from intarsia.errors import UsageError
from intarsia.represent.encoder import Encoder
from intarsia.represent.low_resolution import LowResolution
from intarsia.represent.patch_level import PatchLevel

KNOWN = "lowres, lowresF (cells of F pixels, such as lowres4), patch:NAME"


def encoder(name: str) -> Encoder | PatchLevel:
    """Return the encoder called ``name``.

    ``lowres`` sees the whole canvas; ``patch:lowres`` sees the neighbourhood of the place to be
    filled, as paper A writes it.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name.startswith("patch:"):
        inner = encoder(name.removeprefix("patch:"))
        if isinstance(inner, PatchLevel):
            raise UsageError(f"--encoder {name!r} names patch: twice.")
        return PatchLevel(inner)
    match = re.fullmatch(r"lowres(\d{0,2})", name)
    if match:
        return LowResolution(int(match[1] or 2))
    raise UsageError(f"There is no encoder called {name!r}. Known: {KNOWN}.")
