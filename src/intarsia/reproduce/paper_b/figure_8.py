"""Figure 8: the share of samples that are training pictures, against the range gamma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from intarsia.measure.memorization import Memorization, memorization
from intarsia.models.arvm import ArvmSampler
from intarsia.models.token_network import TokenNetworkSampler
from intarsia.models.tokens import TokenGrid
from intarsia.networks.saved_tokens import SavedTokens
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_b.cells import Tokens
from intarsia.reproduce.paper_b.drawing import rendered
from intarsia.reproduce.scales import Scale
from intarsia.samples import Samples

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

GAMMAS = (3, 5, 7)
SEED = 0


@dataclass(frozen=True)
class Point:
    """One model at one range over one set of tokens."""

    tokens: Tokens
    gamma: int
    model: str
    found: Memorization
    backed_off: float | None
    kl: float | None

    @property
    def rate(self) -> float:
        """Share of samples within 30 dB of a training picture."""
        return float(self.found.by_psnr.mean())


def sets(scale: Scale) -> list[Tokens]:
    """Return the token sets; the first is the paper's."""
    epochs = scale.pick(12, 200, 400)
    first = Tokens(1000, 8, epochs)
    if scale.is_smoke:
        return [first]
    return [
        first,
        Tokens(1000, 12, epochs),
        Tokens(1000, 32, epochs),
        Tokens(10_000, 8, scale.pick(4, 25, 200)),
    ]


def needs(scale: Scale) -> Needs:
    """Return what it takes: mostly the training of the BL-AEs."""
    return Needs(seconds=scale.pick(60.0, 9000.0, 40_000.0))


def make(book: Book, needs: Needs) -> Page:
    """Draw from all models at all ranges, and count copies."""
    n = book.scale.pick(20, 500, 2000)
    epochs = book.scale.pick(2, 120, 300)
    points: list[Point] = []
    corpora, quality = [], []
    for tokens in sets(book.scale):
        grid = tokens.grid(book)
        corpora.append(grid.corpus)
        quality.append(_quality(tokens, grid))
        for gamma in GAMMAS:
            points.append(_exact(tokens, grid, gamma, n))
        if tokens.limit == 1000 and tokens.bits == 8:
            for gamma in GAMMAS:
                saved = tokens.network(book, "arvm", epochs=epochs, gamma=gamma)
                points.append(_network(tokens, grid, gamma, f"network, gamma {gamma}", saved, n))
            for name, width in (("PixelCNN (v1)", 64), ("PixelCNN (v2)", 128)):
                saved = tokens.network(book, "pixelcnn", epochs=epochs // 2, width=width)
                points.append(_network(tokens, grid, 7, name, saved, n))
    first = [one for one in points if one.model == "exact" and one.tokens == points[0].tokens]
    rows = [_row(book, one, n) for one in first]
    return Page(
        rows,
        _sentences(first, points),
        [Picture(_drawn(points), "Share of memorized samples against gamma",
                 f"Share of {n} samples whose nearest training picture is within 30 dB, against "
                 "the side of the causal window; CIFAR-10, tokens on a 4x4 grid.")],
        [*quality, f"{n} samples a point, seed {SEED}; intervals are 95 % (Clopper-Pearson)."],
        corpora,
        first="gamma",
        more=[_table(points)],
    )  # fmt: skip


def _exact(tokens: Tokens, grid: TokenGrid, gamma: int, n: int) -> Point:
    samples = ArvmSampler(grid, gamma).sample(n, SEED)
    backed_off = float((samples.extra["window"] < gamma).mean())
    return Point(tokens, gamma, "exact", _found(samples, grid), backed_off, None)


def _network(
    tokens: Tokens, grid: TokenGrid, gamma: int, name: str, saved: SavedTokens, n: int
) -> Point:
    samples = TokenNetworkSampler(grid, saved).sample(n, SEED)
    return Point(tokens, gamma, name, _found(samples, grid), None, float(saved.about["kl"]))


def _found(samples: Samples, grid: TokenGrid) -> Memorization:
    return memorization(
        samples.images, grid.corpus, tokens=samples.extra["tokens"], training_tokens=grid.numbers
    )


def _row(book: Book, point: Point, n: int) -> Row:
    summary = point.found.summary()
    assert isinstance(summary["rate_interval"], list)
    low, high = summary["rate_interval"]
    published = {3: "low (figure 8, no number)", 5: "between (figure 8, no number)"}
    blae, data = f"runs/{point.tokens.name}", f"--data cifar10 --limit {point.tokens.limit}"
    return Row(
        str(point.gamma),
        published.get(point.gamma, "nearly all (figure 8, no number)"),
        f"{point.rate:.1%} ({low:.1%} to {high:.1%}) by PSNR above 30 dB; "
        f"{summary['rate_bits']:.1%} by equal bits; {summary['rate_ssim']:.1%} by SSIM above 0.95; "
        f"{point.backed_off:.1%} of tokens drawn after backing off",
        f"exact histogram, NoD {point.tokens.bits}, first {point.tokens.limit:,} pictures of "
        f"CIFAR-10, {n} samples",
        (
            point.tokens.command(book),
            f"intarsia generate arvm {data} --blae {blae} --gamma {point.gamma} --n {n}",
        ),
    )


def _quality(tokens: Tokens, grid: TokenGrid) -> str:
    about = grid.blae.about
    return (
        f"BL-AE with NoD {tokens.bits} on {tokens.limit:,} pictures: {about['binary_rate']:.1%} of "
        f"latents binary, PSNR {about['psnr']:.1f} dB, 10th percentile {about['psnr_p10']:.1f} dB; "
        f"a copy of bits can only be seen by the PSNR rule where this is above 30."
    )


def _table(points: list[Point]) -> str:
    lines = [
        "## All models and token sets",
        "",
        "| tokens | model | gamma | by PSNR > 30 dB | by equal bits | by SSIM > 0.95 | backed off "
        "| KL from the histogram, nats a token |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in points:
        summary = one.found.summary()
        cells = (
            f"NoD {one.tokens.bits}, {one.tokens.limit:,} pictures",
            one.model,
            str(one.gamma),
            f"{one.rate:.1%}",
            f"{summary['rate_bits']:.1%}",
            f"{summary['rate_ssim']:.1%}",
            "" if one.backed_off is None else f"{one.backed_off:.1%}",
            "" if one.kl is None else f"{one.kl:.2g}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _sentences(first: list[Point], points: list[Point]) -> list[str]:
    rates = [one.rate for one in first]
    bits = [float(one.found.by_bits.mean()) for one in first if one.found.by_bits is not None]
    rises = all(one <= other for one, other in zip(rates, rates[1:], strict=False))
    out = [
        f"The rate {'rises' if rises else 'does not rise'} with gamma: "
        f"{', '.join(f'{rate:.1%}' for rate in rates)} by PSNR and "
        f"{', '.join(f'{rate:.1%}' for rate in bits)} by equal bits.",
        "At gamma 7 the window covers all that came before, so the exact model can only return "
        "training grids: its rate by bits is 100 % by construction, for any NoD and any number of "
        "pictures.",
    ]
    backed = [one.backed_off for one in first if one.backed_off is not None]
    out.append(
        "At smaller gamma the answer depends on how often contexts recur: "
        f"{', '.join(f'{share:.1%}' for share in backed)} of the tokens were drawn after backing "
        "off. More bits make contexts rarer, and nearly every context that is found then belongs "
        "to one picture, so that copying and backing off grow together; the table below says how "
        "far the conclusion depends on NoD and on the number of pictures."
    )
    return out


def _drawn(points: list[Point]) -> np.ndarray:
    """Draw rate against gamma, a line for each model and token set."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.4), dpi=110, layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    rules = (("PSNR above 30 dB", "by_psnr"), ("equal bits", "by_bits"))
    for axes, (title, name) in zip(panels, rules, strict=True):
        for label, some in _lines(points).items():
            shares = [100 * getattr(one.found, name).mean() for one in some]
            style = "-" if some[0].model == "exact" else "--"
            axes.plot([one.gamma for one in some], shares, style, marker="o", label=label)
        axes.set_title(title, fontsize=10)
        axes.set_xticks(GAMMAS)
        axes.set_xlabel("gamma")
        axes.set_ylim(-3, 103)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("% of samples memorized")
    panels[1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return rendered(figure)


def _lines(points: list[Point]) -> dict[str, list[Point]]:
    lines: dict[str, list[Point]] = {}
    for one in points:
        model = "network" if one.model.startswith("network") else one.model
        label = f"{model}, NoD {one.tokens.bits}, {one.tokens.limit:,} pictures"
        lines.setdefault(label, []).append(one)
    return lines


ITEMS = [
    Item(
        "figure-8",
        "Figure 8: memorization rises with the range of observation",
        "share of gamma-ARVM's samples that are training pictures, against gamma",
        needs,
        make,
        paper="paper-b",
    )
]
