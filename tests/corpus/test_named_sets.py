from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from intarsia.corpus import NAMED_SETS, Corpus
from intarsia.errors import DataError, UsageError
from tests.corpus.files import pictures, write_idx, write_parquet

# (first labels, class counts) where they are well known.
FIRST = {
    ("mnist", "train"): [5, 0, 4, 1, 9],
    ("mnist", "test"): [7, 2, 1, 0, 4],
    ("fashion-mnist", "train"): [9, 0, 0, 3, 0],
    ("fashion-mnist", "test"): [9, 2, 1, 1, 6],
}
MNIST_TRAIN = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_digits_need_no_files() -> None:
    corpus = Corpus.open("digits")
    assert len(corpus) == 1797 and corpus.size == (8, 8) and corpus.channels == 1
    assert corpus.labels is not None and corpus.labels[:5].tolist() == [0, 1, 2, 3, 4]
    assert corpus.fingerprint == NAMED_SETS["digits"].fingerprints["train"]
    with pytest.raises(UsageError, match="no split 'test', only train"):
        Corpus.open("digits", split="test")


def test_digits_are_the_counts_scaled() -> None:
    from sklearn.datasets import load_digits

    images = Corpus.open("digits").images
    assert images is not None
    counts = load_digits().images.astype(int)
    expected = [[[round(v * 255 / 16) for v in row] for row in image] for image in counts.tolist()]
    np.testing.assert_array_equal(images[..., 0], expected)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_real_sets_are_what_their_cards_say(real_data: Path, name: str, split: str) -> None:
    card = NAMED_SETS[name]
    corpus = Corpus.open(name, split=split)
    assert corpus.images is not None and corpus.labels is not None
    assert corpus.images.shape == (card.counts[split], *card.shape)
    assert corpus.class_names == card.classes and corpus.split == split
    assert np.bincount(corpus.labels).shape == (10,)
    if (name, split) in FIRST:
        assert corpus.labels[:5].tolist() == FIRST[name, split]
        assert corpus.fingerprint == card.fingerprints[split]
    if name == "cifar10":
        assert "decoded from JPEG" in corpus.notes[0]
        assert not card.fingerprints  # the lossless originals were not at hand


def test_mnist_has_its_known_class_counts_and_pixels(real_data: Path) -> None:
    corpus = Corpus.open("mnist")
    assert corpus.labels is not None and np.bincount(corpus.labels).tolist() == MNIST_TRAIN
    raw = gzip.decompress((real_data / "mnist/train-images-idx3-ubyte.gz").read_bytes())
    expected = np.frombuffer(raw, np.uint8, offset=16).reshape(60000, 28, 28)
    assert corpus.images is not None
    np.testing.assert_array_equal(corpus.images[..., 0], expected)


def test_plain_and_gzipped_mnist_have_one_fingerprint(real_data: Path, tmp_path: Path) -> None:
    for packed in (real_data / "mnist").glob("t10k-*.gz"):
        (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    by_path = Corpus.open(tmp_path / "t10k-images-idx3-ubyte")
    by_folder = Corpus.open(tmp_path, split="test")
    known = NAMED_SETS["mnist"].fingerprints["test"]
    assert by_path.fingerprint == by_folder.fingerprint == known


def test_cached_cifar10_opens_at_once_and_is_not_read_into_memory(real_data: Path) -> None:
    Corpus.open("cifar10")
    code = (
        "import time, resource\n"
        "from intarsia.corpus import Corpus\n"
        "used = lambda: int(open('/proc/self/statm').read().split()[1]) * resource.getpagesize()\n"
        "before, start = used(), time.perf_counter()\n"
        "corpus = Corpus.open('cifar10')\n"
        "print(time.perf_counter() - start, used() - before, len(corpus))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    seconds, grown, count = done.stdout.split()
    assert count == "50000"
    assert float(seconds) < 1.0
    assert int(grown) < 60e6  # the pixels are 153.6 MB


def test_a_limit_of_a_mapped_set_stays_mapped(real_data: Path) -> None:
    whole, part = Corpus.open("cifar10"), Corpus.open("cifar10", limit=100)
    np.testing.assert_array_equal(part[99], whole[99])
    assert part.planes.flat.base is not None and len(part) == 100


def copy_of_mnist_test(real_data: Path, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for file in (real_data / "mnist").glob("t10k-*"):
        shutil.copy(file, folder)
        (folder / file.name).chmod(0o644)
    return folder


def test_another_set_under_a_name_is_refused(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_of_mnist_test(real_data, tmp_path / "data/fashion-mnist")
    monkeypatch.setenv("INTARSIA_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match=r"fashion-mnist \(test\) hold mnist \(test\)"):
        Corpus.open("fashion-mnist", split="test")


def test_changed_labels_of_a_known_set_are_warned_of(
    real_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = copy_of_mnist_test(real_data, tmp_path / "data/mnist")
    labels = folder / "t10k-labels-idx1-ubyte.gz"
    raw = gzip.decompress(labels.read_bytes())
    labels.write_bytes(gzip.compress(raw[:8] + raw[:7:-1]))
    monkeypatch.setenv("INTARSIA_DATA", str(tmp_path / "data"))
    Corpus.open("mnist", split="test")
    assert "differs from the original" in caplog.text


@pytest.fixture
def empty_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data anywhere, and no network."""
    import huggingface_hub
    from huggingface_hub import constants

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setenv("INTARSIA_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", unreachable)
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_without_network_the_error_says_what_to_put_where(
    empty_data: Path, cache_folder: Path
) -> None:
    start = time.monotonic()
    with pytest.raises(DataError) as caught:
        Corpus.open("mnist", split="test")
    assert time.monotonic() - start < 5
    message = str(caught.value)
    assert "Name or service not known" in message
    assert "t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz" in message
    assert "test-00000-of-00001.parquet" in message
    assert str(empty_data / "mnist") in message
    assert str(cache_folder / "data" / "mnist") in message


def test_offline_is_respected(empty_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DataError, match="HF_HUB_OFFLINE is set"):
        Corpus.open("cifar10")


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_set_of_another_count_is_refused(empty_data: Path, name: str) -> None:
    write_idx(empty_data / name, pictures(10, 28, 28), np.zeros(10, np.uint8))
    with pytest.raises(DataError, match="10 pictures, but .* train has"):
        Corpus.open(name)


def test_a_set_of_another_size_is_refused(
    empty_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    from intarsia.corpus import resolve

    card = dataclasses.replace(NAMED_SETS["mnist"], counts={"train": 10})
    monkeypatch.setattr(resolve, "NAMED_SETS", {"mnist": card})
    write_idx(empty_data / "mnist", pictures(10, 28, 27), np.zeros(10, np.uint8))
    with pytest.raises(DataError, match="28 x 27 x 1, but those of MNIST are 28 x 28 x 1"):
        Corpus.open("mnist")
    write_idx(empty_data / "mnist", pictures(10, 28, 28), np.full(10, 11, np.uint8))
    with pytest.raises(DataError, match=r"label 11 is outside 0\.\.9"):
        Corpus.open("mnist")
    (empty_data / "mnist/train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"labels are missing: put train-labels-idx1-ubyte.gz"):
        Corpus.open("mnist")
    shutil.rmtree(empty_data / "mnist")
    names = list("123456789") + ["0"]
    path = empty_data / "mnist/train-00000-of-00001.parquet"
    from tests.corpus.files import encoded

    rows: list[bytes | None] = [encoded(picture) for picture in pictures(10, 28, 28)]
    write_parquet(path, rows, [0] * 10, names)
    with pytest.raises(DataError, match="its classes are 1, 2, 3"):
        Corpus.open("mnist")
    write_parquet(path, rows, [0] * 10, [f" {name} " for name in "0123456789"])
    assert Corpus.open("mnist").class_names == card.classes


@pytest.mark.parametrize("place", ["system", "cache"])
def test_the_folders_of_the_system_and_the_cache_are_searched(
    real_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    import dataclasses

    from intarsia.corpus import resolve

    monkeypatch.delenv("INTARSIA_DATA")
    monkeypatch.setenv("INTARSIA_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / ("system" if place == "system" else "cache/data/fashion-mnist")
    folder.mkdir(parents=True)
    for file in (real_data / "fashion-mnist").glob("t10k-*"):
        shutil.copy(file, folder)
    card = dataclasses.replace(
        NAMED_SETS["fashion-mnist"], folders=(str(tmp_path / "system"),), repository="no/such"
    )
    monkeypatch.setattr(resolve, "NAMED_SETS", {"fashion-mnist": card})
    assert resolve.resolve("fashion-mnist", "test", download=False).where == str(folder)
    assert len(Corpus.open("fashion-mnist", split="test")) == 10000


def test_the_binary_version_of_cifar10_is_read(empty_data: Path, tmp_path: Path) -> None:
    images = pictures(50, 32, 32, 3)
    labels = (np.arange(50) % 10).astype(np.uint8)
    records = np.concatenate(
        [labels[:, None], images.transpose(0, 3, 1, 2).reshape(50, -1)], axis=1
    )
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for k in range(5):
        (folder / f"data_batch_{k + 1}.bin").write_bytes(records[10 * k : 10 * k + 10].tobytes())
    corpus = Corpus.open(folder)
    assert corpus.images is not None and corpus.labels is not None
    np.testing.assert_array_equal(corpus.images, images)
    np.testing.assert_array_equal(corpus.labels, labels)
    (folder / "data_batch_3.bin").write_bytes(records[:3].tobytes()[:-1])
    with pytest.raises(DataError, match="no whole number of records"):
        Corpus.open(folder)
    (folder / "data_batch_3.bin").unlink()
    with pytest.raises(DataError, match=r"data_batch_3\.bin is missing"):
        Corpus.open(folder)
