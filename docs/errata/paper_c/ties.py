"""Where theorems 3 and 6 of paper C (arXiv 2412.20292) need a condition: ties, and finite steps.

One black and one white picture, windows of 3 x 3 that go round. The posterior mean of a window with
sum s is tanh(9 m sqrt(alpha_bar) / (1 - alpha_bar)) with m = s / 9 the window's mean.
"""

from __future__ import annotations

import numpy as np


def alpha_bar(t: float) -> float:
    """The released schedule."""
    return float(np.cos(np.pi * t / (2 * 1.008)) ** 2)


def drawn(x: np.ndarray, steps: int) -> np.ndarray:
    """Take the DDIM steps i = T-1, ..., 1 of the released code with ELS and P = 3."""
    for i in range(steps - 1, 0, -1):
        ab, after = alpha_bar(i / steps), alpha_bar((i - 1) / steps)
        window = sum(np.roll(x, (a, b), (-2, -1)) for a in (-1, 0, 1) for b in (-1, 0, 1))
        clean = np.tanh(window * np.sqrt(ab) / (1 - ab))
        eps = (x - np.sqrt(ab) * clean) / np.sqrt(1 - ab)
        x = np.sqrt(after) * clean + np.sqrt(1 - after) * eps
    return x


def main() -> None:
    """Start from a tie, then from noise with more and more steps."""
    print(f"alpha_bar at t = 0 is {alpha_bar(0):.1f}, at t = 1 {alpha_bar(1):.5f}")
    tie = drawn(np.zeros((8, 8)), 1000)
    print(
        f"from an exact tie, 1,000 steps end at {tie.min():.1f}: neither black (-1) nor white (1)"
    )
    noise = np.random.default_rng(0).standard_normal((32, 32, 32))
    for steps in (20, 200, 2000):
        x = drawn(noise, steps)
        colour = np.sign(x)
        votes = sum(np.roll(colour, (a, b), (-2, -1)) for a in (-1, 0, 1) for b in (-1, 0, 1))
        print(
            f"{steps:>5} steps: {np.mean(votes * colour < 0):.2%} of the pixels against their "
            f"window's majority; {np.mean(np.abs(np.abs(x) - 1) > 1e-3):.3%} more than 0.001 from "
            "black and white"
        )


if __name__ == "__main__":
    main()
