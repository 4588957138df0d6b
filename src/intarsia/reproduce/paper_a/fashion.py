"""The settings of MNIST, unchanged, on Fashion-MNIST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.measures import Several
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import grid, grid_scale, panels
from intarsia.reproduce.runs import Draw, draw
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.words import compared, moved, verdicts

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

SAME = (
    "window",
    "sigma",
    "epsilon",
    "min_pool",
    "radius",
    "encoder",
    "keep",
    "refresh",
    "seed_size",
)
DATA = "fashion-mnist"


def needs(scale: Scale) -> Needs:
    """Both models on both data sets; what is asked of Fashion-MNIST follows from MNIST's."""
    n = scale.pick(4, 64, 64)
    arms = {
        f"{data}, {name}": [c.ablated(data, n, name)]
        for data in ("mnist", DATA)
        for name in (c.ABLATED, c.FULL)
    }
    if scale.name == "full":
        for name in (c.ABLATED, c.FULL):
            arms[f"{DATA}, {name}, measured"] = [c.ablated(DATA, 1000, name, s) for s in range(3)]
    return Needs(arms, (DATA,) if scale.name == "full" else (), 3)


def make(book: Book, needs: Needs) -> Page:
    """Draw both models' grids."""
    (digits,) = needs.arms[f"mnist, {c.FULL}"]
    same = {name: book.runs.resolved(digits)[name] for name in SAME}
    rows: list[Row] = []
    shown, classes, images = [], {}, {}
    for name in (c.FULL, c.ABLATED):
        one = _with(same, needs.arms[f"{DATA}, {name}"][0], name)
        samples = book.runs.samples(one)
        columns = max(2, round(len(samples) ** 0.5))
        scale = grid_scale(samples.images.shape[2], columns, 500)
        shown.append((name, grid(samples.images, columns, scale)))
        rows.append(c.entropy_row(book, f"{DATA}, {name}", "not in the paper", one))
        digit_row = c.entropy_row(book, f"mnist, {name}", "none", needs.arms[f"mnist, {name}"][0])
        rows.append(digit_row)
        entropies = c.entropies(book, one)
        classes[name], images[name] = entropies.class_map, entropies.image_map
    agreement = [
        moved("class entropy", classes[c.ABLATED], classes[c.FULL], "with the representation"),
        moved("image-ID entropy", images[c.ABLATED], images[c.FULL], "with the representation"),
        *_measured(book, needs, same, rows),
        "The paper does not use Fashion-MNIST; this asks whether settings carry over unchanged.",
    ]
    whole = len(book.runs.corpus(DATA))
    picture = Picture(
        panels(shown),
        "Grids of clothes by the full model and by NS+L",
        f"The first {needs.arms[f'{DATA}, {c.FULL}'][0].n} samples of each, seed 0, none left out, "
        f"from {whole:,} images and the same seeds.",
    )
    notes = ["Settings are those that MNIST resolves to: " + ", ".join(SAME) + "."]
    if book.scale.name == "full":
        notes.append(c.classifier_note(book, DATA))
    return Page(rows, agreement, [picture], notes)


def _with(same: dict[str, Any], one: Draw, name: str) -> Draw:
    """Ask for the settings of MNIST by name, as far as the model has a use for them."""
    principles = None if name == c.FULL else name
    return draw(one.data, one.n, seed=one.seed, principles=principles, **same)


def _measured(book: Book, needs: Needs, same: dict[str, Any], rows: list[Row]) -> list[str]:
    """Add FID and IS where enough samples were drawn."""
    found: dict[str, dict[str, Several]] = {}
    for name in (c.FULL, c.ABLATED):
        arm = needs.arms.get(f"{DATA}, {name}, measured")
        if arm is None:
            return []
        draws = [_with(same, one, name) for one in arm]
        found[name] = book.measures.values(draws, ["fid", "is"])
        what = f"{DATA}, {name}: classifier features"
        rows.append(c.quality_row(book, what, "not in the paper", found[name], draws))
    return [compared(c.FULL, c.ABLATED, verdicts(found[c.FULL], found[c.ABLATED]))]


ITEMS = [
    Item(
        "fashion",
        "Fashion-MNIST, with the settings of MNIST",
        "NS+L+H and NS+L on Fashion-MNIST",
        needs,
        make,
    )
]
