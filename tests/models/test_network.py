"""A trained network in the place of a machine: steps, batches, comparison and calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from intarsia import Corpus
from intarsia.errors import UsageError
from intarsia.measure.correlation import correlation
from intarsia.models.calibration import Calibration, calibrate, cosine
from intarsia.models.comparison import compare, labels_in_turn
from intarsia.models.machines import MACHINES
from intarsia.models.network import TrainedNetwork
from intarsia.models.schedule import Cosine, Linear
from intarsia.models.sensitivity import HeatMap, heat_maps
from intarsia.networks.train import train_denoiser
from intarsia.networks.training import Recipe

RECIPE = Recipe(epochs=3, batch=16, rate=2e-3, decay=0.0, warm_up=0.0, schedule="halving")
CORPUS = Corpus.open("digits", limit=48)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small networks, one of them class-conditional."""
    out = tmp_path_factory.mktemp("networks")
    for name, conditional in (("plain", False), ("conditional", True)):
        train_denoiser(
            "resnet", CORPUS, out / name, opened={"data": "digits", "limit": 48}, widths=(8,),
            conditional=conditional, recipe=RECIPE,
        )  # fmt: skip
    return out


def test_networks_take_the_steps_of_the_released_code(folder: Path) -> None:
    """i = T, ..., 1 with x <- x sqrt(ab'/ab) + (sqrt(1-ab') - sqrt(ab'/ab) sqrt(1-ab)) eps."""
    network = TrainedNetwork(CORPUS, network=folder / "plain", steps=6)
    assert [stop.index for stop in network.stops] == [6, 5, 4, 3, 2, 1]
    x = network.starting_noise(2, 0, None)
    drawn = network.sample(2, 0).extra["raw"]
    inner = network.saved.network.double()
    y = torch.from_numpy(x).double()
    for i in range(6, 0, -1):
        now, after = (Cosine().alpha_bar(j / 6) for j in (i, i - 1))
        with torch.inference_mode():
            eps = inner(y, torch.full((2,), i / 6, dtype=torch.float64))
        ratio = (after / now) ** 0.5
        y = y * ratio + ((1 - after) ** 0.5 - ratio * (1 - now) ** 0.5) * eps
    inner.float()
    np.testing.assert_allclose(drawn, y.numpy(), atol=2e-3)


def test_a_sample_does_not_depend_on_its_company(folder: Path) -> None:
    network = TrainedNetwork(CORPUS, network=folder / "plain", steps=4)
    together = network.sample(20, 3).extra["raw"]
    alone = network.sample(20, 3, batch=3).extra["raw"]
    assert together.tobytes() == alone.tobytes()


def test_a_label_changes_the_drawing_of_a_conditional_network_alone(folder: Path) -> None:
    network = TrainedNetwork(CORPUS, network=folder / "conditional", steps=4)
    zero, nine = (network.sample(2, 0, labels=[k, k]).extra["raw"] for k in (0, 9))
    assert (zero != nine).any(axis=(1, 2, 3)).all()
    fixed = TrainedNetwork(CORPUS, network=folder / "conditional", steps=4, label=9)
    np.testing.assert_array_equal(fixed.sample(2, 0).extra["raw"], nine)
    with pytest.raises(UsageError, match="give --label, from 0 to 9"):
        network.sample(2, 0)
    with pytest.raises(UsageError, match="--label is 10"):
        TrainedNetwork(CORPUS, network=folder / "conditional", label=10)
    with pytest.raises(UsageError, match="not class-conditional"):
        TrainedNetwork(CORPUS, network=folder / "plain", label=1)


def test_pictures_of_another_size_are_refused(folder: Path) -> None:
    large = Corpus.open("digits", limit=10, resize=12)
    with pytest.raises(UsageError, match=r"\[1, 8, 8\].*\[1, 12, 12\].*--resize 8"):
        TrainedNetwork(large, network=folder / "plain")


@pytest.mark.parametrize("schedule", [Cosine(), Linear()])
def test_a_network_is_told_the_cosine_time_of_any_noise_level(schedule: Cosine | Linear) -> None:
    for stop in schedule.stops(10):
        assert Cosine().alpha_bar(Cosine().time_of(stop.alpha_bar)) == pytest.approx(stop.alpha_bar)


def test_all_draw_from_the_same_noise_and_are_compared_by_sample(folder: Path) -> None:
    network = TrainedNetwork(CORPUS, network=folder / "plain", steps=4)
    machines = [MACHINES[name](CORPUS, steps=4, scales="3") for name in ("bbels", "is")]
    found = compare(network, machines, 3, 5)
    np.testing.assert_array_equal(found.noise, network.starting_noise(3, 5, None))
    for one in (network, *machines):
        alone = one.sample(3, noise=found.noise).extra["raw"]
        np.testing.assert_array_equal(found.outputs[one.name], alone)
    ours = correlation(found.outputs["bbels"], found.outputs["network"])
    np.testing.assert_array_equal(found.agreements["bbels"].pearson_r, ours.pearson_r)
    ideal = correlation(found.outputs["is"], found.outputs["network"]).pearson_r
    assert found.machine == "bbels"
    assert found.share_won == np.mean(ours.pearson_r > ideal)
    with pytest.raises(UsageError, match="--steps"):
        compare(network, [MACHINES["is"](CORPUS, steps=5)], 1, 0)


def test_a_conditional_network_is_compared_class_by_class(folder: Path) -> None:
    network = TrainedNetwork(CORPUS, network=folder / "conditional", steps=3)
    found = compare(network, [MACHINES["is"](CORPUS, steps=3)], 3, 0)
    assert found.labels == [0, 1, 2]
    assert CORPUS.labels is not None
    for label, raw in zip(found.labels, found.outputs["is"], strict=True):
        alone = MACHINES["is"](CORPUS, steps=3, label=label)
        at = found.labels.index(label)
        np.testing.assert_allclose(alone.sample(1, noise=found.noise[at : at + 1]).extra["raw"][0],
                                   raw, atol=1e-6)  # fmt: skip
    assert labels_in_turn(network, CORPUS, 12)[10:] == [0, 1]  # type: ignore[index]


class Bbels(TrainedNetwork):
    """A "network" whose noise is that of bbELS with known sides: calibration must find them."""

    def estimate(self, x, t, labels=None):  # type: ignore[no-untyped-def]
        if t.index == self.settings.steps:
            return super().estimate(x, t, labels)
        return MACHINES["bbels"](CORPUS, steps=5, scales=(3, 3, 5, 7, 5)).estimate(x, t)


def test_calibration_finds_the_sides_of_a_network_that_has_them(folder: Path) -> None:
    network = Bbels(CORPUS, network=folder / "plain", steps=5)
    machines = {side: MACHINES["bbels"](CORPUS, steps=5, scales=(side,) * 5) for side in (7, 5, 3)}
    found = calibrate(network, machines, 4, 0)
    assert found.sides == (3, 5, 7) and found.similarity.shape == (4, 4, 3)
    assert found.scales == (3, 3, 5, 7, 5)
    np.testing.assert_allclose(found.similarity.max(axis=2), 1, atol=1e-6)


def test_the_median_of_an_even_number_of_votes_is_a_side_that_was_tried() -> None:
    similarity = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.1, 0.2], [0.3, 0.4]]])
    found = Calibration((3, 7), similarity)
    assert found.votes.tolist() == [[3, 7], [7, 7]]
    assert found.scales == (3, 3, 7)


def test_cosine_is_of_angles_not_of_lengths() -> None:
    one = np.random.default_rng(0).standard_normal((2, 1, 4, 4)).astype(np.float32)
    np.testing.assert_allclose(cosine(one, 3 * one), 1)
    np.testing.assert_allclose(cosine(one, one + 1) < 1, True)


def test_heat_maps_end_at_the_field_of_the_network(tmp_path: Path) -> None:
    corpus = Corpus.open("digits", limit=32, resize=24)
    opened = {"data": "digits", "limit": 32, "resize": 24}
    recipe = Recipe(epochs=1, batch=16, decay=0.0)
    train_denoiser("resnet", corpus, tmp_path, opened=opened, widths=(6,), recipe=recipe)
    network = TrainedNetwork(corpus, network=tmp_path, steps=3)
    maps = list(heat_maps(network, 2, 0))
    assert [one.stop.index for one in maps] == [3, 2, 1]
    for one in maps:
        seen = one.gradient > 0
        seen[12, 12] = True  # left out
        assert seen.sum() == 17 * 17 and seen[4:21, 4:21].all()
        assert one.reach(1) == 17 and one.reach(0.5) <= 17


def test_gradients_are_slopes(folder: Path) -> None:
    network = TrainedNetwork(CORPUS, network=folder / "plain", steps=3)
    x = network.starting_noise(1, 0, None)
    (first, *_) = heat_maps(network, 1, 0)
    for row, col in ((4, 5), (2, 3), (7, 0)):
        up, down = x.copy(), x.copy()
        up[0, 0, row, col] += 0.01
        down[0, 0, row, col] -= 0.01
        slope = network.estimate(up, first.stop).noise - network.estimate(down, first.stop).noise
        measured = abs(float(slope[0, 0, 4, 4])) / 0.02
        assert first.gradient[row, col] == pytest.approx(measured, rel=0.05, abs=1e-4)


def test_reach_is_the_smallest_square_with_the_share() -> None:
    gradient = np.zeros((9, 9))
    gradient[3:6, 3:6] = 1
    gradient[4, 4] = 0
    gradient[0, 0] = 2
    one = HeatMap(Cosine().stops(2)[0], gradient)
    assert (one.reach(0.8), one.reach(0.81), one.reach(1)) == (3, 9, 9)
