"""Schedules and the reverse loop: the released code's numbers, and diffusers'."""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.errors import UsageError
from intarsia.models import scales
from intarsia.models.reverse import ddim_step
from intarsia.models.schedule import Cosine, Linear, Stop
from tests.reference import score as reference


def test_cosine_stops_are_those_of_the_released_code() -> None:
    stops = Cosine().stops(20)
    assert [stop.index for stop in stops] == list(range(19, 0, -1))
    for stop in stops:
        assert stop.t == stop.index / 20
        assert stop.alpha_bar == pytest.approx(reference.cosine_alpha_bar(stop.index / 20))
        assert stop.alpha_bar_next == pytest.approx(
            reference.cosine_alpha_bar((stop.index - 1) / 20)
        )
        assert not stop.clips
    assert stops[-1].alpha_bar_next == 1


def test_linear_stops_are_those_of_diffusers_at_its_defaults() -> None:
    stops = Linear().stops(10)
    assert [stop.t for stop in stops] == [900, 800, 700, 600, 500, 400, 300, 200, 100, 0]
    assert [stop.clips for stop in stops] == [True] * 9 + [False]
    assert stops[-1].alpha_bar == pytest.approx(1 - 1e-4)
    assert stops[-1].alpha_bar_next == 1
    assert Linear().alpha_bar(999) == pytest.approx(4.0358e-5, rel=1e-3)


@pytest.mark.parametrize("index", [19, 10, 1])
def test_a_step_is_the_stated_formula(index: int) -> None:
    rng = np.random.default_rng(0)
    x, clean = rng.standard_normal((2, 1, 3, 4, 4)).astype(np.float32)
    stop = Cosine().stops(20)[19 - index]
    slow = reference.ddim_step(x.astype(float), clean.astype(float), stop.alpha_bar,
                               stop.alpha_bar_next)  # fmt: skip
    np.testing.assert_allclose(ddim_step(x, clean, stop), slow, atol=1e-5)


def test_clipping_moves_the_estimate_but_not_the_noise() -> None:
    x, clean = np.full((2, 1, 1, 1, 1), 2.0, np.float32)
    stop = Stop(1, 100, 0.25, 0.64, clips=True)
    eps = (2 - 0.5 * 2) / np.sqrt(0.75)
    assert ddim_step(x, clean, stop)[0, 0, 0, 0] == pytest.approx(0.8 * 1 + 0.6 * eps)


def test_published_scales_have_one_odd_side_a_step() -> None:
    for name, sides in scales.published().items():
        assert scales.named_scales(name.lower(), 20) == sides
        assert len(sides) == 20 and all(side % 2 for side in sides)
    assert scales.published()["CIFAR10_ResNet_zeros_conditional"][-3:] == (17, 17, 17)


def test_scales_that_are_none_are_refused() -> None:
    for wrong in ("a,b", "3,,5", "", "3.5", []):
        with pytest.raises(UsageError, match="--scales is"):
            scales.parse(wrong)
    assert scales.parse("3, 5") == (3, 5)
    assert scales.parse(7) == (7,)


def test_steps_that_no_schedule_takes_are_refused() -> None:
    with pytest.raises(UsageError, match="--steps is 1"):
        Cosine().stops(1)
    with pytest.raises(UsageError, match="--steps is 1001"):
        Linear().stops(1001)
