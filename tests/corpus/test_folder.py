from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import DataError, UsageError
from tests.corpus.files import pictures, save


def zoo(root: Path) -> Path:
    """Three classes of 2, 3 and 1 pictures."""
    images = pictures(c=3)
    names = ["ant/b.png", "ant/a.png", "bee/x.png", "bee/y.png", "bee/deep/z.png", "cat/q.png"]
    for name, image in zip(names, images, strict=True):
        save(root / name, image)
    return root


def test_sub_folders_are_classes_in_order(tmp_path: Path) -> None:
    corpus = Corpus.open(zoo(tmp_path / "zoo"))
    images = pictures(c=3)
    assert corpus.class_names == ("ant", "bee", "cat") and corpus.labels is not None
    assert corpus.labels.tolist() == [0, 0, 1, 1, 1, 2]
    assert corpus.images is not None
    np.testing.assert_array_equal(corpus.images, images[[1, 0, 4, 2, 3, 5]])


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "f/a.png", pictures()[0])
    corpus = Corpus.open(tmp_path / "f")
    assert corpus.labels is None and corpus.class_names == ()
    with pytest.raises(UsageError, match="no classes: put each class"):
        Corpus.open(tmp_path / "f", classes="a")


@pytest.mark.parametrize("cache", [True, False])
def test_pictures_of_several_sizes_are_ragged(tmp_path: Path, cache: bool) -> None:
    arrays = [pictures(1, 3, 9)[0], pictures(1, 8, 2)[0], pictures(1, 4, 4)[0]]
    for name, array in zip("abc", arrays, strict=True):
        save(tmp_path / f"f/{name}.png", array)
    for _ in range(2):
        corpus = Corpus.open(tmp_path / "f", cache=cache)
        assert corpus.is_ragged
        for plane, array in zip(corpus.planes, arrays, strict=True):
            np.testing.assert_array_equal(plane, array)
    assert corpus.fingerprint == Corpus.from_arrays(arrays).fingerprint


def test_grey_beside_colour_is_repeated_and_noted(tmp_path: Path) -> None:
    save(tmp_path / "f/a.png", pictures()[0])
    save(tmp_path / "f/b.png", pictures(c=3)[0])
    corpus = Corpus.open(tmp_path / "f")
    np.testing.assert_array_equal(corpus[0], pictures()[0].repeat(3, axis=2))
    np.testing.assert_array_equal(corpus[1], pictures(c=3)[0])
    assert corpus.notes == (
        "1 picture of grey repeated in three channels, since others have colour",
    )
    assert Corpus.open(tmp_path / "f", grey=True).channels == 1


def test_what_is_no_picture_is_ignored_with_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = zoo(tmp_path / "zoo")
    (root / "notes.txt").write_text("hello")
    (root / "ant/.hidden.png").write_text("hello")
    (root / "ant/phone.heic").write_text("hello")
    with caplog.at_level(logging.INFO, "intarsia"):
        assert len(Corpus.open(root)) == 6
    assert "1 files ignored that are no pictures (it holds notes.txt" in caplog.text
    assert "phone.heic" in caplog.text and "hidden" not in caplog.text


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    with pytest.raises(DataError, match="no pictures in this folder"):
        Corpus.open(root)
    (root / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match="no pictures in this folder.*notes.txt"):
        Corpus.open(root)


def test_a_damaged_picture_is_refused_by_name(tmp_path: Path) -> None:
    root = zoo(tmp_path / "zoo")
    (root / "bee/y.png").write_bytes((root / "bee/y.png").read_bytes()[:50])
    with pytest.raises(DataError, match=r"bee/y\.png: damaged"):
        Corpus.open(root)
    assert not list((tmp_path / "cache").rglob("*.tmp"))


def test_loose_pictures_beside_classes_are_refused(tmp_path: Path) -> None:
    root = zoo(tmp_path / "zoo")
    save(root / "loose.png", pictures()[0])
    with pytest.raises(DataError, match=r"loose\.png\) lie beside the class folders ant, bee, cat"):
        Corpus.open(root)


def test_folders_train_and_test_are_splits(tmp_path: Path) -> None:
    zoo(tmp_path / "f/train")
    save(tmp_path / "f/test/ant/t.png", pictures(c=3)[3])
    assert len(Corpus.open(tmp_path / "f")) == 6
    test = Corpus.open(tmp_path / "f", split="test")
    assert len(test) == 1 and test.split == "test" and test.class_names == ("ant",)
    with pytest.raises(UsageError, match="no split 'validation', only test, train"):
        Corpus.open(tmp_path / "f", split="validation")
    with pytest.raises(UsageError, match="no split 'test'"):
        Corpus.open(tmp_path / "f/train", split="test")


def test_limit_and_classes_choose_before_decoding(tmp_path: Path) -> None:
    root = zoo(tmp_path / "zoo")
    whole = Corpus.open(root)
    (root / "cat/q.png").write_bytes(b"damaged")  # not read, so not missed
    part = Corpus.open(root, classes="bee,0", limit=3)
    assert part.labels is not None and part.labels.tolist() == [0, 0, 1]
    assert part.class_names == whole.class_names
    assert whole.images is not None and part.images is not None
    np.testing.assert_array_equal(part.images, whole.images[:3])


def test_a_link_in_a_circle_ends(tmp_path: Path) -> None:
    root = zoo(tmp_path / "zoo")
    (root / "ant/loop").symlink_to(root, target_is_directory=True)
    assert len(Corpus.open(root)) == 6


def test_a_changed_folder_is_decoded_again(tmp_path: Path) -> None:
    root = zoo(tmp_path / "zoo")
    before = Corpus.open(root).fingerprint
    save(root / "cat/r.png", pictures(c=3)[0])
    assert len(Corpus.open(root)) == 7
    (root / "cat/r.png").unlink()
    assert Corpus.open(root).fingerprint == before
