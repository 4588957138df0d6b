from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import DataError, UsageError
from tests.corpus.files import encoded, pictures, save, write_parquet

datasets = pytest.importorskip("datasets")
LABELS = [0, 1, 2, 0, 1, 2]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "hf"))


def rows() -> list[bytes | None]:
    return [encoded(picture) for picture in pictures()]


def check(corpus: Corpus) -> None:
    assert corpus.images is not None and corpus.labels is not None
    np.testing.assert_array_equal(corpus.images, pictures())
    assert corpus.labels.tolist() == LABELS
    assert corpus.fingerprint == Corpus.from_arrays(pictures(), LABELS).fingerprint


def test_a_local_parquet_is_read_through_datasets(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", rows(), LABELS, ["x", "y", "z"])
    corpus = Corpus.open(f"hf:{path}")
    check(corpus)
    assert corpus.class_names == ("x", "y", "z") and corpus.name == f"hf:{path}"


def test_a_folder_in_the_layout_of_a_repository_is_read(tmp_path: Path) -> None:
    write_parquet(tmp_path / "repo/data/train-00000-of-00001.parquet", rows(), LABELS)
    write_parquet(tmp_path / "repo/data/test-00000-of-00001.parquet", rows()[:2], LABELS[:2])
    check(Corpus.open(f"hf:{tmp_path / 'repo'}"))
    assert len(Corpus.open(f"hf:{tmp_path / 'repo'}", split="test")) == 2
    with pytest.raises(UsageError, match="validation"):
        Corpus.open(f"hf:{tmp_path / 'repo'}", split="validation")


def test_a_data_set_saved_to_disk_is_read(tmp_path: Path) -> None:
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["x", "y", "z"])}
    )
    table: dict[str, Any] = {
        "image": [{"bytes": row, "path": None} for row in rows()],
        "label": LABELS,
    }
    data = datasets.Dataset.from_dict(table, features=features)
    data.save_to_disk(str(tmp_path / "one"))
    check(Corpus.open(f"hf:{tmp_path / 'one'}"))
    datasets.DatasetDict({"train": data}).save_to_disk(str(tmp_path / "dict"))
    check(Corpus.open(f"hf:{tmp_path / 'dict'}"))
    with pytest.raises(UsageError, match="no split 'test', only train"):
        Corpus.open(f"hf:{tmp_path / 'dict'}", split="test")


def test_a_folder_of_pictures_is_read_with_its_classes(tmp_path: Path) -> None:
    for k, picture in enumerate(pictures()):
        save(tmp_path / f"f/{'xyz'[k % 3]}/{k}.png", picture)
    corpus = Corpus.open(f"hf:{tmp_path / 'f'}")
    assert len(corpus) == 6 and corpus.class_names == ("x", "y", "z")


def test_it_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_parquet(tmp_path / "a.parquet", rows(), LABELS)
    check(Corpus.open(f"hf:{path}"))
    monkeypatch.setattr(datasets, "load_dataset", None)
    check(Corpus.open(f"hf:{path}"))


def test_a_table_without_pictures_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no column of pictures"):
        Corpus.open(f"hf:{tmp_path / 'a.parquet'}")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="could not be loaded"):
        Corpus.open(f"hf:{tmp_path / 'a.parquet'}")


def test_a_hub_out_of_reach_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub import constants

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_DATASETS_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", unreachable)
    with pytest.raises(DataError, match="cannot be reached .*Name or service.*HF_HUB_OFFLINE=1"):
        Corpus.open("hf:user/set")
