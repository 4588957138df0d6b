"""Paper C's table of correlations is made from digits, and its commands give its numbers."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from intarsia.cli.app import app
from intarsia.cli.common import run_app
from intarsia.reproduce.paper_c.correlation import FAMILIES, cells
from intarsia.reproduce.scales import Scale
from tests.reproduce.conftest import SmokeBook, reproduced


@pytest.fixture(scope="module")
def made(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> SmokeBook:
    folder = tmp_path_factory.mktemp("paper-c")
    return reproduced(["paper-c"], folder / "results", folder / "runs")


def item_of(made: SmokeBook, name: str) -> dict[str, Any]:
    (found,) = (one for one in made.items if one["name"] == f"paper-c/{name}")
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_the_page_has_a_row_and_pictures_for_every_cell(made: SmokeBook, family: str) -> None:
    item = item_of(made, "correlation" if family == "resnet" else f"correlation-{family}")
    named = cells(Scale("smoke"), family)
    assert len(item["rows"]) == len(named) and len(item["pictures"]) == 1 + len(named)
    text = Path(item["page"]).read_text(encoding="utf-8")
    for cell, row in zip(named, item["rows"], strict=True):
        assert cell.title in row["what"] and row["published"] == cell.published
        assert all(figure in row["here"] for figure in ("pearson_r ", "pearson_r2", "r2_score"))
        assert f"{cell.size.limit} training pictures" in text
    assert all(f"]({Path(path).name})" in text for path in item["pictures"])
    index = (made.out / "paper-c" / "index.md").read_text(encoding="utf-8")
    assert "[correlation](correlation.md)" in index and "2412.20292" in index


def test_heat_maps_are_drawn_for_networks_without_classes(made: SmokeBook) -> None:
    item = item_of(made, "coarse-to-fine")
    named = cells(Scale("smoke"), "resnet")
    assert len(item["rows"]) == len(item["pictures"]) == len(named) == 1
    assert "calibrated sides" in item["rows"][0]["here"]


@pytest.mark.parametrize("name", ["two-images", "theorem-6", "boundaries"])
def test_what_machines_alone_show_is_told_with_its_command(made: SmokeBook, name: str) -> None:
    item = item_of(made, name)
    assert item["rows"] and len(item["pictures"]) == 1
    for row in item["rows"]:
        assert row["command"] == f"intarsia reproduce paper-c/{name} --scale smoke"
        assert "%" in row["here"] and "nan" not in row["here"]
    assert Path(item["pictures"][0]).read_bytes().startswith(b"\x89PNG")


def test_a_second_time_nothing_is_trained_or_compared(made: SmokeBook, tmp_path: Path) -> None:
    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in made.runs.rglob("*") if path.is_file()}

    before = files()
    again = reproduced(["paper-c/correlation"], tmp_path, made.runs)
    assert files() == before and again.items[0]["rows"] == item_of(made, "correlation")["rows"]


def test_the_commands_of_a_row_give_its_figures(
    made: SmokeBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in item_of(made, "correlation")["rows"][0]["command"].splitlines():
        assert run_app(app, shlex.split(line)[1:]) == 0
    name = cells(Scale("smoke"), "resnet")[0].name
    ours, theirs = (
        json.loads((folder / f"{name}-compared" / "compare.json").read_text())
        for folder in (made.runs, tmp_path / "runs")
    )
    for key in ("agreement", "scales", "share_won", "n", "pictures"):
        assert ours[key] == theirs[key]


def test_the_full_scale_has_the_eight_cells_of_the_paper() -> None:
    full = [cell for family in FAMILIES for cell in cells(Scale("full"), family)]
    assert len({cell.name for cell in full}) == 8
    assert [cell.machine for cell in full].count("els") == 2
    assert all(cell.size.samples == 100 for cell in full)
