from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from tests.corpus.files import pictures, save

COLOUR = pictures(12, 6, 8, 3)
LABELS = np.arange(12) % 4


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    path = tmp_path / "set.npz"
    np.savez(path, images=COLOUR, labels=LABELS, class_names=["ant", "bee", "Cat", "tench, fish"])
    return path


def test_limit_is_the_first_so_many(npz: Path) -> None:
    corpus = Corpus.open(npz, limit=5)
    assert corpus.images is not None and corpus.labels is not None
    np.testing.assert_array_equal(corpus.images, COLOUR[:5])
    assert corpus.fingerprint == Corpus.from_arrays(COLOUR[:5], LABELS[:5]).fingerprint
    assert len(Corpus.open(npz, limit=100)) == 12


@pytest.mark.parametrize(
    ("classes", "kept"),
    [
        ("bee", [1]),
        ("ant,2", [0, 2]),
        (2, [2]),
        (["cat", 0], [0, 2]),
        ("tench, fish", [3]),
        (["tench, fish", "ant"], [0, 3]),
        (np.int64(1), [1]),
    ],
)
def test_classes_by_name_or_number_keep_their_numbers(
    npz: Path, classes: Any, kept: list[int]
) -> None:
    corpus = Corpus.open(npz, classes=classes)
    chosen = np.isin(LABELS, kept)
    assert corpus.images is not None and corpus.labels is not None
    np.testing.assert_array_equal(corpus.images, COLOUR[chosen])
    np.testing.assert_array_equal(corpus.labels, LABELS[chosen])
    assert corpus.class_names == ("ant", "bee", "Cat", "tench, fish")
    assert corpus.fingerprint == Corpus.from_arrays(COLOUR[chosen], LABELS[chosen]).fingerprint
    assert not corpus.images.flags.writeable and not corpus.labels.flags.writeable


def test_the_limit_counts_after_the_classes(npz: Path) -> None:
    corpus = Corpus.open(npz, classes="bee,Cat", limit=3)
    assert corpus.labels is not None and corpus.labels.tolist() == [1, 2, 1]


@pytest.mark.parametrize("side", [3, 8, 11])
def test_resize_is_pillows_bilinear(npz: Path, side: int) -> None:
    corpus = Corpus.open(npz, resize=side)
    bilinear = Image.Resampling.BILINEAR
    for plane, picture in zip(corpus.planes, COLOUR, strict=True):
        expected = Image.fromarray(picture).resize((side, side), bilinear)
        np.testing.assert_array_equal(plane, np.asarray(expected))
    assert corpus.size == (side, side) and corpus.valid is None


def test_resize_to_the_same_size_changes_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=pictures(3, 8, 8))
    for fit in ("resize", "pad", "crop"):
        corpus = Corpus.open(tmp_path / "a.npz", resize=8, fit=fit)
        assert corpus.fingerprint == Corpus.open(tmp_path / "a.npz").fingerprint


def test_pad_keeps_the_aspect_and_marks_the_padding(npz: Path) -> None:
    corpus = Corpus.open(npz, resize=8, fit="pad")
    assert corpus.valid is not None and corpus.images is not None
    inside = np.zeros((8, 8), bool)
    inside[1:7] = True
    for plane, mask, picture in zip(corpus.planes, corpus.valid, COLOUR, strict=True):
        np.testing.assert_array_equal(plane[1:7], picture)
        np.testing.assert_array_equal(mask, inside)
        assert not plane[~inside].any()
    masks = np.broadcast_to(inside, (12, 8, 8)).copy()
    same = Corpus.from_arrays(corpus.images, LABELS, valid=masks)
    assert same.fingerprint == corpus.fingerprint
    again = Corpus.open(npz, resize=8, fit="pad", limit=2)
    assert again.valid is not None and len(again.valid) == 2
    assert (
        again.fingerprint == Corpus.open(npz, resize=8, fit="pad", limit=2, cache=False).fingerprint
    )


def test_crop_takes_the_middle(npz: Path) -> None:
    corpus = Corpus.open(npz, resize=6, fit="crop")
    assert corpus.images is not None and corpus.valid is None
    np.testing.assert_array_equal(corpus.images, COLOUR[:, :, 1:7])


def test_mixed_sizes_become_one(tmp_path: Path) -> None:
    for name, (h, w) in {"a": (3, 9), "b": (8, 2), "c": (6, 6)}.items():
        save(tmp_path / f"f/{name}.png", pictures(1, h, w)[0])
    for fit in ("resize", "pad", "crop"):
        for _ in range(2):  # decoded, then from the cache
            corpus = Corpus.open(tmp_path / "f", resize=6, fit=fit)
            assert corpus.size == (6, 6)
            assert (corpus.valid is not None) == (fit == "pad")
    padded = Corpus.open(tmp_path / "f", resize=6, fit="pad")
    assert padded.valid is not None
    assert [int(mask.sum()) for mask in padded.valid] == [12, 12, 36]


def test_a_pixel_blended_from_a_hole_is_not_valid(tmp_path: Path) -> None:
    alpha = np.full((8, 8), 255, np.uint8)
    alpha[2:4, 2:4] = 0
    rgba = np.dstack([np.full((8, 8, 3), 200, np.uint8), alpha])
    path = tmp_path / "a.png"
    Image.fromarray(rgba).save(path)
    corpus = Corpus.open(path, resize=4)
    assert corpus.valid is not None
    assert not corpus.valid[0][1, 1] and corpus.valid[0][3, 3]
    assert (corpus[0][corpus.valid[0]] == 200).all()
    assert not corpus[0][~corpus.valid[0]].any()


def test_grey_is_pillows_luma(npz: Path) -> None:
    corpus = Corpus.open(npz, grey=True)
    for plane, picture in zip(corpus.planes, COLOUR, strict=True):
        np.testing.assert_array_equal(
            plane[..., 0], np.asarray(Image.fromarray(picture).convert("L"))
        )
    assert corpus.channels == 1


def test_options_have_caches_of_their_own(npz: Path) -> None:
    assert (
        len(
            {
                Corpus.open(npz, resize=s, fit=f, grey=g).fingerprint
                for s in (None, 4)
                for f in ("resize", "crop")
                for g in (True, False)
            }
        )
        == 6
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "limit is 0: give a whole number, 1 or more"),
        ({"limit": -3}, "limit is -3"),
        ({"limit": 1.5}, r"limit is 1\.5"),
        ({"limit": True}, "limit is True"),
        ({"limit": "5"}, "limit is '5'"),
        ({"resize": 0}, "resize is 0: give a whole number, 1 to 32767"),
        ({"resize": 40000}, "resize is 40000"),
        ({"fit": "strech"}, "Unknown fit 'strech'.*use resize, pad or crop"),
        ({"fit": "pads"}, "did you mean 'pad'"),
        ({"classes": "be"}, "no class 'be'.*did you mean 'bee'.*0 ant, 1 bee, 2 Cat"),
        ({"classes": 4}, "no class '4'"),
        ({"classes": -1}, "a class number is -1"),
        ({"classes": ""}, "name at least one class"),
        ({"classes": []}, "name at least one class"),
        ({"split": "trian"}, "no split 'trian'"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    npz: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Corpus.open(npz, **options)


def test_a_class_without_pictures_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=pictures(2), labels=[0, 0], class_names=["a", "b"])
    with pytest.raises(UsageError, match="no picture of class 1"):
        Corpus.open(tmp_path / "a.npz", classes="b")
    np.savez(tmp_path / "b.npz", images=pictures(2))
    with pytest.raises(UsageError, match="no labels"):
        Corpus.open(tmp_path / "b.npz", classes="b")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnsit", r"Unknown data set 'mnsit' \(did you mean 'mnist'\?\)"),
        ("MNIST", "did you mean 'mnist'"),
        ("cifar-10", "did you mean 'cifar10'"),
        ("fashion_mnist", "did you mean 'fashion-mnist'"),
        ("quux", "Unknown data set 'quux'. Use digits, mnist"),
        ("./quux", "no such file or folder"),
        ("quux.npz", "no such file or folder"),
        ("", "--data is ''"),
        ("hf:", "needs a name behind it"),
        ("a\0b", "Unknown data set|cannot be opened"),
        ("x" * 5000, "Unknown data set|cannot be opened"),
    ],
)
def test_an_unknown_name_is_refused_with_the_forms(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Corpus.open(name)
