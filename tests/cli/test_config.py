"""``--config RUN/config.yaml`` repeats a run, and what is said beside it overrides it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.cli.command import arrays, assert_same_run
from tests.cli.conftest import Command


def settings(run: Path) -> dict[str, object]:
    found = yaml.safe_load((run / "config.yaml").read_text())["settings"]
    found.pop("asked")  # what was said, not what it came to
    return found


def images(run: Path) -> np.ndarray:
    return arrays(run / "samples.npz")["images"]


@pytest.mark.parametrize(
    "command",
    [
        "generate nps --n 3 --seed 9",
        "generate nps --principles NS+L --window 3 --sigma 1.5 --epsilon 0.25 --radius 2 --n 2",
        "generate nps --classes 3,8 --limit 200 --label 8 --condition class --n 2",
        "generate nps --threshold intersection --limit 60 --keep 20 --refresh 5 --n 1",
        "generate nps --resize 12 --border wrap --seed-at 2,3 --seed-size 3 --limit 60 --n 2",
        "generate nps --seed-at random --allow-seed-source --min-pool 4 --limit 60 --n 2",
        "generate nps --preset table-2 --encoder lowres --window 3 --limit 60 --n 2",
        "generate nps --encoder lowres2 --limit 60 --n 2",
        "generate efros-leung --size 10x14 --window 7 --limit 60 --n 2",
    ],
)
def test_a_config_repeats_its_run_to_the_same_bytes(
    command: str, intarsia: Command, tmp_path: Path
) -> None:
    assert intarsia(command, "--out run").code == 0
    again = intarsia("generate --config run/config.yaml --out again")
    assert again.code == 0, again.err
    assert_same_run(tmp_path / "run", tmp_path / "again")
    assert settings(tmp_path / "run") == settings(tmp_path / "again")


def test_a_config_in_words_and_its_folder_name_the_same_run(
    intarsia: Command, tmp_path: Path
) -> None:
    assert intarsia("generate nps --limit 60 --n 2 --out run").code == 0
    assert intarsia("generate --config run --out folder").code == 0
    assert_same_run(tmp_path / "run", tmp_path / "folder")


def test_what_is_said_beside_a_config_overrides_it_and_nothing_else_changes(
    intarsia: Command, tmp_path: Path
) -> None:
    assert intarsia("generate nps --limit 60 --n 3 --seed 4 --window 3 --out run").code == 0
    config = "generate --config run/config.yaml"
    assert intarsia(config, "--seed 5 --out seed").code == 0
    assert not np.array_equal(images(tmp_path / "seed"), images(tmp_path / "run"))
    assert settings(tmp_path / "seed") == settings(tmp_path / "run") | {"seed": 5}

    # Sample k depends on its number and the seed alone: fewer samples are the first of them.
    assert intarsia(config, "--n 2 --out fewer").code == 0
    assert np.array_equal(images(tmp_path / "fewer"), images(tmp_path / "run")[:2])

    assert intarsia(config, "--radius 0 --out radius").code == 0
    assert settings(tmp_path / "radius") == settings(tmp_path / "run") | {"radius": 0}

    # A default that is said counts as said.
    assert intarsia(config, "--seed 0 --n 16 --out defaults").code == 0
    said = settings(tmp_path / "defaults")
    assert (said["seed"], said["n"], said["window"]) == (0, 16, 3)

    assert intarsia(config, "--limit 50 --out other-pictures").code == 0
    assert settings(tmp_path / "other-pictures")["corpus_limit"] == 50


def test_another_model_takes_the_rest_from_the_config(intarsia: Command, tmp_path: Path) -> None:
    assert intarsia("generate nps --limit 60 --n 2 --window 3 --out run").code == 0
    assert intarsia("generate efros-leung --config run/config.yaml --out other").code == 0
    said = settings(tmp_path / "other")
    assert (said["model"], said["principles"], said["window"]) == ("efros-leung", "L", 3)
