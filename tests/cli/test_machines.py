"""``intarsia generate`` with score machines: the run folder, repeats, and bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intarsia import Corpus, Samples
from intarsia.models.catalogue import MACHINES
from tests.cli.command import arrays, assert_same_run
from tests.cli.conftest import Command

SMALL = "--data digits --limit 30 --scales 3 --n 2"


@pytest.mark.parametrize("model", MACHINES)
def test_every_machine_writes_the_whole_contract(
    model: str, intarsia: Command, tmp_path: Path
) -> None:
    outcome = intarsia(f"generate {model} {SMALL} --steps 5 --keep-steps --out run --json")
    assert outcome.code == 0, outcome.err
    assert outcome.report["model"] == model
    drawn = arrays(tmp_path / "run" / "samples.npz")
    raw = drawn["raw"]
    assert raw.dtype == drawn["noise"].dtype == np.float32
    assert raw.shape == drawn["noise"].shape == (2, 1, 8, 8)
    rounded = np.round((np.clip(raw, -1, 1) + 1) * 127.5).astype(np.uint8)
    np.testing.assert_array_equal(np.moveaxis(rounded, 1, 3), drawn["images"])
    samples = Samples.load(tmp_path / "run")
    expected = {"wiener": "none", "scfdm": "none", "nearest": "exact"}.get(model, "posterior")
    assert samples.sources.evidence == expected
    named = samples.sources.image >= 0
    assert named.all() if expected != "none" else not named.any()
    steps = arrays(tmp_path / "run" / "steps.npz")
    count = len(steps["t"])
    assert steps["x"].shape == steps["clean"].shape == (2, count, 1, 8, 8)
    assert steps["weight"].shape == steps["image"].shape == (2, count, 8, 8)
    np.testing.assert_array_equal(steps["x"][:, 0], drawn["noise"])
    np.testing.assert_array_equal(steps["clean"][:, -1], raw)


@pytest.mark.parametrize(
    "command",
    [
        f"generate bbels {SMALL} --label 3 --steps 6",
        f"generate els {SMALL} --dictionary interior --schedule linear --steps 4",
        "generate es --data digits --limit 9 --group flips+turns --steps 4 --n 2",
        f"generate pca-locality {SMALL} --mask-threshold 0.1 --temperature 2 --steps 4",
        f"generate scfdm {SMALL} --smoothing 0.3 --smoothing-draws 3 --steps 4",
    ],
)
def test_a_config_repeats_its_run_to_the_same_bytes(
    command: str, intarsia: Command, tmp_path: Path
) -> None:
    assert intarsia(command, "--out run").code == 0
    again = intarsia("generate --config run/config.yaml --out again")
    assert again.code == 0, again.err
    assert_same_run(tmp_path / "run", tmp_path / "again")


def test_noise_from_a_file_is_where_samples_start(intarsia: Command, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal((3, 1, 8, 8)).astype(np.float32)
    np.save(tmp_path / "noise.npy", noise)
    common = "generate ls --data digits --limit 30 --scales 3 --steps 4 --noise noise.npy"
    assert intarsia(f"{common} --out run").code == 0
    np.testing.assert_array_equal(arrays(tmp_path / "run" / "samples.npz")["noise"], noise)
    assert intarsia("generate --config run --out again").code == 0
    assert_same_run(tmp_path / "run", tmp_path / "again")
    np.save(tmp_path / "noise.npy", noise + 1)
    changed = intarsia("generate --config run --out third")
    assert changed.code == 1 and "not the noise of that run" in changed.err
    assert not (tmp_path / "third").exists()


def test_published_scales_by_name(intarsia: Command, tmp_path: Path) -> None:
    common = "generate ls --data digits --limit 20 --resize 16 --n 1"
    outcome = intarsia(f"{common} --scales-from mnist_resnet_zeros --out run")
    assert outcome.code == 0, outcome.err
    sides = Samples.load(tmp_path / "run").settings["scales"]
    assert sides[-1] == 15 and len(sides) == 20
    assert intarsia("generate --config run --out again").code == 0
    assert_same_run(tmp_path / "run", tmp_path / "again")


@pytest.mark.parametrize("cut", [1, 5])
def test_a_run_cut_short_is_resumed_to_the_same_bytes(
    cut: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intarsia.models.machine_run import run_machine
    from intarsia.models.machines import MACHINES as kinds

    corpus = Corpus.open("digits", limit=20)

    def machine():
        return kinds["bbels"](corpus, steps=5, scales=3)

    whole = run_machine(machine(), 3, 1, tmp_path / "whole", batch=2, keep_steps=True)

    class Cut(Exception):
        pass

    taken = []

    def count(step: object) -> None:
        taken.append(step)
        if len(taken) == cut:
            raise Cut

    with pytest.raises(Cut):
        run_machine(
            machine(), 3, 1, tmp_path / "cut", batch=2, keep_steps=True, callback_on_step_end=count
        )
    rest: list[object] = []
    resumed = run_machine(
        machine(), 3, 1, tmp_path / "cut", batch=2, keep_steps=True, resume=True,
        callback_on_step_end=rest.append,
    )  # fmt: skip
    assert len(rest) == 2 * 4 - cut
    assert resumed.extra["raw"].tobytes() == whole.extra["raw"].tobytes()
    for name, value in arrays(tmp_path / "whole" / "steps.npz").items():
        assert value.tobytes() == arrays(tmp_path / "cut" / "steps.npz")[name].tobytes(), name
    assert not (tmp_path / "cut" / "partial").exists()


WRONG = {
    "even side": ("bbels --scales 4", ["--scales has 4", "odd"]),
    "oversized side": ("els --scales 9", ["--scales has 9", "8x8", "at most 7"]),
    "oversized side, bbels": ("bbels --scales 17", ["--scales has 17", "at most 15"]),
    "oversized side, ls": ("ls --scales 99", ["--scales has 99", "at most 15"]),
    "wrong length": ("ls --scales 3,3,5", ["3 entries", "--steps is 20"]),
    "no numbers": ("ls --scales a,b", ["--scales is 'a,b'"]),
    "unknown preset": ("ls --scales-from nothing", ["--scales-from is 'nothing'"]),
    "scales twice": (
        "ls --scales 3 --scales-from MNIST_ResNet_zeros --resize 32",
        ["--scales or --scales-from"],
    ),
    "noise of another shape": ("ls --noise wrong.npy", ["wrong.npy", "shape [2, 1, 4, 4]"]),
    "noise of another number": ("ls --noise right.npy --n 3", ["right.npy", "[3, 1, 8, 8]"]),
    "noise not finite": ("ls --noise nan.npy", ["nan.npy", "not finite"]),
    "noise that is none": ("ls --noise text.npy", ["text.npy"]),
    "missing noise": ("ls --noise none.npy", ["none.npy", "does not exist"]),
    "missing label": ("bbels --label 77", ["--label is 77"]),
    "empty class": ("is --label 5 --limit 3", ["--label is 5", "0, 1, 2"]),
    "unknown dictionary": ("els --dictionary round", ["--dictionary is 'round'"]),
    "unknown group": ("es --group spins", ["--group is 'spins'", "translations"]),
    "unknown schedule": ("is --schedule sine", ["--schedule is 'sine'"]),
    "no steps": ("is --steps 0", ["--steps is 0"]),
    "one cosine step": ("is --steps 1", ["--steps is 1", "at least 2"]),
    "bad threshold": ("pca-locality --mask-threshold 2", ["--mask-threshold is 2"]),
    "bad temperature": ("pca-locality --temperature 0", ["--temperature is 0"]),
    "an option of nps": ("bbels --window 5", ["no option --window"]),
    "a movie": ("bbels --movie gif", ["no option --movie"]),
    "pools": ("bbels --keep-pools", ["no option --keep-pools"]),
    "steps of nps": ("nps --keep-steps", ["no option --keep-steps"]),
    "n 0": ("ls --n 0", ["--n is 0"]),
    "batch 0": ("ls --batch 0", ["--batch is 0"]),
    "cuda": ("ls --device cuda", ["--device cpu"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_one_line_and_writes_nothing(
    case: str, intarsia: Command, tmp_path: Path
) -> None:
    np.save(tmp_path / "wrong.npy", np.zeros((2, 1, 4, 4), np.float32))
    np.save(tmp_path / "right.npy", np.zeros((2, 1, 8, 8), np.float32))
    np.save(tmp_path / "nan.npy", np.full((2, 1, 8, 8), np.nan, np.float32))
    (tmp_path / "text.npy").write_text("no array")
    typed, words = WRONG[case]
    outcome = intarsia(f"generate {typed} --out run")
    assert outcome.code == (1 if case == "noise that is none" else 2), outcome.err
    lines = outcome.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("intarsia: "), outcome.err
    assert "unexpected" not in lines[0]
    assert not [word for word in words if word not in lines[0]], lines[0]
    assert not (tmp_path / "run").exists()
