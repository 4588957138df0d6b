"""Paper C's machines: the laws of their theorems, and whole runs against the equations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.corpus import Corpus
from intarsia.dictionary import Pictures, SameBorder, SamePlace
from intarsia.errors import UsageError
from intarsia.models.machines import MACHINES
from tests.pictures import colour_patches, digits
from tests.reference import score as reference

SIDES = [1, 3, 3, 3, 5, 5]


def small(channels: int, count: int = 6) -> Corpus:
    """Real pictures of 6x6 in two classes."""
    images = digits().images if channels == 1 else colour_patches()
    labels = np.arange(count) % 2
    return Corpus.from_arrays(np.array(images[:count, 1:7, 1:7]), labels, ["even", "odd"])


def made(name: str, corpus: Corpus, **given: object):
    options = {"steps": len(SIDES), "scales": SIDES} | given
    return MACHINES[name](corpus, **options)


def slow_estimate(name: str, unit: np.ndarray):
    """The reference's clean estimate of a machine, as a function of (x, alpha_bar, side)."""
    size = unit.shape[2:]
    whole = {
        "is": lambda x, ab, _: reference.ideal(unit, x, ab),
        "es": lambda x, ab, _: reference.equivariant(unit, x, ab, reference.translations(*size)),
    }
    if name in whole:
        return whole[name]
    local = {
        "ls": reference.local_belief,
        "els": lambda *a: reference.equivariant_local_belief(*a, "wrapped"),
        "els interior": lambda *a: reference.equivariant_local_belief(*a, "interior"),
        "bbels": reference.boundary_broken_belief,
    }[name]
    return lambda x, ab, side: reference.every_pixel(
        lambda place: local(unit, x, ab, side, place), x
    )[0]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("label", [None, 1])
@pytest.mark.parametrize("name", ["is", "es", "ls", "els", "els interior", "bbels"])
def test_a_run_follows_the_equations_step_by_step(
    name: str, label: int | None, channels: int
) -> None:
    corpus = small(channels)
    kind, _, dictionary = name.partition(" ")
    machine = made(kind, corpus, label=label, dictionary=dictionary or None)
    chosen = corpus.images if label is None else corpus.images[corpus.labels == label]
    estimate = slow_estimate(name, reference.unit(chosen))
    x = machine.starting_noise(1, 5, None)
    for step in machine.reverse(x):
        slow = estimate(step.x[0].astype(np.float64), step.stop.alpha_bar, SIDES[step.stop.index])
        assert np.abs(step.estimate.clean[0] - slow).max() < 1e-4
        expected = reference.score(slow, step.x[0].astype(np.float64), step.stop.alpha_bar)
        tolerance = 1e-4 / (1 - step.stop.alpha_bar)
        np.testing.assert_allclose(step.estimate.score[0], expected, atol=tolerance)
    whole = reference.reverse(estimate, x[0].astype(np.float64), SIDES)
    assert np.abs(step.after[0] - whole).max() < 2e-3
    sources = machine.sample(1, 5).sources
    assert label is None or (sources.label == label).all()


def test_the_ideal_machine_ends_on_a_training_picture() -> None:
    samples = MACHINES["is"](digits(), steps=20).sample(4, seed=1)
    for k in range(4):
        source = samples.sources.image[k, 0, 0]
        assert np.abs(samples.images[k].astype(int) - digits().images[source]).max() <= 1
        assert (samples.sources.image[k] == source).all()
    assert samples.sources.weight.min() > 0.999


def test_the_equivariant_machine_ends_on_a_moved_training_picture() -> None:
    corpus = small(3)
    samples = MACHINES["es"](corpus, steps=60).sample(3, seed=2)
    sources = samples.sources
    named = corpus[sources.image, sources.row, sources.col]
    assert np.abs(samples.images.astype(int) - named).max() <= 2
    assert (sources.transform > 0).any()


@pytest.mark.parametrize("name", ["ls", "els", "bbels"])
def test_local_machines_end_in_locally_consistent_points(name: str) -> None:
    """Theorem 3: as t goes to 0 each pixel is the centre of the nearest patch."""
    corpus = small(1)
    machine = MACHINES[name](corpus, steps=200, scales=3)
    samples = machine.sample(2, seed=3)
    again = machine.estimate(samples.extra["raw"], 0.001).belief
    named = corpus[again.image, again.row, again.col]
    assert np.mean(np.abs(samples.images.astype(int) - named).max(axis=3) <= 2) > 0.9


SHIFT = (2, 3)


@pytest.mark.parametrize(
    ("name", "equivariant"),
    [("is", False), ("es", True), ("ls", False), ("els", True), ("bbels", False)],
)
def test_a_machine_commutes_with_shifts_exactly_when_it_should(
    name: str, equivariant: bool
) -> None:
    machine = made(name, small(1))
    x = machine.starting_noise(1, 0, None)
    moved = np.roll(x, SHIFT, (2, 3))
    same = np.abs(machine.score(moved, 0.4) - np.roll(machine.score(x, 0.4), SHIFT, (2, 3))).max()
    assert (same < 1e-3) == equivariant


@pytest.mark.parametrize("group", ["flips", "turns", "flips+turns"])
def test_an_orbit_under_a_group_commutes_with_it(group: str) -> None:
    machine = made("es", small(1), group=group)
    x = machine.starting_noise(1, 0, None)
    element = machine.orbit.group
    last = len(element) - 1
    left = machine.score(element.apply(last, x), 0.3)
    right = element.apply(last, machine.score(x, 0.3))
    np.testing.assert_allclose(left, right, atol=1e-3)


@pytest.mark.parametrize("side", [7, 9, 11])
def test_boundary_broken_with_a_window_over_the_picture_is_local(side: int) -> None:
    x = made("ls", small(3)).starting_noise(2, 0, None)
    left = made("bbels", small(3), scales=side).clean(x, 0.5)
    right = made("ls", small(3), scales=side).clean(x, 0.5)
    assert left.tobytes() == right.tobytes()


@given(height=st.integers(1, 9), width=st.integers(1, 9), half=st.integers(0, 4))
@settings(max_examples=60)
def test_border_classes_hold_each_pixel_once_and_lose_the_same(
    height: int, width: int, half: int
) -> None:
    side = 2 * half + 1
    if side > 2 * max(height, width) - 1:
        return
    sharing = SameBorder().sharing((height, width), side)
    seen = sharing.alone.astype(int)
    for group in sharing.groups:
        seen[np.ix_(group.rows, group.cols)] += 1
        for row in group.rows:
            for col in group.cols:
                lost = reference.lost_to_border((row, col), side, (height, width))
                reach = group.above, group.below, group.left, group.right
                assert reach == tuple(half - part for part in lost)
    assert (seen == 1).all()


def test_score_noise_and_clean_say_the_same() -> None:
    machine = made("bbels", small(3))
    x, t = machine.starting_noise(2, 0, None), 0.5
    estimate, level = machine.estimate(x, t), machine.schedule.alpha_bar(t)
    rebuilt = np.sqrt(level) * estimate.clean + np.sqrt(1 - level) * estimate.noise
    np.testing.assert_allclose(rebuilt, x, atol=1e-5)
    np.testing.assert_allclose(estimate.score * -np.sqrt(1 - level), estimate.noise, atol=1e-5)


def test_labels_a_canvas_are_the_conditional_machines() -> None:
    x = made("els", small(1)).starting_noise(2, 0, None)
    mixed = made("els", small(1)).estimate(x, 0.5, labels=[1, 0])
    for b, label in enumerate([1, 0]):
        alone = made("els", small(1), label=label).estimate(x[b : b + 1], 0.5)
        assert mixed.clean[b].tobytes() == alone.clean[0].tobytes()
        np.testing.assert_array_equal(mixed.belief.image[b], alone.belief.image[0])


@pytest.mark.parametrize("name", MACHINES)
def test_batches_and_threads_never_change_a_sample(name: str) -> None:
    corpus = small(1)
    options = {"steps": 5, "scales": 3}
    whole = MACHINES[name](corpus, threads=2, **options).sample(5, seed=7)
    parts = MACHINES[name](corpus, threads=1, **options).sample(5, seed=7, batch=2)
    assert whole.extra["raw"].tobytes() == parts.extra["raw"].tobytes()
    for field, value in whole.sources.arrays().items():
        assert value.tobytes() == getattr(parts.sources, field).tobytes(), field


def test_it_works_where_a_diffusers_model_is_expected() -> None:
    import torch

    machine = MACHINES["bbels"](small(3), schedule="linear", steps=10, scales=3)
    x = machine.starting_noise(2, 0, None)
    predicted = machine(torch.from_numpy(x), torch.tensor(500)).sample
    np.testing.assert_array_equal(predicted.numpy(), machine.noise(x, 500))


WRONG = {
    "even side": ({"scales": [4] * 6}, "has 4.*odd"),
    "side 0": ({"scales": 0}, "has 0.*odd"),
    "larger than any window": ({"scales": 13}, "13, too large.*at most 11"),
    "too few sides": ({"scales": [3, 3]}, "2 entries, but --steps is 6"),
    "no such label": ({"label": 9}, "--label is 9.*0, 1"),
    "no such schedule": ({"schedule": "sine"}, "--schedule is 'sine'"),
    "no such preset": ({"scales": None, "scales_from": "mnist"}, "--scales-from is 'mnist'"),
    "preset of other steps": (
        {"scales": None, "scales_from": "MNIST_ResNet_zeros"},
        "20 sides.*--steps is 6",
    ),
    "an option of another model": ({"window": 9}, "no option --window"),
    "another device": ({"device": "cuda"}, "--device cpu"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_are_refused(case: str) -> None:
    given, words = WRONG[case]
    with pytest.raises(UsageError, match=words):
        made("bbels", small(1), **given)


def test_a_wrapped_window_is_no_larger_than_the_picture() -> None:
    with pytest.raises(UsageError, match="too large for pictures of 6x6.*at most 5"):
        made("els", small(1), scales=7)


def test_noise_of_another_shape_or_not_finite_is_refused() -> None:
    machine = made("ls", small(1))
    with pytest.raises(UsageError, match=r"shape \[2, 1, 6, 5\]"):
        machine.sample(2, noise=np.zeros((2, 1, 6, 5), np.float32))
    with pytest.raises(UsageError, match="not finite"):
        machine.sample(1, noise=np.full((1, 1, 6, 6), np.nan, np.float32))


def test_pictures_with_holes_are_refused() -> None:
    valid = np.ones((3, 6, 6), bool)
    valid[0, 0, 0] = False
    corpus = Corpus.from_arrays(np.array(small(1).images[:3]), valid=valid)
    with pytest.raises(UsageError, match="holes"):
        made("ls", corpus)


def test_same_place_looks_at_one_place_a_picture() -> None:
    sharing = SamePlace().sharing((4, 4), 3)
    assert sharing.alone.all() and not sharing.groups
    assert len(Pictures.of(small(1), 1)) == 3
