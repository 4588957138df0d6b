"""What paper C says of its window sides, against the sides it was published with."""

from __future__ import annotations

from intarsia.models.scales import published


def main() -> None:
    """Print, for each set of sides, the largest below t = 0.3 and where it is not monotonic."""
    for name, sides in published().items():
        steps = len(sides)
        late = max(sides[i] for i in range(1, steps) if i / steps < 0.3)
        drops = [i for i in range(2, steps) if sides[i] < sides[i - 1]]
        told = f"falls again at t = {', '.join(str(i / steps) for i in drops)}" if drops else ""
        print(f"{name}: at most {late} for t < 0.3; {told or 'never falls with t'}")


if __name__ == "__main__":
    main()
