"""Figures 4, 5 and 6 and table 1: latents turn binary, and noise costs reconstruction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import UInt8

from intarsia.files import read_png
from intarsia.networks.binarising import convolved, psnr_of_rows
from intarsia.networks.saved_blae import RECIPE, open_blae, train_blae
from intarsia.networks.weights import CONFIG
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_b.cells import Tokens
from intarsia.reproduce.paper_b.drawing import rendered
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

SIGMAS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
"""Strengths of the noise in paper B's figure 4."""

BITS = 12


def tokens(scale: Scale) -> Tokens:
    """Return the 192 bits of table 1, on the first 1,000 pictures."""
    return Tokens(1000, BITS, scale.pick(12, 200, 400))


def needs_table(scale: Scale) -> Needs:
    """The training of one BL-AE."""
    return Needs(seconds=scale.pick(15.0, 2400.0, 6000.0))


def make_table(book: Book, needs: Needs) -> Page:
    """Train the BL-AE of table 1 and report what it reconstructs."""
    asked = tokens(book.scale)
    corpus, saved = asked.blae(book)
    assert corpus.images is not None
    pictures = torch.from_numpy(np.array(corpus.images))
    latents = saved.latents(pictures)
    again = saved.decode(latents.permute(0, 2, 3, 1) > 0)
    psnr = psnr_of_rows(pictures, again)
    plain = psnr_of_rows(pictures, convolved(saved.network, latents.sign(), saved.device))
    distinct = len(torch.unique((latents > 0).flatten(1), dim=0))
    bits = latents[0].numel()
    folder = book.runs.folder / asked.name
    rate = saved.about["binary_rate"]
    rows = [
        Row(
            "bits a picture", "192 (table 1)", f"{bits}",
            f"first {len(corpus):,} pictures of CIFAR-10, NoD {BITS} on 4x4, "
            f"{asked.epochs} epochs", (asked.command(book),),
        ),
        Row(
            "PSNR of reconstructions from bits", "38.12 dB (table 1)",
            f"mean {float(psnr.mean()):.2f} dB, 10th percentile {float(psnr.quantile(0.1)):.2f} dB",
            "the training pictures themselves, as in the paper", (asked.command(book),),
        ),
        Row(
            "the same, of the convolutions alone",
            "38.12 dB (table 1)",
            f"mean {float(plain.mean()):.2f} dB, 10th percentile "
            f"{float(plain.quantile(0.1)):.2f} dB",
            "without the dense layer, which the paper does not have",
            (asked.command(book),),
        ),
        Row(
            "binary rate", "towards 1 (figure 5, no number)",
            f"{rate:.4f} of latents beyond 0.9 in magnitude; {distinct:,} different codes",
            f"{saved.settings.noise} noise, sigma {saved.settings.sigma}",
            (asked.command(book),),
        ),
    ]  # fmt: skip
    return Page(
        rows,
        [
            f"Latents turn binary with nothing but noise and the squared error ({rate:.2%}), as "
            "the paper says.",
            "The paper's 38.12 dB speaks of training pictures: "
            f"{bits} bits cannot hold an unseen picture at that quality, so its decoder has "
            f"learned them by heart. Ours does so in a dense layer ({float(psnr.mean()):.1f} dB); "
            f"its convolutions alone, of an eighth of the paper's hidden width and trained for "
            f"minutes, reach {float(plain.mean()):.1f} dB.",
        ],
        [
            Picture(_picture(folder / "latents.png"), "Histograms of latents over epochs",
                    "Latents of the training pictures over the epochs; "
                    f"{len(corpus):,} pictures.", "-latents"),
            Picture(_picture(folder / "curves.png"), "Loss, binary rate and PSNR over epochs",
                    "Figure 5's curves. Where the PSNR bends up, encoder and decoder are left as "
                    "they are and the dense layer begins to learn what they leave.", "-curves"),
            Picture(_picture(folder / "reconstructions.png"), "Pictures over reconstructions",
                    f"Figure 6: training pictures over what {bits} bits bring back.",
                    "-reconstructions"),
        ],
        [
            "How the printed layer tables are read: `intarsia.networks.blae`. Widths are "
            f"{', '.join(map(str, saved.settings.widths))} and {saved.settings.hidden:,} hidden "
            "channels where table 5 has 64, 256, 512 and 8,192; the same command with --widths "
            "64,256,512 --hidden 8192 --memory 0 is the paper's.",
            "The paper trains encoder and decoder throughout; here they are left as they are after "
            "60 % of the epochs, and the dense layer learns (--settle 1 leaves it out).",
        ],
        [corpus],
    )  # fmt: skip


def needs_noise(scale: Scale) -> Needs:
    """Six decoders."""
    return Needs(seconds=scale.pick(15.0, 900.0, 6000.0))


def make_noise(book: Book, needs: Needs) -> Page:
    """Train decoders anew under more and more noise, the encoder left as it is (figure 4)."""
    asked = tokens(book.scale)
    corpus, saved = asked.blae(book)
    epochs = book.scale.pick(3, 12, 300)
    rows, found = [], []
    for sigma in SIGMAS:
        folder = book.runs.folder / f"{asked.name}-sigma{sigma}"
        command = (
            f"intarsia train blae --data cifar10 --limit {asked.limit} --encoder-of "
            f"runs/{asked.name} --sigma {sigma} --epochs {epochs} --out runs/{folder.name}"
        )
        if not (folder / CONFIG).exists():
            book.teller.say(f"  training {folder.name}, {epochs} epochs")
            train_blae(
                corpus, folder, opened=saved.corpus, command=command, resume=True,
                settings=replace(saved.settings, sigma=sigma), encoder_of=saved,
                recipe=replace(RECIPE, epochs=epochs),
            )  # fmt: skip
        found.append(float(open_blae(folder).about["psnr"]))
        rows.append(
            Row(
                f"sigma {sigma}", "falls with sigma (figure 4, no number)",
                f"PSNR {found[-1]:.2f} dB",
                f"decoder anew, {epochs} epochs, first {len(corpus):,} pictures of CIFAR-10",
                (command,),
            )
        )  # fmt: skip
    falls = all(one > other for one, other in zip(found, found[1:], strict=False))
    return Page(
        rows,
        [
            f"With more noise on the latents reconstructions are {'worse' if falls else 'not'} "
            f"{'at every step' if falls else 'always worse'}: from {found[0]:.2f} to "
            f"{found[-1]:.2f} dB. Theorem 3.3's lower bound says that the error must rise; it "
            "does not say by how much."
        ],
        [Picture(_noise_chart(found), "PSNR against the strength of noise",
                 f"Figure 4: PSNR of reconstructions from noise-free bits, decoders trained for "
                 f"{epochs} epochs each.")],
        ["The encoder is that of table 1's BL-AE and the same for all.", "Seed 0."],
        [corpus],
    )  # fmt: skip


def _noise_chart(found: list[float]) -> UInt8[np.ndarray, "h w 3"]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 2.8), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.plot(SIGMAS, found, marker="o")
    axes.set_xlabel("sigma")
    axes.set_ylabel("PSNR, dB")
    axes.grid(alpha=0.3)
    return rendered(figure)


def _picture(path) -> UInt8[np.ndarray, "h w 3"]:  # type: ignore[no-untyped-def]
    found = read_png(path)
    return np.ascontiguousarray(np.broadcast_to(found[..., :3], (*found.shape[:2], 3)))


ITEMS = [
    Item(
        "table-1",
        "Table 1, figures 5 and 6: a picture as 192 bits",
        "BL-AE: binary rate, PSNR and reconstructions",
        needs_table,
        make_table,
        paper="paper-b",
    ),
    Item(
        "figure-4",
        "Figure 4: noise on the latents costs reconstruction",
        "PSNR of decoders trained anew against sigma",
        needs_noise,
        make_noise,
        paper="paper-b",
    ),
]
