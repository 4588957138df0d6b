"""The curves of a training as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from intarsia.files import write_bytes


def draw_curves(rows: Sequence[dict[str, float]], path: Path) -> None:
    """Draw loss and figures against epochs, one panel each.

    Parameters
    ----------
    rows : what was measured, an entry an epoch; ``seconds`` is left out.
    path : of the PNG.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    names = [name for name in rows[-1] if name not in ("epoch", "seconds")]
    figure = Figure(figsize=(3.6 * len(names), 2.8), dpi=110, layout="constrained")
    epochs = [row["epoch"] for row in rows]
    for at, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), at + 1)
        axes.plot(epochs, [row.get(name, float("nan")) for row in rows], marker="o", markersize=3)
        axes.set_xlabel("epoch")
        axes.set_title(name.replace("_", " "), fontsize=10)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(path, buffer.getvalue())
