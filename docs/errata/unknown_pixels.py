"""What happens if d_SSD of paper A (arXiv 2510.22196, section 2.4) is summed as it is printed.

The printed sum runs over every pixel of the window, also over those not drawn yet. Here the
unknown ones are read as 0 (a fresh canvas), against a sum over the known pixels only, for the
first pixel beside a seed from made-up strokes: which candidate is nearest, and how dark it is.
"""

from __future__ import annotations

import numpy as np
from strokes import SIDE, strokes

HALF = 3  # a 7 x 7 window


def main() -> None:
    """Print how often the nearest patch changes, and the mean grey it would write."""
    corpus, _ = strokes(400, seed=0)
    pictures, _ = strokes(200, seed=1)
    row, col = SIDE // 2, 9  # just right of a seed that covers columns up to 8
    dy, dx = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1]
    sigma = (2 * HALF + 1) / 6.4
    weight = np.exp(-(dy**2 + dx**2) / (2 * sigma**2))
    known = dx < 0
    window = (slice(row - HALF, row + HALF + 1), slice(col - HALF, col + HALF + 1))
    patches = corpus[(slice(None), *window)]
    changed, grey = 0, np.zeros(2)
    for picture in pictures:
        query = np.where(known, picture[window], 0)
        squares = weight * (patches - query) ** 2
        printed = int(squares.sum((1, 2)).argmin())
        masked = int((squares * known).sum((1, 2)).argmin())
        changed += printed != masked
        grey += corpus[[printed, masked], row, col]
    print(f"the nearest patch changes for {changed / len(pictures):.1%} of {len(pictures)} queries")
    as_printed, over_known = grey / len(pictures)
    truth = pictures[:, row, col].mean()
    print(
        f"mean grey written: {as_printed:.1f} as printed, {over_known:.1f} over known pixels, "
        f"{truth:.1f} in the pictures themselves"
    )


if __name__ == "__main__":
    main()
