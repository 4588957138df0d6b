"""The posterior reduction equals the equations, and depends on nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intarsia.dictionary import Everywhere, Pictures, SameBorder, SamePlace, SharingStage
from intarsia.dictionary.orbit import (
    Group,
    Permutations,
    Unitary,
    flips,
    product,
    translations,
    trivial,
)
from intarsia.reduce import products
from intarsia.reduce.posterior import Belief, orbit_posterior, posterior
from intarsia.reduce.posterior_state import Level, Posterior, merged
from tests.pictures import colour_patches, digits
from tests.reference import score as reference

SIZE = (6, 7)
TIMES = (0.95, 0.3, 0.05)


def corpus(channels: int, count: int = 5) -> np.ndarray:
    """Real pictures [N, 6, 7, C] with a repeated one and a blank one: ties and stabilisers."""
    if channels == 1:
        images = np.array(digits().images[:count, :6, :7])
    else:
        images = np.array(colour_patches()[:count, :6, :7])
    images[1], images[2] = images[0], 255
    return images


def pictures(images: np.ndarray) -> Pictures:
    pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return Pictures(pixels, np.arange(len(images)))


def noisy(images: np.ndarray, t: float, count: int = 1, seed: int = 0) -> np.ndarray:
    """Pictures between two training pictures, with the noise of a time: float32 [B, C, H, W]."""
    rng = np.random.default_rng(seed)
    unit = reference.unit(images)
    level = reference.cosine_alpha_bar(t)
    mixed = 0.5 * (unit[:count] + unit[-count:])
    x = np.sqrt(level) * mixed + np.sqrt(1 - level) * rng.standard_normal(mixed.shape)
    return x.astype(np.float32)


Local = Callable[[np.ndarray, np.ndarray, float, int, tuple[int, int]], reference.Belief]
MACHINES: dict[str, tuple[SharingStage, Local]] = {
    "same place": (SamePlace(), reference.local_belief),
    "same border": (SameBorder(), reference.boundary_broken_belief),
    "wrapped": (
        Everywhere(),
        lambda *a: reference.equivariant_local_belief(*a, dictionary="wrapped"),
    ),
    "interior": (
        Everywhere("interior"),
        lambda *a: reference.equivariant_local_belief(*a, dictionary="interior"),
    ),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("t", [*TIMES, 0.001])
@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("name", MACHINES)
def test_equals_the_equations_at_every_pixel(name: str, side: int, t: float, channels: int) -> None:
    stage, belief_at = MACHINES[name]
    images = corpus(channels)
    unit, level = reference.unit(images), reference.cosine_alpha_bar(t)
    x = noisy(images, t)
    fast = posterior(pictures(images), stage.sharing(SIZE, side), x, Level(level))
    canvas = x[0].astype(np.float64)
    clean, beliefs = reference.every_pixel(
        lambda place: belief_at(unit, canvas, level, side, place), canvas
    )
    assert np.abs(fast.clean[0] - clean).max() < 1e-4
    for row in range(SIZE[0]):
        for col in range(SIZE[1]):
            _check_source(fast, beliefs[row][col], row, col)
    _check_distances(fast, name, canvas, unit, level, side)


def _check_distances(
    fast: Belief, name: str, canvas: np.ndarray, unit: np.ndarray, level: float, side: int
) -> None:
    """The distance told is that between the window and the named patch, over what both show."""
    cut = reference.window_zeros if name.startswith("same") else reference.window_wrapped
    shown = np.ones((1, *SIZE))
    for row in range(SIZE[0]):
        for col in range(SIZE[1]):
            source = unit[fast.image[0, row, col]]
            place = fast.row[0, row, col], fast.col[0, row, col]
            off = cut(canvas, side, (row, col)) - np.sqrt(level) * cut(source, side, place)
            inside = cut(shown, side, (row, col)).sum() * len(canvas)
            expected = (off**2).sum() / inside / 4
            assert fast.distance[0, row, col] == pytest.approx(expected, rel=1e-3, abs=1e-5)


def _check_source(fast: Belief, slow: reference.Belief, row: int, col: int) -> None:
    """The source named weighs as much as the heaviest, and as much as it is said to."""
    source = fast.image[0, row, col], fast.row[0, row, col], fast.col[0, row, col]
    weight = slow.weights[slow.names.index(tuple(int(part) for part in source))]
    assert weight == pytest.approx(slow.weights.max(), abs=1e-3)
    assert fast.weight[0, row, col] == pytest.approx(weight, abs=1e-3)
    assert fast.candidates[0, row, col] == len(slow.weights)


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_whole_pictures_and_their_translations(t: float, channels: int) -> None:
    images = corpus(channels)
    unit, level = reference.unit(images), reference.cosine_alpha_bar(t)
    x = noisy(images, t)
    canvas = x[0].astype(np.float64)
    one = orbit_posterior(pictures(images), trivial(SIZE), x, Level(level))
    assert np.abs(one.clean[0] - reference.ideal(unit, canvas, level)).max() < 1e-4
    orbit = orbit_posterior(pictures(images), translations(SIZE), x, Level(level))
    slow = reference.equivariant(unit, canvas, level, reference.translations(*SIZE))
    assert np.abs(orbit.clean[0] - slow).max() < 1e-4


def test_an_orbit_counts_every_element_also_of_a_blank_picture() -> None:
    images = corpus(1)
    blank = np.zeros((1, 1, *SIZE), np.float32)
    level = Level(0.01)
    belief = orbit_posterior(pictures(images), translations(SIZE), blank, level)
    assert belief.candidates.min() == len(images) * SIZE[0] * SIZE[1]
    slow = reference.equivariant(
        reference.unit(images), blank[0].astype(float), 0.01, reference.translations(*SIZE)
    )
    assert np.abs(belief.clean[0] - slow).max() < 1e-4


def test_matrices_do_what_permutations_do() -> None:
    images = corpus(1)
    group = product([flips(SIZE), Permutations(translations(SIZE).moves[:3])])
    matrices = np.zeros((len(group), 42, 42), np.float32)
    for k, moves in enumerate(group.moves):
        matrices[k, np.arange(42), moves] = 1
    x, level = noisy(images, 0.5), Level(0.5)
    left = orbit_posterior(pictures(images), group, x, level)
    right = orbit_posterior(pictures(images), Unitary(matrices), x, level)
    np.testing.assert_allclose(left.clean, right.clean, atol=1e-5)


@pytest.mark.parametrize("group", [trivial(SIZE), translations(SIZE), flips(SIZE)])
def test_an_orbit_names_the_training_pixel_it_moved(group: Group) -> None:
    images = corpus(3)
    unit = reference.unit(images).astype(np.float32)
    moved = group.apply(len(group) - 1, unit[3:4])
    x = (np.sqrt(0.99) * moved).astype(np.float32)
    belief = orbit_posterior(pictures(images), group, x, Level(0.99))
    named = unit[belief.image[0], :, belief.row[0], belief.col[0]].transpose(2, 0, 1)
    np.testing.assert_array_equal(named, moved[0])


@pytest.mark.parametrize("name", MACHINES)
def test_same_bytes_for_any_batch_and_thread_count(name: str) -> None:
    stage, _ = MACHINES[name]
    images = np.concatenate([corpus(3, 40)] * 4)
    x, level = noisy(images, 0.3, count=5), Level(0.4)
    some, sharing = pictures(images), stage.sharing(SIZE, 3)
    together = posterior(some, sharing, x, level, threads=3)
    for b in range(len(x)):
        alone = posterior(some, sharing, x[b : b + 1], level, threads=1)
        for field in Belief.__dataclass_fields__:
            mine, theirs = getattr(together, field)[b], getattr(alone, field)[0]
            assert mine.tobytes() == theirs.tobytes(), field


def test_orbits_give_the_same_bytes_for_any_batch_and_thread_count() -> None:
    images = corpus(3, 40)
    x, level, group = noisy(images, 0.3, count=3), Level(0.4), translations(SIZE)
    together = orbit_posterior(pictures(images), group, x, level, threads=3)
    for b in range(len(x)):
        alone = orbit_posterior(pictures(images), group, x[b : b + 1], level, threads=1)
        assert together.clean[b].tobytes() == alone.clean[0].tobytes()


@pytest.mark.parametrize("name", MACHINES)
def test_block_size_changes_no_more_than_rounding(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, _ = MACHINES[name]
    images = np.concatenate([corpus(1, 40)] * 2)
    x, level = noisy(images, 0.3), Level(0.4)
    some, sharing = pictures(images), stage.sharing(SIZE, 3)
    whole = posterior(some, sharing, x, level)
    monkeypatch.setattr(products, "KEYS", 128)
    monkeypatch.setattr(products, "SPAN", 1)
    small = posterior(some, sharing, x, level, tile=8)
    np.testing.assert_allclose(small.clean, whole.clean, atol=1e-5)


@given(
    logits=st.lists(st.floats(-60, 0, width=32), min_size=2, max_size=9),
    split=st.integers(1, 8),
)
def test_merging_is_summing(logits: list[float], split: int) -> None:
    """Posteriors of one candidate each, merged in two groupings, are the softmax over all."""

    def single(k: int) -> Posterior:
        return Posterior(
            np.array([logits[k]]), np.ones(1), np.array([[float(k)]]), np.array([k], np.int64)
        )

    def tree() -> list[Posterior]:
        return [single(k) for k in range(len(logits))]

    split = min(split, len(logits) - 1)
    all_at_once = merged(tree())
    halves = merged(tree()[:split]).merge(merged(tree()[split:]))
    weights = np.exp(np.array(logits) - max(logits))
    expected = weights @ np.arange(len(logits)) / weights.sum()
    assert all_at_once.mean[0, 0] == pytest.approx(expected, abs=1e-4)
    assert halves.mean[0, 0] == pytest.approx(expected, abs=1e-4)
    assert all_at_once.source[0] == halves.source[0] == int(np.argmax(logits))
    empty = Posterior.empty(1, 1).merge(single(0))
    assert (empty.source[0], empty.mean[0, 0]) == (0, 0.0)
