"""``compare``, ``calibrate`` and ``generate network`` with a UNet2DModel of diffusers."""

from __future__ import annotations

from pathlib import Path

import pytest

from intarsia import Samples
from tests.cli.command import assert_same_run
from tests.cli.conftest import Command

diffusers = pytest.importorskip("diffusers")

DATA = "--data digits --limit 30"


@pytest.fixture
def unet(tmp_path: Path) -> Path:
    """An untrained model in the working folder: ``unet``."""
    diffusers.UNet2DModel(
        sample_size=8, in_channels=1, out_channels=1, block_out_channels=(8, 8),
        down_block_types=("DownBlock2D", "DownBlock2D"), layers_per_block=1,
        up_block_types=("UpBlock2D", "UpBlock2D"), norm_num_groups=4,
    ).save_pretrained(tmp_path / "unet")  # fmt: skip
    return tmp_path / "unet"


def test_it_is_calibrated_and_compared(unet: Path, intarsia: Command) -> None:
    sides = intarsia(f"calibrate --network unet {DATA} --sides 3,5 --n 2 --steps 4 --json")
    assert sides.code == 0, sides.err
    outcome = intarsia(
        f"compare --network unet {DATA} --n 2 --steps 4 --scales-from unet/scales.json --json",
        "--out cmp",
    )
    assert outcome.code == 0, outcome.err
    assert outcome.report["scales"] == sides.report["scales"]
    assert set(outcome.report["agreement"]) == {"bbels", "is"}


def test_a_run_is_repeated(unet: Path, intarsia: Command, tmp_path: Path) -> None:
    outcome = intarsia(f"generate network --network unet {DATA} --n 2 --steps 4 --out run")
    assert outcome.code == 0, outcome.err
    assert Samples.load(tmp_path / "run").sources.evidence == "none"
    assert intarsia("generate --config run --out again").code == 0
    assert_same_run(tmp_path / "run", tmp_path / "again")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("compare --network unet", ["does not say which pictures", "--data"]),
        (f"compare --network unet {DATA} --resize 16", ["[1, 8, 8]", "--resize 8"]),
        (f"compare --network unet {DATA} --label 1", ["not class-conditional"]),
        (f"compare --network nobody/nothing {DATA}", ["nobody/nothing", "huggingface.co"]),
        (f"calibrate --network nobody/nothing {DATA}", ["--out"]),
    ],
)
def test_wrong_use_is_named_and_nothing_is_written(
    command: str,
    words: list[str],
    unet: Path,
    intarsia: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    before = sorted(tmp_path.rglob("*"))
    outcome = intarsia(command)
    assert outcome.code == 2, outcome.err
    assert not [word for word in words if word not in outcome.err], outcome.err
    assert sorted(tmp_path.rglob("*")) == before
