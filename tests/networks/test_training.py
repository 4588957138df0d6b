"""The training harness: resumed trainings end as whole ones; checkpoints are not mistaken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from intarsia.corpus import Corpus
from intarsia.errors import DataError, IntarsiaError, UsageError
from intarsia.networks.training import Recipe, train

RECIPE = Recipe(epochs=3, batch=64, rate=1e-2, precision="float32")


class Digits:
    """Tell digits apart by one layer with batch norm, which has a state of its own."""

    def __init__(self, note: str = "one") -> None:
        corpus = Corpus.open("digits", limit=640)
        assert corpus.images is not None and corpus.labels is not None
        self.x = torch.from_numpy(corpus.images.reshape(640, -1).astype("float32")) / 255
        self.y = torch.from_numpy(corpus.labels.astype("int64"))
        torch.manual_seed(0)
        self.network: nn.Module = nn.Sequential(nn.BatchNorm1d(64), nn.Linear(64, 10))
        self.note = note

    def describe(self) -> dict[str, Any]:
        return {"note": self.note}

    def batch_count(self, size: int) -> int:
        return len(self.x) // size

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        order = torch.randperm(len(self.x), generator=generator)
        for at in range(self.batch_count(size)):
            yield order[at * size : (at + 1) * size]

    def loss(self, batch: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self.network(self.x[batch]), self.y[batch])

    def figures(self) -> dict[str, float]:
        return {"accuracy": float((self.network(self.x).argmax(1) == self.y).float().mean())}


def weights(task: Digits) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in task.network.state_dict().items()}


@pytest.mark.parametrize("stop_at", [1, 10, 15, 29])
def test_resumed_training_ends_with_the_same_weights(tmp_path: Path, stop_at: int) -> None:
    whole, broken, again = Digits(), Digits(), Digits()
    history = train(whole, RECIPE, tmp_path / "whole")

    def stop(state: Any) -> None:
        if state.done == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(broken, RECIPE, tmp_path / "broken", progress=stop)
    resumed = train(again, RECIPE, tmp_path / "broken", resume=True)
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(again)[name]), name
    assert [row["loss"] for row in resumed.rows] == [row["loss"] for row in history.rows]


def test_training_learns_and_draws_its_curves(tmp_path: Path) -> None:
    rows = train(Digits(), RECIPE, tmp_path).rows
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert rows[-1]["accuracy"] > 0.8
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_finished_training_is_read_back(tmp_path: Path) -> None:
    first, second = Digits(), Digits()
    train(first, RECIPE, tmp_path)
    steps: list[Any] = []
    train(second, RECIPE, tmp_path, resume=True, progress=steps.append)
    assert not steps
    assert all(torch.equal(v, weights(second)[k]) for k, v in weights(first).items())


def test_folder_of_a_training_is_not_used_again_unasked(tmp_path: Path) -> None:
    train(Digits(), RECIPE, tmp_path)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with pytest.raises(UsageError, match="--resume"):
        train(Digits(), RECIPE, tmp_path)
    with pytest.raises(UsageError, match="rate"):
        train(Digits(), replace(RECIPE, rate=1e-3), tmp_path, resume=True)
    with pytest.raises(UsageError, match="note"):
        train(Digits("other"), RECIPE, tmp_path, resume=True)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "zeros", "text"])
def test_damaged_checkpoint_is_named(tmp_path: Path, damage: str) -> None:
    train(Digits(), RECIPE, tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    whole = path.read_bytes()
    path.write_bytes(
        {"cut": whole[: len(whole) // 2], "zeros": bytes(len(whole)), "text": b"no"}[damage]
    )
    with pytest.raises(DataError, match=r"checkpoint\.safetensors"):
        train(Digits(), RECIPE, tmp_path, resume=True)


def test_loss_that_is_no_number_stops_the_training(tmp_path: Path) -> None:
    class Broken(Digits):
        def loss(self, batch: Tensor) -> Tensor:
            return super().loss(batch) * float("nan")

    with pytest.raises(IntarsiaError, match="no longer a number, in epoch 1 at step 1"):
        train(Broken(), RECIPE, tmp_path)
    assert not (tmp_path / "checkpoint.safetensors").exists()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"epochs": 0}, "--epochs"),
        ({"batch": 1}, "--batch"),
        ({"batch": 10_000}, "--batch"),
        ({"rate": 0.0}, "--rate"),
        ({"precision": "half"}, "--precision"),
        ({"schedule": "steps"}, "schedule"),
    ],
)
def test_recipes_that_cannot_be_are_refused(
    tmp_path: Path, change: dict[str, Any], word: str
) -> None:
    with pytest.raises(UsageError, match=word):
        train(Digits(), replace(RECIPE, **change), tmp_path)


def test_rate_rises_then_falls_to_nothing_or_halves() -> None:
    cosine = Recipe(epochs=10, rate=1.0, warm_up=0.1)
    rates = [cosine.rate_at(step, 100, 10) for step in range(100)]
    assert rates[9] == pytest.approx(1) and max(rates) == pytest.approx(1)
    assert rates[:10] == sorted(rates[:10]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 1e-3
    halving = Recipe(epochs=10, rate=1.0, warm_up=0.0, schedule="halving", halve_every=5)
    assert halving.rate_at(50, 100, 10) == pytest.approx(0.5)
