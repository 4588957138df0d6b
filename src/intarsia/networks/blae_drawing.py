"""Pictures of a BL-AE's training: its latents turning binary, and what it reconstructs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intarsia.files import save_png, write_bytes
from intarsia.networks.checkpoint import Row

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.networks.saved_blae import SavedBlae

_PANELS = 5
_COLUMNS = 10


def draw_latents(rows: Sequence[Row], path: Path) -> None:
    """Draw histograms of the latents at a few epochs (paper B, figure 5, second row)."""
    from matplotlib.figure import Figure

    chosen = np.unique(np.geomspace(1, len(rows), min(_PANELS, len(rows))).round().astype(int))
    figure = Figure(figsize=(2.2 * len(chosen), 2.3), dpi=110, layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(chosen), sharey=True))
    for axes, epoch in zip(panels, chosen, strict=True):
        counts = np.array(rows[epoch - 1]["latents"], float)
        edges = np.linspace(-1, 1, len(counts) + 1)
        axes.stairs(100 * counts / counts.sum(), edges, fill=True, color="#0072B2")
        rate = rows[epoch - 1]["binary_rate"]
        axes.set_title(f"epoch {epoch}: {rate:.1%} binary", fontsize=9)
        axes.set_xlabel("latent", fontsize=9)
        axes.set_xticks([-1, 0, 1])
    panels[0].set_ylabel("% of latents", fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


def draw_reconstructions(saved: SavedBlae, corpus: Corpus, path: Path) -> None:
    """Draw training pictures over their reconstructions from bits (paper B, figure 6)."""
    import torch

    from intarsia.provenance import draw

    assert corpus.images is not None
    some = np.array(corpus.images[: 2 * _COLUMNS])
    latents = saved.latents(torch.from_numpy(some))
    again = saved.decode(latents.permute(0, 2, 3, 1) > 0).numpy()
    scale = draw.scale_for(*corpus.size, 96)
    columns = min(_COLUMNS, len(some))
    rows = []
    for start in range(0, len(some), columns):
        for pictures in (some, again):
            part = pictures[start : start + columns]
            rows += [draw.enlarge(one, scale) for one in draw.to_rgb(part)]
    save_png(path, draw.tile(rows, columns, gap=max(2, scale // 2)))
