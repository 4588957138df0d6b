"""The posterior reduction: the mean of training patches, weighted by belief (paper C).

One door, `posterior`, for machines whose values are centre pixels, and one, `orbit_posterior`, for
those whose values are whole pictures. Kernels are chosen by size: matrix products where many
pixels share a dictionary, box filters where one relative shift serves the whole picture.

Keys come in fixed blocks, blocks in fixed spans, and spans merge in a fixed tree, so that no
result depends on threads. Each canvas has matrix products of its own against blocks that all
canvases share, so that none depends on the batch either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

from intarsia.dictionary import Group, Pictures, QueryGroup, Sharing
from intarsia.reduce.crew import each
from intarsia.reduce.posterior_state import WHOLE, Level, Posterior, Share, Sums, merged
from intarsia.reduce.products import (
    FAINT,
    NEGLIGIBLE,
    SPANS,
    TILE,
    KeyBlock,
    Products,
    room,
    spans,
)

if TYPE_CHECKING:
    from intarsia.reduce.far_pictures import FarPictures


@dataclass(frozen=True, eq=False)
class Belief:
    """What a machine believes about B canvases.

    Attributes
    ----------
    clean : float32 [B, C, H, W], the posterior mean of the clean picture, in [-1, 1].
    image, row, col, transform : int64 [B, H, W], the heaviest source of each pixel: corpus index,
        place, and group element (0 for none).
    weight : float32 [B, H, W], its share of the belief, above 0 and at most 1.
    distance : float32 [B, H, W], mean squared difference between the window of x and the source's
        window times sqrt(alpha_bar), in units of 255^2.
    candidates : int64 [B, H, W], how many patches were weighed.
    """

    clean: Float32[np.ndarray, "b c h w"]
    image: Int64[np.ndarray, "b h w"]
    row: Int64[np.ndarray, "b h w"]
    col: Int64[np.ndarray, "b h w"]
    transform: Int64[np.ndarray, "b h w"]
    weight: Float32[np.ndarray, "b h w"]
    distance: Float32[np.ndarray, "b h w"]
    candidates: Int64[np.ndarray, "b h w"]

    @classmethod
    def blank(cls, batch: int, channels: int, size: tuple[int, int]) -> Belief:
        """Return beliefs to be written."""
        shape = (batch, *size)
        image, row, col, transform, candidates = (np.zeros(shape, np.int64) for _ in range(5))
        weight, distance = (np.zeros(shape, np.float32) for _ in range(2))
        clean = np.zeros((batch, channels, *size), np.float32)
        return cls(clean, image, row, col, transform, weight, distance, candidates)

    def write(self, which: Int64[np.ndarray, " k"], other: Belief) -> None:
        """Put the beliefs about some canvases into their places."""
        for name in self.__dataclass_fields__:
            getattr(self, name)[which] = getattr(other, name)


def posterior(
    pictures: Pictures,
    sharing: Sharing,
    x: Float32[np.ndarray, "b c h w"],
    level: Level,
    *,
    threads: int | None = None,
    tile: int = TILE,
    far: FarPictures | None = None,
) -> Belief:
    """Return the posterior mean of every pixel, given the window around it (eqs. 7 to 10).

    Parameters
    ----------
    pictures : training pictures.
    sharing : which patches each pixel's may have come from.
    x : noisy canvases.
    level : how noisy.
    threads : CPU threads; torch's number when None. No result depends on it.
    tile : queries taken at a time. It bounds memory; a product of another shape may round
        otherwise in the last bit.
    far : workers that hold the pictures between them. No result depends on them.

    Returns
    -------
    Belief
        Within 1e-4 of a float64 computation from t = 1/20 on.
    """
    belief = Belief.blank(len(x), pictures.channels, pictures.size)
    if far is None:
        sums = sums_here(pictures, WHOLE, sharing, x, level, threads, tile)
    else:
        sums = far.sums(sums_here, sharing, x, level, None, tile)
    for group, own in zip(sharing.groups, sums, strict=False):
        state = _as_it_lies(group, own.total(), len(x), pictures.size)
        where = np.ix_(range(len(x)), group.rows, group.cols)
        width = pictures.channels * group.shape[0] * group.shape[1]
        counts = np.full(group.queries, len(pictures) * group.places)
        _write(belief, where, state, pictures, level, np.full(group.queries, width), counts)
    if sharing.alone.any():
        state = sums[-1].total()
        rows, cols = np.nonzero(sharing.alone)
        where = (np.arange(len(x))[:, None], rows[None], cols[None])
        pixels = rows * pictures.size[1] + cols
        at = np.arange(len(x))[:, None] * sharing.alone.size + pixels
        state = Posterior(*(array[at.ravel()] for array in state.arrays()))
        half = sharing.side // 2
        widths = pictures.channels * _seen(rows, half, pictures.size[0])
        widths = widths * _seen(cols, half, pictures.size[1])
        counts = np.full(len(rows), len(pictures))
        _write(belief, where, state, pictures, level, widths, counts)
    return belief


def sums_here(
    pictures: Pictures,
    share: Share,
    sharing: Sharing,
    x: Float32[np.ndarray, "b c h w"],
    level: Level,
    threads: int | None,
    tile: int,
) -> list[Sums]:
    """Return the sums of a share of the work: for each query group, then for the pixels alone."""
    found = [
        _products(*_upright(pictures, group, x), level, tile).sums(threads, share)
        for group in sharing.groups
    ]
    if sharing.alone.any():
        found.append(_alone(pictures, share, sharing, x, level, threads))
    return found


def needed(pictures: Pictures, sharing: Sharing, share: Share) -> tuple[int, int]:
    """Return the first picture a share of the work reads, and the one after its last."""
    from intarsia.reduce import posterior_kernels as kernels

    edges = []
    for group in sharing.groups:
        length = pictures.channels * group.shape[0] * group.shape[1]
        edges += _edges(share, *spans(len(pictures) * group.places, length), group.places)
    if sharing.alone.any():
        edges += _edges(share, kernels.SPAN, _alone_spans(pictures), 1)
    return _ends(edges, len(pictures))


def needed_whole(pictures: Pictures, share: Share) -> tuple[int, int]:
    """The same for `orbit_posterior`, whose keys are whole pictures."""
    length = pictures.channels * pictures.size[0] * pictures.size[1]
    return _ends(_edges(share, *spans(len(pictures), length), 1), len(pictures))


def _ends(edges: list[tuple[int, int]], count: int) -> tuple[int, int]:
    return min((a for a, _ in edges), default=0), min(max((b for _, b in edges), default=0), count)


def _edges(share: Share, block: int, starts: list[range], places: int) -> list[tuple[int, int]]:
    return [
        (starts[run[0]][0] // places, -(-(starts[run[-1]][-1] + block) // places))
        for run in share.of(len(starts))
    ]


def orbit_posterior(
    pictures: Pictures,
    group: Group,
    x: Float32[np.ndarray, "b c h w"],
    level: Level,
    *,
    threads: int | None = None,
    tile: int = TILE,
    far: FarPictures | None = None,
) -> Belief:
    """Return the posterior mean over whole pictures, moved by a group (eqs. 3 to 6).

    A unitary map keeps distances, so x is compared with U(picture) by comparing U^-1(x) with the
    picture, and one block of pictures serves the whole orbit.
    """
    batch, (height, width) = len(x), pictures.size
    length = x[0].size
    mean = np.zeros((batch, length))
    total = Posterior.empty(batch, 1)
    element = np.zeros(batch, np.int64)
    for first in range(0, len(group), tile):
        count = min(tile, len(group) - first)
        turned = [group.apply(first, np.stack([one] * count), inverse=True) for one in x]
        queries = np.stack(turned).reshape(batch, count, length)
        if far is None:
            (sums,) = whole_sums_here(pictures, WHOLE, queries, level, threads, tile)
        else:
            (sums,) = far.sums(whole_sums_here, queries, level, None, tile)
        state = sums.total()
        for b in range(batch):
            part = state.part(slice(b * count, (b + 1) * count))
            shape = (count, *x.shape[1:])
            parts = group.apply(first, part.numerator.reshape(shape)).reshape(count, length)
            best = int(np.lexsort((part.source, -part.top))[0])
            high = max(total.top[b], part.top[best])
            shrink = np.exp(total.top[b] - high)
            weights = np.exp(part.top - high)
            if part.top[best] > total.top[b]:
                total.source[b], element[b] = part.source[best], first + best
            mean[b] = mean[b] * shrink + weights @ parts
            total.denominator[b] = total.denominator[b] * shrink + weights @ part.denominator
            total.top[b] = high
    belief = Belief.blank(batch, pictures.channels, pictures.size)
    belief.clean[:] = (mean / total.denominator[:, None]).reshape(x.shape)
    picture = total.source // (height * width)
    belief.image[:] = pictures.numbers[picture][:, None, None]
    belief.transform[:] = element[:, None, None]
    belief.weight[:] = total.weight[:, None, None]
    belief.distance[:] = _mean_square(total.top, level, length)[:, None, None]
    belief.candidates[:] = len(pictures) * len(group)
    belief.row[:], belief.col[:] = group.sources(element, (height, width))
    return belief


def orbit_room(elements: int, length: int, pictures: int, tile: int = TILE) -> int:
    """Return the bytes that one canvas takes in `orbit_posterior`, from above.

    Twice what its queries take: turned canvases are copied before they are reduced, and their
    sums while they are turned back.

    Parameters
    ----------
    elements : of the group.
    length : numbers in a picture.
    pictures : how many there are.
    """
    return 2 * room(min(tile, elements), length, length, pictures)


def _upright(
    pictures: Pictures, group: QueryGroup, x: Float32[np.ndarray, "b c h w"]
) -> tuple[Pictures, QueryGroup, Float32[np.ndarray, "b c h w"]]:
    """Exchange rows and columns of a tall group: patches are cut along rows."""
    if len(group.key_cols) >= len(group.key_rows):
        return pictures, group, x
    return pictures.turned, group.turned, x.transpose(0, 1, 3, 2)


def _products(
    pictures: Pictures,
    group: QueryGroup,
    x: Float32[np.ndarray, "b c h w"],
    level: Level,
    tile: int,
) -> Products:
    """Set the windows of one query group against its patches."""
    from intarsia.reduce import posterior_kernels as kernels

    height, width = group.shape
    total, gone = len(pictures) * group.places, pictures.first
    pixels = pictures.size[0] * pictures.size[1]

    def cut(block: KeyBlock, first: int) -> np.ndarray:
        kernels.cut_out(
            pictures.pixels, first - gone * group.places, min(len(block.codes), total - first),
            group.key_rows.start, group.key_cols.start, len(group.key_rows), len(group.key_cols),
            group.above, group.left, height, width, block.room, block.length, block.centres,
            block.codes,
        )  # fmt: skip
        if gone:
            block.codes[:] += gone * pixels
        return block.centres

    channels = pictures.channels
    return Products(_windows(x, group), level, total, channels, channels, cut, tile)


def _as_it_lies(
    group: QueryGroup, state: Posterior, batch: int, size: tuple[int, int]
) -> Posterior:
    """Turn back what was reduced with rows and columns exchanged (see `_upright`)."""
    if len(group.key_cols) >= len(group.key_rows):
        return state
    height, width = size
    source = state.source
    picture, col, row = source // (height * width), source // height % width, source % height
    state.source[:] = (picture * height + row) * width + col
    shape = (batch, len(group.cols), len(group.rows))
    return Posterior(
        *(
            np.ascontiguousarray(array.reshape(*shape, *array.shape[1:]).swapaxes(1, 2)).reshape(
                array.shape
            )
            for array in state.arrays()
        )
    )


def whole_sums_here(
    pictures: Pictures,
    share: Share,
    queries: Float32[np.ndarray, "b m d"],
    level: Level,
    threads: int | None,
    tile: int,
) -> list[Sums]:
    """Return the sums of a share of the work where queries are whole pictures."""
    return [_whole(pictures, np.array(queries), level, tile).sums(threads, share)]


def _whole(
    pictures: Pictures, queries: Float32[np.ndarray, "b m d"], level: Level, tile: int
) -> Products:
    """Set whole pictures against whole pictures, which are the values too."""
    from intarsia.reduce import posterior_kernels as kernels

    total, gone, (height, width) = len(pictures), pictures.first, pictures.size

    def cut(block: KeyBlock, first: int) -> np.ndarray:
        kernels.cut_out(
            pictures.pixels, first - gone, min(len(block.codes), total - first), 0, 0, 1, 1, 0, 0,
            height, width, block.room, block.length, block.centres, block.codes,
        )  # fmt: skip
        if gone:
            block.codes[:] += gone * height * width
        return block.keys[:, :-1].T

    channels, length = pictures.channels, queries.shape[2]
    return Products(queries, level, total, channels, length, cut, tile)


def _alone_spans(pictures: Pictures) -> list[range]:
    from intarsia.reduce import posterior_kernels as kernels

    starts = range(0, len(pictures), kernels.SPAN)
    span = max(1, -(-len(starts) // SPANS))
    return [starts[at : at + span] for at in range(0, len(starts), span)]


def _alone(
    pictures: Pictures,
    share: Share,
    sharing: Sharing,
    x: Float32[np.ndarray, "b c h w"],
    level: Level,
    threads: int | None,
) -> Sums:
    """Reduce the pixels that see their own place alone, by box filters: rows [B * H * W]."""
    from intarsia.reduce import posterior_kernels as kernels

    pixels = sharing.alone.size
    starts = _alone_spans(pictures)
    runs = share.of(len(starts))
    cut = float(np.log(len(pictures) / NEGLIGIBLE))
    kind = np.float64 if level.variance < FAINT else np.float32
    canvases, signal, scale = x.astype(kind), kind(level.signal), kind(level.scale)
    alone = np.array(sharing.alone)
    found: dict[int, Posterior] = {}

    def work(tasks: Iterable[int]) -> None:
        for task in tasks:
            state = Posterior.empty(len(x) * pixels, pictures.channels)
            for first in starts[task]:
                some = pictures.unit_columns(first, kernels.SPAN, kind)
                for b, canvas in enumerate(canvases):
                    sums = state.part(slice(b * pixels, (b + 1) * pixels)).arrays()
                    kernels.same_place(
                        canvas, some, alone, sharing.side // 2, signal, scale, cut, first,
                        *sums,
                    )  # fmt: skip
            found[task] = state

    each(work, (task for run in runs for task in run), threads)
    return Sums([merged([found[task] for task in run]) for run in runs])


def _windows(x: Float32[np.ndarray, "b c h w"], group: QueryGroup) -> Float32[np.ndarray, "b m d"]:
    """Cut the windows of a query group out of canvases."""
    pads = ((0, 0), (0, 0), (group.above, group.below), (group.left, group.right))
    padded = np.pad(x, pads, mode="wrap" if group.wraps else "constant")
    # In padded coordinates a window begins where its centre stands on the canvas.
    windows = np.lib.stride_tricks.sliding_window_view(padded, group.shape, axis=(2, 3))
    chosen = windows[:, :, group.rows.start : group.rows.stop, group.cols.start : group.cols.stop]
    return np.ascontiguousarray(chosen.transpose(0, 2, 3, 1, 4, 5)).reshape(
        len(x), group.queries, -1
    )


def _write(
    belief: Belief,
    where: tuple[np.ndarray, ...],
    state: Posterior,
    pictures: Pictures,
    level: Level,
    widths: Int64[np.ndarray, " m"],
    counts: Int64[np.ndarray, " m"],
) -> None:
    """Put sums of B x M queries where their pixels are."""
    batch = len(belief.clean)
    shape = np.broadcast_shapes(*(index.shape for index in where))
    height, width = pictures.size
    source = state.source
    widths, counts = np.tile(widths, batch), np.tile(counts, batch)
    named: dict[str, np.ndarray] = {
        "image": pictures.numbers[source // (height * width)],
        "row": source // width % height,
        "col": source % width,
        "weight": state.weight,
        "distance": _mean_square(state.top, level, widths),
        "candidates": counts,
    }
    for name, value in named.items():
        getattr(belief, name)[where] = value.reshape(shape)
    mean = state.mean.reshape(*shape, pictures.channels)
    belief.clean.transpose(0, 2, 3, 1)[where] = mean


def _mean_square(
    top: np.ndarray, level: Level, widths: Int64[np.ndarray, " q"] | int
) -> Float32[np.ndarray, " q"]:
    """Turn the largest logit back into a mean squared difference, in units of 255^2."""
    squares = np.maximum(-top / level.scale, 0)
    return (squares / widths / 4).astype(np.float32)  # [-1, 1] is 255 wide: 2^2 = 4


def _seen(at: Int64[np.ndarray, " m"], half: int, length: int) -> Int64[np.ndarray, " m"]:
    """Return how many of a window's rows (or columns) lie inside."""
    return np.minimum(at + half, length - 1) - np.maximum(at - half, 0) + 1
