"""Local consistency: against a loop over every pixel and every patch."""

from __future__ import annotations

import numpy as np
import pytest

from intarsia import Corpus
from intarsia.measure.local_consistency import consistent, majority
from intarsia.models.machines import MACHINES
from intarsia.reproduce.paper_c.drawing import stretched

CORPUS = Corpus.open("digits", limit=6)


def unit() -> np.ndarray:
    return np.moveaxis(CORPUS.images, 3, 1).astype(np.float32) / 127.5 - 1


def nearest_centre(x: np.ndarray, row: int, col: int, everywhere: bool) -> float:
    """The centre of the nearest 3x3 patch: ELS wraps, LS stays at its place and sees zeros."""
    mode = {"mode": "wrap"} if everywhere else {}
    canvas = np.pad(x, 1, **mode)[row : row + 3, col : col + 3]
    best, found = np.inf, np.nan
    for one in unit()[:, 0]:
        padded = np.pad(one, 1, **mode)
        places = np.ndindex(8, 8) if everywhere else [(row, col)]
        for i, j in places:
            far = ((padded[i : i + 3, j : j + 3] - canvas) ** 2).sum()
            if far < best - 1e-9:
                best, found = far, one[i, j]
    return found


@pytest.mark.parametrize("name", ["els", "ls"])
def test_consistent_pixels_are_centres_of_their_nearest_patches(name: str) -> None:
    machine = MACHINES[name](CORPUS, steps=20, scales=3)
    x = machine.sample(1, 2).extra["raw"]
    found = consistent(machine, x, 0.05)[0]
    slow = np.array(
        [
            [abs(x[0, 0, i, j] - nearest_centre(x[0, 0], i, j, name == "els")) for j in range(8)]
            for i in range(8)
        ]
    )
    clear = np.abs(slow - 0.05) > 1e-3
    np.testing.assert_array_equal(found[clear], (slow <= 0.05)[clear])
    assert found.mean() > 0.5


def test_training_pictures_are_consistent_with_themselves() -> None:
    for name in ("ls", "els", "bbels"):
        machine = MACHINES[name](CORPUS, scales=3)
        assert consistent(machine, unit(), 0.01).mean() > 0.98


@pytest.mark.parametrize("wraps", [True, False])
def test_majorities_are_those_of_a_loop(wraps: bool) -> None:
    x = MACHINES["ls"](CORPUS, scales=3).starting_noise(3, 0, None)
    counts = {"agreeing": 0, "tied": 0, "against": 0}
    for one in x[:, 0]:
        for i, j in np.ndindex(8, 8):
            votes = 0
            for a, b in np.ndindex(3, 3):
                row, col = i + a - 1, j + b - 1
                if wraps or (0 <= row < 8 and 0 <= col < 8):
                    votes += 1 if one[row % 8, col % 8] > 0 else -1
            own = votes if one[i, j] > 0 else -votes
            counts["agreeing" if own > 0 else "tied" if own == 0 else "against"] += 1
    found = majority(x, 3, wraps)
    for name, count in counts.items():
        assert getattr(found, name) == pytest.approx(count / (3 * 64))
    assert (found.tied > 0) == (not wraps)
    assert found.unfinished > 0.9 and majority(np.sign(x), 3, wraps).unfinished == 0


def test_two_pictures_end_in_majorities() -> None:
    """Paper C, section 4.1: pixels have the colour of most of their window."""
    both = np.stack([np.full((16, 16), colour, np.uint8) for colour in (0, 255)])
    machine = MACHINES["els"](Corpus.from_arrays(both), steps=200, scales=3)
    raw = machine.sample(4, 0).extra["raw"]
    found = majority(raw, 3, wraps=True)
    assert found.agreeing > 0.99 and found.unfinished < 0.05
    assert all(len(np.unique(one > 0)) == 2 for one in raw)  # neither of the two pictures


def test_stretched_sides_stand_at_the_same_times() -> None:
    assert stretched((3, 5, 7), 3) == (3, 5, 7)
    assert stretched((3, 5, 7), 6) == (3, 5, 5, 7, 7, 7)
