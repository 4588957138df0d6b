from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from intarsia.cli.data import data_app
from intarsia.corpus import NAMED_SETS, Corpus
from intarsia.errors import DataError, UsageError
from tests.corpus.files import pictures

runner = CliRunner()


def run(*arguments: str) -> Any:
    """The JSON object printed, which must be all of standard output."""
    done = runner.invoke(data_app, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    return json.loads(done.stdout)


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    np.savez(
        tmp_path / "set.npz", images=pictures(), labels=[0, 1, 1, 0, 1, 1], class_names=["a", "b"]
    )
    return tmp_path / "set.npz"


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setenv("INTARSIA_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def test_list_names_every_set_and_where_it_is(real_data: Path) -> None:
    report = run("list")
    assert report["command"] == "data list"
    assert [item["name"] for item in report["sets"]] == list(NAMED_SETS)
    for item in report["sets"]:
        assert all(status["found"] for status in item["splits"].values())
    assert report["sets"][1]["splits"]["test"]["where"] == str(real_data / "mnist")


@pytest.mark.usefixtures("nothing_here")
def test_list_says_what_is_not_here() -> None:
    found = {item["name"]: item["splits"]["train"]["found"] for item in run("list")["sets"]}
    assert found == {"digits": True, "mnist": False, "fashion-mnist": False, "cifar10": False}


def test_info_describes_a_named_set(real_data: Path) -> None:
    report = run("info", "mnist", "--split", "test")
    assert report["found"] and report["original"] is True
    assert (report["count"], report["shape"]) == (10000, [28, 28, 1])
    assert report["class_counts"]["0"] == 980 and sum(report["class_counts"].values()) == 10000
    assert report["card"]["title"] == "MNIST" and Path(report["cache"]).is_file()
    assert report["fingerprint"] == NAMED_SETS["mnist"].fingerprints["test"]


@pytest.mark.usefixtures("nothing_here")
def test_info_of_a_set_not_here_is_its_card_and_where_to_put_it() -> None:
    report = run("info", "cifar10")
    assert report["found"] is False and "train-00000-of-00001.parquet" in report["advice"]
    assert report["card"]["classes"][3] == "cat"


def test_info_describes_files_of_ones_own(npz: Path) -> None:
    report = run("info", str(npz))
    assert report["card"] is None and report["original"] is None
    assert report["class_counts"] == {"a": 2, "b": 4}
    assert report["fingerprint"] == Corpus.open(npz).fingerprint


def test_prepare_fills_the_cache_with_the_options_asked_for(npz: Path) -> None:
    report = run("prepare", str(npz), "--resize", "3", "--fit", "crop")
    (part,) = report["prepared"]
    assert part["shape"] == [3, 3, 1] and Path(part["cache"]).is_file()
    assert part["fingerprint"] == Corpus.open(npz, resize=3, fit="crop").fingerprint


def test_prepare_finds_a_changed_pixel_in_the_cache(npz: Path) -> None:
    (part,) = run("prepare", str(npz))["prepared"]
    cache = Path(part["cache"])
    whole = cache.read_bytes()
    cache.write_bytes(whole[:70] + bytes([whole[70] ^ 1]) + whole[71:])
    run("prepare", str(npz))
    assert cache.read_bytes() == whole
    before = cache.stat().st_mtime_ns
    run("prepare", str(npz))
    assert cache.stat().st_mtime_ns == before
    run("prepare", str(npz), "--force")
    assert cache.stat().st_mtime_ns > before


def test_prepare_takes_every_split_of_a_named_set(real_data: Path) -> None:
    report = run("prepare", "fashion-mnist")
    assert [(part["split"], part["count"]) for part in report["prepared"]] == [
        ("train", 60000),
        ("test", 10000),
    ]


@pytest.mark.usefixtures("nothing_here")
def test_prepare_without_network_says_what_to_do() -> None:
    with pytest.raises(DataError, match="Put t10k-|Put train-"):
        runner.invoke(data_app, ["prepare", "mnist"], catch_exceptions=False)


def test_prepare_fails_where_the_cache_cannot_be_written(
    npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("INTARSIA_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="could not be written"):
        runner.invoke(data_app, ["prepare", str(npz)], catch_exceptions=False)


@pytest.mark.parametrize("command", ["info", "prepare"])
def test_an_unknown_name_is_a_usage_error(command: str) -> None:
    with pytest.raises(UsageError, match="did you mean 'mnist'"):
        runner.invoke(data_app, [command, "mnits"], catch_exceptions=False)


@pytest.mark.parametrize("arguments", [["list"], ["info", "digits"], ["prepare", "digits"]])
def test_words_for_people_go_to_standard_error(arguments: list[str]) -> None:
    done = runner.invoke(data_app, arguments, catch_exceptions=False)
    assert done.exit_code == 0 and done.stdout == "" and "digits" in done.stderr
