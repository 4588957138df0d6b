from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import DataError
from tests.corpus.files import pictures


def write(folder: Path, compressed: bool = False, **arrays: Any) -> Path:
    path = folder / "set.npz"
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("c", [0, 1, 3])
def test_images_labels_and_names_are_read(tmp_path: Path, compressed: bool, c: int) -> None:
    images = pictures(c=max(c, 1))
    path = write(
        tmp_path,
        compressed,
        images=images if c else images[..., 0],
        labels=np.array([1, 0, 1, 0, 1, 0], np.uint64),
        class_names=["low", "high"],
    )
    corpus = Corpus.open(path)
    assert corpus.images is not None and corpus.labels is not None
    np.testing.assert_array_equal(corpus.images, images)
    assert corpus.labels.tolist() == [1, 0, 1, 0, 1, 0]
    assert corpus.class_names == ("low", "high")
    assert corpus.fingerprint == Corpus.from_arrays(images, [1, 0, 1, 0, 1, 0]).fingerprint


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": pictures() / 255}, r"images is float64, but uint8.*np.rint\(images \* 255\)"),
        ({"images": pictures().astype(np.int64)}, r"images is int64.*astype\(np.uint8\)"),
        ({"pictures": pictures()}, "no array named 'images', only .*pictures"),
        ({"images": pictures().transpose(0, 3, 1, 2).repeat(3, 1)}, r"transpose\(0, 2, 3, 1\)"),
        ({"images": pictures(c=4)}, r"images\[\.\.\., :3\]"),
        ({"images": pictures()[:0]}, "at least one picture"),
        ({"images": pictures()[0, 0]}, r"\[N, H, W\]"),
        ({"images": np.asfortranarray(pictures()[..., 0])}, "ascontiguousarray"),
        ({"images": pictures(), "labels": np.arange(5)}, "5 labels for 6 pictures"),
        ({"images": pictures(), "labels": np.zeros(6)}, "one integer for each picture"),
        ({"images": pictures(), "labels": np.arange(6) - 1}, "label -1 is outside"),
        (
            {"images": pictures(), "labels": np.arange(6), "class_names": ["a", "b"]},
            "label 5 is outside 0..1",
        ),
        ({"images": pictures(), "class_names": np.arange(3)}, "list of strings is needed"),
        (
            {"images": pictures(), "class_names": np.array(["a", None], object)},
            "Python objects.*dtype=str",
        ),
    ],
)
def test_wrong_arrays_are_refused_with_the_fix(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    path = write(tmp_path, **arrays)
    with pytest.raises(DataError, match=message) as caught:
        Corpus.open(path)
    assert str(path) in str(caught.value)


def test_a_flipped_pixel_is_found_by_the_archive_itself(tmp_path: Path) -> None:
    path = write(tmp_path, images=pictures(200))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        Corpus.open(path)


def test_an_npy_is_refused_with_the_fix(tmp_path: Path) -> None:
    np.save(tmp_path / "set.npy", pictures())
    with pytest.raises(DataError, match=r"np.savez\(path, images="):
        Corpus.open(tmp_path / "set.npy")
