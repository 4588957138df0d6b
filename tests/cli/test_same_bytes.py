"""The bytes of a run do not depend on how it is computed (law 3), through the real command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import arrays, assert_pixel_law, assert_same_run, assert_tidy
from tests.cli.conftest import Command

pytestmark = pytest.mark.usefixtures("intarsia_data")


def test_same_bytes_for_any_batch_and_any_number_of_threads(
    intarsia: Command, tmp_path: Path
) -> None:
    from intarsia import Corpus

    run = "generate nps --data cifar10 --limit 1000 --n 8"
    ways = ("--batch 1 --threads 2", "--batch 7 --threads 1", "--batch 32 --threads 2")
    for at, way in enumerate(ways):
        outcome = intarsia(run, way, f"--out run{at}")
        assert outcome.code == 0, outcome.err
        assert_tidy(tmp_path / f"run{at}")
    assert_same_run(tmp_path / "run0", tmp_path / "run1")
    assert_same_run(tmp_path / "run0", tmp_path / "run2")
    assert_pixel_law(tmp_path / "run0", Corpus.open("cifar10", limit=1000).planes)
    assert (arrays(tmp_path / "run0" / "sources.npz")["image"] >= 0).all()


def test_how_a_run_is_computed_is_not_part_of_what_it_is(intarsia: Command, tmp_path: Path) -> None:
    run = "generate nps --data mnist --limit 300 --principles NS+L --n 3"
    assert intarsia(run, "--batch 1 --threads 1 --out one").code == 0
    assert intarsia(run, "--batch 3 --movie --keep-pools --out two").code == 0
    assert_same_run(tmp_path / "one", tmp_path / "two")
    one, two = ((tmp_path / name / "config.yaml").read_bytes() for name in ("one", "two"))
    assert one == two


def test_another_seed_gives_other_pictures_from_other_pictures(
    intarsia: Command, tmp_path: Path
) -> None:
    run = "generate nps --data mnist --limit 300 --principles NS+L --n 3"
    for seed in (0, 1):
        assert intarsia(run, f"--seed {seed} --out run{seed}").code == 0
    first, second = (arrays(tmp_path / f"run{seed}" / "samples.npz")["images"] for seed in (0, 1))
    assert not np.array_equal(first, second)
    cut = []
    for seed in (0, 1):
        sources = arrays(tmp_path / f"run{seed}" / "sources.npz")
        cut.append(sources["image"][sources["step"] == -1])
    assert not np.array_equal(*cut), "seeds are cut from pictures that --seed decides"
