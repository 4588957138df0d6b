"""Runs are shared, reused, and taken up again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intarsia.reproduce import Scale, draw
from intarsia.reproduce.runs import Runs
from intarsia.reproduce.telling import Teller


class Listener(Teller):
    """Hears what is drawn; stops the first run in the middle if it is told to."""

    def __init__(self, stop: bool = False) -> None:
        self.heard: list[str] = []
        self.stop = stop

    def say(self, words: str) -> None:
        self.heard.append(words)

    def drawing(self, what: str):  # type: ignore[no-untyped-def]
        from contextlib import nullcontext

        def step(state) -> None:  # type: ignore[no-untyped-def]
            if self.stop and state.done > state.pixels / 2:
                raise KeyboardInterrupt

        return nullcontext(step)


def runs(folder: Path, stop: bool = False) -> Runs:
    return Runs(folder, Scale("smoke"), teller=Listener(stop))


def names(folder: Path) -> list[str]:
    return sorted(path.name.split("-n")[-1] for path in folder.iterdir())


def test_a_larger_run_serves_fewer_samples(tmp_path: Path) -> None:
    many = runs(tmp_path).samples(draw("mnist", 5))
    few = runs(tmp_path).samples(draw("mnist", 3))
    assert names(tmp_path) == ["5"] and len(few) == 3
    np.testing.assert_array_equal(few.images, many.images[:3])


def test_samples_do_not_depend_on_how_many_were_drawn(tmp_path: Path) -> None:
    few = runs(tmp_path / "few").samples(draw("mnist", 3))
    many = runs(tmp_path / "many").samples(draw("mnist", 5))
    np.testing.assert_array_equal(few.images, many.images[:3])
    np.testing.assert_array_equal(few.sources.image, many.sources.image[:3])


def test_the_largest_run_that_is_planned_is_drawn_first(tmp_path: Path) -> None:
    book = runs(tmp_path)
    book.plan([draw("mnist", 2), draw("mnist", 4), draw("mnist", 6, seed=1)])
    assert len(book.samples(draw("mnist", 2))) == 2
    assert names(tmp_path) == ["4"]


def test_settings_that_resolve_alike_share_a_run(tmp_path: Path) -> None:
    book = runs(tmp_path)
    book.samples(draw("mnist", 2))
    window = book.resolved(draw("mnist", 2))["window"]
    book.samples(draw("mnist", 2, window=window))
    assert len(list(tmp_path.iterdir())) == 1
    book.samples(draw("mnist", 2, window=window - 2))
    book.samples(draw("mnist", 2, seed=1))
    book.samples(draw("mnist", 2, limit=1000))
    assert len(list(tmp_path.iterdir())) == 4


def test_an_interrupted_run_goes_on_to_the_same_samples(tmp_path: Path) -> None:
    whole = runs(tmp_path / "whole").samples(draw("mnist", 4))
    with pytest.raises(KeyboardInterrupt):
        runs(tmp_path / "cut", stop=True).samples(draw("mnist", 4))
    (path,) = (tmp_path / "cut").iterdir()
    assert (path / "partial").exists()
    resumed = runs(tmp_path / "cut").samples(draw("mnist", 4))
    assert not (path / "partial").exists()
    np.testing.assert_array_equal(resumed.images, whole.images)
    np.testing.assert_array_equal(resumed.sources.image, whole.sources.image)
