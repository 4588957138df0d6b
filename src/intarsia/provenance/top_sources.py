"""The most used training images of a sample, counted and drawn (paper A, figure 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64, Int, UInt8

from intarsia.provenance import draw
from intarsia.provenance.colours import NEUTRAL, RANK_COLOURS, rgb
from intarsia.provenance.maps import AMBER, class_legend, class_map, has_seed, outlined_tile

if TYPE_CHECKING:
    from PIL.Image import Image

    from intarsia.corpus import Corpus
    from intarsia.samples import Samples, Sources


_KEY = (
    "Pixels in full colour were copied; the rest of each training image is faded. The map at "
    "the right shows where they went, in the colours of the outlines."
)


@dataclass(frozen=True)
class SourceUse:
    """How much of a sample came from one training image.

    Parameters
    ----------
    image : its number in the corpus.
    label : its class, -1 for none.
    pixels : how many pixels of the sample are copies of its pixels.
    share : of all pixels of the sample that have a source, from 0 to 1.
    seed : how many of them were given, not drawn.
    """

    image: int
    label: int
    pixels: int
    share: float
    seed: int


def top_sources(sources: Sources, index: int = 0, *, k: int = 5) -> list[SourceUse]:
    """Most used source images of one sample, most used first.

    Parameters
    ----------
    sources : of n samples.
    index : which sample.
    k : at most so many.

    Returns
    -------
    list of SourceUse
        Equal counts in order of image number. The seed's pixels count, and are told apart.
    """
    image = sources.image[index]
    known = image >= 0
    numbers, first, counts = np.unique(image[known], return_index=True, return_counts=True)
    labels = sources.label[index][known][first]
    given = sources.step[index][known] < 0
    out = []
    for at in np.lexsort((numbers, -counts))[:k]:
        out.append(
            SourceUse(
                image=int(numbers[at]),
                label=int(labels[at]),
                pixels=int(counts[at]),
                share=float(counts[at] / known.sum()),
                seed=int((given & (image[known] == numbers[at])).sum()),
            )
        )
    return out


def top_share(sources: Sources, *, seed: bool = False) -> Float64[np.ndarray, " n"]:
    """Share of each sample that came from its most used training image.

    Parameters
    ----------
    sources : of n samples.
    seed : count given pixels too; by default the share is of the pixels the model drew.

    Returns
    -------
    float64 [n]
        From 0 to 1; near 1 is a copy (paper A, figure 11). NaN where nothing counts.
    """
    return _per_sample(sources, seed, lambda counts: counts.max() / counts.sum())


def distinct_sources(sources: Sources, *, seed: bool = False) -> Float64[np.ndarray, " n"]:
    """How many training images each sample is made of; NaN where nothing counts."""
    return _per_sample(sources, seed, lambda counts: float(len(counts)))


def _per_sample(sources: Sources, seed: bool, what) -> Float64[np.ndarray, " n"]:  # type: ignore[no-untyped-def]
    out = np.full(len(sources), np.nan)
    counted = (sources.image >= 0) & (seed | (sources.step >= 0))
    for index in range(len(sources)):
        _, counts = np.unique(sources.image[index][counted[index]], return_counts=True)
        if len(counts):
            out[index] = what(counts)
    return out


def top_map(sources: Sources, index: int, uses: list[SourceUse]) -> UInt8[np.ndarray, "h w 3"]:
    """Colour the pixels of these source images by rank, all other pixels grey."""
    out = np.empty((*sources.shape[1:], 3), dtype=np.uint8)
    out[:] = NEUTRAL
    for use, colour in zip(uses, RANK_COLOURS, strict=False):
        out[sources.image[index] == use.image] = rgb(colour)
    return out


def used_pixels(
    samples: Samples, corpus: Corpus, index: int, use: SourceUse, *, colour: str, target: int
) -> UInt8[np.ndarray, "y x 3"]:
    """Draw a training image with the pixels one sample took from it outlined, the rest faded.

    Parameters
    ----------
    samples, index : the sample.
    corpus : the training images.
    use : which training image.
    colour : of the outline.
    target : side in pixels to enlarge to, about.
    """
    plane = draw.to_rgb(np.asarray(corpus[use.image]))
    height, width = plane.shape[:2]
    taken = samples.sources.image[index] == use.image
    if not has_seed(samples.sources):  # what was known of a picture was not copied into it
        taken &= samples.sources.step[index] >= 0
    used = np.zeros((height, width), dtype=bool)
    used[samples.sources.row[index][taken], samples.sources.col[index][taken]] = True
    stride = -(-max(height, width) // (2 * target))  # large training images are thinned out
    plane, used = plane[::stride, ::stride], _coarser(used, stride)
    grey = plane.mean(axis=-1, keepdims=True)
    faded = np.where(used[..., None], plane, grey * 0.3 + 0.7 * 235).astype(np.uint8)
    scale = draw.scale_for(*used.shape, target)
    big = draw.enlarge(faded, scale)
    if scale < 4:  # lines would cover what they enclose
        return big
    return draw.outlined(big, ~used, colour=colour, edge=None, thick=max(1, min(3, scale // 3)))


def _coarser(mask: Bool[np.ndarray, "h w"], stride: int) -> Bool[np.ndarray, "y x"]:
    """Thin out a mask; a cell is set if any of its pixels is."""
    height, width = (-(-side // stride) * stride for side in mask.shape)
    padded = np.zeros((height, width), dtype=bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    cells = padded.reshape(height // stride, stride, width // stride, stride)
    return np.asarray(cells.any(axis=(1, 3)))


def draw_top_sources(samples: Samples, index: int = 0, *, corpus: Corpus | None = None) -> Image:
    """Draw a sample, the five training images it used most, and where they went.

    Parameters
    ----------
    samples : of any model with sources.
    index : which sample.
    corpus : the training images; by default those the samples carry.

    Returns
    -------
    PIL.Image.Image
        RGB: the sample; the five images, the used pixels outlined, with number, class and
        count; the class map; the map of these five with all others grey.

    Raises
    ------
    UsageError
        If there is no corpus to take the images from.

    References
    ----------
    Paper A (arXiv 2510.22196), figure 6.
    """
    from intarsia.errors import UsageError

    corpus = corpus if corpus is not None else samples.corpus
    if corpus is None:
        raise UsageError("The panel shows training images. Pass the corpus.")
    uses = top_sources(samples.sources, index)
    _, height, width = samples.sources.shape
    small = draw.scale_for(height, width, 168)
    tall, wide = height * small, width * small
    big = 2 if max(tall, wide) <= 320 else 1
    gap, caption = 10, 46
    sample = outlined_tile(samples, index, draw.to_rgb(samples.images[index]), big * small, AMBER)
    cell = max(wide, 168)
    across = max(1, min(3, len(uses)))
    right = big * wide + across * (cell + gap) + 2 * gap
    sheet, pen = draw.blank(right + cell, 2 * (tall + caption) + gap)

    def label(x: int, y: int, first: str, second: str = "", colour: str | None = None) -> None:
        if colour:
            pen.rectangle((x, y + 6, x + 11, y + 17), fill=colour, outline=draw.QUIET)
        left = x + 18 if colour else x
        pen.text((left, y + 3), draw.fitted(first, cell - 18), fill=draw.INK, font=draw.font())
        pen.text((x, y + 23), draw.fitted(second, cell, 14), fill=draw.QUIET, font=draw.font(14))

    draw.paste(sheet, sample, 0, 0)
    label(0, big * tall, f"Sample {int(samples.seeds[index])}", _made_of(samples, index))
    for rank, use in enumerate(uses):
        x = big * wide + 2 * gap + (rank % 3) * (cell + gap)
        y = (rank // 3) * (tall + caption + gap)
        picture = used_pixels(
            samples, corpus, index, use, colour=RANK_COLOURS[rank], target=max(tall, wide)
        )[: max(tall, 168), :cell]
        draw.paste(sheet, picture, x, y)
        label(x, y + tall, *describe(samples, use), colour=RANK_COLOURS[rank])
    if len(uses) == 5:
        x, y = big * wide + 2 * gap + 2 * (cell + gap), tall + caption + gap
        for line in draw.wrapped(_KEY, cell, 14):
            pen.text((x, y), line, fill=draw.QUIET, font=draw.font(14))
            y += 19
    x, y = right, 0
    if (samples.sources.label[index] >= 0).any():
        picture = class_map(samples.sources[index])[0]
        classes = outlined_tile(samples, index, picture, small, "#FFFFFF")
        draw.paste(sheet, classes, x, 0)
        label(x, tall, "Source class")
        y = tall + caption + gap
    five = outlined_tile(samples, index, top_map(samples.sources, index, uses), small, "#FFFFFF")
    draw.paste(sheet, five, x, y)
    label(x, y + tall, "These images", "grey: all others")
    parts = [sheet]
    if (samples.sources.label[index] >= 0).any():
        parts.append(draw.legend(class_legend(samples[index]), sheet.width))
    return draw.stack(parts)


def describe(samples: Samples, use: SourceUse) -> tuple[str, str]:
    """Two short lines about a source image: number and class; pixels and share."""
    first = f"#{use.image}"
    if use.label >= 0:
        first += f", {samples.origin.class_words(use.label)}"
    second = f"{use.pixels} pixels, {use.share:.0%}"
    if use.seed:
        seed = use.seed == use.pixels and has_seed(samples.sources)
        second += " (the seed)" if seed else f" ({use.seed} given)"
    return first, second


def _made_of(samples: Samples, index: int) -> str:
    number = len(np.unique(_known(samples.sources.image[index])))
    return f"from {number} training image" + ("s" if number != 1 else "")


def _known(image: Int[np.ndarray, "h w"]) -> Int[np.ndarray, " k"]:
    return image[image >= 0]
