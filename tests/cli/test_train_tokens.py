"""``intarsia train blae``, ``arvm`` and ``pixelcnn``: killed, resumed, used, and refused."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Command
from tests.cli.test_killed import PATIENCE, started

BLAE = (
    "train blae --data digits --limit 200 --bits 6 --widths 32 --hidden 64 --epochs 80 "
    "--settle 0.8 --rate 1e-2 --sigma 1.5"
)
NETWORKS = {
    "arvm": "train arvm --blae ../blae --gamma 3 --width 64 --epochs 12",
    "pixelcnn": "train pixelcnn --blae ../blae --width 32 --layers 3 --epochs 12",
}


def killed(folder: Path, command: str) -> None:
    """Start a training and kill it after its first checkpoint."""
    with started(folder, command) as process:
        end = time.monotonic() + PATIENCE
        while not list(folder.glob("out/**/checkpoint.safetensors")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokens")
    with started(folder, f"{BLAE} --out blae") as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert out == "" and "use it with --blae blae" in err
    return folder


def test_a_killed_autoencoder_resumes_to_the_same_weights(
    kit: Path, intarsia: Command, tmp_path: Path
) -> None:
    killed(tmp_path, f"{BLAE} --out out")
    resumed = intarsia(BLAE, "--out out --resume --json")
    assert resumed.code == 0, resumed.err
    assert len(resumed.report["epochs"]) == 80 and resumed.report["bits_per_image"] == 96
    same = (tmp_path / "out" / "model.safetensors").read_bytes()
    assert same == (kit / "blae" / "model.safetensors").read_bytes()
    for name in ("curves.png", "latents.png", "reconstructions.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")
    unasked = intarsia(BLAE, "--out out")
    assert unasked.code == 2 and "--resume" in unasked.err


@pytest.mark.parametrize("command", ["train vae --hidden 64 --dims 8", "train gan --width 8"])
def test_a_killed_generator_resumes_to_the_same_weights_and_samples(
    command: str, intarsia: Command, tmp_path: Path
) -> None:
    command += " --data digits --limit 600 --batch 20 --epochs 60 --n 5"
    killed(tmp_path, f"{command} --out out")
    resumed = intarsia(command, "--out out --resume --json")
    assert resumed.code == 0, resumed.err
    whole = intarsia(command, "--out whole --json")
    assert len(resumed.report["epochs"]) == len(whole.report["epochs"]) == 60
    for name in ("model.safetensors", "samples.npz"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    for name in ("curves.png", "grid.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_killed_network_over_tokens_resumes_and_is_drawn_from(
    kind: str, kit: Path, intarsia: Command, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "blae").symlink_to(kit / "blae")
    command = NETWORKS[kind].replace("../blae", "blae")
    killed(tmp_path, f"{command} --out out")
    resumed = intarsia(command, "--out out --resume --json")
    assert resumed.code == 0, resumed.err
    rows = resumed.report["epochs"]
    assert len(rows) == 12 and rows[-1]["kl"] < rows[0]["kl"]
    assert (tmp_path / "out" / "curves.png").exists()
    drawn = intarsia("generate arvm --blae blae --network out --n 3 --out run --json")
    assert drawn.code == 0, drawn.err
    assert drawn.report["metrics"]["evidence"] == "none"
    again = intarsia("generate --config run/config.yaml --out again")
    assert again.code == 0, again.err
    with (
        np.load(tmp_path / "run/samples.npz") as one,
        np.load(tmp_path / "again/samples.npz") as two,
    ):
        assert (one["images"] == two["images"]).all()


def test_the_exact_model_is_drawn_repeated_and_its_pictures_are_those_of_the_autoencoder(
    kit: Path, intarsia: Command, tmp_path: Path
) -> None:
    (tmp_path / "blae").symlink_to(kit / "blae")
    drawn = intarsia("generate arvm --blae blae --gamma 7 --n 5 --seed 3 --out run --json")
    assert drawn.code == 0, drawn.err
    assert drawn.report["metrics"]["evidence"] == "token"
    assert drawn.report["metrics"]["run"]["backed_off_share"] == 0
    assert drawn.report["data"] == "digits"
    with np.load(tmp_path / "run" / "sources.npz") as sources:
        assert sources["image"].max() < 200 and sources["image"].shape == (5, 4, 4)
    again = intarsia("generate --config run/config.yaml --out again")
    assert again.code == 0, again.err
    same = [(tmp_path / run / "sources.npz").read_bytes() for run in ("run", "again")]
    assert same[0] == same[1]


@pytest.mark.parametrize(("command", "words"), [
    ("generate arvm", ["--blae", "intarsia train blae"]),
    ("generate arvm --blae blae --gamma 4", ["--gamma is 4", "odd"]),
    ("generate arvm --blae blae --window 3", ["no option --window", "--gamma"]),
    ("generate arvm --blae nothing", ["nothing has no config.json", "intarsia train blae"]),
    ("generate arvm --blae blae --data mnist --limit 9 --resize 28", ["28x28x1", "8x8x1"]),
    ("train arvm --blae blae --gamma 2", ["--gamma is 2"]),
    ("train blae --data mnist --limit 100", ["28x28", "--resize 32"]),
    ("train blae --limit 20", ["20 pictures", "--batch"]),
    ("train blae --encoder-of blae --bits 3", ["--encoder-of brings its own"]),
])  # fmt: skip
def test_wrong_use_is_refused_in_a_line(
    command: str, words: list[str], kit: Path, intarsia: Command, tmp_path: Path
) -> None:
    (tmp_path / "blae").symlink_to(kit / "blae")
    outcome = intarsia(command, "--out new")
    assert outcome.code in (1, 2) and outcome.out == ""
    assert all(word in outcome.err for word in words), outcome.err
    assert "Traceback" not in outcome.err and not (tmp_path / "new").exists()
