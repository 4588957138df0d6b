"""Rules that pick the sample a figure shows, so that nobody picks it by taste.

The paper chose its examples by hand. Here each rule is a number computed from source maps; the
sample with the largest wins, the first of equals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64, Int

from intarsia.provenance.top_sources import top_share

if TYPE_CHECKING:
    from intarsia.samples import Samples

INK = 64
"""A pixel at least so bright is part of a stroke."""


@dataclass(frozen=True)
class Choice:
    """A sample that a rule picked.

    Attributes
    ----------
    index : which sample.
    score : what the rule computed, from 0 to 1.
    labels : the classes it speaks of.
    """

    index: int
    score: float
    labels: tuple[int, ...] = ()

    def names(self, samples: Samples) -> list[str]:
        """Names of these classes."""
        return [samples.origin.class_words(label) for label in self.labels]


def class_conflict(samples: Samples) -> Choice:
    """Pick the sample whose strokes two classes share most evenly (paper A, figure 5 a, b).

    The score is the share of the second most used class among the drawn pixels that are ink
    (at least `INK` of 255).
    """
    ink = samples.images.max(axis=-1) >= INK
    best = Choice(0, -1.0)
    for index in range(len(samples)):
        where = _drawn(samples, index) & ink[index]
        labels, shares = _shares(samples.sources.label[index], where)
        if len(labels) > 1 and shares[1] > best.score:
            best = Choice(index, shares[1], tuple(labels[:3]))
    return best if best.score >= 0 else Choice(0, 0.0)


def shared_background(samples: Samples, prefer: tuple[str, str], least: float = 0.15) -> Choice:
    """Pick the sample that two classes share along a border (paper A, figure 5 c, d).

    The score of two classes is the smaller of their shares of the drawn pixels; they must touch.
    The preferred pair wins if its best score is at least ``least``, else the best pair of any.
    """
    wanted = {name: at for at, name in enumerate(samples.origin.class_names)}
    pair = tuple(sorted(wanted[name] for name in prefer)) if set(prefer) <= set(wanted) else None
    best = preferred = Choice(0, -1.0)
    for index in range(len(samples)):
        where, label = _drawn(samples, index), samples.sources.label[index]
        labels, shares = _shares(label, where)
        for (a, first), (b, second) in combinations(zip(labels, shares, strict=True), 2):
            score = min(first, second)
            both = (min(a, b), max(a, b))
            enough = preferred.score if both == pair else best.score
            if score <= enough or not _touch(label, where, a, b):
                continue
            if both == pair:
                preferred = Choice(index, score, (a, b))
            if score > best.score:
                best = Choice(index, score, (a, b))
    if preferred.score >= least:
        return preferred
    return best if best.score >= 0 else Choice(0, 0.0)


def one_class_many_images(samples: Samples, prefer: str, most: float = 0.25) -> Choice:
    """Pick the sample most of whose pixels one class gave, and no single image many (figure 6).

    The score is the share of the most used class among the drawn pixels, of samples whose most
    used image gave at most ``most`` of them. A sample with half of its pixels from the preferred
    class goes first.
    """
    names = samples.origin.class_names
    wanted = names.index(prefer) if prefer in names else None
    copied = top_share(samples.sources)
    scored = []
    for index in range(len(samples)):
        labels, shares = _shares(samples.sources.label[index], _drawn(samples, index))
        if labels:
            rank = (labels[0] == wanted and shares[0] >= 0.5, copied[index] <= most, shares[0])
            scored.append((rank, -index, Choice(index, shares[0], (labels[0],))))
    return max(scored)[2] if scored else Choice(0, 0.0)


def copied_ink(samples: Samples) -> Float64[np.ndarray, " n"]:
    """Share of each sample's drawn ink that its most used image gave; 0 without drawn ink.

    Blank patches fit anywhere, so on digits the share of all pixels says little.
    """
    ink = (samples.images.max(axis=-1) >= INK) & (samples.sources.step >= 0)
    out = np.zeros(len(samples))
    for index in range(len(samples)):
        _, counts = np.unique(samples.sources.image[index][ink[index]], return_counts=True)
        if len(counts):
            out[index] = counts.max() / counts.sum()
    return out


def most_copied(samples: Samples) -> Choice:
    """Pick the sample with the largest share of drawn ink from one image (figure 11).

    Of equals, the one with the largest share of all drawn pixels.
    """
    copied, whole = copied_ink(samples), np.nan_to_num(top_share(samples.sources))
    index = int(np.lexsort((-whole, -copied))[0])
    labels, _ = _shares(samples.sources.label[index], _drawn(samples, index))
    return Choice(index, float(copied[index]), tuple(labels[:2]))


def changed_class(samples: Samples, prefer: tuple[str, str], least: float = 0.5) -> Choice:
    """Pick the sample that left its seed's class most decidedly (figure 12).

    The score is the share of the most used class among the drawn pixels, where it is not the
    seed's. The preferred (seed's, drawn) pair wins if its best score is at least ``least``.
    ``labels`` are the seed's class and the drawn one.
    """
    names = samples.origin.class_names
    pair = tuple(names.index(n) for n in prefer) if set(prefer) <= set(names) else None
    best = preferred = Choice(0, -1.0)
    for index in range(len(samples)):
        labels, shares = _shares(samples.sources.label[index], _drawn(samples, index))
        seed = seed_label(samples, index)
        if not labels or labels[0] == seed:
            continue
        found = Choice(index, shares[0], (seed, labels[0]))
        if found.score > best.score:
            best = found
        if found.labels == pair and found.score > preferred.score:
            preferred = found
    if preferred.score >= least:
        return preferred
    return best if best.score >= 0 else Choice(0, 0.0)


def changed_share(samples: Samples) -> float:
    """Share of samples whose drawn pixels come mostly from another class than the seed's."""
    changed = []
    for index in range(len(samples)):
        labels, _ = _shares(samples.sources.label[index], _drawn(samples, index))
        if labels:
            changed.append(labels[0] != seed_label(samples, index))
    return float(np.mean(changed)) if changed else float("nan")


def seed_label(samples: Samples, index: int) -> int:
    """Class of the picture that a sample's seed was cut from; -1 without a seed or labels."""
    given = samples.sources.step[index] < 0
    return int(samples.sources.label[index][given][0]) if given.any() else -1


def first_of_each_class(labels: Int[np.ndarray, " n"], each: int) -> list[list[int]]:
    """Return the numbers of the first ``each`` samples of every class, in order of class."""
    return [np.flatnonzero(labels == label)[:each].tolist() for label in np.unique(labels)]


def _drawn(samples: Samples, index: int) -> Bool[np.ndarray, "h w"]:
    sources = samples.sources
    return np.asarray((sources.step[index] >= 0) & (sources.label[index] >= 0))


def _shares(
    label: Int[np.ndarray, "h w"], where: Bool[np.ndarray, "h w"]
) -> tuple[list[int], list[float]]:
    """Classes of these pixels and their shares, largest first, equals by number."""
    labels, counts = np.unique(label[where], return_counts=True)
    order = np.lexsort((labels, -counts))
    return labels[order].tolist(), (counts[order] / max(1, counts.sum())).tolist()


def _touch(label: Int[np.ndarray, "h w"], where: Bool[np.ndarray, "h w"], a: int, b: int) -> bool:
    """Whether pixels of two classes lie side by side or one above the other."""
    first, second = where & (label == a), where & (label == b)
    pairs: Sequence[np.ndarray] = (
        first[:, 1:] & second[:, :-1],
        second[:, 1:] & first[:, :-1],
        first[1:] & second[:-1],
        second[1:] & first[:-1],
    )
    return any(bool(one.any()) for one in pairs)
