"""Make the pictures of the documentation: ``python docs/figures.py [NAME ...]``.

Runs land in ``runs/figures`` and are finished or reused like any run; pictures land beside the
pages that show them. Needs MNIST and CIFAR-10 (see docs/data.md) and scikit-image.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from intarsia.corpus import Corpus
from intarsia.files import save_png
from intarsia.models import Inpainting, NonparametricSampler, Texture, run
from intarsia.provenance import top_share
from intarsia.provenance.draw import (
    INK,
    TITLE,
    blank,
    enlarge,
    font,
    paste,
    text_width,
    tile,
    to_rgb,
)
from intarsia.provenance.entropy import map_entropies
from intarsia.provenance.maps import draw_maps, place_map
from intarsia.provenance.movie import write_movie
from intarsia.samples import Samples

DOCS = Path(__file__).parent
MARGIN = 16
RUNS = DOCS.parent / "runs" / "figures"


def panels(columns: Sequence[tuple[str, np.ndarray]], path: Path, gap: int = 24) -> None:
    """Put pictures [H, W, 3] side by side under their titles."""
    widths = [max(picture.shape[1], text_width(title, TITLE)) for title, picture in columns]
    width = sum(widths) + gap * (len(columns) - 1) + 2 * MARGIN
    height = max(picture.shape[0] for _, picture in columns) + TITLE + 12 + 2 * MARGIN
    sheet, pen = blank(width, height)
    x = MARGIN
    for (title, picture), across in zip(columns, widths, strict=True):
        pen.text((x, MARGIN), title, fill=INK, font=font(TITLE))
        paste(sheet, picture, x, MARGIN + TITLE + 12)
        x += across + gap
    save_png(path, np.asarray(sheet))
    print(f"  {path.relative_to(DOCS.parent)}")


def grid(images: np.ndarray, columns: int, scale: int) -> np.ndarray:
    """Tile pictures, enlarged."""
    return np.asarray(tile([enlarge(p, scale) for p in to_rgb(images)], columns))


def shift_share(samples: Samples) -> float:
    """Share of the first sample's drawn pixels that one picture gave at one constant shift."""
    first = samples.sources[0]
    rows, cols = np.mgrid[: first.shape[1], : first.shape[2]]
    moved = np.stack([first.image[0], first.row[0] - rows, first.col[0] - cols], axis=-1)
    _, counts = np.unique(moved[first.step[0] >= 0], axis=0, return_counts=True)
    return float(counts.max() / counts.sum())


def drawn(name: str, model: NonparametricSampler, n: int, seed: int = 0) -> Samples:
    """Draw into ``runs/figures/NAME``, or read what is there."""
    samples = run(model, n, seed, RUNS / name, resume=True)
    samples.check_pixel_law(model.corpus)
    drawn_pixels = samples.sources.step >= 0
    print(f"  {name}: {map_entropies(samples.sources)}")
    print(
        f"    median pool {np.median(samples.sources.pool[drawn_pixels]):.0f}, top source of each "
        f"sample {np.round(top_share(samples.sources), 2).tolist()}, pixels at the commonest "
        f"shift in the first {shift_share(samples):.3f}"
    )
    return samples


def principles() -> None:
    """Paper A, figure 2, on MNIST: one principle after the other."""
    whole, part = Corpus.open("mnist"), Corpus.open("mnist", limit=1000)
    shown = []
    for name, corpus in (("L", part), ("NS+L", whole), ("NS+H", whole), ("NS+L+H", whole)):
        model = NonparametricSampler(corpus, principles=name)
        samples = drawn(f"mnist-{name}", model, 36)
        shown.append((f"{name}, {len(corpus):,} digits", grid(samples.images, 6, 2)))
    panels(shown, DOCS / "results" / "principles.png")


def cifar() -> None:
    """The full model and its ablations on all of CIFAR-10, on the same seeds."""
    corpus = Corpus.open("cifar10")
    shown = []
    for title, settings in (
        ("NS+L+H", {}),
        ("NS+L", {"principles": "NS+L"}),
        ("class instead of phi", {"condition": "class"}),
    ):
        n = 36
        model = NonparametricSampler(corpus, **settings)  # type: ignore[arg-type]
        samples = drawn(f"cifar10-{title.replace(' ', '-')}", model, n)
        shown.append((title, grid(samples.images, 6, 2)))
        if not settings:
            save_png(DOCS / "results" / "cifar10-maps.png", np.asarray(draw_maps(samples[:8])))
    panels(shown, DOCS / "results" / "cifar10.png")


def textures() -> None:
    """Brick, grass and gravel of scikit-image: source, more of it, and where it came from."""
    from skimage import data
    from skimage.transform import resize

    rows = []
    for name, shrink in (("brick", 4), ("grass", 3), ("gravel", 4)):
        picture = getattr(data, name)()
        side = picture.shape[0] // shrink
        small = (resize(picture, (side, side), anti_aliasing=True) * 255).round().astype(np.uint8)
        source = small[:96, :96, None]
        corpus = Corpus.from_arrays([source], name=f"scikit-image's {name}")
        samples = drawn(f"texture-{name}-11", Texture(corpus, (96, 96)), 1)
        maps = place_map(samples.sources)[0]
        pictures = (to_rgb(source), to_rgb(samples.images[0]), maps)
        rows.append([enlarge(picture, 2) for picture in pictures])
    columns = [np.concatenate(column, axis=0) for column in zip(*rows, strict=True)]
    titles = ("source", "drawn", "place in the source")
    panels(list(zip(titles, columns, strict=True)), DOCS / "results" / "textures.png")


def holes() -> None:
    """A hole filled from the picture itself, and digits completed from other digits."""
    from skimage import data
    from skimage.transform import resize

    small = (resize(data.grass(), (128, 128), anti_aliasing=True) * 255).round().astype(np.uint8)
    picture = small[:96, :96, None]
    hole = np.zeros((96, 96), bool)
    hole[30:62, 36:70] = True
    filled = drawn("hole-grass", Inpainting(picture, hole), 1)
    corpus, test = Corpus.open("mnist"), Corpus.open("mnist", split="test")
    lower = np.zeros((28, 28), bool)
    lower[14:] = True
    given, completed = [], []
    for i in range(4):
        digit = test[i]
        samples = drawn(f"hole-digit-{i}", Inpainting(digit, lower, corpus), 3)
        given.append(np.where(lower[..., None], 128, digit))
        completed.append(np.concatenate([*samples.images], axis=1))
    masked = np.where(hole[..., None], 255, picture)
    panels(
        [
            ("given", enlarge(to_rgb(masked), 2)),
            ("filled from itself", enlarge(to_rgb(filled.images[0]), 2)),
            ("given", enlarge(to_rgb(np.concatenate(given)), 3)),
            ("completed three ways", enlarge(to_rgb(np.concatenate(completed)), 3)),
        ],
        DOCS / "results" / "holes.png",
    )


def demo() -> None:
    """The picture of the README: the first samples of ``make demo``."""
    corpus = Corpus.open("digits", resize=24)
    samples = run(NonparametricSampler(corpus), 36, 0, RUNS / "demo-24", resume=True)
    save_png(DOCS / "images" / "demo.png", np.asarray(draw_maps(samples[:6])))
    print("  docs/images/demo.png")


def growth() -> None:
    """A movie of growing digits."""
    samples = drawn("mnist-NS+L+H", NonparametricSampler(Corpus.open("mnist")), 36)
    write_movie(samples[:8], DOCS / "results" / "growth.gif")
    print("  docs/results/growth.gif")


FIGURES = {f.__name__: f for f in (demo, principles, cifar, textures, holes, growth)}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or FIGURES:
        print(wanted)
        FIGURES[wanted]()
