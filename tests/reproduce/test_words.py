"""Sentences follow from their numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from intarsia.reproduce.measures import Several, number
from intarsia.reproduce.page import Row, png_within, table
from intarsia.reproduce.words import Verdict, compared, moved, ordered, share, tally


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1.4, 1.02, "falls with phi, from 1.40 to 1.02, as in the paper (2 to 1, table 2)."),
        (1.02, 1.4, "rises with phi, from 1.02 to 1.40; the paper's falls (2 to 1, table 2)."),
        (1.0, 1.0, "stays the same with phi, from 1.00 to 1.00; the paper's falls"),
        (1.0012, 1.0008, "from 1.001 to 1.001, as in the paper"),
        (1.0, math.nan, "is undefined with phi, from 1.00 to undefined; the paper's falls"),
    ],
)
def test_a_movement_is_compared_with_the_papers(before: float, after: float, expected: str) -> None:
    assert expected in moved("entropy", before, after, "with phi", (2, 1), "table 2")


def test_an_order_is_only_claimed_where_every_step_has_it() -> None:
    falling = [("a", 3.0), ("b", 2.0), ("c", 1.0)]
    assert "falls at every step" in ordered("it", falling, rising=False)
    assert "does not fall at every step" in ordered("it", [*falling, ("d", 1.0)], rising=False)
    assert "does not rise at every step" in ordered("it", falling, rising=True)


def test_a_verdict_knows_which_way_is_better_and_by_how_much() -> None:
    low, high = Several((1.0, 1.2)), Several((1.3, 1.5))
    between = Several((1.1, 1.4))
    assert Verdict("FID", low, high).holds and not Verdict("IS", low, high).holds
    assert Verdict("FID", low, high).apart is True
    assert Verdict("FID", low, between).apart is False
    assert Verdict("FID", low, Several((3.0,))).apart is None
    text = compared("A", "B", [Verdict("FID", low, high), Verdict("IS", low, between)])
    assert "better, by more than the spread" in text
    assert "not better, within the spread" in text


def test_a_tally_counts_what_holds() -> None:
    low, high = Several((1.0, 1.2)), Several((1.3, 1.5))
    by = [Verdict("FID", low, high), Verdict("IS", low, high)]
    assert tally(by).startswith("Of 2 comparisons that the paper's ordering implies, 1 come out")


def test_numbers_are_written_with_what_matters() -> None:
    written = [number(v) for v in (0.0, 0.012345, 1.234, 123.44, 12345.6, math.nan, None)]
    assert written == ["0.00", "0.0123", "1.23", "123.4", "12,346", "undefined", "undefined"]
    assert share(0.256) == "26 %" and share(math.nan) == "undefined"


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    line = table([Row("a|b", "1\n2", "3")]).splitlines()[-1]
    assert line == r"| a\|b | 1<br>2 | 3 |  |  |"


def test_a_picture_is_made_to_fit() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    assert len(png_within(noise, 10**6)) > 40_000  # as it is
    assert len(png_within(noise, 20_000)) <= 20_000  # by a palette, then by half its size
