"""The pool's threshold, exact in integers (law 1)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from intarsia.errors import UsageError

# A distance of 1e-4 x 255^2 for each unit of known weight is always admitted: without it, one
# candidate at distance 0 would shut out all others, and the sampler would copy its picture.
FLOOR = Fraction(1, 10_000) * 255**2


def exact_fraction(value: float | str | Fraction, name: str = "--epsilon") -> Fraction:
    """Read a non-negative decimal exactly.

    Raises
    ------
    UsageError
        If it is no number, negative, or has a denominator above 10^6.

    Examples
    --------
    >>> exact_fraction(0.1)
    Fraction(1, 10)
    """
    try:
        fraction = value if isinstance(value, Fraction) else Fraction(Decimal(str(value)))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise UsageError(f"{name} is {value!r}, which is not a number.") from error
    if fraction < 0:
        raise UsageError(f"{name} is {value}; it must be 0 or more.")
    if fraction.denominator > 10**6:
        raise UsageError(
            f"{name} is {value}; thresholds are exact, so at most 6 decimals can be told apart."
        )
    if fraction > 1000:
        raise UsageError(f"{name} is {value}; above 1000 it no longer selects. Try 0.1.")
    return fraction


@dataclass(frozen=True)
class PoolRule:
    """Which candidates are drawn from: those within T of the query.

    T = max(floor((1 + epsilon) least + 2601/400 W), m-th least distance), with W the known
    weight. The draw is uniform over the pool.

    Parameters
    ----------
    epsilon : tolerance over the least distance (paper A, R_SSD; Efros and Leung use 0.1).
    min_pool : m, the least number of candidates in a pool.

    Raises
    ------
    UsageError
        If epsilon is negative or too fine, or min_pool below 1.
    """

    epsilon: Fraction
    min_pool: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", exact_fraction(self.epsilon))
        if self.min_pool < 1:
            raise UsageError(f"--min-pool is {self.min_pool}; a pool holds at least 1 candidate.")

    def check(self, known_weight: int) -> None:
        """Refuse an epsilon too fine for exact thresholds in 64 bits under a known weight."""
        if 400 * self.epsilon.denominator * known_weight * 255**2 >= 2**63:
            raise UsageError(
                f"--epsilon {float(self.epsilon)} has too many decimals for a window this heavy; "
                "use fewer decimals or a smaller --window."
            )

    def threshold(self, least: int, mth: int, known_weight: int) -> int:
        """Return T for a least and an m-th least distance."""
        return max(int((1 + self.epsilon) * least + FLOOR * known_weight), mth)
