from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import DataError, UsageError
from tests.corpus.files import encoded, pictures, write_idx, write_parquet

LABELS = [0, 1, 2, 0, 1, 2]


def rows(c: int = 1, **options: Any) -> list[bytes | None]:
    return [encoded(picture, **options) for picture in pictures(c=c)]


@pytest.mark.parametrize("image", ["image", "img"])
@pytest.mark.parametrize("label", ["label", "fine_label"])
def test_the_layout_of_the_hub_is_read(tmp_path: Path, image: str, label: str) -> None:
    path = write_parquet(tmp_path / "a.parquet", rows(3), LABELS, ["x", "y", "z"], image, label)
    corpus = Corpus.open(path)
    assert corpus.images is not None and corpus.labels is not None
    np.testing.assert_array_equal(corpus.images, pictures(c=3))
    assert corpus.labels.tolist() == LABELS and corpus.class_names == ("x", "y", "z")
    assert corpus.notes == ()


def test_parquet_and_idx_of_equal_content_have_one_fingerprint(tmp_path: Path) -> None:
    parquet = Corpus.open(write_parquet(tmp_path / "a.parquet", rows(), LABELS, ["x", "y", "z"]))
    idx = Corpus.open(write_idx(tmp_path, pictures(), np.array(LABELS), gz=".gz"))
    assert parquet.fingerprint == idx.fingerprint


def test_jpeg_bytes_are_noted(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", rows(3, kind="JPEG"), LABELS)
    assert Corpus.open(path).notes == (
        "6 pictures decoded from JPEG, which is lossy: pixels may differ from a lossless original",
    )


def test_string_labels_are_numbered_in_order_of_their_names(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", rows(), ["cat", "ant", "cat", "bee", "ant", "bee"])
    corpus = Corpus.open(path)
    assert corpus.class_names == ("ant", "bee", "cat") and corpus.labels is not None
    assert corpus.labels.tolist() == [2, 0, 2, 1, 0, 1]


def test_plain_bytes_without_labels_are_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"photo": rows()}), tmp_path / "a.parquet")
    corpus = Corpus.open(tmp_path / "a.parquet")
    assert len(corpus) == 6 and corpus.labels is None


def test_hidden_labels_are_no_labels(tmp_path: Path) -> None:
    assert Corpus.open(write_parquet(tmp_path / "a.parquet", rows(), [-1] * 6)).labels is None


def test_pictures_of_several_sizes_are_ragged(tmp_path: Path) -> None:
    mixed = [encoded(pictures(1, 3, 4)[0]), encoded(pictures(1, 5, 2)[0])]
    assert Corpus.open(write_parquet(tmp_path / "a.parquet", mixed)).is_ragged


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": [*rows()[:5], None]}, "row 5: no bytes of a picture"),
        ({"rows": [*rows()[:5], b"nonsense"]}, "row 5: starts with 6e6f6e73"),
        ({"rows": [*rows()[:5], b""]}, "row 5: starts with nothing"),
        ({"rows": rows(), "labels": [0, 1, 2, 3, 4, None]}, "row 5 has no label"),
        ({"rows": rows(), "labels": [0, 1, 2, 3, 4, -2]}, "label -2 is outside"),
        ({"rows": rows(), "labels": [0.5] * 6}, "column 'label' is double"),
        ({"rows": rows(), "labels": LABELS, "names": ["x", "y"]}, "label 2 is outside 0..1"),
        ({"rows": [], "labels": []}, "no rows|labels must be"),
        ({"rows": rows(), "labels": [2**40] * 6}, "outside 0..32767"),
    ],
)
def test_wrong_rows_are_refused(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    path = write_parquet(tmp_path / "a.parquet", **arguments)
    with pytest.raises(DataError, match=message) as caught:
        Corpus.open(path)
    assert str(path) in str(caught.value)


def test_a_table_without_pictures_is_refused_with_its_columns(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a"], "label": [1]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no column of pictures.*text: string, label: int64"):
        Corpus.open(tmp_path / "a.parquet")


def test_a_short_or_long_file_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", rows(), LABELS)
    data = path.read_bytes()
    for wrong in (data[:-5], data + b"\0", data[:3], b"", b"PAR1PAR1"):
        path.write_bytes(wrong)
        with pytest.raises(DataError, match="Parquet"):
            Corpus.open(path)


def test_shards_in_a_folder_are_one_corpus_and_a_missing_one_is_named(tmp_path: Path) -> None:
    for part in range(2):
        name = f"train-{part:05d}-of-00002.parquet"
        write_parquet(tmp_path / name, rows()[part * 3 : part * 3 + 3], LABELS[:3])
    corpus = Corpus.open(tmp_path)
    assert corpus.images is not None
    np.testing.assert_array_equal(corpus.images, pictures())
    with pytest.raises(UsageError, match="no split 'test', only train"):
        Corpus.open(tmp_path, split="test")
    (tmp_path / "train-00001-of-00002.parquet").unlink()
    with pytest.raises(DataError, match="train-00001-of-00002.parquet is missing"):
        Corpus.open(tmp_path)
