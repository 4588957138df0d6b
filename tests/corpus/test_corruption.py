"""Whatever happens to a file, what comes out is a corpus or one of our own errors."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intarsia.corpus import Corpus
from intarsia.errors import DataError, UsageError
from tests.corpus.files import encoded, pictures, save, write_idx, write_parquet

IMAGES = pictures(8, 12, 10, 1)
LABELS = np.arange(8, dtype=np.uint8)


def idx(folder: Path) -> Path:
    return write_idx(folder, IMAGES, LABELS)


def idx_gz(folder: Path) -> Path:
    return write_idx(folder, IMAGES, LABELS, gz=".gz")


def npz(folder: Path) -> Path:
    np.savez(folder / "a.npz", images=IMAGES, labels=LABELS, class_names=list("abcdefgh"))
    return folder / "a.npz"


def npz_packed(folder: Path) -> Path:
    np.savez_compressed(folder / "a.npz", images=IMAGES, labels=LABELS)
    return folder / "a.npz"


def parquet(folder: Path) -> Path:
    rows: list[bytes | None] = [encoded(picture) for picture in IMAGES]
    return write_parquet(folder / "a.parquet", rows, LABELS.tolist(), list("abcdefgh"))


def picture(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        return save(folder / f"a{suffix}", pictures(1, 24, 20, 3)[0])

    make.__name__ = suffix
    return make


FORMATS: list[Callable[[Path], Path]] = [idx, idx_gz, npz, npz_packed, parquet]
FORMATS += [picture(s) for s in (".png", ".jpg", ".gif", ".bmp", ".tif", ".webp", ".ppm")]

quick = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.CRITICAL, "intarsia"):
        yield


def opens_or_is_refused(path: Path) -> Corpus | None:
    try:
        return Corpus.open(path)
    except (DataError, UsageError) as error:
        assert str(path.parent) in str(error)
        return None


def in_fresh_folder(make: Callable[[Path], Path], change: Callable[[bytes], bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = make(Path(name))
        path.write_bytes(change(path.read_bytes()))
        opens_or_is_refused(path)


@pytest.mark.parametrize("make", FORMATS, ids=lambda make: make.__name__)
@quick
@given(st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere(make: Callable[[Path], Path], share: float) -> None:
    in_fresh_folder(make, lambda data: data[: int(share * len(data))])


@pytest.mark.parametrize("make", FORMATS, ids=lambda make: make.__name__)
@quick
@given(st.data())
def test_a_file_with_changed_header_bytes(make: Callable[[Path], Path], data: Any) -> None:
    places = st.one_of(st.integers(0, 200), st.integers(-400, -1))
    changes = data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=4))

    def change(content: bytes) -> bytes:
        changed = bytearray(content)
        for place, value in changes:
            changed[place % len(changed)] = value
        return bytes(changed)

    in_fresh_folder(make, change)


@quick
@given(st.binary(max_size=300), st.sampled_from([".npz", ".parquet", ".png", ".gz", "", "-idx3"]))
def test_any_bytes_under_any_name(content: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"a{suffix}"
        path.write_bytes(content)
        opens_or_is_refused(path)


@quick
@given(st.data())
def test_a_cache_changed_anywhere_but_in_its_pixels_gives_the_same_corpus(data: Any) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTARSIA_CACHE", f"{name}/cache")
        path = npz(Path(name))
        whole = Corpus.open(path)
        (file,) = Path(name).rglob("*.corpus")
        content = bytearray(file.read_bytes())
        pixels = range(64, 64 + IMAGES.size)
        place = data.draw(st.integers(0, len(content) - 1).filter(lambda at: at not in pixels))
        content[place] ^= data.draw(st.integers(1, 255))
        file.write_bytes(content)
        again = Corpus.open(path)
        assert again.fingerprint == whole.fingerprint
        assert again.labels is not None and whole.labels is not None
        np.testing.assert_array_equal(again.labels, whole.labels)
        assert again.class_names == whole.class_names
