"""The curves of a training as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from intarsia.files import write_bytes
from intarsia.networks.checkpoint import Row


def draw_curves(rows: Sequence[Row], path: Path) -> None:
    """Draw loss and figures against epochs, one panel each.

    Parameters
    ----------
    rows : what was measured, an entry an epoch; ``seconds`` and lists are left out.
    path : of the PNG.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    numbers = [name for name, value in rows[-1].items() if isinstance(value, int | float)]
    names = [name for name in numbers if name not in ("epoch", "seconds")]
    figure = Figure(figsize=(3.6 * len(names), 2.8), dpi=110, layout="constrained")
    epochs = [row["epoch"] for row in rows]
    for at, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), at + 1)
        values = [row.get(name, float("nan")) for row in rows]
        axes.plot(epochs, values, marker="o" if len(rows) <= 60 else "", markersize=3)
        axes.set_xlabel("epoch")
        axes.set_title(name.replace("_", " "), fontsize=10)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(path, buffer.getvalue())
