"""Three figures called r^2, for one prediction that is right but for contrast and brightness."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits


def main() -> None:
    """Print Pearson's r, its square, and 1 - SS_res / SS_tot of faded and noisy digits."""
    picture = load_digits().images[0] / 8 - 1
    noise = np.random.default_rng(0).standard_normal(picture.shape)
    for name, predicted in (
        ("half the contrast", picture / 2),
        ("noise of a half added", picture + noise / 2),
    ):
        r = np.corrcoef(predicted.ravel(), picture.ravel())[0, 1]
        rest = ((predicted - picture) ** 2).sum() / ((picture - picture.mean()) ** 2).sum()
        print(f"{name}: r {r:.3f}, r squared {r * r:.3f}, 1 - SS_res / SS_tot {1 - rest:.3f}")


if __name__ == "__main__":
    main()
