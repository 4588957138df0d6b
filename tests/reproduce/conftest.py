"""The whole book at its smallest scale, made once, and a cache that is nobody's."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from intarsia.cli.app import app
from intarsia.cli.common import run_app


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTARSIA_CACHE", str(folder))
        yield folder


@dataclass(frozen=True)
class SmokeBook:
    """Where it was written, and what ``--json`` printed."""

    out: Path
    runs: Path
    items: list[dict[str, Any]]


def reproduced(names: list[str], out: Path, runs: Path) -> SmokeBook:
    words = ["reproduce", *names, "--scale", "smoke", "--threads", "1", "--json"]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = run_app(app, [*words, "--out", str(out), "--runs", str(runs)])
    assert code == 0
    return SmokeBook(out, runs, json.loads(printed.getvalue())["items"])


@pytest.fixture(scope="session")
def smoke(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> SmokeBook:
    folder = tmp_path_factory.mktemp("book")
    return reproduced(["paper-a"], folder / "results", folder / "runs")
