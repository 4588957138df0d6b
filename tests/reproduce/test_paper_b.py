"""Paper B's pages are made from digits; the table of figure 8 can be read by a program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.reproduce.conftest import SmokeBook, reproduced


@pytest.fixture(scope="module")
def made(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> SmokeBook:
    folder = tmp_path_factory.mktemp("paper-b")
    return reproduced(["paper-b"], folder / "results", folder / "runs")


def test_every_page_has_numbers_a_picture_and_its_command(made: SmokeBook) -> None:
    names = {item["name"].removeprefix("paper-b/") for item in made.items}
    figures = {f"figure-{number}" for number in (3, 4, 7, 8, 9, 10, 11, 12)}
    assert names == figures | {"table-1", "table-2", "table-3", "locality"}
    for item in made.items:
        assert item["rows"] and item["pictures"], item["name"]
        text = Path(item["page"]).read_text(encoding="utf-8")
        assert f"intarsia reproduce {item['name']} --scale smoke" in text
        for row in item["rows"]:
            assert "nan" not in row["here"], item["name"]


def test_the_first_table_of_figure_8_has_gamma_and_this_projects_rate(made: SmokeBook) -> None:
    lines = (made.out / "paper-b" / "figure-8.md").read_text(encoding="utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("| gamma |"))
    rows = lines[start + 2 : start + 5]
    assert [row.split("|")[1].strip() for row in rows] == ["3", "5", "7"]
    (item,) = (one for one in made.items if one["name"] == "paper-b/figure-8")
    for row, found in zip(rows, item["rows"], strict=True):
        first = re.search(r"[\d.]+(?= ?%)", row)
        assert first is not None and found["here"].startswith(first[0])
    assert rows[2].count("100.0% by equal bits") == 1  # gamma 7 covers a 4x4 grid


def test_three_systems_stand_in_one_figure(made: SmokeBook) -> None:
    (item,) = (one for one in made.items if one["name"] == "paper-b/locality")
    systems = {row["what"].split(",")[0] for row in item["rows"]}
    assert systems == {"paper A: NS+L", "paper B: gamma-ARVM", "paper C: LS"}
    assert all("top source" in row["here"] and "nan" not in row["here"] for row in item["rows"])
    assert len(item["pictures"]) == 2


def test_table_1_counts_bits(made: SmokeBook) -> None:
    (item,) = (one for one in made.items if one["name"] == "paper-b/table-1")
    assert item["rows"][0]["here"] == "192" and len(item["pictures"]) == 3
