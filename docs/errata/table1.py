"""What table 1 of paper A (arXiv 2510.22196) holds, and how its two measures order the models.

The rows are written down from the paper's table 1; nothing is measured here.
"""

from __future__ import annotations

from itertools import combinations

# model: (Inception Score, higher is better; FID, lower is better), CIFAR-10
TABLE_1 = {
    "NS+L+H (the full model)": (5.903, 60.357),
    "NS+H": (4.081, 32.924),
    "PixelCNN": (4.60, 65.93),
    "NCSN": (8.91, 25.32),
    "MDSM": (8.31, 31.7),
}
CLAIMED_BY_SECTION_3_1 = ("Efros-Leung", "class-conditional", "MNIST")


def main() -> None:
    """Print the missing rows and every pair of models that IS and FID order differently."""
    for name in CLAIMED_BY_SECTION_3_1:
        there = any(name.lower() in row.lower() for row in TABLE_1)
        print(f"row for {name}: {'present' if there else 'absent'}")
    by_score = sorted(TABLE_1, key=lambda row: -TABLE_1[row][0])
    by_fid = sorted(TABLE_1, key=lambda row: TABLE_1[row][1])
    print("best to worst by IS: ", ", ".join(by_score))
    print("best to worst by FID:", ", ".join(by_fid))
    for a, b in combinations(TABLE_1, 2):
        (score_a, fid_a), (score_b, fid_b) = TABLE_1[a], TABLE_1[b]
        if (score_a > score_b) != (fid_a < fid_b):
            print(f"opposite orders: {a} ({score_a}, {fid_a}) and {b} ({score_b}, {fid_b})")


if __name__ == "__main__":
    main()
