"""Each principle makes better pictures: FID and IS over several seeds (section 2.4, table 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.measures import Several
from intarsia.reproduce.page import Page, Picture
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import Rgb, figure, rendered
from intarsia.reproduce.runs import Draw
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import Verdict, compared, tally, verdicts

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

DATA = ("mnist", "cifar10")
WHOLE, PART = "all images", "first images"
CLAIM = {
    c.LOW: "no row; 'substantially lower FID ... than Efros-Leung' (section 3.1)",
    c.ABLATED: "no number (figure 2)",
    c.FULL: "no number (figure 2)",
}
COLOURS = {c.LOW: "#B8490C", c.ABLATED: "#0C5BB2", c.FULL: "#0E9C73"}


def needs(scale: Scale) -> Needs:
    """NS+L and the full model over all images, and with L over the first thousand."""
    arms: dict[str, list[Draw]] = {}
    for data in DATA:
        n, seeds = c.measured(scale, data), c.seeds(scale)
        for name in (c.ABLATED, c.FULL):
            arms[_key(data, WHOLE, name)] = [c.ablated(data, n, name, s) for s in seeds]
        for name in (c.LOW, c.ABLATED, c.FULL):
            # L on CIFAR-10 takes seconds a picture: one seed has to do for a quick look.
            dear = name == c.LOW and data == "cifar10" and scale.name == "quick"
            arms[_key(data, PART, name)] = [
                c.ablated(data, n, name, s, limit=c.FIRST) for s in (seeds[:1] if dear else seeds)
            ]
    return Needs(arms, DATA, scale.pick(2, 20, 240))


def make(book: Book, needs: Needs) -> Page:
    """Measure all arms with one classifier a data set, and say what beats what."""
    found = {key: book.measures.values(arm, ["fid", "is"]) for key, arm in needs.arms.items()}
    rows = []
    for key, arm in needs.arms.items():
        data, _, name = key.split(", ")
        pictures = len(book.runs.corpus(data, arm[0].limit))
        what = f"{data}, {pictures:,} images, {name}: classifier features"
        rows.append(c.quality_row(book, what, CLAIM[name], found[key], arm))
    sentences: list[str] = []
    all_verdicts: list[Verdict] = []
    for data in DATA:
        for where, ours, theirs in (
            (WHOLE, c.FULL, c.ABLATED),
            (PART, c.ABLATED, c.LOW),
            (PART, c.FULL, c.ABLATED),
        ):
            pictures = len(book.runs.corpus(data, None if where == WHOLE else c.FIRST))
            by = verdicts(*(found[_key(data, where, name)] for name in (ours, theirs)))
            sentences.append(f"{data}, {pictures:,} images: {compared(ours, theirs, by)}")
            all_verdicts += by
    agreement = [tally(all_verdicts), *sentences]
    agreement.append(
        "Section 3.1 claims this ordering by FID and IS and refers to table 1, which has no rows "
        "for it."
    )
    first = needs.arms[_key(DATA[0], WHOLE, c.FULL)]
    sizes = "; ".join(
        f"{data} {len(book.runs.corpus(data)):,} and {len(book.runs.corpus(data, c.FIRST)):,} "
        f"images, {needs.arms[_key(data, WHOLE, c.FULL)][0].n:,} samples a seed"
        for data in DATA
    )
    picture = Picture(
        _plot(found),
        "FID and IS of L, NS+L and NS+L+H on two data sets and two sizes of corpus",
        f"Points are seeds, bars their mean. {sizes}; {len(first)} "
        f"seed{'s' if len(first) > 1 else ''}. All by the features of one classifier a data set; "
        "values of two data sets do not compare.",
    )
    notes = [
        "The reference is the whole training split in every row, so that all rows of a data set "
        "compare. By more than the spread: the worst seed of one model beats the best of the "
        "other.",
        c.BIASED,
        "L over a whole corpus would cost teraflops a picture; all three are compared on the first "
        "images, from which they also draw their seeds.",
        *(c.classifier_note(book, data) for data in DATA),
    ]
    return Page(rows, agreement, [picture], notes)


def _key(data: str, where: str, name: str) -> str:
    return f"{data}, {where}, {name}"


def _plot(found: dict[str, dict[str, Several]]) -> Rgb:
    """Plot every seed of every arm: a panel a data set and metric."""
    plot = figure(9.6, 5.6)
    panels = plot.subplots(2, 2)
    for row, metric in enumerate(("fid", "is")):
        for column, data in enumerate(DATA):
            axes, labels = panels[row][column], []
            arms = [(w, n) for w in (PART, WHOLE) for n in COLOURS if _key(data, w, n) in found]
            for x, (where, name) in enumerate(arms):
                value = found[_key(data, where, name)][metric]
                axes.bar(x, value.mean, width=0.6, color=COLOURS[name], alpha=0.45)
                axes.plot([x] * len(value.values), value.values, "o", ms=5, color=COLOURS[name])
                labels.append(f"{name}\n{where}")
            axes.set_xticks(range(len(labels)), labels, fontsize=8.5)
            axes.set_ylabel(f"{metric.upper()} ({'less' if metric == 'fid' else 'more'} is better)")
            axes.set_title(data, fontsize=11)
            axes.spines[["top", "right"]].set_visible(False)
    return rendered(plot)


ITEMS = [
    Item(
        "principles",
        "Each principle, measured",
        "FID and IS of L, NS+L and NS+L+H, MNIST and CIFAR-10, over seeds",
        needs,
        make,
    )
]
