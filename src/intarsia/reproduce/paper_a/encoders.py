"""How well encoders phi tell classes apart, on whole pictures and on half-known canvases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.pictures import Rgb, figure, rendered
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

ENCODERS = ("lowres4", "lowres", "pca", "kmeans", "spectral", "simclr")
TRAINED = "simclr"
DATA = ("mnist", "fashion-mnist", "cifar10")
AIMS = {
    "spectral": {"cifar10": 0.65, "mnist": 0.96, "fashion-mnist": 0.82},
    "simclr": {"cifar10": 0.70, "mnist": 0.98, "fashion-mnist": 0.86},
}
"""What the project asks of a training-free and of the trained encoder."""

COLOURS = {"mnist": "#0C5BB2", "fashion-mnist": "#B8490C", "cifar10": "#0E9C73"}


def encoders(scale: Scale) -> tuple[str, ...]:
    """The encoders of a scale: the digits have no weights, and kmeans takes its time."""
    few = ("lowres4", "lowres", "pca", "spectral", "simclr")
    return scale.pick(("lowres4", "lowres", "pca"), few, ENCODERS)


def limit(scale: Scale) -> int | None:
    """How many pictures neighbours are looked for among."""
    return scale.pick(200, 5000, None)


def tested(scale: Scale) -> int:
    """How many test pictures are asked about."""
    return scale.pick(60, 1000, 10_000)


def needs(scale: Scale) -> Needs:
    """Nothing is drawn; pictures are encoded."""
    return Needs({}, (), scale.pick(1, 240, 2700))


def make(book: Book, needs: Needs) -> Page:
    """Tabulate and plot the accuracies of 20 nearest neighbours."""
    scale = book.scale
    found: dict[tuple[str, str], tuple[float, float]] = {}
    sizes = {}
    total = len(DATA) * len(encoders(scale))
    for data in DATA:
        for name in encoders(scale):
            book.runs.teller.measuring("encoders", len(found), total)
            found[data, name], sizes[data] = _accuracies(book, data, name)
    rows = []
    for name in encoders(scale):
        for data in DATA:
            whole, half = found[data, name]
            here = f"{whole:.1%} whole, {half:.1%} half-known"
            rows.append(Row(f"{name} on {data}", "none", here, sizes[data], (_command(scale),)))
    corpora = [book.runs.corpus(data, limit(scale)) for data in DATA]
    return Page(rows, _agreement(scale, found), [_picture(scale, found)], _notes(scale), corpora)


def _accuracies(book: Book, data: str, name: str) -> tuple[tuple[float, float], str]:
    from intarsia.measure.neighbours import half_known, neighbour_accuracy
    from intarsia.represent import Encoder, open_encoder
    from intarsia.represent.codes_cache import corpus_codes

    scale = book.scale
    corpus = book.runs.corpus(data, limit(scale))
    test = corpus if scale.is_smoke else book.runs.corpus(data, None, "test")
    phi = open_encoder(name, corpus)
    assert isinstance(phi, Encoder)
    codes, most = corpus_codes(phi, corpus), tested(scale)
    whole = neighbour_accuracy(phi, corpus, test, codes=codes, most=most)
    half = neighbour_accuracy(
        phi, corpus, test, known=half_known(corpus.size), codes=codes, most=most
    )
    asked = min(most, len(test))
    return (whole, half), f"{asked:,} test pictures among {len(corpus):,}; k = 20, cosine"


def _agreement(scale: Scale, found: dict[tuple[str, str], tuple[float, float]]) -> list[str]:
    told = []
    for data in DATA:
        best = max(encoders(scale), key=lambda name: found[data, name][0])
        free = max((n for n in encoders(scale) if n != TRAINED), key=lambda n: found[data, n][0])
        told.append(
            f"On {data} {best} tells classes apart best ({found[data, best][0]:.1%}), and of the "
            f"training-free ones {free} ({found[data, free][0]:.1%})."
        )
    for name, aims in AIMS.items():
        if scale.name != "full" or name not in encoders(scale):
            continue
        short = [
            f"{data} {found[data, name][0]:.1%} of {aim:.0%}"
            for data, aim in aims.items()
            if found[data, name][0] < aim
        ]
        told.append(
            f"{name} falls short of the project's aim: {', '.join(short)}."
            if short
            else f"{name} reaches the project's aim on all three."
        )
    told.append(
        "The paper names SimCLR and gives neither its network nor an accuracy, so there is "
        "nothing to agree with."
    )
    return told


def _picture(scale: Scale, found: dict[tuple[str, str], tuple[float, float]]) -> Picture:
    return Picture(
        _plot(scale, found),
        "Accuracy of 20 nearest neighbours by encoder, whole pictures and half-known canvases",
        "Filled: whole test pictures. Hollow: the middle half of their pixels is known. Training "
        "pictures are always whole.",
    )


def _plot(scale: Scale, found: dict[tuple[str, str], tuple[float, float]]) -> Rgb:
    names = encoders(scale)
    plot = figure(7.6, 3.6)
    axes = plot.subplots()
    for shift, data in zip((-0.18, 0.0, 0.18), DATA, strict=True):
        for at, name in enumerate(names):
            whole, half = found[data, name]
            label = data if at == 0 else None
            axes.plot([at + shift] * 2, [half, whole], color=COLOURS[data], lw=1, alpha=0.6)
            axes.plot(at + shift, whole, "o", color=COLOURS[data], label=label)
            axes.plot(at + shift, half, "o", color=COLOURS[data], mfc="white")
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("accuracy")
    axes.set_ylim(top=1.0)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    return rendered(plot)


def _notes(scale: Scale) -> list[str]:
    notes = [
        "All but simclr are training-free. Labels enter nothing but this measure.",
        "A vote of the 20 training pictures whose int8 codes have the greatest cosine with the "
        "test picture's.",
    ]
    if scale.name == "quick":
        notes.append(
            f"Neighbours are looked for among the first {limit(scale):,} training pictures, to "
            "which the training-free encoders are fitted too; at full scale among all."
        )
    return notes


def _command(scale: Scale) -> str:
    return f"intarsia reproduce paper-a/encoders --scale {scale.name}"


ITEMS = [
    Item(
        "encoders",
        "Encoders: accuracy of nearest neighbours",
        "accuracy of 20 nearest neighbours by encoder, whole and half-known",
        needs,
        make,
    )
]
