"""What every command shares: where words go, how JSON leaves, how errors end."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def stderr_console() -> Console:
    """Return the console that all words for people go to (standard error)."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def emit(obj: dict[str, Any]) -> None:
    """Print the one JSON object of a ``--json`` command on standard output."""
    sys.stdout.write(json.dumps(obj, indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()
