"""What window, sigma and epsilon do, and how often the paper's letter finds an empty pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia.reproduce.commands import both
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.measures import number
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import Rgb, figure, plain_log, rendered
from intarsia.reproduce.runs import Draw, draw
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import moved, share

if TYPE_CHECKING:
    from intarsia.provenance import Entropy
    from intarsia.reproduce.book import Book

VALUES: dict[str, tuple[float, ...]] = {
    "window": (5, 7, 9, 11, 13),
    "sigma": (0.7, 1.4, 2.8),
    "epsilon": (0.01, 0.03, 0.1, 0.3, 1),
}
CASCADE, LETTER = "cascade", "intersection"


def needs(scale: Scale) -> Needs:
    """One setting at a time, by both thresholds."""
    arms: dict[str, list[Draw]] = {}
    for threshold in (CASCADE, LETTER):
        for name, values in VALUES.items():
            for value in scale.pick(values[1:2], values, values):
                arms[f"{threshold}, {name}, {value:g}"] = [_one(scale, threshold, name, value)]
    return Needs(arms, (), 3)


def _one(scale: Scale, threshold: str, name: str, value: float) -> Draw:
    asked: dict[str, Any] = {
        name: int(value) if name == "window" else f"{value:g}" if name == "epsilon" else value
    }
    if threshold == CASCADE:
        return draw("mnist", scale.pick(2, 16, 64), **asked)
    # The least distance over the whole corpus costs as much as L: the first images have to do.
    return draw("mnist", scale.pick(2, 4, 32), limit=c.FIRST, threshold=LETTER, min_pool=1, **asked)


def make(book: Book, needs: Needs) -> Page:
    """Tabulate and plot pools, entropies and empty pools."""
    rows = []
    pools: dict[str, dict[float, float]] = {name: {} for name in VALUES}
    found: dict[str, dict[float, Entropy]] = {name: {} for name in VALUES}
    empty: dict[str, dict[float, float]] = {name: {} for name in VALUES}
    for key, (one,) in needs.arms.items():
        threshold, name, text = key.split(", ")
        samples, value = book.runs.samples(one), float(text)
        entropies = c.entropies(book, one)
        drawn = samples.sources.pool[samples.sources.step >= 0]
        if threshold == CASCADE:
            pools[name][value], found[name][value] = float(np.mean(drawn)), entropies
            here = (
                f"pool {number(float(np.median(drawn)))} (median), {number(pools[name][value])} "
                f"(mean); class {number(entropies.class_map)}, image-ID "
                f"{number(entropies.image_map)}"
            )
        else:
            empty[name][value] = book.runs.metrics(one)["run"]["empty_pool_share"]
            here = (
                f"{share(empty[name][value])} of the pools empty; class "
                f"{number(entropies.class_map)}, image-ID {number(entropies.image_map)}"
            )
        commands = both([one], book.scale, ["entropy"])
        what = f"{name} {value:g}, {threshold}"
        rows.append(Row(what, "not given", here, c.settings(book, [one]), commands))
    agreement = []
    for name, by_value in found.items():
        low, high = min(by_value), max(by_value)
        if low < high:
            agreement.append(
                moved("image-ID entropy", by_value[low].image_map, by_value[high].image_map,
                      f"from {name} {low:g} to {high:g}")
            )  # fmt: skip
    shares = [value for by_value in empty.values() for value in by_value.values()]
    agreement += [
        f"Taken by its letter, with each threshold relative to the least distance over the whole "
        f"set, the paper's pool is empty at {share(min(shares))} to {share(max(shares))} of the "
        "places (such pixels are drawn by the cascade): the letter needs a remedy that the paper "
        "does not give.",
        "The paper states none of these settings, so there is nothing to agree with.",
    ]
    sizes = len(book.runs.corpus("mnist")), len(book.runs.corpus("mnist", c.FIRST))
    cascade = next(arm[0] for key, arm in needs.arms.items() if key.startswith(CASCADE))
    letter = next(arm[0] for key, arm in needs.arms.items() if key.startswith(LETTER))
    picture = Picture(
        _plot(pools, found, empty),
        "Pool size, entropies and share of empty pools against window, sigma and epsilon",
        f"The full model on MNIST, seed 0. Pools and entropies: cascade, {sizes[0]:,} images, "
        f"{cascade.n} samples a point. Empty pools: intersection, the first {sizes[1]:,} images, "
        f"{letter.n} samples a point.",
    )
    return Page(rows, agreement, [picture], ["All other settings are the defaults for MNIST."])


def _plot(
    pools: dict[str, dict[float, float]],
    found: dict[str, dict[float, Entropy]],
    empty: dict[str, dict[float, float]],
) -> Rgb:
    plot = figure(9.6, 7.2)
    panels = plot.subplots(3, len(VALUES), sharey="row")
    for column, name in enumerate(VALUES):
        values = sorted(found[name])
        rows = panels[:, column]
        rows[0].plot(values, [pools[name][v] for v in values], "o-", color="#0C5BB2")
        rows[0].set_yscale("log")
        for part, colour in (("image_map", "#B8490C"), ("class_map", "#0E9C73")):
            entropy = [getattr(found[name][v], part) for v in values]
            label = "image-ID" if part == "image_map" else "class"
            rows[1].plot(values, entropy, "o-", color=colour, label=label)
        rows[2].plot(sorted(empty[name]), [empty[name][v] for v in sorted(empty[name])], "o-",
                     color="#882353")  # fmt: skip
        rows[1].set_ylim(bottom=0)
        rows[2].set_ylim(-0.03, 1.03)
        for axes in rows:
            if name != "window":
                axes.set_xscale("log")
            axes.set_xticks(values, [f"{v:g}" for v in values])
            axes.minorticks_off()
            axes.spines[["top", "right"]].set_visible(False)
        plain_log(rows[0].yaxis)
        rows[2].set_xlabel(name)
    for axes, words in zip(
        panels[:, 0], ("pool, mean", "entropy (nats)", "share of empty pools"), strict=True
    ):
        axes.set_ylabel(words)
    panels[1, 0].legend(frameon=False)
    return rendered(plot)


ITEMS = [
    Item(
        "sensitivity",
        "Sensitivity to window, sigma and epsilon",
        "pools, entropies and empty pools on MNIST, one setting at a time",
        needs,
        make,
    )
]
