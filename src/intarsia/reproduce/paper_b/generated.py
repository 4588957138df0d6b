"""Figure 7, tables 2 and 3: what gamma-ARVM draws, and what FID says of copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from intarsia.measure import evaluate
from intarsia.measure.memorization import memorization, novelty
from intarsia.models.arvm import ArvmSampler
from intarsia.models.tokens import TokenGrid
from intarsia.provenance import draw
from intarsia.provenance.maps import image_map
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_b import photographs
from intarsia.reproduce.paper_b.cells import Tokens
from intarsia.reproduce.paper_b.drawing import SHOWN, pairs, rendered
from intarsia.reproduce.paper_b.figure_8 import GAMMAS, sets
from intarsia.reproduce.scales import Scale
from intarsia.samples import Samples

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

ARVM = {7: "0.56 / 11.15", 5: "31.42 / 7.12", 3: "67.13 / 6.32"}
"""FID / IS on CIFAR-10 in paper B's table 2, by gamma."""

SEEN = {7: "training pictures", 5: "between", 3: "novel, and worse"}
"""What figure 7 shows, by gamma."""

LITERATURE = {
    "DDPM (Ho et al., 2020)": "3.17 / 9.46",
    "StyleGAN2 (Karras et al., 2020)": "3.26 / 9.74",
    "NCSN (Song and Ermon, 2019)": "25.32 / 8.87",
}
"""Rows of table 2 that are quoted as the paper prints them."""


def needs_figure(scale: Scale) -> Needs:
    """Figure 8's first BL-AE."""
    return Needs(seconds=scale.pick(15.0, 900.0, 6000.0))


def make_figure(book: Book, needs: Needs) -> Page:
    """Draw with three ranges, beside the picture each sample took most from (figure 7)."""
    tokens = sets(book.scale)[0]
    grid = tokens.grid(book)
    n = book.scale.pick(12, 100, 500)
    rows, tiles = [], []
    for gamma in reversed(GAMMAS):
        samples, command = _samples(tokens, grid, gamma, n)
        found = memorization(samples.images, grid.corpus)
        shown = samples[:SHOWN]
        tiles += pairs(samples.images, found, grid.corpus)
        tiles += [draw.enlarge(one, 2) for one in image_map(shown.sources)]
        rows.append(
            Row(
                f"gamma {gamma}",
                f"{SEEN[gamma]} (figure 7)",
                f"PSNR to the nearest training picture {_median(found.nearest.psnr):.1f} dB, SSIM "
                f"{np.median(found.nearest.ssim):.3f} (medians); distance "
                f"{novelty(found.nearest).mean():.3f} of 255 (mean)",
                f"exact histogram, NoD {tokens.bits}, first {tokens.limit:,} pictures of CIFAR-10, "
                f"{n} samples", (command,),
            )
        )  # fmt: skip
    return Page(
        rows,
        ["The smaller the range, the farther samples are from any training picture, and the less "
         "their parts belong together."],
        [Picture(draw.tile(tiles, SHOWN, gap=2), "Samples, nearest pictures and source maps",
                 f"{SHOWN} samples for gamma 7, 5 and 3, each over the nearest training picture by "
                 "SSIM and over its source map (one colour a training picture, 4x4 tokens); first "
                 f"{tokens.limit:,} pictures of CIFAR-10.")],
        ["Seed 0."],
        [grid.corpus],
    )  # fmt: skip


def needs_table(scale: Scale) -> Needs:
    """Figure 8's BL-AE of 32 bits a token, and the classifier."""
    return Needs(classifiers=("cifar10",), seconds=scale.pick(15.0, 900.0, 6000.0))


def make_table(book: Book, needs: Needs) -> Page:
    """Measure FID and IS of three ranges, beside how much was copied (table 2)."""
    tokens = Tokens(1000, 32, sets(book.scale)[0].epochs)
    grid = tokens.grid(book)
    features = book.measures.classifier("cifar10")
    n = book.scale.pick(100, 1000, 10_000)
    rows: list[Row] = []
    points: list[tuple[int, float, float, float]] = []
    for gamma in GAMMAS[::-1]:
        samples, command = _samples(tokens, grid, gamma, n)
        report = evaluate(samples, grid.corpus, ["fid", "is"], features)
        fid, score = (report.results[key].values for key in ("fid", "is"))
        found = memorization(samples.images, grid.corpus)
        far = float(novelty(found.nearest).mean())
        points.append((gamma, far, next(iter(fid.values())), float(found.by_psnr.mean())))
        rows.append(
            Row(
                f"ARVM, gamma {gamma}: FID / IS", f"{ARVM[gamma]} (table 2)",
                f"{next(iter(fid.values())):.2f} / {next(iter(score.values())):.2f}; "
                f"{found.by_psnr.mean():.1%} within 30 dB of a training picture",
                f"{features.card.name} features, {n:,} samples against the {tokens.limit:,} "
                f"training pictures, NoD {tokens.bits}", (command,),
            )
        )  # fmt: skip
    rows += [Row(name, f"{value} (table 2)", "quoted") for name, value in LITERATURE.items()]
    fids = [fid for _, _, fid, _ in points]
    order = "rises as gamma falls, as published" if fids == sorted(fids) else "is in another order"
    return Page(
        rows,
        [
            f"FID {order}: {', '.join(f'{fid:.2f}' for fid in fids)} for gamma 7, 5, 3. Features "
            "differ from the paper's InceptionV3, so values cannot be compared.",
            "FID is measured against the training pictures, as in the paper: it is least where all "
            "samples are copies, which says more of FID than of the model.",
        ],
        [Picture(_curve(points), "FID against novelty",
                 "The novelty-fidelity curve: mean distance of a sample to the nearest training "
                 f"picture against FID (classifier features); first {tokens.limit:,} pictures of "
                 "CIFAR-10.")],
        ["FID from so few samples is biased upwards; all rows have as many.", "Seed 0."],
        [grid.corpus],
    )  # fmt: skip


def needs_large(scale: Scale) -> Needs:
    """One BL-AE of larger pictures."""
    return Needs(seconds=scale.pick(60.0, 1500.0, 10_000.0))


def make_large(book: Book, needs: Needs) -> Page:
    """Draw larger pictures at global range and count copies (table 3)."""
    limit, n = book.scale.pick(50, 300, 1000), book.scale.pick(12, 200, 1000)
    tokens = Tokens(limit, 32, book.scale.pick(4, 150, 400), photographs.NAME)
    grid = tokens.grid(book)
    samples, command = _samples(tokens, grid, 7, n)
    found = memorization(
        samples.images, grid.corpus, tokens=samples.extra["tokens"], training_tokens=grid.numbers
    )
    summary = found.summary()
    about = grid.blae.about
    return Page(
        [
            Row(
                "memorized at global range, gamma 7",
                "over 90 % (section 5.2); FID 1.54, 5.63, 1.53 on three data sets (table 3)",
                f"{summary['rate']:.1%} by PSNR above 30 dB, {summary['rate_bits']:.1%} by equal "
                f"bits",
                f"{len(grid.corpus):,} crops of {photographs.SIDE}x{photographs.SIDE}, NoD 32 on "
                f"4x4, {tokens.epochs} epochs, {n} samples",
                (tokens.command(book), command),
            ),
            Row(
                "PSNR of reconstructions", "not said",
                f"mean {about['psnr']:.1f} dB, 10th percentile {about['psnr_p10']:.1f} dB",
                "training pictures", (tokens.command(book),),
            ),
        ],
        [
            "At gamma 7 the exact model can only return training grids, so what the PSNR rule adds "
            "is whether the autoencoder brings them back within 30 dB.",
        ],
        [Picture(draw.tile(pairs(samples.images, found, grid.corpus), SHOWN, gap=2),
                 "Samples over the nearest training pictures",
                 f"{SHOWN} samples over the nearest of {len(grid.corpus):,} training pictures by "
                 "SSIM.")],
        ["LSUN, ImageNet and CelebA-HQ are not at hand: pictures are crops, without overlap, of "
         "photographs that come with scikit-image and scikit-learn.", "Seed 0."],
        [grid.corpus],
    )  # fmt: skip


def _samples(tokens: Tokens, grid: TokenGrid, gamma: int, n: int) -> tuple[Samples, str]:
    data = f"runs/{tokens.data}" if tokens.data == photographs.NAME else tokens.data
    command = (
        f"intarsia generate arvm --data {data} --limit {tokens.limit} --blae runs/{tokens.name} "
        f"--gamma {gamma} --n {n}"
    )
    return ArvmSampler(grid, gamma).sample(n, 0), command


def _median(psnr: np.ndarray) -> float:
    return float(np.median(np.minimum(psnr, 100.0)))


def _curve(points: list[tuple[int, float, float, float]]) -> UInt8[np.ndarray, "h w 3"]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.2), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.plot([far for _, far, _, _ in points], [fid for _, _, fid, _ in points], marker="o")
    for gamma, far, fid, rate in points:
        text = f"gamma {gamma}, {rate:.0%} copies"
        axes.annotate(text, (far, fid), (-8, 6), textcoords="offset points", fontsize=8, ha="right")
    axes.margins(x=0.2, y=0.15)
    axes.set_xlim(left=-0.6 * max(far for _, far, _, _ in points))
    axes.set_xlabel("novelty: distance to the nearest training picture, 0 to 1")
    axes.set_ylabel("FID")
    axes.grid(alpha=0.3)
    return rendered(figure)


ITEMS = [
    Item(
        "figure-7",
        "Figure 7: what gamma-ARVM draws with ranges 7, 5 and 3",
        "samples of gamma-ARVM beside the nearest training pictures",
        needs_figure,
        make_figure,
        paper="paper-b",
    ),
    Item(
        "table-2",
        "Table 2: FID and IS of gamma-ARVM, and novelty against fidelity",
        "FID and IS by gamma, beside the share of copies",
        needs_table,
        make_table,
        paper="paper-b",
    ),
    Item(
        "table-3",
        "Table 3: larger pictures at global range",
        "copies of pictures of 64x64",
        needs_large,
        make_large,
        paper="paper-b",
    ),
]
