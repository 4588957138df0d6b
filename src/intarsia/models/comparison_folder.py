"""What is kept of a comparison: figures, outputs, and two pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intarsia.files import make_folder, save_npz, save_png, write_text
from intarsia.measure.agreement_pictures import scatter, side_by_side
from intarsia.models.comparison import Compared

FIGURES = "compare.json"


def summary(found: Compared) -> dict[str, Any]:
    """Return figures sample by sample, their medians, and the share won, in plain JSON types."""
    agreement: dict[str, Any] = {}
    for name, one in found.agreements.items():
        medians = one.medians()
        agreement[name] = {
            figure: {
                "median": _rounded(medians[figure]),
                "samples": [_rounded(float(value)) for value in values],
            }
            for figure, values in one.as_arrays().items()
        }
    return {"agreement": agreement, "share_won": round(found.share_won, 4)}


def write_comparison(folder: Path, found: Compared, told: Mapping[str, Any]) -> None:
    """Write samples.npz, grid.png, scatter.png and, last, compare.json.

    Parameters
    ----------
    told : what compare.json holds.
    """
    make_folder(folder)
    save_npz(folder / "samples.npz", noise=found.noise, **found.outputs)
    save_png(folder / "grid.png", side_by_side(found.outputs))
    if found.machine != "is":
        save_png(folder / "scatter.png", scatter(found.machine, found.agreements))
    write_text(folder / FIGURES, json.dumps(dict(told), indent=2) + "\n")


def _rounded(value: float | None) -> float | None:
    return None if value is None or value != value else round(value, 4)
