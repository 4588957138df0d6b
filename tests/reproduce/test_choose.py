"""The rules that pick a sample, on source maps made for the purpose."""

from __future__ import annotations

import numpy as np

from intarsia import Samples, Sources
from intarsia.reproduce import choose
from intarsia.samples import SOURCE_FIELDS, Origin

NAMES = ("airplane", "ship", "dog")


def made(label: np.ndarray, image: np.ndarray | None = None, ink: int = 255) -> Samples:
    """Samples [n, H, W] with these classes; the top left pixel is the seed."""
    n, height, width = label.shape
    arrays = {name: np.zeros(label.shape, kind) for name, kind in SOURCE_FIELDS.items()}
    arrays["label"] = label.astype(np.int16)
    arrays["image"] = np.zeros_like(label) if image is None else image
    arrays["image"] = arrays["image"].astype(np.int32)
    arrays["step"] = np.tile(np.arange(height * width).reshape(height, width) - 1, (n, 1, 1))
    pixels = np.full((n, height, width, 1), ink, np.uint8)
    return Samples(pixels, Sources(**arrays), origin=Origin(class_names=NAMES, images=9))


def halves(top: int, bottom: int, side: int = 6) -> np.ndarray:
    out = np.full((side, side), top)
    out[side // 2 :] = bottom
    return out


def test_conflict_is_the_most_even_division_of_ink() -> None:
    mostly = halves(0, 0)
    mostly[-1] = 1
    choice = choose.class_conflict(made(np.stack([halves(0, 0), mostly, halves(2, 1)])))
    assert choice.index == 2 and set(choice.labels) == {1, 2}
    assert abs(choice.score - 17 / 35) < 1e-9


def test_blank_paper_is_no_ink() -> None:
    assert choose.class_conflict(made(halves(0, 1)[None], ink=10)).score == 0


def test_the_wanted_pair_wins_if_it_shares_enough() -> None:
    pair = halves(0, 1)
    pair[1:3] = 2
    labels = np.stack([halves(2, 1), pair])
    assert choose.shared_background(made(labels), ("airplane", "ship")).index == 0
    near = np.stack([halves(2, 1), halves(0, 1)])
    choice = choose.shared_background(made(near), ("airplane", "ship"))
    assert choice.index == 1 and choice.names(made(near)) == ["ship", "airplane"]


def test_classes_that_do_not_touch_share_nothing() -> None:
    apart = np.full((6, 6), -1)
    apart[0], apart[-1] = 0, 1
    assert choose.shared_background(made(apart[None]), ("airplane", "ship")).score == 0


def test_a_pure_sample_from_many_images_goes_before_a_copy() -> None:
    pure = np.zeros((2, 6, 6), int)
    many = np.arange(36).reshape(6, 6) % 9
    images = np.stack([np.zeros((6, 6), int), many])
    assert choose.one_class_many_images(made(pure, images), "dog").index == 1
    with_dog = np.stack([halves(0, 0), halves(2, 2)])
    assert choose.one_class_many_images(made(with_dog, images[::-1]), "dog").index == 1


def test_the_most_copied_sample_has_most_ink_from_one_image() -> None:
    images = np.stack([halves(3, 4), halves(5, 5)])
    choice = choose.most_copied(made(np.zeros((2, 6, 6), int), images))
    assert choice.index == 1 and choice.score == 1


def test_a_changed_class_differs_from_the_seeds() -> None:
    changed = halves(1, 1)
    changed[0, 0] = 0
    samples = made(np.stack([halves(0, 0), changed]))
    choice = choose.changed_class(samples, ("airplane", "ship"))
    assert choice.index == 1 and choice.labels == (0, 1) and choice.score == 1
    assert choose.changed_share(samples) == 0.5


def test_rules_survive_samples_without_labels() -> None:
    samples = made(np.full((2, 6, 6), -1))
    for rule in (choose.class_conflict, choose.most_copied):
        assert rule(samples).labels == ()
    assert choose.shared_background(samples, ("airplane", "ship")).score == 0
    assert choose.one_class_many_images(samples, "dog").score == 0
    assert choose.changed_class(samples, ("airplane", "ship")).score == 0


def test_each_class_gives_its_first_samples() -> None:
    labels = np.array([2, 0, 2, 2, 0])
    assert choose.first_of_each_class(labels, 2) == [[1, 4], [0, 2]]
