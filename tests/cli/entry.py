"""``intarsia`` as a module, with checkpoints as often as CHECKPOINT_PERIOD says (in seconds)."""

from __future__ import annotations

import os


def _run() -> None:
    if period := os.environ.get("CHECKPOINT_PERIOD"):
        from intarsia.models import checkpoint

        checkpoint.PERIOD = float(period)
    from intarsia.cli.app import main

    main()


if __name__ == "__main__":
    _run()
