"""Every table and figure is made, from digits, in less than a minute."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

from intarsia import __version__
from intarsia.cli.app import app
from intarsia.cli.common import run_app
from intarsia.reproduce import catalogue
from intarsia.reproduce.measures import Measures
from intarsia.reproduce.page import LARGEST
from tests.cli.command import arrays
from tests.reproduce.conftest import SmokeBook, reproduced

NAMES = [item.full_name for item in catalogue("paper-a")]


def item_of(smoke: SmokeBook, name: str) -> dict[str, Any]:
    (found,) = (one for one in smoke.items if one["name"] == name)
    return found


def commands_of(row: dict[str, Any]) -> list[str]:
    """The command lines of a row; a loop over seeds counts once, for its first seed."""
    lines = []
    for line in row["command"].splitlines():
        loop = re.fullmatch(r"for s in (\d+).*; do (.*); done", line)
        lines.append(loop[2].replace("$s", loop[1]) if loop else line)
    return lines


def test_every_item_is_made_in_the_order_of_the_book(smoke: SmokeBook) -> None:
    assert [one["name"] for one in smoke.items] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_its_table_its_paragraph_and_where_it_is_from(
    name: str, smoke: SmokeBook
) -> None:
    page = Path(item_of(smoke, name)["page"])
    assert page == smoke.out / f"{name}.md"
    text = page.read_text(encoding="utf-8")
    assert "| | published | here | settings | command |" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 6 for line in rows)
    assert "## What agrees, and what does not" in text
    assert f"intarsia reproduce {name} --scale smoke" in text
    assert __version__ in text and re.search(r"fingerprint `[0-9a-f]{12}`", text)
    assert str(smoke.out) not in text and str(smoke.runs) not in text
    assert "nan" not in text.lower().split()


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_named_by_the_page_and_small(name: str, smoke: SmokeBook) -> None:
    found = item_of(smoke, name)
    text = Path(found["page"]).read_text(encoding="utf-8")
    assert found["pictures"] or name == "paper-a/table-1"
    for path in map(Path, found["pictures"]):
        assert f"]({path.name})" in text
        assert path.stat().st_size <= LARGEST
        with Image.open(path) as picture:
            assert 100 < picture.width < 1400 and len(np.unique(np.asarray(picture))) > 2


@pytest.mark.parametrize("name", NAMES)
def test_rows_have_what_was_published_and_commands_that_parse(name: str, smoke: SmokeBook) -> None:
    root: Any = typer.main.get_command(app)
    rows = item_of(smoke, name)["rows"]
    assert rows
    for row in rows:
        assert set(row) == {"what", "published", "here", "settings", "command"}
        assert row["what"] and row["published"] and row["here"]
        for line in commands_of(row):
            program, command, *words = shlex.split(line)
            assert program == "intarsia"
            root.commands[command].make_context(command, words)


def test_the_command_of_a_row_draws_the_very_samples(
    smoke: SmokeBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    row = item_of(smoke, "paper-a/table-2")["rows"][1]
    for line in commands_of(row):
        assert run_app(app, shlex.split(line)[1:]) == 0
    (drawn,) = (tmp_path / "runs").iterdir()
    (ours,) = smoke.runs.glob("cifar10-table-2-ns-l~*-s0-n*")
    for name in ("images", "seeds"):
        again, first = arrays(drawn / "samples.npz")[name], arrays(ours / "samples.npz")[name]
        np.testing.assert_array_equal(again, first[: len(again)])


def test_a_second_time_nothing_is_drawn_anew(smoke: SmokeBook, tmp_path: Path) -> None:
    def drawn() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in smoke.runs.rglob("*") if path.is_file()}

    before = drawn()
    again = reproduced(["figure-2", "table-2"], tmp_path / "results", smoke.runs)
    assert drawn() == before
    for one in again.items:
        assert one["rows"] == item_of(smoke, one["name"])["rows"]


def test_inception_has_rows_of_its_own_where_its_weights_are(
    smoke: SmokeBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The weights are large and seldom here: the classifier plays their part.
    monkeypatch.setattr(Measures, "inception", property(lambda self: self.classifier("cifar10")))
    made = reproduced(["table-1"], tmp_path / "results", smoke.runs)
    rows = [row for row in made.items[0]["rows"] if "Inception features" in row["what"]]
    measured = [row for row in rows if "--features inception" in row["command"]]
    assert [row["what"].split(":")[0] for row in measured] == [
        "NS+L+H",
        "NS+H",
        "class-conditional",
    ]
    assert measured[0]["published"] == "IS 5.903, FID 60.357; Inception (table 1)"
    assert not any("not measured" in row["here"] for row in rows)


def test_the_summary_links_every_page(smoke: SmokeBook) -> None:
    text = (smoke.out / "paper-a" / "index.md").read_text(encoding="utf-8")
    for name in NAMES:
        short = name.split("/")[1]
        assert f"[{short}]({short}.md)" in text
