"""How well one picture predicts another: three figures that the field all calls r^2.

Paper C's released code reports Pearson's r under that name (its table of correlations), the
Analytic Diffusion Studio 1 - SS_res / SS_tot. Here each has its own name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from intarsia.errors import UsageError


@dataclass(frozen=True, eq=False)
class Correlation:
    """How well predictions agree with outcomes, sample by sample; NaN where either is constant.

    Attributes
    ----------
    pearson_r : [n], covariance over the product of deviations, over all numbers of a picture.
    r2_score : [n], 1 - sum of squared differences / sum of squared deviations of the outcome.
    """

    pearson_r: Float[np.ndarray, " n"]
    r2_score: Float[np.ndarray, " n"]

    @cached_property
    def pearson_r2(self) -> Float[np.ndarray, " n"]:
        """The square of `pearson_r`."""
        return self.pearson_r**2

    def medians(self) -> dict[str, float | None]:
        """Return the median of each figure over samples; None where no sample has one."""
        return {
            name: None if np.isnan(values).all() else float(np.nanmedian(values))
            for name, values in self.as_arrays().items()
        }

    def as_arrays(self) -> dict[str, Float[np.ndarray, " n"]]:
        """Return the three figures by name."""
        return {
            "pearson_r": self.pearson_r,
            "pearson_r2": self.pearson_r2,
            "r2_score": self.r2_score,
        }


def correlation(
    predicted: Float[np.ndarray, "n c h w"], outcome: Float[np.ndarray, "n c h w"]
) -> Correlation:
    """Compare pictures, one by one.

    Parameters
    ----------
    predicted : what the theory says.
    outcome : what came, in the same units.

    Raises
    ------
    UsageError
        If the shapes differ.

    Examples
    --------
    >>> outcome = np.arange(4.0).reshape(1, 1, 2, 2)
    >>> found = correlation(outcome / 2, outcome)
    >>> round(float(found.pearson_r[0]), 6), round(float(found.r2_score[0]), 6)
    (1.0, 0.3)
    """
    if predicted.shape != outcome.shape:
        raise UsageError(
            f"Pictures of shape {list(predicted.shape)} cannot be compared with those of shape "
            f"{list(outcome.shape)}."
        )
    ours = predicted.reshape(len(predicted), -1).astype(np.float64)
    theirs = outcome.reshape(len(outcome), -1).astype(np.float64)
    one, other = (values - values.mean(axis=1, keepdims=True) for values in (ours, theirs))
    spread = (one**2).sum(axis=1) * (other**2).sum(axis=1)
    total = (other**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(spread > 0, (one * other).sum(axis=1) / np.sqrt(spread), np.nan)
        score = np.where(total > 0, 1 - ((theirs - ours) ** 2).sum(axis=1) / total, np.nan)
    return Correlation(np.clip(r, -1, 1), score)
