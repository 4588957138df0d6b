"""Figure 3: latents move apart as the reconstruction error falls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from intarsia.networks.blae import shape_for
from intarsia.networks.saved_blae import RECIPE, train_blae
from intarsia.networks.training import CHECKPOINT
from intarsia.networks.weights import CONFIG
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_b.drawing import rendered
from intarsia.reproduce.paper_b.families import opened
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.reproduce.book import Book

DATA = ("mnist", "cifar10")
NOISES = ("gaussian", "triangular")

LEARNED = 1.0
"""Mean distance of latents from which they tell pictures apart."""

MEASURED = {"loss": "MSE", "distance_mean": "mean distance", "distance_least": "least distance"}


def needs(scale: Scale) -> Needs:
    """Four autoencoders."""
    return Needs(seconds=scale.pick(30.0, 600.0, 6000.0))


def make(book: Book, needs: Needs) -> Page:
    """Train autoencoders under noise and follow their latents."""
    limit, epochs = book.scale.pick(100, 500, 5000), book.scale.pick(3, 60, 300)
    rows, curves, corpora, agree = [], {}, [], []
    for data in DATA:
        for noise in NOISES:
            corpus, found, command = _followed(book, data, noise, limit, epochs)
            curves[f"{data}, {noise}"] = found
            corpora.append(corpus)
            loss, mean, least = (np.array([row[key] for row in found]) for key in MEASURED)
            together = float(np.corrcoef(loss, mean)[0, 1])
            agree.append(together)
            rows.append(
                Row(
                    f"{data}, {noise} noise", "distances rise as the error falls (figure 3)",
                    f"MSE {loss[0]:.3f} to {loss[-1]:.3f}; mean distance {mean[0]:.2f} to "
                    f"{mean[-1]:.2f}, least {least[0]:.3f} to {least[-1]:.3f}; correlation of MSE "
                    f"and mean distance {together:.2f}",
                    f"first {len(corpus):,} pictures, {epochs} epochs, convolutions alone",
                    (command,),
                )
            )  # fmt: skip
    apart = [row for row in curves.values() if row[-1]["distance_mean"] >= LEARNED]
    fits = sum(one < 0 for one in agree)
    stuck = [name for name, row in curves.items() if row[-1]["distance_mean"] < LEARNED]
    return Page(
        rows,
        [
            f"Over the epochs, error and mean distance are negatively correlated in {fits} of "
            f"{len(agree)} trainings, but only in {len(apart)} do latents come apart. "
            + _stuck(stuck)
            + "That latents are driven apart is what training under noise does; that this "
            "minimises the lower bound of theorem 3.3 is another matter (docs/errata-paper-b.md "
            "has the counterexample to theorem 3.5).",
        ],
        [Picture(_drawn(curves), "Error and distances over epochs",
                 f"Figure 3: MSE, mean and least distance of pairs of latents, each from 0 to 1 "
                 f"over the training as in the paper; first {limit:,} pictures of each data set.")],
        ["Values are min-max normalised in the picture as in the paper's table 6, and plain in the "
         "table; MSE is of values from -1 to 1, under noise of sigma 1.", "Seed 0."],
        corpora,
    )  # fmt: skip


def _stuck(names: list[str]) -> str:
    if not names:
        return ""
    return (
        f"In the others ({'; '.join(names)}) they end closer than {LEARNED:g} on average, of at "
        "most 28 in 192 dimensions: the decoder draws one picture whatever it is given, and "
        "normalised curves hide that. "
    )


def _followed(
    book: Book, data: str, noise: str, limit: int, epochs: int
) -> tuple[Corpus, list[dict[str, Any]], str]:
    """Train one autoencoder, or read what was measured when it was."""
    from intarsia.networks.checkpoint import read_rows

    corpus, how = opened(book, data, limit)
    if corpus.size == (28, 28):
        corpus, how = opened(book, data, limit, resize=32)
    name = f"apart-{data}-{noise}-{limit}"
    folder = book.runs.folder / name
    options = " ".join(f"--{key} {value}" for key, value in how.items())
    command = (
        f"intarsia train blae {options} --noise {noise} --sigma 1 --memory 0 --settle 1 "
        f"--epochs {epochs} --out runs/{name}"
    )
    if not (folder / CONFIG).exists():
        book.teller.say(f"  training {name}, {epochs} epochs")
        shape = shape_for(corpus.size, corpus.channels, noise=noise, sigma=1.0, memory=0)
        train_blae(
            corpus, folder, opened=how, settings=shape, recipe=replace(RECIPE, epochs=epochs),
            settle=1.0, resume=True, command=command,
            on_step=lambda state: book.teller.measuring("training", state.done, state.steps),
        )  # fmt: skip
    return corpus, read_rows(folder / CHECKPOINT), command


def _drawn(curves: dict[str, list[dict[str, Any]]]) -> UInt8[np.ndarray, "h w 3"]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 4.6), dpi=100, layout="constrained")
    panels = figure.subplots(len(DATA), len(NOISES), sharex=True, sharey=True)
    for axes, (title, rows) in zip(panels.flat, curves.items(), strict=True):
        for (key, label), style in zip(MEASURED.items(), ("-", "--", ":"), strict=True):
            values = np.array([row[key] for row in rows])
            axes.plot((values - values.min()) / max(np.ptp(values), 1e-12), style, label=label)
        axes.set_title(title, fontsize=10)
        axes.grid(alpha=0.3)
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    panels[0, -1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return rendered(figure)


ITEMS = [
    Item(
        "figure-3",
        "Figure 3: latents move apart as the error falls",
        "distances of latents and the reconstruction error during training under noise",
        needs,
        make,
        paper="paper-b",
    )
]
