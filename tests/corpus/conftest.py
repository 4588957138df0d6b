from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for each test: no test sees or touches the user's."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("INTARSIA_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared-cache")


@pytest.fixture
def real_data(
    intarsia_data: Path, shared_cache: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The real data sets, with one cache for all tests that read them whole."""
    monkeypatch.setenv("INTARSIA_CACHE", str(shared_cache))
    return intarsia_data
