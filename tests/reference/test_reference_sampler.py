"""The reference phi and sampler, on cases small enough to work out or replay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.reference.fill_order import reference_fill_order
from tests.reference.lowres import encode, reference_code_distances, reference_similar
from tests.reference.pool import reference_pool
from tests.reference.sampler import ReferenceSample, reference_fill, reference_sample
from tests.reference.window import window_weights

ONES = np.ones((3, 3), np.int64)


def grey(rows: list) -> np.ndarray:
    """Rows of values as a picture of one channel."""
    return np.array(rows, np.uint8)[:, :, None]


# low resolution


def test_code_by_hand_with_ragged_cells():
    picture = grey([[1, 2, 255], [2, 2, 0], [10, 11, 77]])
    code, weight = encode(picture, np.ones((3, 3), bool))
    # means 7/4 = 1.75 -> 2, 255/2 = 127.5 -> 128, 21/2 = 10.5 -> 11, 77.
    assert code == [[[-126], [0]], [[-117], [-51]]]
    assert weight == [[1, 1], [1, 1]]


def test_code_averages_the_known_pixels_of_half_known_cells():
    picture = grey([[10, 99, 99], [21, 99, 7]])
    known = np.array([[True, False, False], [True, False, True]])
    # left: 31/2 = 15.5 -> 16; right: one of two is half.
    assert encode(picture, known) == ([[[-112], [-121]]], [[1, 1]])
    known[0, 0] = known[1, 2] = False
    # left: one of four; right: none.
    assert encode(picture, known) == ([[[0], [0]]], [[0, 0]])


def test_code_spans_int8_and_channels():
    picture = np.array([[[0, 255, 128]]], np.uint8)
    assert encode(picture, np.ones((1, 1), bool)) == ([[[-128, 127, 0]]], [[1]])


def test_code_distances_count_only_cells_the_canvas_knows():
    canvas = grey([[10, 10, 77, 77]])
    known = np.array([[True, True, False, False]])
    planes = [grey([[12, 13, 0, 0]]), grey([[10, 10, 9, 9]]), grey([[10, 11, 0, 0]])]
    # 12.5 -> 13, 10, 10.5 -> 11.
    assert reference_code_distances(canvas, known, planes) == [9, 0, 1]
    assert reference_similar(canvas, known, planes, 2) == [1, 2]
    assert reference_similar(canvas, known, planes, 2, barred=1) == [2, 0]
    assert reference_similar(canvas, known, planes, 9, labels=[4, 5, 4], label=4) == [2, 0]


def test_equal_codes_go_by_image_and_a_blank_mask_ties_all():
    canvas = grey([[10, 10]])
    planes = [grey([[5, 5]]), grey([[10, 10]]), grey([[10, 10]])]
    assert reference_similar(canvas, np.ones((1, 2), bool), planes, 2) == [1, 2]
    assert reference_similar(canvas, np.zeros((1, 2), bool), planes, 2) == [0, 1]


# whole image


def corpus() -> tuple[np.ndarray, np.ndarray]:
    values = np.random.default_rng(3).integers(0, 256, (6, 6, 5, 2), dtype=np.uint8)
    return values, np.array([0, 1, 0, 1, 0, 1], np.int16)


def sample(**options: Any) -> ReferenceSample:
    planes, labels = corpus()
    settings: dict[str, Any] = {"seed": 5, "sample": 2, "radius": 1, "label": None}
    settings.update(options)
    return reference_sample(
        planes, labels, (6, 5), planes[2, 2:4, 1:3], (2, 1), 2, ONES, "ignore", **settings
    )


@pytest.mark.parametrize("border", ["ignore", "zeros", "wrap"])
def test_pixel_law_holds_for_every_pixel(border):
    planes, labels = corpus()
    result = reference_sample(
        planes,
        labels,
        (6, 5),
        planes[2, 2:4, 1:3],
        (2, 1),
        2,
        window_weights(3),
        border,
        radius=1,
        seed=5,
        sample=2,
    )
    assert (planes[result.image, result.row, result.col] == result.canvas).all()
    assert (labels[result.image] == result.label).all()
    grown = result.step >= 0
    assert sorted(result.step[grown].tolist()) == list(range(26))
    assert (result.image[grown] != 2).all()
    assert (result.pool >= 1).all()
    np.testing.assert_array_equal(result.weight, (1 / result.pool).astype(np.float32))
    assert (result.distance[grown] <= 1).all()
    rows, cols = np.indices((6, 5))
    assert (abs(result.row - rows) <= 1).all() and (abs(result.col - cols) <= 1).all()


def test_seed_pixels_carry_their_true_source():
    planes, labels = corpus()
    result = reference_sample(
        planes,
        labels,
        (7, 9),
        planes[4, 0:2, 2:5],
        (3, 4),
        4,
        ONES,
        "ignore",
        seed_source=(0, 2),
        seed=1,
        sample=0,
    )
    inside = (slice(3, 5), slice(4, 7))
    assert (result.image[inside] == 4).all() and (result.step[inside] == -1).all()
    assert result.row[inside].tolist() == [[0] * 3, [1] * 3]
    assert result.col[inside].tolist() == [[2, 3, 4]] * 2
    assert (result.pool[inside] == 1).all() and (result.weight[inside] == 1).all()
    assert (result.step == -1).sum() == 6
    with pytest.raises(ValueError):
        reference_sample(
            planes, labels, (6, 5), planes[4, :2, :2], (0, 0), 3, ONES, "ignore", seed=0, sample=0
        )


def test_whole_image_is_its_steps_in_order():
    planes, _ = corpus()
    result = sample()
    known = result.step == -1
    # the 2 x 2 seed at rows 2 to 3 and columns 1 to 2 is centred between pixels.
    order = reference_fill_order(known, ONES, "ignore", (2.5, 1.5))
    assert [result.step[place] for place in order] == list(range(26))
    for number in range(26):
        place = tuple(int(i) for i in np.argwhere(result.step == number)[0])
        found = reference_pool(
            planes, None, result.canvas, known, place, ONES, "ignore",
            radius=1, barred=2, seed=5, sample=2, step=number,
        )  # fmt: skip
        assert found.winner == (result.image[place], result.row[place], result.col[place])
        assert found.size == result.pool[place]
        assert result.distance[place] == np.float32(found.distance / (found.weight * 65025))
        known[place] = True


def test_label_and_similar_restrict_the_sources():
    assert set(sample(label=1).label[sample(label=1).step >= 0].tolist()) == {1}
    calls = []

    def similar(canvas: np.ndarray, known: np.ndarray) -> list[int]:
        calls.append(int(known.sum()))
        assert (canvas[~known] == 0).all()
        canvas[:], known[:] = 0, True  # copies: the sampler must not see this
        return [len(calls) % 6, 0]

    result = sample(similar=similar, refresh=10)
    assert calls == [4, 14, 24]
    for call, first in enumerate((0, 10, 20), start=1):
        during = (result.step >= first) & (result.step < first + 10)
        assert set(result.image[during].tolist()) <= {call % 6, 0} - {2}


def test_allowed_seed_source_copies_itself():
    # The seed's own image is at distance 0, and random pictures are not near it (figure 11).
    result = sample(not_source=False, radius=0)
    assert (result.image == 2).all() and (result.distance == 0).all()


def test_another_seed_or_sample_gives_another_image():
    draws = [sample(appearance=False, **other).canvas for other in ({}, {"sample": 3})]
    assert (draws[0] != draws[1]).any()
    assert (sample(appearance=False).canvas == draws[0]).all()
    assert (sample(appearance=False, seed=6).canvas != draws[0]).any()


def test_given_pixels_of_a_hole_have_no_source():
    planes, _ = corpus()
    known = np.ones((6, 5), bool)
    known[2:4, 2:4] = False
    given = planes[0].copy()
    result = reference_fill(planes[1:], None, given, known, ONES, "ignore", seed=0, sample=0)
    assert (result.canvas[known] == given[known]).all()
    for name in ("image", "row", "col", "label", "step"):
        assert (getattr(result, name)[known] == -1).all()
    assert (result.pool[known] == 0).all() and (result.pool[~known] > 0).all()
    assert (result.label == -1).all()


def test_no_candidate_and_missing_labels_are_told():
    planes, _ = corpus()
    with pytest.raises(ValueError, match="no training patch"):
        sample(similar=lambda canvas, known: [2])
    with pytest.raises(ValueError, match="no labels"):
        reference_fill(
            planes,
            None,
            planes[0],
            np.zeros((6, 5), bool),
            ONES,
            "ignore",
            label=1,
            seed=0,
            sample=0,
        )
