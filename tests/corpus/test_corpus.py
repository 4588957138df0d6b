from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia.corpus import Corpus
from intarsia.corpus.fingerprint import of_content
from intarsia.errors import UsageError
from tests.corpus.files import pictures


def ragged(seed: int = 0, c: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = [(3, 5), (1, 1), (7, 2), (4, 4)]
    return [rng.integers(0, 256, (h, w, c), dtype=np.uint8) for h, w in sizes]


def test_a_uniform_corpus_is_one_array_and_planes_over_it() -> None:
    images = pictures(c=3)
    corpus = Corpus.from_arrays(images, labels=[0, 1, 2, 0, 1, 2], class_names=["a", "b", "c"])
    assert corpus.images is not None
    np.testing.assert_array_equal(corpus.images, images)
    np.testing.assert_array_equal(np.stack(list(corpus.planes)), images)
    assert (len(corpus), corpus.size, corpus.channels, corpus.is_ragged) == (6, (5, 4), 3, False)
    assert corpus.labels is not None and corpus.labels.dtype == np.int16
    assert corpus.class_names == ("a", "b", "c") and corpus.valid is None
    np.testing.assert_array_equal(corpus[-1], images[5])


def test_a_grey_array_without_channels_gets_one() -> None:
    corpus = Corpus.from_arrays(pictures()[..., 0])
    assert corpus.images is not None and corpus.images.shape == (6, 5, 4, 1)


def test_a_ragged_corpus_has_planes_but_no_array_and_no_size() -> None:
    arrays = ragged()
    corpus = Corpus.from_arrays(arrays)
    assert corpus.is_ragged and corpus.images is None and corpus.channels == 3
    for i, array in enumerate(arrays):
        np.testing.assert_array_equal(corpus[i], array)
    with pytest.raises(UsageError, match=r"differ in size, from 1 to 7 rows.*--resize S"):
        _ = corpus.size


def test_pixels_cannot_be_written() -> None:
    for corpus in (Corpus.from_arrays(pictures()), Corpus.from_arrays(ragged())):
        with pytest.raises(ValueError, match="read-only"):
            corpus[0][0, 0, 0] = 1
    images = Corpus.from_arrays(pictures()).images
    assert images is not None and not images.flags.writeable


def test_a_corpus_survives_pickling() -> None:
    corpus = Corpus.from_arrays(ragged(), [0, 1, 0, 1], ["a", "b"])
    again = pickle.loads(pickle.dumps(corpus))
    assert again.fingerprint == corpus.fingerprint == of_content(again.planes, again.labels, None)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_pixel_access_is_the_obvious_one(seed: int, is_ragged: bool) -> None:
    arrays = ragged(seed) if is_ragged else list(pictures(c=3, seed=seed))
    corpus = Corpus.from_arrays(arrays)
    rng = np.random.default_rng(seed)
    image = rng.integers(0, len(arrays), (2, 3))
    row = np.array([[rng.integers(arrays[i].shape[0]) for i in line] for line in image])
    col = np.array([[rng.integers(arrays[i].shape[1]) for i in line] for line in image])
    found = corpus[image.astype(np.int32), row.astype(np.int16), col.astype(np.int16)]
    assert found.dtype == np.uint8 and found.shape == (2, 3, 3)
    for at in np.ndindex(2, 3):
        np.testing.assert_array_equal(found[at], arrays[image[at]][row[at], col[at]])
        one = corpus[int(image[at]), int(row[at]), int(col[at])]
        np.testing.assert_array_equal(one, found[at])


@pytest.mark.parametrize("place", [(-1, 0, 0), (6, 0, 0), (0, -1, 0), (0, 5, 0), (0, 0, 4)])
@pytest.mark.parametrize("is_ragged", [False, True])
def test_a_place_outside_is_an_error_even_a_negative_one(
    place: tuple[int, int, int], is_ragged: bool
) -> None:
    arrays = [*pictures()[:5], pictures(1, 9, 9)[0]] if is_ragged else pictures()
    corpus = Corpus.from_arrays(arrays)
    with pytest.raises(IndexError):
        corpus[place]
    with pytest.raises(IndexError):
        corpus[tuple(np.array([0, value]) for value in place)]


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int64, np.uint64])
def test_places_of_any_integer_type_reach_the_end_of_a_large_picture(dtype: type) -> None:
    image = np.zeros((300, 300, 3), np.uint8)
    image[299, 299] = (1, 2, 3)
    corpus = Corpus.from_arrays([image, image[:2]])
    place: np.ndarray = np.array([299], dtype)
    assert corpus[np.array([0], dtype), place, place].tolist() == [[1, 2, 3]]


def test_a_mask_marks_holes_and_a_mask_of_all_valid_is_none() -> None:
    arrays = ragged()
    masks = [np.ones(array.shape[:2], bool) for array in arrays]
    assert Corpus.from_arrays(arrays, valid=masks).valid is None
    masks[2][3, 1] = False
    corpus = Corpus.from_arrays(arrays, valid=masks)
    assert corpus.valid is not None
    for mask, given_mask in zip(corpus.valid, masks, strict=True):
        assert mask.dtype == np.bool_
        np.testing.assert_array_equal(mask, given_mask)


def test_the_fingerprint_names_content_and_nothing_else() -> None:
    images, labels = pictures(), np.arange(6)
    mask = np.ones((6, 5, 4), bool)
    mask[0, 0, 0] = False
    first = Corpus.from_arrays(images, labels, name="one").fingerprint
    assert len(first) == 64
    same = Corpus.from_arrays(list(images), labels.astype(np.int64), list("abcdef"), name="two")
    assert same.fingerprint == first
    changed = images.copy()
    changed[5, 4, 3, 0] ^= 1
    others = {
        Corpus.from_arrays(changed, labels).fingerprint,
        Corpus.from_arrays(images, labels[::-1].copy()).fingerprint,
        Corpus.from_arrays(images).fingerprint,
        Corpus.from_arrays(images, labels, valid=mask).fingerprint,
        Corpus.from_arrays(images.reshape(6, 4, 5, 1), labels).fingerprint,
        Corpus.from_arrays(images[:5], labels[:5]).fingerprint,
        first,
    }
    assert len(others) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((2, 3, 3, 1))}, "must be uint8, found float64.*Scale to 0..255"),
        ({"images": np.zeros((0, 3, 3, 1), np.uint8)}, "empty"),
        ({"images": []}, "empty"),
        ({"images": np.zeros((2, 3, 3, 4), np.uint8)}, "4 channels"),
        ({"images": [np.zeros((2, 2, 1), np.uint8), np.zeros((2, 2, 3), np.uint8)]}, "1 and 3"),
        ({"images": np.zeros((2, 0, 3, 1), np.uint8)}, "no picture"),
        ({"images": pictures(), "labels": [0, 1]}, "2 labels for 6 pictures"),
        ({"images": pictures(), "labels": [0, 1, 2, 3, 4, -1]}, "label -1 is outside"),
        ({"images": pictures(), "labels": [0.5] * 6}, "one integer for each"),
        ({"images": pictures(), "labels": [40000] * 6}, "label 40000 is outside 0..32767"),
        ({"images": pictures(), "labels": [2] * 6, "class_names": ["a", "b"]}, "outside 0..1"),
        ({"images": pictures(), "valid": np.ones((6, 5, 5), bool)}, "valid must have"),
        ({"images": pictures(), "valid": np.ones((6, 5, 4), np.uint8)}, "must be bool"),
    ],
)
def test_wrong_arrays_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Corpus.from_arrays(**arguments)  # type: ignore[arg-type]


def test_a_wrong_index_is_a_type_error() -> None:
    corpus = Corpus.from_arrays(pictures())
    with pytest.raises(TypeError):
        corpus["0"]
    with pytest.raises(IndexError):
        corpus[0, 1]
    with pytest.raises(IndexError, match="integers"):
        corpus[np.array([0.5]), np.array([0]), np.array([0])]
