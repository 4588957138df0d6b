"""Paper B: eq. 6 against eq. 22, theorem 3.5, and the sizes of tables 4 and 5."""

from intarsia.measure.overlap import (
    gaussian_overlap,
    gtd_density,
    numerical_overlap,
    triangular_overlap,
)


def sums(latents: tuple[float, ...]) -> tuple[float, float]:
    """Return the summed squared distance (ordered pairs) and overlap (unordered pairs)."""
    pairs = [(a, b) for at, a in enumerate(latents) for b in latents[:at]]
    squared = 2 * sum((a - b) ** 2 for a, b in pairs)
    return squared, sum(gaussian_overlap(a - b, 0.5) for a, b in pairs)


def transposed(side: int, kernel: int, stride: int, padding: int) -> int:
    """Return the side after a transposed convolution."""
    return (side - 1) * stride - 2 * padding + kernel


print(f"eq. 22, distance = sigma: {triangular_overlap(1, 1):.3f}")
for kappa in (0.5, 1.0, 2.0):
    overlap = numerical_overlap(lambda z, k=kappa: gtd_density(z, k), 1.0, -1.0, 1.0)
    density = ", ".join(f"{gtd_density(e, kappa):.2f}" for e in (0.0, 0.5, 0.9))
    print(f"eq. 6, kappa {kappa}: overlap {overlap:.3f}; density at 0, 0.5, 0.9: {density}")
for latents in ((-1.0, -1.0, 1.0), (-1.0, 0.0, 1.0)):
    squared, overlap = sums(latents)
    print(f"latents {latents}: squared distances {squared:.0f}, overlaps {overlap:.2f}")
print(f"table 4, kernel 3, stride 3, padding 1: 8 -> {transposed(8, 3, 3, 1)}, printed 8")
print(f"table 5, kernel 4, stride 1, padding 0: 4 -> {transposed(4, 4, 1, 0)}, printed 4")
print(f"refine, kernel 1, stride 3, padding 1: 32 -> {(32 + 2 - 1) // 3 + 1}, printed 32")
