"""Table 1: Inception Score and FID on CIFAR-10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intarsia.reproduce.commands import evaluate, generate
from intarsia.reproduce.item import Arms, Item, Needs
from intarsia.reproduce.measures import Several
from intarsia.reproduce.page import Page, Row
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.runs import draw
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import compared, verdicts

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

BY_CLASS, DIGITS = "class-conditional", "MNIST, NS+L+H"

TABLE = {c.FULL: (5.903, 60.357), c.NO_LOW: (4.081, 32.924)}
"""IS and FID of table 1, by Inception features."""

LITERATURE = {"PixelCNN": (4.60, 65.93), "NCSN": (8.91, 25.32), "MDSM": (8.31, 31.7)}
"""Rows that table 1 quotes from others."""

PUBLISHED = {
    **{name: f"IS {score:g}, FID {fid:g}; Inception (table 1)"
       for name, (score, fid) in TABLE.items()},
    BY_CLASS: "'outperforms' the model with phi (section 3.1); no row in table 1",
    DIGITS: "IS 6.23 (a reader's summary; not in the paper)",
}  # fmt: skip


def needs(scale: Scale) -> Needs:
    """The models of the table, and those that the text says are in it."""
    n, seeds = c.measured(scale, "cifar10"), c.seeds(scale)
    return Needs(
        {
            c.FULL: [c.full("cifar10", n, s) for s in seeds],
            c.NO_LOW: [c.ablated("cifar10", n, c.NO_LOW, s) for s in seeds],
            BY_CLASS: [draw("cifar10", n, seed=s, condition="class") for s in seeds],
            DIGITS: [c.full("mnist", c.measured(scale, "mnist"), s) for s in seeds],
        },
        ("cifar10", "mnist"),
        scale.pick(2, 20, 300),
    )


def make(book: Book, needs: Needs) -> Page:
    """Measure by classifier features always, by Inception's where their weights are here."""
    rows: list[Row] = []
    found: dict[str, dict[str, Several]] = {}
    for name, arm in needs.arms.items():
        found[name] = book.measures.values(arm, ["fid", "is"])
        what = f"{name}: classifier features"
        rows.append(c.quality_row(book, what, PUBLISHED[name], found[name], arm))
    rows += _by_inception(book, needs.arms)
    for name, (score, fid) in LITERATURE.items():
        text = f"IS {score:g}, FID {fid:g} (table 1, quoted there)"
        rows.append(Row(f"{name}: Inception features", text, "not run here"))
    seeds, n = len(needs.arms[c.FULL]), needs.arms[c.FULL][0].n
    agreement = [
        "Published values are by Inception features and the first values here by a classifier's: "
        "the two columns do not compare, only rows of one kind among each other.",
        compared(c.FULL, c.NO_LOW, verdicts(found[c.FULL], found[c.NO_LOW])),
        "In the paper NS+L+H has the better IS (5.903 against 4.081) and NS+H the better FID "
        "(32.924 against 60.357), against the moral of its own ablation.",
        compared("The class-conditional model", c.FULL, verdicts(found[BY_CLASS], found[c.FULL])),
        "Section 3.1 says that it outperforms and refers to table 1, which has no row for it; nor "
        "has it one for Efros and Leung's method ([principles](principles.md) has).",
    ]
    notes = [
        f"{n:,} samples of each CIFAR-10 model and {needs.arms[DIGITS][0].n:,} of MNIST a seed, "
        f"{seeds} seed{'s' if seeds > 1 else ''}: mean, and least to most. The reference is the "
        "whole training split.",
        c.BIASED,
        c.classifier_note(book, "cifar10"),
        c.classifier_note(book, "mnist"),
        "Section 3.1 also speaks of table 1 for MNIST, which has no such row.",
    ]
    return Page(rows, agreement, [], notes)


def _by_inception(book: Book, arms: Arms) -> list[Row]:
    """Return the rows that compare with the published ones, or one that says why there are none."""
    features = book.measures.inception
    if features is None:
        why = "not measured: the weights of InceptionV3 are not on this machine (--weights FILE)"
        return [Row("all models: Inception features", "see above", why)]
    # The reference's fifty thousand pictures take Inception an hour: not for a quick look.
    metrics = book.scale.pick(["is"], ["is"], ["is", "fid"])
    rows = []
    for name in (c.FULL, c.NO_LOW, BY_CLASS):
        found = book.measures.values(arms[name], metrics, features)
        command = evaluate(arms[name], book.scale, metrics, features="inception")
        here = "; ".join(f"{metric.upper()} {found[metric]}" for metric in metrics)
        commands = (generate(arms[name], book.scale), command)
        what = f"{name}: Inception features"
        rows.append(Row(what, PUBLISHED[name], here, c.settings(book, arms[name]), commands))
    return rows


ITEMS = [
    Item(
        "table-1",
        "Table 1: IS and FID",
        "IS and FID on CIFAR-10 (and MNIST), features named",
        needs,
        make,
    )
]
