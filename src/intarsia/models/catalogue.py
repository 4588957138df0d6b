"""Models by name, as ``intarsia generate`` takes them."""

from __future__ import annotations

from difflib import get_close_matches

from intarsia.errors import UsageError

MACHINES = ("is", "es", "ls", "els", "bbels", "wiener", "pca-locality", "scfdm", "nearest")
"""Paper C's score machines, then the Studio's methods (`models.machines`)."""

NETWORK = "network"
"""A trained network, asked as a machine is (`models.network`)."""

ARVM = "arvm"
"""Paper B's gamma-ARVM over binary tokens (`models.arvm`)."""

NAMES = ("nps", "efros-leung", *MACHINES, NETWORK, ARVM)


def check_name(name: str) -> str:
    """Return ``name`` if there is a model of that name.

    Raises
    ------
    UsageError
        Naming the models there are.
    """
    if name in NAMES:
        return name
    close = get_close_matches(name, NAMES, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise UsageError(f"There is no model called {name!r}. Known: {', '.join(NAMES)}.{hint}")
