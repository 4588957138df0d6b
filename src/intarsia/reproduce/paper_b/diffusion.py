"""Figure 12: diffusion models trained on few pictures and on more, and one that is local."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from intarsia.corpus import Corpus
from intarsia.measure.memorization import memorization
from intarsia.models.network import TrainedNetwork
from intarsia.networks.train import RECIPE, train_denoiser
from intarsia.networks.weights import CONFIG
from intarsia.provenance import draw
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_b.drawing import SHOWN, pairs
from intarsia.reproduce.paper_b.families import opened
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

DATA = "cifar10"
DRAW = "intarsia generate network"

PUBLISHED = {
    16: "always training pictures (figure 12)",
    1024: "a few differences in the details (figure 12)",
    5120: "close to image fusion (figure 12)",
}


@dataclass(frozen=True)
class Trained:
    """One network of the figure.

    Attributes
    ----------
    kind, widths : ``unet``, whose field covers the picture, or ``resnet``, whose field does not.
    limit : training pictures.
    epochs, batch : of the training.
    """

    kind: str
    widths: tuple[int, ...]
    limit: int
    epochs: int
    batch: int

    @property
    def name(self) -> str:
        """Name of its folder under the runs."""
        return f"ddpm-{self.kind}-{DATA}-{self.limit}"

    def command(self, how: dict[str, object]) -> str:
        """Return the command that trains it."""
        options = " ".join(f"--{name} {value}" for name, value in how.items())
        return (
            f"intarsia train {self.kind} {options} --width {','.join(map(str, self.widths))} "
            f"--epochs {self.epochs} --batch {self.batch} --rate 0.001 --halve-every "
            f"{self.epochs / 4:g} --out runs/{self.name}"
        )

    def samples(self, book: Book, n: int) -> tuple[Corpus, UInt8[np.ndarray, "n h w c"], str]:
        """Train it if it is not there yet, and draw."""
        corpus, how = opened(book, DATA, self.limit)
        folder, command = book.runs.folder / self.name, self.command(how)
        if not (folder / CONFIG).exists():
            book.teller.say(f"  training {self.name}, {self.epochs} epochs")
            recipe = replace(
                RECIPE, epochs=self.epochs, batch=min(self.batch, len(corpus)), rate=1e-3,
                halve_every=self.epochs / 4,
            )  # fmt: skip
            train_denoiser(
                self.kind, corpus, folder, opened=how, widths=self.widths, recipe=recipe,
                resume=True, command=command,
                on_step=lambda state: book.teller.measuring("training", state.done, state.steps),
            )  # fmt: skip
        drawn = TrainedNetwork(corpus, network=folder, steps=50).sample(n, 0)
        return corpus, drawn.images, command


def sets(scale: Scale) -> list[Trained]:
    """Return the networks: about as many steps each, and a local one on the fewest pictures."""
    unet, resnet = scale.pick((8, 16, 16), (32, 64, 64), (64, 128, 256)), scale.pick(8, 32, 256)
    steps = scale.pick(4, 2500, 100_000)
    counts = scale.pick((16,), (16, 256, 1024), (16, 1024, 5120))
    found = [
        Trained("unet", unet, count, max(1, steps * min(16, count) // count), min(16, count))
        for count in counts
    ]
    return [*found, Trained("resnet", (resnet,), 16, steps, 16)]


def needs(scale: Scale) -> Needs:
    """Four networks."""
    return Needs(seconds=scale.pick(30.0, 900.0, 80_000.0))


def make(book: Book, needs: Needs) -> Page:
    """Train, draw, and look for copies."""
    n = book.scale.pick(4, 100, 500)
    rows, tiles, rates, corpora = [], [], [], []
    for one in sets(book.scale):
        corpus, images, command = one.samples(book, n)
        found = memorization(images, corpus)
        summary = found.summary()
        assert isinstance(summary["rate_interval"], list)
        low, high = summary["rate_interval"]
        corpora.append(corpus)
        rates.append(found.by_psnr.mean())
        tiles += pairs(images, found, corpus)
        local = one.kind == "resnet"
        rows.append(
            Row(
                f"{'ResNet, 17x17 pixels seen' if local else 'UNet, whole picture seen'}, "
                f"{len(corpus):,} pictures",
                "not in the paper" if local else PUBLISHED.get(one.limit, "not drawn"),
                f"{rates[-1]:.1%} ({low:.1%} to {high:.1%}) within 30 dB of a training picture; "
                f"SSIM to the nearest {np.median(found.nearest.ssim):.3f}, PSNR "
                f"{np.median(np.minimum(found.nearest.psnr, 100)):.1f} dB (medians)",
                f"first {len(corpus):,} pictures of CIFAR-10, widths "
                f"{', '.join(map(str, one.widths))}, {one.epochs:,} epochs, DDIM with 50 steps, "
                f"{n} samples",
                (command, f"{DRAW} --network runs/{one.name} --steps 50 --n {n}"),
            )
        )  # fmt: skip
    whole = rates[:-1]
    falls = all(one >= other for one, other in zip(whole, whole[1:], strict=False))
    return Page(
        rows,
        [
            f"The share of copies {'falls' if falls else 'does not fall'} as there are more "
            f"training pictures: {', '.join(f'{rate:.0%}' for rate in whole)}.",
            f"A local network trained on the same 16 pictures as the first copies "
            f"{rates[-1]:.0%}: with a field of 17x17 it fits its pieces anew, as paper C says.",
        ],
        [Picture(draw.tile(tiles, SHOWN, gap=2), "Samples over training pictures",
                 f"{SHOWN} samples of each network in the table's order, over the nearest "
                 "training picture by SSIM.")],
        ["All networks are trained for about as many steps, which the paper does not say of its "
         "own.", "Seed 0."],
        corpora,
    )  # fmt: skip


ITEMS = [
    Item(
        "figure-12",
        "Figure 12: diffusion copies when it sees whole pictures, and few of them",
        "memorization of diffusion models against the number of training pictures",
        needs,
        make,
        paper="paper-b",
    )
]
