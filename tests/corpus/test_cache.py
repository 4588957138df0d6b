from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.corpus.cache import load
from intarsia.corpus.options import PixelOptions
from intarsia.corpus.readers import npz as npz_reader
from intarsia.corpus.resolve import resolve
from intarsia.errors import DataError
from tests.corpus.files import pictures, save

IMAGES = pictures(40, 9, 7, 3)
LABELS = np.arange(40) % 5


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    path = tmp_path / "set.npz"
    np.savez(path, images=IMAGES, labels=LABELS, class_names=list("abcde"))
    return path


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files decoded, one entry each time."""
    seen: list[Path] = []
    original = npz_reader.read

    def counted(path: Path) -> object:
        seen.append(path)
        return original(path)

    monkeypatch.setattr(npz_reader, "read", counted)
    return seen


def corpus_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.corpus"))


def is_mapped(corpus: Corpus) -> bool:
    array: object = corpus.planes.flat
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array is not None


def check(corpus: Corpus) -> None:
    assert corpus.images is not None and corpus.labels is not None
    np.testing.assert_array_equal(corpus.images, IMAGES)
    np.testing.assert_array_equal(corpus.labels, LABELS)
    assert corpus.class_names == tuple("abcde")
    assert corpus.fingerprint == Corpus.from_arrays(IMAGES, LABELS).fingerprint


def test_a_corpus_is_decoded_once_and_mapped_then(npz: Path, decodings: list[Path]) -> None:
    for _ in range(3):
        corpus = Corpus.open(npz)
        check(corpus)
        assert is_mapped(corpus)
    assert len(decodings) == 1


def test_without_cache_nothing_is_written(npz: Path, cache_folder: Path) -> None:
    corpus = Corpus.open(npz, cache=False)
    check(corpus)
    assert not is_mapped(corpus) and not cache_folder.exists()


def test_a_changed_source_is_decoded_again(npz: Path, cache_folder: Path) -> None:
    Corpus.open(npz)
    np.savez(npz, images=IMAGES[::-1], labels=LABELS)
    corpus = Corpus.open(npz)
    np.testing.assert_array_equal(corpus[0], IMAGES[-1])
    assert len(corpus_files(cache_folder)) == 1


def test_a_changed_source_of_the_same_size_is_noticed(npz: Path) -> None:
    Corpus.open(npz)
    changed = IMAGES.copy()
    changed[3, 2, 1, 0] ^= 1
    stat = npz.stat()
    np.savez(npz, images=changed, labels=LABELS, class_names=list("abcde"))
    os.utime(npz, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert npz.stat().st_size == stat.st_size
    np.testing.assert_array_equal(Corpus.open(npz)[3], changed[3])


def test_a_source_with_another_time_but_the_same_content_is_not_decoded_again(
    npz: Path, decodings: list[Path]
) -> None:
    Corpus.open(npz)
    os.utime(npz, ns=(1, 1))
    check(Corpus.open(npz))
    assert len(decodings) == 1


def damage(data: bytes, how: str) -> bytes:
    middle = len(data) // 2
    tail = len(data) - 200  # within the header
    return {
        "truncated": data[:middle],
        "one byte short": data[:-1],
        "oversized": data + b"\0",
        "empty": b"",
        "wrong magic": b"x" + data[1:],
        "wrong tail": data[:-1] + b"x",
        "flipped header": data[:tail] + bytes([data[tail] ^ 1]) + data[tail + 1 :],
        "pixels cut out": data[:100] + data[300:],
        "mislabelled": data.replace(LABELS.astype("<i2").tobytes(), b"\1\0" * 40),
    }[how]


@pytest.mark.parametrize(
    "how",
    [
        "truncated",
        "one byte short",
        "oversized",
        "empty",
        "wrong magic",
        "wrong tail",
        "flipped header",
        "pixels cut out",
        "mislabelled",
    ],
)
def test_a_damaged_cache_is_rebuilt_with_a_warning(
    npz: Path, cache_folder: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    Corpus.open(npz)
    (file,) = corpus_files(cache_folder)
    whole = file.read_bytes()
    broken = damage(whole, how)
    assert broken != whole
    file.write_bytes(broken)
    with caplog.at_level(logging.WARNING, "intarsia"):
        check(Corpus.open(npz))
    assert "not usable" in caplog.text and str(file) in caplog.text
    assert file.read_bytes() == whole


def test_a_cache_of_other_data_under_this_name_is_rebuilt(
    npz: Path, cache_folder: Path, tmp_path: Path
) -> None:
    np.savez(tmp_path / "other.npz", images=IMAGES[::-1], labels=LABELS)
    Corpus.open(tmp_path / "other.npz")
    (other,) = corpus_files(cache_folder)
    Corpus.open(npz)
    (own,) = (file for file in corpus_files(cache_folder) if file != other)
    shutil.copy(other, own)
    check(Corpus.open(npz))


def test_a_damaged_source_leaves_no_cache(npz: Path, cache_folder: Path) -> None:
    npz.write_bytes(npz.read_bytes()[:-400])
    with pytest.raises(DataError):
        Corpus.open(npz)
    assert not [file for file in cache_folder.rglob("*") if file.suffix in (".corpus", ".tmp")]


def test_a_ragged_corpus_with_holes_survives_the_cache(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    for k in range(4):
        rgba = rng.integers(0, 256, (3 + k, 5, 4), dtype=np.uint8)
        rgba[..., 3] = 255 if k < 2 else np.where(rgba[..., 3] < 128, 0, 255)
        (tmp_path / "f").mkdir(exist_ok=True)
        Image.fromarray(rgba).save(tmp_path / f"f/{k}.png")
    fresh, cached = (Corpus.open(tmp_path / "f", cache=cache) for cache in (False, True))
    again = Corpus.open(tmp_path / "f")
    assert fresh.fingerprint == cached.fingerprint == again.fingerprint
    assert is_mapped(again) and again.valid is not None and fresh.valid is not None
    masks = [np.asarray(mask) for mask in fresh.valid]
    assert masks[0].all() and masks[1].all() and not masks[2].all()
    same = Corpus.from_arrays([np.asarray(p) for p in again.planes], valid=masks)
    assert same.fingerprint == again.fingerprint


def open_in_process(path: Path, start: float, results: multiprocessing.Queue[str]) -> None:
    time.sleep(max(0.0, start - time.time()))
    results.put(Corpus.open(path).fingerprint)


def test_processes_that_build_one_cache_agree(tmp_path: Path, cache_folder: Path) -> None:
    for k in range(60):
        save(tmp_path / f"f/{k}.png", pictures(1, 64, 64, 3, seed=k)[0])
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[str] = context.Queue()
    start = time.time() + 1.5  # both have started by then
    workers = [
        context.Process(target=open_in_process, args=(tmp_path / "f", start, results))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    found = {results.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert found == {Corpus.open(tmp_path / "f", cache=False).fingerprint}
    assert len(corpus_files(cache_folder)) == 1 and not list(cache_folder.rglob("*.tmp"))


def test_what_a_killed_process_left_is_cleared(npz: Path, cache_folder: Path) -> None:
    Corpus.open(npz)
    (file,) = corpus_files(cache_folder)
    left = file.parent / f".{file.name[:40]}.0123456789ab.tmp"
    left.write_bytes(b"half")
    file.unlink()
    check(Corpus.open(npz))
    assert not left.exists()


def test_a_cache_folder_that_cannot_be_is_done_without(
    npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("INTARSIA_CACHE", str(tmp_path / "file"))
    check(Corpus.open(npz))
    assert "kept in memory" in caplog.text and "INTARSIA_CACHE" in caplog.text


def as_nobody(npz: Path, cache: str, results: multiprocessing.Queue[object]) -> None:
    os.environ["INTARSIA_CACHE"] = cache
    os.seteuid(65534)
    try:
        corpus = Corpus.open(npz)
        results.put((corpus.fingerprint, is_mapped(corpus)))
    except BaseException as error:  # the parent must hear of it
        results.put(repr(error))


@pytest.mark.parametrize("built", [False, True])
def test_a_read_only_cache_folder_is_read_but_not_written(
    npz: Path, built: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        copy = Path(shutil.copy(npz, folder / "set.npz"))
        cache = folder / "cache"
        (cache / "corpora").mkdir(parents=True)
        monkeypatch.setenv("INTARSIA_CACHE", str(cache))
        if built:
            Corpus.open(copy)
        for place in (cache / "corpora", cache, folder):
            place.chmod(0o555)
        if os.geteuid() == 0:  # root may write anywhere: ask as someone else
            context = multiprocessing.get_context("fork")
            results: multiprocessing.Queue[object] = context.Queue()
            worker = context.Process(target=as_nobody, args=(copy, str(cache), results))
            worker.start()
            found = results.get(timeout=60)
            worker.join(60)
        else:
            corpus = Corpus.open(copy)
            found = (corpus.fingerprint, is_mapped(corpus))
        assert found == (Corpus.from_arrays(IMAGES, LABELS).fingerprint, built)
    finally:
        for place in (folder, cache, cache / "corpora"):
            place.chmod(0o755)
        shutil.rmtree(folder)


def with_full_disk(npz: Path, results: multiprocessing.Queue[object]) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        corpus = Corpus.open(npz)
        results.put((corpus.fingerprint, is_mapped(corpus)))
    except BaseException as error:  # the parent must hear of it
        results.put(repr(error))


def test_a_full_disk_is_done_without_and_left_clean(tmp_path: Path, cache_folder: Path) -> None:
    images = pictures(200, 16, 16)
    np.savez(tmp_path / "set.npz", images=images)
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[object] = context.Queue()
    worker = context.Process(target=with_full_disk, args=(tmp_path / "set.npz", results))
    worker.start()
    found = results.get(timeout=60)
    worker.join(60)
    assert found == (Corpus.from_arrays(images).fingerprint, False)
    assert not [file for file in cache_folder.rglob("*") if file.suffix in (".corpus", ".tmp")]


def test_locks_that_do_not_work_are_done_without(
    npz: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import filelock

    def refuse(self: object, timeout: float | None = None) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    check(Corpus.open(npz))
    assert "kept in memory" in caplog.text


def test_progress_counts_every_picture(npz: Path) -> None:
    seen: list[tuple[int, int]] = []
    source = resolve(npz, "train")
    load(source, PixelOptions(), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (40, 40)
    load(source, PixelOptions(), progress=lambda done, total: seen.append((0, 0)))
    assert seen[-1] == (40, 40)  # nothing to decode the second time
