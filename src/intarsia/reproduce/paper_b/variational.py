"""Figures 9 and 10: what the overlap of latents does to a variational autoencoder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import UInt8

from intarsia.corpus import Corpus
from intarsia.measure.evaluate import frechet_distance
from intarsia.measure.memorization import memorization
from intarsia.networks.train_vae import RECIPE, SavedVae, open_vae, train_vae
from intarsia.networks.vae import VaeSettings
from intarsia.networks.weights import CONFIG
from intarsia.provenance import draw
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

DATA = "mnist"
PUBLISHED = {0.05: "13.98", 0.1: "16.19", 0.25: "23.86", 0.5: "42.5", 1.0: "96.54"}
"""FID by the prior's standard deviation, in paper B's figure 9."""

DIMS = (2, 4, 8, 16, 32, 64)
_SHOWN = 10


def _corpus(book: Book, limit: int | None) -> tuple[Corpus, dict[str, Any]]:
    how = book.scale.corpus(DATA, limit)
    opened = {name: value for name, value in how.items() if value is not None}
    options = {name: value for name, value in opened.items() if name != "data"}
    return Corpus.open(opened["data"], **options), opened


def _trained(
    book: Book, corpus: Corpus, opened: dict[str, Any], name: str, epochs: int, **shape: Any
) -> tuple[SavedVae, str]:
    """Train a VAE if it is not there yet, and return the command that does."""
    folder = book.runs.folder / name
    options = " ".join(f"--{key} {value}" for key, value in {**opened, **shape}.items())
    command = f"intarsia train vae {options} --epochs {epochs} --out runs/{name}"
    if not (folder / CONFIG).exists():
        book.teller.say(f"  training {name}, {epochs} epochs")
        settings = VaeSettings((corpus.channels, *corpus.size), **shape)
        train_vae(
            corpus, folder, opened=opened, settings=settings, resume=True, command=command,
            recipe=replace(RECIPE, epochs=epochs),
        )  # fmt: skip
    return open_vae(folder), command


def needs_prior(scale: Scale) -> Needs:
    """Five VAEs, and the classifier behind the features."""
    return Needs(classifiers=(DATA,), seconds=scale.pick(20.0, 400.0, 2000.0))


def make_prior(book: Book, needs: Needs) -> Page:
    """Train VAEs whose prior gets narrower, and measure their samples (figure 9)."""
    corpus, opened = _corpus(book, None)
    features = book.measures.classifier(DATA)
    n, epochs = book.scale.pick(64, 2048, 10_000), book.scale.pick(1, 10, 50)
    real = features.extract(book.measures.real(DATA, n)).features
    rows, found, tiles = [], [], []
    for sigma, published in PUBLISHED.items():
        name = f"vae-{DATA}-sigma{sigma}"
        saved, command = _trained(book, corpus, opened, name, epochs, sigma=sigma)
        images = saved.network.samples(n, 0).numpy()
        found.append(frechet_distance(features.extract(images).features, real))
        tiles += [draw.enlarge(one, 2) for one in draw.to_rgb(images[:_SHOWN])]
        rows.append(
            Row(
                f"FID, sigma {sigma}", f"{published} (figure 9)", f"{found[-1]:.2f}",
                f"{features.card.name} features, {n:,} samples against as many test pictures, "
                f"{len(corpus):,} training pictures, {epochs} epochs", (command,),
            )
        )  # fmt: skip
    rises = all(one < other for one, other in zip(found, found[1:], strict=False))
    return Page(
        rows,
        [
            f"The narrower the prior, the {'lower' if rises else 'not always lower'} the FID: "
            f"{', '.join(f'{one:.1f}' for one in found)} from sigma 0.05 to 1. The paper's values "
            "are of other features (it does not say which), so only the order can be compared.",
        ],
        [Picture(draw.tile(tiles, _SHOWN, gap=2), "Samples of five VAEs",
                 f"Ten samples each, sigma 0.05, 0.1, 0.25, 0.5 and 1.0 from the top; trained on "
                 f"{len(corpus):,} MNIST digits.")],
        ["A posterior's standard deviation is counted in units of sigma, so nothing but the scale "
         "of the latents relative to their encoder changes.", "Seed 0."],
        [corpus],
    )  # fmt: skip


def needs_dims(scale: Scale) -> Needs:
    """Six VAEs on few pictures."""
    return Needs(seconds=scale.pick(10.0, 120.0, 900.0))


def make_dims(book: Book, needs: Needs) -> Page:
    """Train tanh VAEs under triangular noise with more and more dimensions (figure 10)."""
    limit = 1000
    corpus, opened = _corpus(book, limit)
    epochs = book.scale.pick(2, 100, 600)
    assert corpus.images is not None
    pictures = torch.from_numpy(np.array(corpus.images[:200])).permute(0, 3, 1, 2).float() / 255
    rows, found = [], []
    tiles = [draw.enlarge(one, 2) for one in draw.to_rgb(np.array(corpus.images[:_SHOWN]))]
    for dims in DIMS:
        name = f"vae-{DATA}-{limit}-triangular{dims}"
        saved, command = _trained(
            book, corpus, opened, name, epochs, dims=dims, latents="triangular"
        )
        again = _reconstructed(saved, pictures)
        psnr = float(np.minimum(memorization(again, corpus).nearest.psnr, 100).mean())
        error = (again.astype(float) - np.array(corpus.images[:200], float)) ** 2
        found.append(float((10 * np.log10(255**2 / error.mean(axis=(1, 2, 3)))).mean()))
        tiles += [draw.enlarge(one, 2) for one in draw.to_rgb(again[:_SHOWN])]
        rows.append(
            Row(
                f"{dims} dimensions", "closer with more dimensions (figure 10, no number)",
                f"PSNR {found[-1]:.2f} dB to the picture itself, {psnr:.2f} dB to the nearest",
                f"first {limit:,} MNIST digits, tanh, triangular noise of half-width 1, "
                f"{epochs} epochs", (command,),
            )
        )  # fmt: skip
    rises = all(one < other for one, other in zip(found, found[1:], strict=False))
    return Page(
        rows,
        [
            f"Reconstructions {'get closer with every doubling' if rises else 'mostly get closer'} "
            f"of the dimensions, from {found[0]:.1f} to {found[-1]:.1f} dB: 2^dims latents fit "
            "without overlap, and from about 10 dimensions on there are more than pictures.",
        ],
        [Picture(draw.tile(tiles, _SHOWN, gap=2), "Digits over their reconstructions",
                 "Top row: training pictures. Below: reconstructions with "
                f"{', '.join(map(str, DIMS))} dimensions.")],
        ["Reconstructions are of latents without noise.", "Seed 0."],
        [corpus],
    )  # fmt: skip


def _reconstructed(saved: SavedVae, pictures: torch.Tensor) -> UInt8[np.ndarray, "n h w c"]:
    with torch.inference_mode():
        mean, _ = saved.network.encode(pictures)
        found = (saved.network.decode(mean) * 255).round().to(torch.uint8)
    return found.permute(0, 2, 3, 1).numpy()


ITEMS = [
    Item(
        "figure-9",
        "Figure 9: a narrower prior, a better VAE",
        "FID of a VAE's samples against the prior's standard deviation",
        needs_prior,
        make_prior,
        paper="paper-b",
    ),
    Item(
        "figure-10",
        "Figure 10: more dimensions, closer reconstructions",
        "a VAE with bounded latents under triangular noise, against its number of dimensions",
        needs_dims,
        make_dims,
        paper="paper-b",
    ),
]
