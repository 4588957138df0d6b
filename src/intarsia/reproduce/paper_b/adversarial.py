"""Figure 11: a GAN whose input is a mixture of Gaussians that learns its means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intarsia.measure.memorization import memorization
from intarsia.networks.gan import Gan
from intarsia.provenance import draw
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_b.drawing import SHOWN, pairs
from intarsia.reproduce.paper_b.families import opened, trained
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

DATA = "cifar10"

DRAWN = 18.0
"""Median decibel to the nearest training picture below which samples are smears."""


def needs(scale: Scale) -> Needs:
    """Two GANs."""
    return Needs(seconds=scale.pick(20.0, 1500.0, 100_000.0))


def make(book: Book, needs: Needs) -> Page:
    """Train a GAN on plain noise and one on a mixture that learns, and look for copies."""
    limit = book.scale.pick(100, 100, 1000)
    epochs = book.scale.pick(2, 3000, 20_000)
    n = book.scale.pick(20, 200, 1000)
    corpus, how = opened(book, DATA, limit)
    rows, tiles, psnr = [], [], []
    for components, said in ((0, "plain noise"), (len(corpus), "a mixture that learns its means")):
        saved, command = trained(
            book, "gan", corpus, how, f"gan-{DATA}-{limit}-{components}", epochs,
            components=components,
        )  # fmt: skip
        assert isinstance(saved.network, Gan)
        images = saved.network.samples(n, 0).numpy()
        found = memorization(images, corpus)
        psnr.append(float(np.median(found.nearest.psnr)))
        tiles += pairs(images, found, corpus)
        rows.append(
            Row(
                f"input: {said}",
                "every sample very similar to a training picture (figure 11)" if components
                else "not said",
                f"PSNR to the nearest {psnr[-1]:.2f} dB (median); {found.by_psnr.mean():.1%} above "
                f"30 dB; SSIM {np.median(found.nearest.ssim):.3f}; losses of generator and "
                f"discriminator {saved.about['generator']:.2f} and "
                f"{saved.about['discriminator']:.2f} nats",
                f"first {len(corpus):,} pictures of CIFAR-10, {components or 'no'} components, "
                f"{epochs:,} epochs, {n} samples",
                (command,),
            )
        )  # fmt: skip
    gain = psnr[1] - psnr[0]
    return Page(
        rows,
        [
            f"With a mixture that learns its means, samples are {abs(gain):.1f} dB "
            f"{'nearer to' if gain > 0 else 'farther from'} training pictures than with plain "
            "noise.",
            *(
                [
                    f"Both GANs still draw smears after {epochs:,} epochs, so figure 11 is not "
                    "reproduced at this scale."
                ]
                if max(psnr) < DRAWN
                else []
            ),
            "The paper trains on 1,000 pictures for 20,000 epochs; `--scale full` does.",
        ],
        [Picture(draw.tile(tiles, SHOWN, gap=2), "Samples of two GANs over training pictures",
                 f"{SHOWN} samples of each GAN over the nearest training picture by SSIM: plain "
                 f"noise above, the mixture below; first {len(corpus):,} pictures of CIFAR-10.")],
        ["The paper does not say how many Gaussians it mixes; here one a training picture, with "
         "standard deviation 0.1 in 64 dimensions.", "Seed 0."],
        [corpus],
    )  # fmt: skip


ITEMS = [
    Item(
        "figure-11",
        "Figure 11: a GAN that learns where its inputs lie",
        "likeness of a GAN's samples to training pictures, with plain noise and with a mixture",
        needs,
        make,
        paper="paper-b",
    )
]
