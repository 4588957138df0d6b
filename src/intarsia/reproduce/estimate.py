"""How long it will take, before anything is drawn.

Speeds are of two cores of the machine of docs/results/performance.md; the time left is corrected
by what the items so far really took.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from intarsia.reproduce.item import Item
from intarsia.reproduce.runs import Draw
from intarsia.reproduce.scales import Scale

CLASSIFIER = 200.0
"""Seconds to train a classifier and to look at a whole data set with it; once, then cached."""

_RUN = 3.0  # a run's beginning and its report
_SIZES = {"mnist": (60_000, 28, 1), "fashion-mnist": (60_000, 28, 1), "cifar10": (50_000, 32, 3)}
_CANDIDATES = 540_000  # those of NS+L on MNIST, and
_SECONDS = 0.33  # what a picture takes with them
_LOOKED_UP = 0.1  # what one takes where phi leaves few pictures


def seconds_of(draw: Draw, scale: Scale) -> float:
    """Return about how long a draw takes."""
    pictures, side, channels = _SIZES[draw.data]
    pictures = min(pictures, draw.limit or pictures)
    if scale.is_smoke:
        pictures, side, channels = scale.corpus(draw.data, draw.limit)["limit"], 16, 1
    settings = draw.settings
    height, width = settings.get("size", (side, side))
    work = (height * width - 64) / 720 * (2 if channels > 1 else 1)
    return _RUN + draw.n * work * _seconds_of_picture(draw, pictures, side, channels)


def _seconds_of_picture(draw: Draw, pictures: int, side: int, channels: int) -> float:
    settings = draw.settings
    principles = "L" if draw.model == "efros-leung" else settings.get("principles", "NS+L+H")
    radius = settings.get("radius") or (2 if channels > 1 else 1)
    places = side**2 if principles == "L" else (2 * radius + 1) ** 2
    everywhere = _SECONDS * pictures * places / _CANDIDATES
    if settings.get("threshold") == "intersection":
        return _LOOKED_UP + _SECONDS * pictures * side**2 / _CANDIDATES
    if "H" not in principles:
        return max(everywhere, 0.002)
    if settings.get("condition") == "class":
        return everywhere / 10 + 0.02
    return _LOOKED_UP if pictures > 10_000 else _LOOKED_UP / 5


def seconds_of_all(items: Sequence[Item], scale: Scale) -> float:
    """Return about how long these items take together, sharing what they have in common."""
    needs = [item.needs(scale) for item in items]
    trained = {data for one in needs for data in one.classifiers}
    training = 8.0 if scale.is_smoke else CLASSIFIER
    return (
        sum(seconds_of(one, scale) for one in distinct(d for need in needs for d in need.draws))
        + sum(need.seconds for need in needs)
        + training * (min(1, len(trained)) if scale.is_smoke else len(trained))
    )


def distinct(draws: Iterable[Draw]) -> list[Draw]:
    """Return the largest draw of each kind."""
    largest: dict[Draw, Draw] = {}
    for one in draws:
        kind = replace(one, n=0)
        if kind not in largest or one.n > largest[kind].n:
            largest[kind] = one
    return list(largest.values())
