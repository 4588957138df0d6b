"""Which base of the logarithm table 2 of paper A (arXiv 2510.22196) can have used.

A 7 x 7 window holds 49 pixels, so its image-ID entropy is at most log 49, and the class entropy
of 49 pixels over CIFAR-10's ten classes is greatest when they are spread as evenly as they can be.
A base whose bound lies below a printed value is ruled out.
"""

from __future__ import annotations

import math

# CIFAR-10, section 3.3, table 2: full model, without representation, class-conditional
CLASS_MAP = (1.075, 1.461, 0.0)
INDEX_MAP = (2.4962, 2.2046, 1.550)
PIXELS, CLASSES = 49, 10


def entropy(counts: list[int], base: float) -> float:
    """Entropy of a histogram, in units of the base."""
    total = sum(counts)
    return -sum(n / total * math.log(n / total, base) for n in counts if n)


def main() -> None:
    """Compare the table's largest entries with the bound of each base."""
    even = [PIXELS // CLASSES + (i < PIXELS % CLASSES) for i in range(CLASSES)]
    for name, base in (("2", 2.0), ("e", math.e), ("10", 10.0)):
        top_class = entropy(even, base)
        top_index = entropy([1] * PIXELS, base)
        possible = max(CLASS_MAP) <= top_class and max(INDEX_MAP) <= top_index
        alike = base ** INDEX_MAP[0]
        print(
            f"base {name:>2}: class at most {top_class:.3f} (printed {max(CLASS_MAP)}), "
            f"image-ID at most {top_index:.3f} (printed {max(INDEX_MAP)}): "
            + (f"possible; 2.4962 is {alike:.1f} equal images" if possible else "ruled out")
        )


if __name__ == "__main__":
    main()
