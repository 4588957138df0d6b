"""What cannot be reproduced is said in one line, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intarsia.cli.app import app
from intarsia.cli.common import run_app
from intarsia.errors import UsageError
from intarsia.reproduce import Scale, catalogue, chosen
from intarsia.reproduce.estimate import seconds_of_all


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["figur-2"], "Did you mean paper-a/figure-2"),
        (["paper-d"], "Did you mean paper-"),
        (["xyzzy"], "lists what there is"),
        (["figure-2", "--scale", "huge"], "must be one of smoke, quick, full"),
        (["figure-9", "--scale", "smoke", "--threads", "0"], "--threads is 0"),
    ],
)
def test_wrong_use_is_refused(
    words: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(app, ["reproduce", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (here / "docs").exists()


def test_missing_data_is_found_before_anything_is_written(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INTARSIA_DATA", str(here / "empty"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("intarsia.corpus.locate.system_folders", lambda *_: [], raising=False)
    assert run_app(app, ["reproduce", "figure-12"]) == 1
    error = capsys.readouterr().err
    assert "cifar10" in error and "unexpected" not in error
    assert not any(path.suffix for path in here.rglob("*"))


def test_damaged_weights_are_refused_at_once(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "weights.pth").write_bytes(b"no weights")
    words = ["table-1", "--scale", "smoke", "--weights", "weights.pth"]
    assert run_app(app, ["reproduce", *words]) == 1
    assert "weights.pth is damaged" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["weights.pth"]


def test_without_a_name_everything_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, ["reproduce", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed["items"]] == [one.full_name for one in catalogue()]
    assert all(0 < one["minutes"]["quick"] <= one["minutes"]["full"] for one in listed["items"])


def test_paper_a_is_expected_to_take_less_than_forty_minutes_at_quick_scale() -> None:
    assert seconds_of_all(catalogue("paper-a"), Scale("quick")) < 40 * 60


def test_a_name_may_be_short_and_stands_once() -> None:
    names = [one.full_name for one in chosen(["figure-2", "paper-a/figure-2", "table-1"])]
    assert names == ["paper-a/figure-2", "paper-a/table-1"]
    assert len(chosen(["paper-a"])) == len(catalogue("paper-a"))
    with pytest.raises(UsageError, match="table-1"):
        chosen(["table-11"])
