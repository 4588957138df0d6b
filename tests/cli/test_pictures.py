"""Textures grown and holes filled from pictures of one's own, through the real command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import arrays, assert_pixel_law, assert_tidy, contents
from tests.cli.conftest import Command


def save(path: Path, plane: np.ndarray) -> np.ndarray:
    """Save a picture as PNG and return it as a plane [H, W, C]."""
    Image.fromarray(plane).save(path)
    return plane if plane.ndim == 3 else plane[..., None]


@pytest.fixture
def textures(tmp_path: Path) -> list[np.ndarray]:
    """Crops of real textures, of different sizes: brick.png and grass.png."""
    from skimage import data

    brick, grass = data.brick()[100:140, 60:108], data.grass()[30:66, 200:252]
    return [save(tmp_path / "brick.png", brick), save(tmp_path / "grass.png", grass)]


@pytest.fixture
def photograph(tmp_path: Path) -> np.ndarray:
    """A crop of a colour photograph: photograph.png."""
    from sklearn.datasets import load_sample_image

    return save(tmp_path / "photograph.png", load_sample_image("flower.jpg")[180:204, 300:330])


def save_mask(path: Path, shape: tuple[int, ...], *holes: tuple[slice, slice]) -> np.ndarray:
    """Save a mask and return where its holes are, bool [H, W]."""
    mask = np.zeros(shape[:2], bool)
    for hole in holes:
        mask[hole] = True
    save(path, mask.astype(np.uint8) * 255)
    return mask


def test_a_texture_has_the_size_asked_for_and_copies_the_pixels_it_names(
    intarsia: Command, textures: list[np.ndarray], tmp_path: Path
) -> None:
    # The same pictures by a relative and an absolute path.
    outcome = intarsia(
        "texture brick.png", tmp_path / "grass.png", "--size 24x32 --window 7 --n 4 --out run"
    )
    assert outcome.code == 0, outcome.err
    images, sources = (arrays(tmp_path / "run" / f"{name}.npz") for name in ("samples", "sources"))
    assert images["images"].shape == (4, 24, 32, 1)
    assert_pixel_law(tmp_path / "run", textures)
    assert_tidy(tmp_path / "run")
    assert (sources["image"] >= 0).all()
    # Four 3x3 seeds, and every other pixel filled once.
    for steps in sources["step"]:
        assert (steps == -1).sum() == 9
        assert sorted(steps[steps >= 0]) == list(range(24 * 32 - 9))
    assert set(np.unique(sources["image"])) == {0, 1}, "seeds come from both pictures"


def test_a_texture_may_be_larger_than_its_picture_and_in_colour(
    intarsia: Command, photograph: np.ndarray, tmp_path: Path
) -> None:
    outcome = intarsia("texture photograph.png --size 26x34 --window 5 --out run")
    assert outcome.code == 0, outcome.err
    assert arrays(tmp_path / "run" / "samples.npz")["images"].shape == (1, 26, 34, 3)
    assert_pixel_law(tmp_path / "run", [photograph])


def test_a_size_of_one_number_is_a_square(
    intarsia: Command, textures: list[np.ndarray], tmp_path: Path
) -> None:
    assert intarsia("texture brick.png --size 12 --window 5 --out run").code == 0
    assert arrays(tmp_path / "run" / "samples.npz")["images"].shape == (1, 12, 12, 1)


def test_a_hole_is_filled_from_the_rest_and_nothing_else_changes(
    intarsia: Command, photograph: np.ndarray, tmp_path: Path
) -> None:
    hole = save_mask(
        tmp_path / "mask.png", photograph.shape, np.s_[9:14, 10:16], np.s_[20:24, 0:4]
    )  # fmt: skip
    outcome = intarsia("inpaint photograph.png --mask mask.png --window 7 --n 2 --out run")
    assert outcome.code == 0, outcome.err
    images = arrays(tmp_path / "run" / "samples.npz")["images"]
    sources = arrays(tmp_path / "run" / "sources.npz")
    assert_pixel_law(tmp_path / "run", [photograph])
    for image, *named in zip(images, *(sources[k] for k in ("row", "col", "step")), strict=True):
        rows, cols, steps = named
        np.testing.assert_array_equal(image[~hole], photograph[~hole])
        assert not hole[rows, cols].any(), "a hole is never a source"
        assert (steps[~hole] == -1).all() and (steps[hole] >= 0).all()
        # What was given names itself.
        np.testing.assert_array_equal(np.argwhere(~hole), np.c_[rows[~hole], cols[~hole]])


def test_what_is_under_the_mask_has_no_influence(
    intarsia: Command, photograph: np.ndarray, tmp_path: Path
) -> None:
    hole = save_mask(tmp_path / "mask.png", photograph.shape, np.s_[9:14, 10:16])
    painted = photograph.copy()
    painted[hole] = 255 - painted[hole]
    save(tmp_path / "painted.png", painted)
    for name in ("photograph", "painted"):
        command = f"inpaint {name}.png --mask mask.png --window 7 --out {name}"
        assert intarsia(command).code == 0
    ours, theirs = (arrays(tmp_path / name / "samples.npz") for name in ("photograph", "painted"))
    np.testing.assert_array_equal(ours["images"], theirs["images"])


@pytest.mark.parametrize(
    ("extend", "margins"), [("3", (3, 3, 3, 3)), ("2,5,0,1", (2, 5, 0, 1))]
)  # fmt: skip
def test_a_picture_is_continued_by_the_margins_asked_for(
    extend: str,
    margins: tuple[int, int, int, int],
    intarsia: Command,
    photograph: np.ndarray,
    tmp_path: Path,
) -> None:
    hole = save_mask(tmp_path / "mask.png", photograph.shape, np.s_[3:6, 3:6])
    top, right, bottom, left = margins
    height, width = photograph.shape[:2]
    outcome = intarsia(
        "inpaint photograph.png --mask mask.png --window 5 --out run --extend", extend
    )
    assert outcome.code == 0, outcome.err
    images = arrays(tmp_path / "run" / "samples.npz")["images"]
    assert images.shape == (1, top + height + bottom, left + width + right, 3)
    inside = images[0, top : top + height, left : left + width]
    np.testing.assert_array_equal(inside[~hole], photograph[~hole])
    # Sources speak of the enlarged picture, whose margins and hole give nothing.
    padded = np.pad(photograph, ((top, bottom), (left, right), (0, 0)))
    given = np.pad(~hole, ((top, bottom), (left, right)))
    sources = arrays(tmp_path / "run" / "sources.npz")
    assert given[sources["row"], sources["col"]].all()
    assert_pixel_law(tmp_path / "run", [padded])


@pytest.mark.parametrize("principles", ["", "--principles NS+L", "--principles L"])
def test_a_digit_is_completed_from_other_digits(
    principles: str, intarsia: Command, intarsia_data: Path, tmp_path: Path
) -> None:
    from intarsia import Corpus

    digit = save(tmp_path / "digit.png", Corpus.open("mnist", split="test")[3][..., 0])
    hole = save_mask(tmp_path / "mask.png", digit.shape, np.s_[16:24, 8:20])
    limit = 300 if principles.endswith(" L") else 2000
    outcome = intarsia(
        f"inpaint digit.png --mask mask.png --data mnist --limit {limit} --out run", principles
    )
    assert outcome.code == 0, outcome.err
    images = arrays(tmp_path / "run" / "samples.npz")["images"]
    sources = arrays(tmp_path / "run" / "sources.npz")
    np.testing.assert_array_equal(images[0][~hole], digit[~hole])
    # The digit is no picture of the corpus, so what was given names none.
    for name in ("image", "row", "col", "step", "label"):
        assert (sources[name][0][~hole] == -1).all(), name
    assert (sources["image"][0][hole] >= 0).all() and (sources["label"][0][hole] >= 0).all()
    assert_pixel_law(tmp_path / "run", Corpus.open("mnist", limit=limit).planes)
    if principles != "--principles L":
        rows, cols = np.nonzero(hole)
        assert (np.abs(sources["row"][0][hole] - rows) <= 1).all()
        assert (np.abs(sources["col"][0][hole] - cols) <= 1).all()


@pytest.mark.parametrize("changed", ["digit.png", "mask.png"])
def test_another_picture_or_mask_under_the_same_name_is_another_run(
    changed: str, intarsia: Command, tmp_path: Path
) -> None:
    from intarsia import Corpus

    digits = Corpus.open("digits")
    save(tmp_path / "digit.png", digits[3][..., 0])
    save_mask(tmp_path / "mask.png", (8, 8), np.s_[2:4, 2:5])
    command = "inpaint digit.png --mask mask.png --data digits --out run --resume"
    assert intarsia(command).code == 0
    assert intarsia(command).code == 0
    if changed == "digit.png":
        save(tmp_path / "digit.png", digits[4][..., 0])
    else:
        save_mask(tmp_path / "mask.png", (8, 8), np.s_[2:4, 2:6])
    before = contents(tmp_path)
    refused = intarsia(command)
    assert refused.code == 2 and "run holds another run" in refused.err
    assert contents(tmp_path) == before


def test_a_path_with_blanks_is_taken_whole(
    intarsia: Command, textures: list[np.ndarray], tmp_path: Path
) -> None:
    (tmp_path / "my pictures").mkdir()
    (tmp_path / "brick.png").rename(tmp_path / "my pictures" / "a brick.png")
    where = tmp_path / "my pictures"
    outcome = intarsia(
        "texture", where / "a brick.png", "--size 8x8 --window 5 --out", where / "a run"
    )
    assert outcome.code == 0, outcome.err
    assert_tidy(where / "a run")


def test_brackets_in_a_path_are_no_markup(
    intarsia: Command, textures: list[np.ndarray], tmp_path: Path
) -> None:
    where = tmp_path / "a[" / "bold]b"  # which rich would read as a style, and [/b] as its end
    where.mkdir(parents=True)
    (tmp_path / "brick.png").rename(where / "brick[1].png")
    run = tmp_path / "run[" / "b]"
    outcome = intarsia(
        "texture", where / "brick[1].png", "--size 8x8 --window 5 --movie --out", run
    )
    assert outcome.code == 0, outcome.err
    assert str(run / "grid.png") in outcome.err
    described = intarsia("data info", where / "brick[1].png")
    assert described.code == 0 and str(where) in described.err
    drawn = intarsia("generate nps --principles L --n 1 --out", tmp_path / "[/x]", "--data", where)
    assert drawn.code == 2 and "one picture" in drawn.err
