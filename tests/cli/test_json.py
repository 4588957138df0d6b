"""``--json``: one documented object on standard output, and nothing else there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

from tests.cli.command import Outcome, arrays, assert_tidy
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def _pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8)).save(tmp_path / "picture.png")
    mask = np.zeros((16, 16), np.uint8)
    mask[6:8, 6:9] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")


def documented(*command: str) -> set[str]:
    """The keys that a command's help names after ``--json prints``."""
    from intarsia.cli.app import app

    found: Any = typer.main.get_command(app)
    for name in command:
        found = found.commands[name]
    return set(re.findall(r'"(\w+)"', found.help.split("--json prints", 1)[1]))


def keys(value: Any) -> set[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def assert_reported(
    outcome: Outcome, *command: str, may_lack: frozenset[str] = frozenset()
) -> None:
    """The object on standard output has the keys its help names, and no more at the top."""
    assert outcome.code == 0, outcome.err
    assert set(outcome.report) <= documented(*command)
    assert documented(*command) - may_lack <= keys(outcome.report)


RUNS = {
    "generate": "generate nps --principles NS+L --limit 60 --n 2 --seed 3",
    "texture": "texture picture.png --size 12x14 --window 5 --n 2 --seed 3",
    "inpaint": "inpaint picture.png --mask mask.png --window 5 --n 2 --seed 3",
}


@pytest.mark.parametrize("command", RUNS)
def test_a_run_reports_what_its_help_says_and_what_is_on_disk(
    command: str, intarsia: Command, tmp_path: Path
) -> None:
    outcome = intarsia(RUNS[command], "--json --out run")
    assert_reported(outcome, command)
    report = outcome.report
    assert report["run"] == "run"
    assert report["model"] == ("nps" if command == "generate" else command)
    assert report["n"] == 2 == len(arrays(tmp_path / "run" / "samples.npz")["images"])
    assert report["seed"] == 3
    assert report["seconds"] > 0 and report["images_per_second"] > 0
    assert set(report["files"]) == {path.name for path in (tmp_path / "run").iterdir()}
    assert_tidy(tmp_path / "run")
    assert report["metrics"]["n"] == 2 and report["metrics"]["evidence"] == "exact"


@pytest.mark.parametrize("command", RUNS)
def test_without_json_standard_output_is_empty_and_people_are_told(
    command: str, intarsia: Command
) -> None:
    outcome = intarsia(RUNS[command], "--out run")
    assert outcome.code == 0 and outcome.out == ""
    for words in ("2 pictures in", "grid.png", "maps.png", "report.html"):
        assert words in outcome.err


def test_without_out_the_report_names_the_folder(intarsia: Command, tmp_path: Path) -> None:
    outcome = intarsia(RUNS["generate"], "--json")
    assert outcome.report["run"] == "runs/nps-digits-3"
    assert_tidy(tmp_path / "runs" / "nps-digits-3")


def test_the_demo_reports_what_its_help_says(intarsia: Command, tmp_path: Path) -> None:
    outcome = intarsia("demo --json --out demo")
    assert_reported(outcome, "demo")
    assert outcome.report["n"] == 36 == outcome.report["metrics"]["n"]
    assert set(outcome.report["files"]) == {path.name for path in (tmp_path / "demo").iterdir()}
    assert_tidy(tmp_path / "demo", ["movie.gif"])


def test_the_list_of_data_sets_is_one_object(intarsia: Command) -> None:
    outcome = intarsia("data list --json")
    # Where a set is, and its size on disk, are said of those that are here.
    assert_reported(outcome, "data", "list")
    assert [item["name"] for item in outcome.report["sets"]] == [
        "digits",
        "mnist",
        "fashion-mnist",
        "cifar10",
    ]
    assert outcome.err == ""


def test_a_data_set_is_described_in_one_object(intarsia: Command) -> None:
    outcome = intarsia("data info digits --json")
    assert_reported(outcome, "data", "info", may_lack=frozenset({"advice"}))
    assert outcome.report["count"] == 1797 and outcome.report["shape"] == [8, 8, 1]
    assert outcome.err == ""


def test_a_data_set_that_is_not_here_is_described_with_advice(
    intarsia: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("INTARSIA_DATA", "INTARSIA_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    monkeypatch.setattr("intarsia.corpus.locate._in_hub_cache", lambda card, split: None)
    outcome = intarsia("data info mnist --json")
    assert outcome.code == 0
    assert set(outcome.report) <= documented("data", "info")
    assert outcome.report["found"] is False
    assert "train-images-idx3-ubyte" in outcome.report["advice"]


def test_preparing_a_data_set_reports_each_split(intarsia: Command) -> None:
    outcome = intarsia("data prepare digits --json")
    assert_reported(outcome, "data", "prepare")
    assert [part["split"] for part in outcome.report["prepared"]] == ["train"]


def test_a_benchmark_reports_what_its_help_says(
    intarsia: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real ones need minutes: the same two are measured here over the embedded digits."""
    from intarsia import benchmarks
    from intarsia.benchmarks import nonparametric

    for name, case in list(nonparametric.CASES.items()):
        small = nonparametric.Case("digits", {**case.settings, "window": 5})
        monkeypatch.setitem(nonparametric.CASES, name, small)
    monkeypatch.setattr(nonparametric, "BATCH", 4)
    monkeypatch.setattr(benchmarks, "_in_own_process", nonparametric.run)
    outcome = intarsia("bench nps --repeat 1 --json")
    assert_reported(outcome, "bench")
    for name in benchmarks.GROUPS["nps"]:
        result = outcome.report[name]
        assert len(result["images_per_s_runs"]) == 1
        assert result["images_per_s"] == result["images_per_s_runs"][0] > 0
        assert result["peak_memory_mb"] > result["corpus_mb"] > 0
    assert "run 1 of 1" in outcome.err


def test_a_benchmark_of_a_machine_reports_seconds(
    intarsia: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the embedded digits, at their own size, with a module that is started for real."""
    from intarsia import benchmarks
    from intarsia.benchmarks import machines, peers

    digits = machines.Case("els", "digits", machines.FASHION, 10)
    monkeypatch.setitem(machines.CASES, "els_fashion200", digits)
    runs = {"els_fashion200": machines.run, "peer_els_fashion200": peers.run}
    monkeypatch.setattr(benchmarks, "_in_own_process", lambda name: runs[name](name))
    result = intarsia("bench els_fashion200 --repeat 2 --json").report["els_fashion200"]
    assert result["seconds"] > 0 and len(result["seconds_runs"]) == 2
    monkeypatch.setattr(peers, "FEW", 10)
    peer = intarsia("bench peer_els_fashion200 --repeat 1 --json").report["peer_els_fashion200"]
    assert peer["largest_difference"] < 1e-3


def test_every_benchmark_has_a_module_that_knows_it() -> None:
    from importlib import import_module

    from intarsia import benchmarks

    for names in benchmarks.GROUPS.values():
        for name in names:
            module = import_module(benchmarks.module_of(name))
            own = module.__dict__
            assert name in (own["NAMES"] if "NAMES" in own else own["CASES"])


@pytest.mark.parametrize("command", ["generate nps --window 4", "data info mnits", "bench fast"])
def test_a_refusal_prints_nothing_on_standard_output(command: str, intarsia: Command) -> None:
    outcome = intarsia(command, "--json")
    assert outcome.code == 2 and outcome.out == ""
