"""The command as a fixture, and a folder to run it in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Outcome, in_this_process

Command = Callable[..., Outcome]


@pytest.fixture
def intarsia(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Run the command in an empty working folder: ``intarsia("generate nps", "--out", path)``.

    Text is split at blanks, so that a test reads as one would type it; a path is taken whole.
    """
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> Outcome:
        arguments = []
        for word in words:
            arguments += [str(word)] if isinstance(word, Path) else word.split()
        return in_this_process(capsys, arguments)

    return run
