"""Figures 9 and 10: what the overlap of latents does to a variational autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import UInt8

from intarsia.measure.evaluate import frechet_distance
from intarsia.measure.memorization import memorization
from intarsia.networks.vae import Vae
from intarsia.provenance import draw
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_b.families import opened, trained
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

DATA = "mnist"
PUBLISHED = {0.05: "13.98", 0.1: "16.19", 0.25: "23.86", 0.5: "42.5", 1.0: "96.54"}
"""FID by the prior's standard deviation, in paper B's figure 9."""

READINGS = {"scaled": "the prior scaled by sigma", "unit": "only the noise scaled"}

DIMS = (2, 4, 8, 16, 32, 64)
_SHOWN = 10


def needs_prior(scale: Scale) -> Needs:
    """Five VAEs, and the classifier behind the features."""
    return Needs(classifiers=(DATA,), seconds=scale.pick(20.0, 400.0, 2000.0))


def make_prior(book: Book, needs: Needs) -> Page:
    """Train VAEs whose sigma gets smaller, in two readings, and measure samples (figure 9)."""
    corpus, how = opened(book, DATA)
    features = book.measures.classifier(DATA)
    n, epochs = book.scale.pick(64, 2048, 10_000), book.scale.pick(1, 10, 50)
    real = features.extract(book.measures.real(DATA, n)).features
    rows: list[Row] = []
    tiles = []
    found: dict[str, list[float]] = {}
    for prior, said in READINGS.items():
        for sigma, published in PUBLISHED.items():
            name = f"vae-{DATA}-{prior}-sigma{sigma}"
            saved, command = trained(
                book, "vae", corpus, how, name, epochs, sigma=sigma, prior=prior
            )
            images = saved.network.samples(n, 0).numpy()
            fid = frechet_distance(features.extract(images).features, real)
            found.setdefault(prior, []).append(fid)
            tiles += [draw.enlarge(one, 2) for one in draw.to_rgb(images[:_SHOWN])]
            rows.append(
                Row(
                    f"FID, sigma {sigma}, {said}", f"{published} (figure 9)", f"{fid:.2f}",
                    f"{features.card.name} features, {n:,} samples against as many test pictures, "
                    f"{len(corpus):,} training pictures, {epochs} epochs", (command,),
                )
            )  # fmt: skip
    return Page(
        rows,
        [_told(prior, values) for prior, values in found.items()]
        + [
            "With the prior scaled, sigma is a unit of the latents and nothing else, so it decides "
            "only how soon training finds their scale. With only the noise scaled, the VAE is a "
            "beta-VAE with a weak divergence: it reconstructs better, and samples of the prior "
            "fall between the codes. "
            + (
                ""
                if any(_rises(values) for values in found.values())
                else "Neither reading shows the order of figure 9, whose code is not named. "
            )
            + "The paper's values are of other features (it does not say which), so only the order "
            "can be compared.",
        ],
        [Picture(draw.tile(tiles, _SHOWN, gap=2), "Samples of ten VAEs",
                 f"{_SHOWN} samples each, sigma 0.05, 0.1, 0.25, 0.5 and 1.0 from the top, first "
                 f"with a prior scaled by sigma, then with only the noise scaled; trained on "
                 f"{len(corpus):,} MNIST digits.")],
        ["Samples are drawn from the prior that the divergence was taken to.", "Seed 0."],
        [corpus],
    )  # fmt: skip


def _rises(values: list[float]) -> bool:
    return all(one < other for one, other in zip(values, values[1:], strict=False))


def _told(prior: str, found: list[float]) -> str:
    listed = ", ".join(f"{one:.1f}" for one in found)
    least = list(PUBLISHED)[int(np.argmin(found))]
    order = "rises with sigma, as published" if _rises(found) else f"is least at sigma {least}"
    return f"With {READINGS[prior]}, FID {order}: {listed} from sigma 0.05 to 1."


def needs_dims(scale: Scale) -> Needs:
    """Six VAEs on few pictures."""
    return Needs(seconds=scale.pick(10.0, 120.0, 900.0))


def make_dims(book: Book, needs: Needs) -> Page:
    """Train tanh VAEs under triangular noise with more and more dimensions (figure 10)."""
    limit = 1000
    corpus, how = opened(book, DATA, limit)
    epochs = book.scale.pick(2, 600, 3000)
    assert corpus.images is not None
    pictures = torch.from_numpy(np.array(corpus.images[:200])).permute(0, 3, 1, 2).float() / 255
    rows: list[Row] = []
    found: list[float] = []
    told: list[int] = []
    tiles = [draw.enlarge(one, 2) for one in draw.to_rgb(np.array(corpus.images[:_SHOWN]))]
    for dims in DIMS:
        name = f"vae-{DATA}-{limit}-triangular{dims}"
        saved, command = trained(
            book, "vae", corpus, how, name, epochs, dims=dims, latents="triangular"
        )
        assert isinstance(saved.network, Vae)
        again, codes = _reconstructed(saved.network, pictures)
        told.append(codes)
        psnr = float(np.minimum(memorization(again, corpus).nearest.psnr, 100).mean())
        error = (again.astype(float) - np.array(corpus.images[:200], float)) ** 2
        found.append(float((10 * np.log10(255**2 / error.mean(axis=(1, 2, 3)))).mean()))
        tiles += [draw.enlarge(one, 2) for one in draw.to_rgb(again[:_SHOWN])]
        rows.append(
            Row(
                f"{dims} dimensions", "closer with more dimensions (figure 10, no number)",
                f"PSNR {found[-1]:.2f} dB to the picture itself, {psnr:.2f} dB to the nearest; "
                f"{codes} different signs of latents",
                f"first {limit:,} MNIST digits, tanh, triangular noise of half-width 1, "
                f"{epochs} epochs", (command,),
            )
        )  # fmt: skip
    stuck = [str(dims) for dims, codes in zip(DIMS, told, strict=True) if codes == 1]
    rest = [one for one, codes in zip(found, told, strict=True) if codes > 1] or found
    return Page(
        rows,
        [
            f"Where latents tell pictures apart, reconstructions "
            f"{'get closer with every doubling' if _rises(rest) else 'mostly get closer with more'}"
            f" of the dimensions, from {rest[0]:.1f} to {rest[-1]:.1f} dB: 2^dims latents fit "
            "without overlap, and from about 10 dimensions on there are more than pictures.",
            *(
                [
                    f"With {', '.join(stuck)} dimensions all latents ended at one corner and the "
                    "decoder drew the mean picture. That is how these trainings went, not what the "
                    "theory asks for, by which 2^dims groups of pictures could be told apart."
                ]
                if stuck
                else []
            ),
        ],
        [Picture(draw.tile(tiles, _SHOWN, gap=2), "Digits over their reconstructions",
                 "Top row: training pictures. Below: reconstructions with "
                f"{', '.join(map(str, DIMS))} dimensions.")],
        ["Reconstructions are of latents without noise.", "Seed 0."],
        [corpus],
    )  # fmt: skip


def _reconstructed(
    network: Vae, pictures: torch.Tensor
) -> tuple[UInt8[np.ndarray, "n h w c"], int]:
    """Return what noise-free latents bring back, and how many signs these have."""
    with torch.inference_mode():
        mean, _ = network.encode(pictures)
        found = (network.decode(mean) * 255).round().to(torch.uint8)
    return found.permute(0, 2, 3, 1).numpy(), len(torch.unique(mean.sign(), dim=0))


ITEMS = [
    Item(
        "figure-9",
        "Figure 9: a VAE against the standard deviation of its prior",
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
