"""The sweep that defaults are chosen by: one setting at a time, for each data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from intarsia.reproduce.commands import both
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.measures import Several, number
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import Rgb, figure, rendered
from intarsia.reproduce.runs import Draw, draw
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

VALUES: Mapping[str, tuple[Any, ...]] = {
    "encoder": ("lowres", "pca", "simclr"),
    "min_pool": (1, 4, 8),
    "keep": (30, 100, 300),
    "radius": (0, 1, 2),
    "epsilon": ("0.03", "0.1", "0.3"),
    "window": (7, 9, 11),
    "sigma": (1.0, 1.4, 2.0),
    "refresh": (8, 16, 64),
}
QUICK = ("encoder", "min_pool", "keep")
DATA = ("cifar10", "mnist", "fashion-mnist")
COLOURS = {"encoder": "#0C5BB2", "min_pool": "#B8490C", "keep": "#0E9C73", "radius": "#882353"}


def needs(scale: Scale) -> Needs:
    """Every value of every setting, the others at their defaults."""
    names = scale.pick(QUICK[1:2], QUICK, tuple(VALUES))
    sets = scale.pick(DATA[:1], DATA[:1], DATA)
    arms: dict[str, list[Draw]] = {}
    for data in sets:
        for name in names:
            for value in scale.pick(VALUES[name][:2], VALUES[name], VALUES[name]):
                arms[f"{data}, {name}, {value}"] = [_one(scale, data, name, value)]
    return Needs(arms, sets, 4)


def _one(scale: Scale, data: str, name: str, value: Any) -> Draw:
    return draw(data, scale.pick(66, 66, 256), **{name: value})


def make(book: Book, needs: Needs) -> Page:
    """Tabulate FID, entropies and speed, and plot what a setting trades for what."""
    found: dict[str, dict[str, Several]] = {}
    rows = []
    for key, (one,) in needs.arms.items():
        found[key] = book.measures.values([one], ["fid", "entropy"])
        values = found[key]
        here = (
            f"FID {values['fid']}; class {values['class_map']}, image-ID {values['image_map']}; "
            f"top source {100 * values['top_source_share'].mean:.0f} %"
        )
        commands = both([one], book.scale, ["fid", "entropy"])
        rows.append(Row(key, "not given", here, c.settings(book, [one]), commands))
    agreement = []
    for data in dict.fromkeys(key.split(", ")[0] for key in found):
        mine = {key: values for key, values in found.items() if key.startswith(f"{data}, ")}
        for name in dict.fromkeys(key.split(", ")[1] for key in mine):
            some = {k.split(", ")[2]: v for k, v in mine.items() if k.split(", ")[1] == name}
            best = min(some, key=lambda value: some[value]["fid"].mean)
            listed = ", ".join(f"{value}: {number(v['fid'].mean)}" for value, v in some.items())
            agreement.append(f"On {data}, of {name} {best} has the least FID ({listed}).")
    agreement.append(
        "The paper states none of these settings, so there is nothing to agree with. FID is that "
        "of classifier features over few samples: differences of a tenth are noise."
    )
    sizes = "; ".join(
        f"{data} {len(book.runs.corpus(data)):,} images" for data in needs.classifiers
    )
    (first,) = next(iter(needs.arms.values()))
    picture = Picture(
        _plot(found, needs.classifiers),
        "FID against image-ID entropy and class entropy against image-ID entropy, a mark a setting",
        f"Each mark is one run with one setting changed, {first.n} samples, seed 0; {sizes}. The "
        "text beside a mark is the setting's value.",
    )
    return Page(rows, agreement, [picture], [c.BIASED])


def _plot(found: Mapping[str, Mapping[str, Several]], sets: tuple[str, ...]) -> Rgb:
    plot = figure(9.6, 3.8 * len(sets))
    grid = plot.subplots(len(sets), 2, squeeze=False)
    for row, data in zip(grid, sets, strict=True):
        for axes, down in zip(row, ("fid", "class_map"), strict=True):
            told: set[str] = set()
            for key, values in found.items():
                owner, name, value = key.split(", ")
                if owner != data:
                    continue
                x, y = values["image_map"].mean, values[down].mean
                label = None if name in told else name
                told.add(name)
                axes.plot(x, y, "o", ms=5, color=COLOURS.get(name, "#5A5A5A"), label=label)
                axes.annotate(value, (x, y), fontsize=7, xytext=(4, 2), textcoords="offset points")
            axes.set_xlabel("image-ID entropy")
            axes.set_ylabel("FID, classifier" if down == "fid" else "class entropy")
            axes.set_title(data, fontsize=10, loc="left")
            axes.spines[["top", "right"]].set_visible(False)
        row[0].legend(frameon=False, fontsize=8)
    return rendered(plot)


ITEMS = [
    Item(
        "defaults",
        "Defaults: the sweep they are chosen by",
        "FID and entropies, one setting at a time",
        needs,
        make,
    )
]
