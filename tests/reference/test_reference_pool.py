"""The reference pool, on cases small enough to work out by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.reference.pool import as_epsilon, reference_intersection_pool, reference_pool
from tests.reference.window import key, salt

ONES = np.ones((3, 3), np.int64)
DRAW: dict[str, Any] = {"seed": 0, "sample": 0, "step": 0}


def grey(rows: list) -> np.ndarray:
    """Rows of values as a picture of one channel."""
    return np.array(rows, np.uint8)[:, :, None]


def step(planes: list, canvas: np.ndarray, known: list, place: tuple, **options: Any) -> Any:
    """One step with a window of ones and border ignore, unless told otherwise."""
    settings: dict[str, Any] = {"border": "ignore", "weights": ONES, "valid": None, **DRAW}
    settings.update(options)
    return reference_pool(
        planes,
        settings.pop("valid"),
        canvas,
        np.array(known, bool),
        place,
        settings.pop("weights"),
        settings.pop("border"),
        **settings,
    )


def places(pool: Any) -> list:
    return [member[:3] for member in pool.pool]


def test_distance_of_a_3x3_window_by_hand():
    weights = np.array([[1, 2, 3], [4, 127, 5], [6, 7, 8]])
    canvas = grey([[10, 20, 99], [30, 99, 99], [99, 99, 40]])
    known = [[1, 1, 0], [1, 0, 0], [0, 0, 1]]
    plane = grey([[11, 18, 0], [33, 77, 0], [0, 0, 36]])
    pool = step([plane], canvas, known, (1, 1), weights=weights)
    # 1 x 1^2 + 2 x 2^2 + 4 x 3^2 + 8 x 4^2, and only the middle place holds all four offsets.
    assert pool.pool == [(0, 1, 1, 1 + 8 + 36 + 128)]
    assert (pool.least, pool.distance, pool.winner, pool.size) == (173, 173, (0, 1, 1), 1)
    assert pool.weight == 1 + 2 + 4 + 8
    # 1.1 x 173 = 190.3 and 6.5025 x 15 = 97.5375, summed before the floor: 287.8375.
    assert pool.threshold == 287


def test_channels_add_up():
    canvas = np.zeros((1, 2, 3), np.uint8)
    plane = np.array([[[1, 2, 3], [9, 9, 9]]], np.uint8)
    pool = step([plane], canvas, [[1, 0]], (0, 1))
    assert pool.pool == [(0, 0, 1, 1 + 4 + 9)]
    assert pool.weight == 3


def test_threshold_adds_fractions_before_the_floor():
    # least 1: 1.1 + 6.5025 = 7.6025 for one known offset of weight 1.
    plane = grey([[1, 0]])
    pool = step([plane], grey([[0, 0]]), [[1, 0]], (0, 1))
    assert (pool.least, pool.threshold) == (1, 7)
    weights = ONES * 40
    # least 40: 44.4 + 260.1 = 304.5 for eps 0.11, where the parts floored give 304 too, and
    # for eps 0.1225 44.9 + 260.1 = 305 exactly, where they give 304.
    pool = step([plane], grey([[0, 0]]), [[1, 0]], (0, 1), weights=weights, epsilon="0.11")
    assert pool.threshold == 304
    pool = step([plane], grey([[0, 0]]), [[1, 0]], (0, 1), weights=weights, epsilon="0.1225")
    assert pool.threshold == 305


def test_a_distance_equal_to_the_threshold_is_in_the_pool():
    # eps 0.1225 and weight 40 as above: T = 305. Weight 40 x 1^2 is the least; of the others,
    # 40 x 2^2 = 160 is in, 40 x 3^2 = 360 out.
    planes = [grey([[v, 50]]) for v in (1, 2, 3)]
    pool = step(planes, grey([[0, 0]]), [[1, 0]], (0, 1), weights=ONES * 40, epsilon="0.1225")
    assert places(pool) == [(0, 0, 1), (1, 0, 1)]
    # weight 4, least 4 x 10^2 = 400: eps 0.145 gives floor(458 + 26.01) = 484 = 4 x 11^2, and
    # eps 0.142 floor(456.8 + 26.01) = 482.
    planes = [grey([[v, 50]]) for v in (10, 11)]
    for epsilon, threshold, size in (("0.145", 484, 2), ("0.142", 482, 1)):
        pool = step(planes, grey([[0, 0]]), [[1, 0]], (0, 1), weights=ONES * 4, epsilon=epsilon)
        assert (pool.threshold, pool.size) == (threshold, size)


def test_floor_lets_near_copies_in_beside_a_copy():
    planes = [grey([[v, 50]]) for v in (100, 102, 103)]
    pool = step(planes, grey([[100, 0]]), [[1, 0]], (0, 1))
    # distances 0, 4, 9; T = floor(6.5025).
    assert (pool.least, pool.threshold, pool.size) == (0, 6, 2)


def test_ties_and_repeats_all_count():
    planes = [grey([[7, v]]) for v in (1, 2, 2)]
    pool = step(planes, grey([[7, 0]]), [[1, 0]], (0, 1))
    assert pool.size == 3
    keys = [key(salt(0, 0, 0), image, 0, 1) for image in range(3)]
    assert pool.winner == (keys.index(min(keys)), 0, 1)


def test_minimum_pool_raises_the_threshold_and_takes_ties():
    planes = [grey([[v, 50]]) for v in (0, 10, 20, 20, 30)]
    ask = {"planes": planes, "canvas": grey([[0, 0]]), "known": [[1, 0]], "place": (0, 1)}
    assert step(**ask).threshold == 6
    assert (step(**ask, min_pool=2).threshold, step(**ask, min_pool=2).size) == (100, 2)
    assert (step(**ask, min_pool=3).threshold, step(**ask, min_pool=3).size) == (400, 4)
    assert (step(**ask, min_pool=99).threshold, step(**ask, min_pool=99).size) == (900, 5)
    with pytest.raises(ValueError):
        step(**ask, min_pool=0)


def test_ignore_drops_offsets_outside_the_canvas():
    canvas = grey([[0, 5], [6, 7]])
    plane = grey([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    pool = step([plane], canvas, [[0, 1], [1, 1]], (0, 0), epsilon="1000")
    # K is right, below and both: candidates must have those inside, so only the first 2 x 2.
    assert pool.weight == 3
    assert places(pool) == [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)]
    assert pool.pool[0].distance == (5 - 2) ** 2 + (6 - 4) ** 2 + (7 - 5) ** 2


def test_zeros_compares_what_lies_outside_with_zero():
    canvas = grey([[0, 5], [6, 7]])
    plane = grey([[1, 2], [3, 4]])
    pool = step([plane], canvas, [[0, 1], [1, 1]], (0, 0), border="zeros", epsilon="1000")
    assert pool.weight == 8
    by_place = {member[:3]: member.distance for member in pool.pool}
    assert by_place == {
        (0, 0, 0): (5 - 2) ** 2 + (6 - 3) ** 2 + (7 - 4) ** 2,
        # the left and lower left neighbours 1 and 3 stand where the query reads 0.
        (0, 0, 1): 1 + 9 + 25 + (6 - 4) ** 2 + 49,
        (0, 1, 0): 1 + 4 + (5 - 4) ** 2 + 36 + 49,
        (0, 1, 1): 1 + 4 + 9 + 25 + 36 + 49,
    }


def test_wrap_reads_around_the_edges_of_canvas_and_image():
    canvas = grey([[0, 1, 2, 3, 4]])
    plane = grey([[10, 20, 30]])
    weights = np.array([[0, 0, 0], [1, 127, 2], [0, 0, 0]])
    weights[0] = weights[2] = 1
    pool = step(
        [plane], canvas, [[0, 0, 0, 0, 1]], (0, 0), border="wrap", weights=weights, epsilon="99"
    )
    # one row: the rows above and below are the row itself, so pixel 4 is known three times.
    assert pool.weight == 3
    distances = {member.col: member.distance for member in pool.pool}
    assert distances == {0: 3 * 26**2, 1: 3 * 6**2, 2: 3 * 16**2}


def test_wrap_holds_an_offset_that_leads_back_to_a_candidate_centre():
    pool = step([grey([[9]])], grey([[0, 4]]), [[0, 1]], (0, 0), border="wrap", weights=ONES)
    # on the canvas six offsets lead to pixel 1, in a 1 x 1 image every offset to its one pixel.
    assert pool.pool == [(0, 0, 0, 6 * 25)]


def test_holes_are_no_sources_and_no_comparisons():
    plane = grey([[1, 2, 3, 4]])
    ask: dict[str, Any] = {"canvas": grey([[2, 0, 0]]), "known": [[1, 0, 0]], "place": (0, 1)}
    ask["epsilon"] = "1000"
    assert places(step([plane], **ask)) == [(0, 0, 1), (0, 0, 2), (0, 0, 3)]
    valid = [np.array([[True, False, True, True]])]
    # (0,1) is a hole itself and (0,2) would compare with it. What is left of (0,0) is outside:
    # nothing, 0 or pixel (0,3).
    for border, expected in {
        "ignore": [(0, 0, 3)],
        "zeros": [(0, 0, 0), (0, 0, 3)],
        "wrap": [(0, 0, 0), (0, 0, 3)],
    }.items():
        assert places(step([plane], valid=valid, border=border, **ask)) == expected


def test_a_hole_at_an_unknown_offset_does_no_harm():
    plane = grey([[1, 2, 3]])
    valid = [np.array([[True, True, False]])]
    pool = step([plane], grey([[1, 0, 0]]), [[1, 0, 0]], (0, 1), valid=valid)
    assert places(pool) == [(0, 0, 1)]


def test_ragged_corpora_and_stages():
    planes = [np.full((2, 2, 1), 1, np.uint8), np.full((3, 4, 1), 1, np.uint8)]
    ask = {"canvas": grey([[1, 0], [0, 0]]), "known": [[1, 0], [0, 0]], "place": (0, 1)}
    everywhere = places(step(planes, **ask))
    assert everywhere == [(0, r, 1) for r in (0, 1)] + [
        (1, r, c) for r in range(3) for c in (1, 2, 3)
    ]
    near = [(i, r, c) for i, r, c in everywhere if r <= 1 and c <= 2]
    assert places(step(planes, radius=1, **ask)) == near
    assert places(step(planes, radius=0, **ask)) == [(0, 0, 1), (1, 0, 1)]
    assert places(step(planes, images_allowed=[1], radius=0, **ask)) == [(1, 0, 1)]
    assert places(step(planes, barred=1, radius=0, **ask)) == [(0, 0, 1)]


def test_near_does_not_go_around_the_edge():
    plane = grey([[1, 1, 1, 1]])
    pool = step([plane], grey([[0, 1, 1, 1]]), [[0, 1, 1, 1]], (0, 0), border="wrap", radius=1)
    assert places(pool) == [(0, 0, 0), (0, 0, 1)]


def test_least_is_of_the_candidates_the_stages_leave():
    planes = [grey([[0, 1]]), grey([[100, 2]])]
    pool = step(planes, grey([[0, 0]]), [[1, 0]], (0, 1), images_allowed={1})
    assert (pool.least, pool.winner) == (10_000, (1, 0, 1))


def test_without_appearance_every_valid_candidate_is_in_the_pool():
    planes = [grey([[0, 1]]), grey([[100, 2]])]
    valid = [np.array([[True, True]]), np.array([[False, True]])]
    pool = step(planes, grey([[0, 0]]), [[1, 0]], (0, 1), valid=valid, appearance=False)
    assert places(pool) == [(0, 0, 0), (0, 0, 1), (1, 0, 1)]
    assert (pool.least, pool.threshold, pool.weight, pool.distance) == (0, 0, 0, 0)


def test_nothing_known_is_the_same_as_no_appearance():
    planes = [grey([[0, 1]])]
    ask = (planes, grey([[0, 0]]), [[0, 0]], (0, 1))
    assert step(*ask) == step(*ask, appearance=False)


def test_no_candidate_is_an_empty_pool():
    pool = step([grey([[1, 2]])], grey([[0, 0]]), [[1, 0]], (0, 1), barred=0)
    assert (pool.least, pool.threshold, pool.pool, pool.size) == (None, None, [], 0)
    assert (pool.winner, pool.distance, pool.weight) == (None, None, 1)


def test_a_known_centre_is_refused():
    with pytest.raises(ValueError):
        step([grey([[1, 2]])], grey([[0, 0]]), [[1, 1]], (0, 1))


@pytest.mark.parametrize("epsilon", ["-0.1", "0.0000001", 0.1, "many", Fraction(1, 10**6 + 1)])
def test_inexact_or_negative_epsilon_is_refused(epsilon):
    with pytest.raises(ValueError):
        as_epsilon(epsilon)


def test_what_lies_under_the_unknown_is_not_looked_at():
    planes = [grey([[3, 1, 7]]), grey([[5, 2, 8]])]
    known = [[1, 0, 0]]
    assert step(planes, grey([[4, 0, 0]]), known, (0, 1)) == step(
        planes, grey([[4, 99, 250]]), known, (0, 1)
    )


# intersection


def intersect(planes: list, canvas: np.ndarray, code_distances: Any, **options: Any) -> Any:
    return reference_intersection_pool(
        planes,
        None,
        canvas,
        np.array([[True, False]]),
        (0, 1),
        ONES,
        "ignore",
        code_distances,
        **{**DRAW, **options},
    )


def test_intersection_takes_its_least_from_the_whole_corpus():
    planes = [grey([[0, 1]]), grey([[100, 2]])]
    pool = intersect(planes, grey([[0, 0]]), None, images_allowed={1})
    assert (pool.least, pool.threshold, pool.size, pool.winner) == (0, 6, 0, None)
    assert step(planes, grey([[0, 0]]), [[1, 0]], (0, 1), images_allowed={1}).size == 1
    pool = intersect(planes, grey([[0, 0]]), None, barred=0)
    assert (pool.least, pool.winner) == (10_000, (1, 0, 1))


def test_intersection_compares_norms_of_codes():
    planes = [grey([[0, 1]])] * 4
    # eps 0.1: norms up to 1.1 x 10, squares up to 121.
    pool = intersect(planes, grey([[0, 0]]), [121, 100, 122, 115])
    assert [member.image for member in pool.pool] == [0, 1, 3]
    pool = intersect(planes, grey([[0, 0]]), [121, 100, 122, 115], code_epsilon="0")
    assert [member.image for member in pool.pool] == [1]
    # the barred image sets no threshold.
    pool = intersect(planes, grey([[0, 0]]), [121, 100, 122, 115], barred=1)
    assert [member.image for member in pool.pool] == [0, 2, 3]
    # a code at distance 0 has no floor.
    pool = intersect(planes, grey([[0, 0]]), [0, 1, 0, 5])
    assert [member.image for member in pool.pool] == [0, 2]


def test_intersection_can_be_empty_or_bound_by_the_radius():
    planes = [grey([[0, 1]]), grey([[9, 2]])]
    pool = intersect(planes, grey([[0, 0]]), [50, 1])
    assert (pool.least, pool.threshold, pool.pool, pool.winner) == (0, 6, [], None)
    wide = [grey([[9, 20, 0, 5]])]
    pool = intersect(wide, grey([[0, 0]]), [3], radius=1)
    assert (pool.least, pool.size) == (0, 0)
    pool = intersect(wide, grey([[0, 0]]), [3], radius=2)
    assert pool.winner == (0, 0, 3)


def test_intersection_equals_the_cascade_where_no_stage_narrows():
    planes = [grey([[v, 1]]) for v in (3, 4, 9, 12)]
    canvas = grey([[5, 0]])
    cascade = step(planes, canvas, [[1, 0]], (0, 1), min_pool=3)
    assert intersect(planes, canvas, [2, 2, 2, 2], min_pool=3) == cascade


def test_unknown_border_is_refused():
    with pytest.raises(ValueError):
        step([grey([[1]])], grey([[0]]), [[0]], (0, 0), border="mirror")
