"""``intarsia train resnet|unet``, ``generate network``, ``compare`` and ``calibrate``."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from intarsia import Samples
from tests.cli.command import arrays, assert_same_run
from tests.cli.conftest import Command
from tests.cli.test_killed import PATIENCE, started

TRAIN = "train resnet --data digits --limit 48 --width 6 --batch 16 --rate 2e-3 --seed 3"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks") / "net"
    with started(folder.parent, f"{TRAIN} --epochs 2 --out net --json") as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    report = json.loads(out)
    assert (report["kind"], report["pictures"], len(report["epochs"])) == ("resnet", 48, 2)
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    return folder


@pytest.fixture
def network(trained: Path, tmp_path: Path) -> Path:
    """A network of its own in the working folder: ``net``."""
    return Path(shutil.copytree(trained, tmp_path / "net"))


def test_killed_training_resumes_to_the_same_weights(intarsia: Command, tmp_path: Path) -> None:
    long = f"{TRAIN} --epochs 16"
    assert intarsia(long, "--out whole").code == 0
    with started(tmp_path, f"{long} --out cut") as process:
        end = time.monotonic() + PATIENCE
        while not (tmp_path / "cut" / "checkpoint.safetensors").exists():
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    early = intarsia("generate network --network cut --n 1 --out run")
    assert early.code == 2 and "--resume" in early.err
    resumed = intarsia(long, "--out cut --resume --json")
    assert resumed.code == 0, resumed.err
    whole, cut = (tmp_path / name / "model.safetensors" for name in ("whole", "cut"))
    assert whole.read_bytes() == cut.read_bytes()


def test_a_network_draws_on_the_pictures_it_was_trained_on(
    network: Path, intarsia: Command, tmp_path: Path
) -> None:
    outcome = intarsia("generate network --network net --n 3 --steps 5 --keep-steps --out run")
    assert outcome.code == 0, outcome.err
    samples = Samples.load(tmp_path / "run")
    assert samples.sources.evidence == "none" and (samples.sources.image == -1).all()
    assert arrays(tmp_path / "run" / "samples.npz")["raw"].shape == (3, 1, 8, 8)
    assert arrays(tmp_path / "run" / "steps.npz")["t"].tolist() == [1, 0.8, 0.6, 0.4, 0.2]
    again = intarsia("generate --config run/config.yaml --out again")
    assert again.code == 0, again.err
    assert_same_run(tmp_path / "run", tmp_path / "again")
    assert intarsia(TRAIN, "--epochs 3 --out other").code == 0
    (network / "model.safetensors").write_bytes(
        (tmp_path / "other" / "model.safetensors").read_bytes()
    )
    changed = intarsia("generate --config run/config.yaml --out third")
    assert changed.code == 1 and "other weights" in changed.err
    assert not (tmp_path / "third").exists()


def test_calibrated_sides_are_taken_by_compare(
    network: Path, intarsia: Command, tmp_path: Path
) -> None:
    outcome = intarsia("calibrate --network net --sides 3,5 --n 2 --steps 5 --json")
    assert outcome.code == 0, outcome.err
    sides = outcome.report["scales"]
    assert len(sides) == 5 and set(sides) <= {3, 5}
    assert np.shape(outcome.report["similarity"]) == (4, 2)
    assert json.loads((network / "scales.json").read_text())["scales"] == sides
    outcome = intarsia(
        "compare --network net --n 3 --steps 5 --scales-from net/scales.json --out cmp --json"
    )
    assert outcome.code == 0, outcome.err
    report = outcome.report
    assert report["scales"] == sides and report["pictures"] == 48
    for name in ("bbels", "is"):
        for figure in ("pearson_r", "pearson_r2", "r2_score"):
            values = report["agreement"][name][figure]
            assert values["median"] == pytest.approx(np.median(values["samples"]), abs=1e-4)
    stored = arrays(tmp_path / "cmp" / "samples.npz")
    assert set(stored) == {"noise", "network", "bbels", "is"}
    r = np.corrcoef(stored["bbels"][0].ravel(), stored["network"][0].ravel())[0, 1]
    assert report["agreement"]["bbels"]["pearson_r"]["samples"][0] == pytest.approx(r, abs=1e-4)
    for picture in ("grid.png", "scatter.png"):
        assert (tmp_path / "cmp" / picture).read_bytes().startswith(b"\x89PNG")
    same = intarsia("compare --network net --n 3 --out cmp")
    assert same.code == 2 and "--out" in same.err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("train unet --data digits --resize 10", ["10x10", "--resize 8"]),
        ("train resnet --width 3,4", ["--width has 2"]),
        ("train resnet --width wide", ["--width is 'wide'"]),
        ("train resnet --padding mirror", ["--padding is 'mirror'"]),
        ("train resnet --limit 20", ["--batch is 128"]),
        ("train resnet --rate 0", ["--rate is 0"]),
        ("train resnet --halve-every 0", ["--halve-every is 0"]),
        ("generate network", ["--network FOLDER"]),
        ("generate is --network net", ["no option --network"]),
        ("generate network --network nowhere", ["nowhere", "no folder"]),
        ("generate network --network .", ["no config.json"]),
        ("generate network --network net --label 3", ["--label is 3", "not class-conditional"]),
        ("generate network --network net --data digits --resize 12", ["[1, 8, 8]", "--resize 8"]),
        ("compare --network net --machine wiener", ["--machine is 'wiener'", "bbels"]),
        ("compare --network net --scales 4", ["--scales has 4"]),
        ("compare --network net --scales-from none.json", ["none.json", "calibrate"]),
        ("compare --network net --n 0", ["--n is 0"]),
        ("compare --network net --label 12", ["--label is 12"]),
        ("calibrate --network net --sides 2", ["2", "odd"]),
        ("calibrate --network net --sides x", ["x"]),
        ("calibrate --network net --sides 99", ["99"]),
        ("calibrate --network net --machine is", ["--machine is 'is'"]),
        ("calibrate --network net --out scales.txt", ["scales.txt", ".json"]),
        ("calibrate --network net --sides 3 --n 0", ["--n is 0"]),
    ],
)
def test_wrong_use_is_named_and_nothing_is_written(
    command: str, words: list[str], network: Path, intarsia: Command, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    out = "" if "--out" in command or command.startswith("calibrate") else " --out out"
    outcome = intarsia(command + out)
    assert outcome.code == 2, outcome.err
    for word in words:
        assert word in outcome.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_network_of_another_kind_is_named(network: Path, intarsia: Command) -> None:
    config = json.loads((network / "config.json").read_text())
    config["kind"] = "unet"
    config["network"]["widths"] = [4, 4, 4]
    (network / "config.json").write_text(json.dumps(config))
    outcome = intarsia("generate network --network net --out out")
    assert outcome.code == 1 and "another architecture" in outcome.err
