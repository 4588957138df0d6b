"""Attribution of pictures: whole copies, pieces, and what this project's own sampler drew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from intarsia import Corpus, NonparametricSampler, Samples
from intarsia.errors import DataError, UsageError
from intarsia.models.checkpoint import POOL_LIMIT
from intarsia.models.run import run
from intarsia.provenance.attribution import Attributor, attribute, query_at
from intarsia.provenance.from_run import attribute_own, distance_to
from tests.provenance.made import colour_samples, crops

PLACE = ("image", "row", "col")


@pytest.fixture(scope="module")
def drawn_by_look(mnist: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of NS+L, whose pools no representation narrows, with its pools."""
    folder = tmp_path_factory.mktemp("drawn") / "run"
    run(NonparametricSampler(mnist, principles="NS+L"), 2, 0, folder, keep_pools=True)
    return folder


@pytest.mark.parametrize("radius", [None, 2])
def test_whole_copies_name_their_image(mnist: Corpus, radius: int | None) -> None:
    attributor = Attributor(mnist)
    for number in (0, 401) if radius is None else (0, 7, 401, 1999):
        found = attributor.attribute(mnist[number], radius=radius)
        assert (found.image[..., 0] == number).mean() >= 0.99
        assert (found.squared == 0).all() and np.array_equal(found.mosaic, mnist[number])
        assert found.region.image == number and found.region.shift == (0, 0)
        assert {one.image for one in found.nearest} == {number}
        assert found.correlation == pytest.approx(1)


def test_a_moved_piece_is_one_region_at_one_shift() -> None:
    corpus = crops()
    picture = corpus[11].copy()
    picture[4:14, 2:12] = corpus[150][2:12, 5:15]
    found = attribute(picture, corpus, window=5)
    piece = found.region.as_dict()
    inside = np.zeros((16, 16), bool)
    inside[6:12, 4:10] = True  # where windows see nothing but the piece
    # Crops overlap, so that the piece also lies in others, elsewhere.
    there = (found.squared[..., 0] == 0) & inside
    assert there.sum() == inside.sum()
    assert piece["pixels"] >= inside.sum() and found.region.mask.sum() == piece["pixels"]
    rows, cols = np.nonzero(found.region.mask)
    source = corpus[found.region.image]
    shift = found.region.shift
    mine = source[rows + shift[0], cols + shift[1]].astype(int)
    assert np.array_equal(mine, found.mosaic[rows, cols].astype(int))


@pytest.mark.parametrize("which", ["grey", "colour"])
def test_the_named_patch_is_at_least_as_near_as_the_recorded_one(
    which: str, mnist: Corpus, mnist_samples: Samples
) -> None:
    samples, corpus = (mnist_samples, mnist) if which == "grey" else (colour_samples(), crops())
    picture, sources = samples.images[1], samples.sources
    attributor = Attributor(corpus)
    found = attributor.attribute(picture)
    known = np.ones(picture.shape[:2], bool)
    compared = 0
    for place in np.ndindex(*picture.shape[:2]):
        recorded = tuple(int(getattr(sources, name)[1][place]) for name in ("image", "row", "col"))
        query = query_at(picture, known, place, attributor.window)
        distance = distance_to(query, corpus, recorded, "ignore")
        if distance >= 0:  # the recorded patch has every pixel that the whole window compares
            assert found.squared[place][0] <= distance
            compared += 1
    assert compared > picture.shape[0] * picture.shape[1] // 2


def test_own_runs_name_the_recorded_source_wherever_it_was_at_its_pools_minimum(
    mnist: Corpus, drawn_by_look: Path
) -> None:
    samples = Samples.load(drawn_by_look, corpus=mnist)
    with np.load(drawn_by_look / "pools.npz") as pools:
        kept = dict(pools)
    own = [attribute_own(samples, index, mnist) for index in range(2)]
    at_minimum = 0
    for i, (start, count) in enumerate(zip(kept["start"], kept["count"], strict=True)):
        index, row, col = (int(kept[name][i]) for name in ("sample", "row", "col"))
        distances = kept["distance"][start : start + count]
        source = [getattr(samples.sources, name)[index, row, col] for name in PLACE]
        named = np.stack([kept[f"source_{name}"][start : start + count] for name in PLACE], axis=1)
        least, recorded = distances.min(), own[index].recorded[row, col]
        place = np.flatnonzero((named == source).all(axis=1))
        if len(place):
            assert recorded == distances[place[0]]
        else:  # of a pool of more than a thousand the nearest are kept
            assert count == POOL_LIMIT and recorded >= distances.max()
        assert own[index].squared[row, col, 0] == least
        assert own[index].at_minimum[row, col] == (recorded == least)
        at_minimum += int(recorded == least)
    drawn_pixels = sum(int(one.drawn.sum()) for one in own)
    assert len(kept["start"]) == drawn_pixels and 0 < at_minimum < drawn_pixels


def test_own_runs_of_another_corpus_are_refused(drawn_by_look: Path) -> None:
    with pytest.raises(DataError):
        attribute_own(Samples.load(drawn_by_look), 0, Corpus.open("mnist", limit=1999))


def test_what_is_printed_is_json_and_says_none_for_missing_slots() -> None:
    corpus = Corpus.from_arrays(crops().images[:3])
    found = attribute(crops()[200], corpus, radius=0, top=5)
    report = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert found.image[..., 3:].max() == -1  # three images at one place are three patches
    assert report["distance"][8][8][3] is None and report["distance"][8][8][0] >= 0
    assert np.array_equal(np.array(report["image"]), found.image)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((28, 28, 3), np.uint8), "3 channels"),
        (np.zeros((6, 28), np.uint8), "smaller than the 7x7 window"),
        (np.zeros((28, 28), np.float32), "float32"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(
    mnist: Corpus, picture: np.ndarray, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        attribute(picture, mnist)


@pytest.mark.parametrize("window", [4, 1, -3])
def test_windows_are_odd_and_at_least_three(mnist: Corpus, window: int) -> None:
    with pytest.raises(UsageError, match="window"):
        Attributor(mnist, window)


def test_top_and_radius_make_sense(mnist: Corpus) -> None:
    with pytest.raises(UsageError, match="--top is 0"):
        attribute(mnist[0], mnist, top=0)
    with pytest.raises(UsageError, match="radius"):
        attribute(mnist[0], mnist, radius=-1)
