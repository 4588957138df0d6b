"""Charts of paper B's pages as arrays."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rendered(figure: Figure) -> UInt8[np.ndarray, "h w 3"]:
    """Return a figure of matplotlib as pixels."""
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return np.asarray(Image.open(buffer).convert("RGB"))
