"""The nearest patches of all pixels of a picture equal brute force, whatever the filters leave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.provenance.attribution import Attribution, Attributor, attribute
from intarsia.reduce.filters import Filters, sample_patches
from intarsia.reduce.flat import flat_patches
from intarsia.reduce.nearest_filtered import SMALL
from intarsia.reduce.nearest_patches import Stopped
from tests.pictures import colour_patches
from tests.reference.nearest import Named, nearest


def named(found: Attribution, place: tuple[int, int]) -> list[Named]:
    """What was found for a pixel, free slots left out."""
    maps = (found.squared, found.image, found.row, found.col)
    slots = [Named(*(int(one[place][k]) for one in maps)) for k in range(found.image.shape[2])]
    return [slot for slot in slots if slot.image >= 0]


def spread(height: int, width: int) -> list[tuple[int, int]]:
    """Places in every border class, and some within."""
    rows, cols = (0, 1, 2, height // 2, height - 1), (0, 1, 3, width // 2, width - 2, width - 1)
    return [(y, x) for y in rows for x in cols if (y + x) % 2 or {y, x} <= {0, 1}]


@pytest.mark.parametrize(
    ("data", "window", "radius", "keep"),
    [("cifar10", 7, None, 1), ("cifar10", 5, 2, 3), ("mnist", 5, None, 4), ("mnist", 9, 1, 30)],
)
def test_filters_leave_nothing_out(intarsia_data: Path, data, window, radius, keep) -> None:
    corpus = Corpus.open(data, limit=130)
    assert corpus.images is not None and corpus.images[..., 0].size > SMALL  # else no filters
    picture = Corpus.open(data, split="test", limit=7)[6]
    attributor = Attributor(corpus, window)
    found = attributor.attribute(picture, radius=radius, top=keep)
    weights = np.asarray(attributor.window.weights, np.int64)
    for place in spread(*picture.shape[:2]):
        expected = nearest(picture, place, corpus.images, weights, radius, keep)
        mine = named(found, place)
        assert [slot.distance for slot in mine] == [slot.distance for slot in expected], place
        least = [slot for slot in expected if slot.distance < expected[-1].distance]
        assert set(least) <= set(mine)  # at the last distance any of the equals may be named
        # The first of equals continues its neighbours' piece; the others stand in order.
        assert sorted(mine)[: len(least)] == least


def test_threads_and_earlier_pictures_change_nothing(intarsia_data: Path) -> None:
    corpus, test = Corpus.open("cifar10", limit=200), Corpus.open("cifar10", split="test", limit=3)
    attributor = Attributor(corpus)
    attributor.attribute(test[1])
    first = attributor.attribute(test[2], top=2, threads=1)
    again = Attributor(Corpus.open("cifar10", limit=200)).attribute(test[2], top=2, threads=3)
    for name in ("image", "row", "col", "squared", "mosaic"):
        assert np.array_equal(getattr(first, name), getattr(again, name))


@pytest.mark.parametrize("radius", [None, 1])
def test_pictures_of_many_sizes(radius: int | None) -> None:
    crops = colour_patches(12, 14)
    images = [crops[i][: 9 + i % 3, : 8 + i % 4] for i in range(12)]
    attributor = Attributor(Corpus.from_arrays(images), 5)
    picture = colour_patches(20, 9)[17]
    found = attributor.attribute(picture, radius=radius, top=3)
    weights = np.asarray(attributor.window.weights, np.int64)
    for place in np.ndindex(9, 9):
        expected = nearest(picture, place, images, weights, radius, 3)
        distances = [slot.distance for slot in named(found, place)]
        assert distances == [slot.distance for slot in expected]
    assert found.nearest == []  # no whole pictures of this size


def test_patches_that_touch_a_hole_are_no_sources() -> None:
    images = colour_patches(12, 14)
    valid = np.ones(images.shape[:3], bool)
    valid[:, 6, 6] = False
    found = attribute(images[5], Corpus.from_arrays(images, valid=valid), window=5, top=2)
    # A window of 5x5 touches the hole from two pixels away; elsewhere the picture finds itself.
    touched = np.zeros((14, 14), bool)
    touched[4:9, 4:9] = True
    assert (found.squared[~touched][:, 0] == 0).all()
    rows, cols = found.row.astype(int), found.col.astype(int)
    inside = (found.image >= 0) & (rows >= 2) & (rows < 12) & (cols >= 2) & (cols < 12)
    inside[:2], inside[12:], inside[:, :2], inside[:, 12:] = (False,) * 4  # windows cut short
    assert inside.any() and not touched[rows[inside], cols[inside]].any()


def test_flat_patches_are_those_of_one_value() -> None:
    images = Corpus.open("digits").images[:300]
    (stack,) = Attributor(Corpus.from_arrays(images), 3).stacks
    flat = flat_patches(stack, 1).reshape(8, 8, 300)
    for y, x, n in np.ndindex(8, 8, 300):
        patch = images[n, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        assert flat[y, x, n] == (patch == patch[0, 0]).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_difference_of_codes_never_passes_its_bound(channels: int) -> None:
    pixels = colour_patches(60, 9)[..., :channels]
    attributor = Attributor(Corpus.from_arrays(pixels), 5)
    offsets = np.array([(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)])
    weights = np.asarray(attributor.window.weights, np.int32).ravel()
    patches = sample_patches(attributor.stacks[0], offsets, (2, 6), (2, 6))[:400]
    filters = Filters.of(patches, offsets, weights, 8, 4)
    codes = filters.codes(patches).astype(np.int64)
    patch = patches.astype(np.int64)
    for shift in (1, 7, 31):
        distance = ((patch - np.roll(patch, shift, axis=0)) ** 2) @ np.tile(weights, channels)
        for count, gain in ((8, filters.gain_first), (12, filters.gain_all)):
            apart = ((codes - np.roll(codes, shift, axis=0))[:, :count] ** 2).sum(axis=1)
            assert (apart <= (gain * np.sqrt(distance) + np.sqrt(count)) ** 2).all()
            assert (apart > 0.5 * gain**2 * distance).any()  # and it is no empty bound


def test_the_caller_may_stop(intarsia_data: Path) -> None:
    corpus = Corpus.open("mnist", limit=300)
    with pytest.raises(Stopped):
        Attributor(corpus).attribute(corpus[0], should_stop=lambda: True)
