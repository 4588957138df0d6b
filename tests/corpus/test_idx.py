from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import DataError, UsageError
from tests.corpus.files import idx_bytes, pictures, write_idx

LABELS = np.array([0, 1, 2, 3, 4, 5], np.uint8)


@pytest.mark.parametrize("gz", ["", ".gz"])
def test_images_and_the_labels_beside_them_are_read(tmp_path: Path, gz: str) -> None:
    path = write_idx(tmp_path, pictures(), LABELS, gz=gz)
    corpus = Corpus.open(path)
    assert corpus.images is not None and corpus.labels is not None
    np.testing.assert_array_equal(corpus.images, pictures())
    np.testing.assert_array_equal(corpus.labels, LABELS)


def test_plain_and_gzipped_have_one_fingerprint(tmp_path: Path) -> None:
    plain = Corpus.open(write_idx(tmp_path / "a", pictures(), LABELS))
    packed = Corpus.open(write_idx(tmp_path / "b", pictures(), LABELS, gz=".gz"))
    assert plain.fingerprint == packed.fingerprint


def test_a_gzipped_file_without_the_suffix_is_read(tmp_path: Path) -> None:
    path = write_idx(tmp_path, pictures(), None)
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert len(Corpus.open(path)) == 6


def test_without_labels_beside_it_there_are_none(tmp_path: Path) -> None:
    assert Corpus.open(write_idx(tmp_path, pictures(), None)).labels is None


def test_four_dimensions_are_colour(tmp_path: Path) -> None:
    path = tmp_path / "colour.idx"
    path.write_bytes(idx_bytes(pictures(c=3)))
    assert Corpus.open(path).channels == 3


def refused(path: Path, message: str) -> None:
    for cache in (True, False):
        with pytest.raises(DataError, match=message) as caught:
            Corpus.open(path, cache=cache)
        assert str(path.parent) in str(caught.value)


@pytest.mark.parametrize("gz", ["", ".gz"])
def test_a_short_or_long_file_is_refused_with_both_sizes(tmp_path: Path, gz: str) -> None:
    path = write_idx(tmp_path, pictures(), None, gz=gz)
    pack = gzip.compress if gz else bytes
    whole = idx_bytes(pictures()[..., 0])
    path.write_bytes(pack(whole[:-1]))
    refused(path, r"too short: 119 bytes after the header, which promises 6 x 5 x 4 = 120")
    path.write_bytes(pack(whole + b"\0"))
    refused(path, r"too long: more bytes follow after the 6 x 5 x 4 = 120")
    path.write_bytes(pack(whole[:9]))
    refused(path, "ends within its IDX header")
    path.write_bytes(b"")
    refused(path, "starts with nothing")


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    path = write_idx(tmp_path, pictures(60), None, gz=".gz")
    path.write_bytes(path.read_bytes()[:-20])
    refused(path, "damaged")


def test_a_wrong_magic_is_refused_with_the_right_one(tmp_path: Path) -> None:
    path = write_idx(tmp_path, pictures(), None)
    path.write_bytes(b"\0\0\x0d\3" + path.read_bytes()[4:])
    refused(path, "starts with 00000d03, but an IDX file of images starts with 00000803 or")


def test_a_file_of_labels_is_no_file_of_images(tmp_path: Path) -> None:
    write_idx(tmp_path, pictures(), LABELS)
    refused(tmp_path / "train-labels-idx1-ubyte", "a file of labels: name the file of images")


def test_labels_of_another_count_are_refused(tmp_path: Path) -> None:
    refused(write_idx(tmp_path, pictures(), LABELS[:5]), "5 labels for 6 pictures")


def test_a_header_of_nonsense_is_refused_without_taking_all_memory(tmp_path: Path) -> None:
    path = write_idx(tmp_path, pictures(), None)
    data = path.read_bytes()
    path.write_bytes(data[:4] + b"\0" * 4 + data[8:])
    refused(path, "at least one entry")
    path.write_bytes(data[:8] + b"\xff" * 4 + data[12:])
    refused(path, "sides of 1 to 32767")
    path.write_bytes(data[:4] + b"\xff" * 4 + b"\0\0\x7f\xff" * 2 + data[16:])
    refused(path, "too short")


def test_one_file_has_no_test_split(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one file, which has no split 'test'"):
        Corpus.open(write_idx(tmp_path, pictures(), None), split="test")
