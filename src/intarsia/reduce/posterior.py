"""The posterior reduction: the mean of training patches, weighted by belief (paper C).

One door, `posterior`, for machines whose values are centre pixels, and one, `orbit_posterior`, for
those whose values are whole pictures. Kernels are chosen by size: matrix products where many
pixels share a dictionary, box filters where one relative shift serves the whole picture.

Keys come in fixed blocks, blocks in fixed spans, and spans merge in a fixed tree, so that no
result depends on threads. Each canvas has matrix products of its own against blocks that all
canvases share, so that none depends on the batch either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from intarsia.dictionary import Group, Pictures, QueryGroup, Sharing
from intarsia.reduce.crew import each
from intarsia.reduce.posterior_state import Level, Posterior, merged

KEYS = 2048
"""Keys in a block."""

TILE = 128
"""Queries in one matrix product."""

_BLOCK_VALUES = 2**21
"""Numbers in a block of keys, where patches are long."""

_SPAN = 4
"""Blocks that are folded one after another; more where there would be too many spans."""

_SPANS = 64
"""The most spans, each of which has sums of its own."""

_NEGLIGIBLE = 1e-7
"""What all candidates left out may weigh together, as a share of the total."""

_ROUNDING = 2.0**-24

_TOLERANCE = 2e-4
"""Error of a logit from which on differences are taken directly."""

_FAINT = 0.006
"""Noise below t = 1/20 of the cosine schedule, where differences are always taken directly."""


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

    Returns
    -------
    Belief
        Within 1e-4 of a float64 computation from t = 1/20 on.
    """
    belief = Belief.blank(len(x), pictures.channels, pictures.size)
    for group in sharing.groups:
        state = _group(pictures, group, x, level, threads, tile)
        where = np.ix_(range(len(x)), group.rows, group.cols)
        width = pictures.channels * group.shape[0] * group.shape[1]
        counts = np.full(group.queries, len(pictures) * group.places)
        _write(belief, where, state, pictures, level, np.full(group.queries, width), counts)
    if sharing.alone.any():
        state = _alone(pictures, sharing, x, level, threads)
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


def orbit_posterior(
    pictures: Pictures,
    group: Group,
    x: Float32[np.ndarray, "b c h w"],
    level: Level,
    *,
    threads: int | None = None,
    tile: int = TILE,
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
        state = _whole(pictures, queries, level, threads, tile)
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
    for row in range(height):
        for col in range(width):
            source = group.source(element, row, col, (height, width))
            belief.row[:, row, col], belief.col[:, row, col] = source
    return belief


def _group(
    pictures: Pictures,
    group: QueryGroup,
    x: Float32[np.ndarray, "b c h w"],
    level: Level,
    threads: int | None,
    tile: int,
) -> Posterior:
    """Reduce the pixels of one query group."""
    from intarsia.reduce import posterior_kernels as kernels

    if len(group.key_cols) < len(group.key_rows):
        return _group_on_its_side(pictures, group, x, level, threads, tile)
    height, width = group.shape
    total = len(pictures) * group.places

    def cut(block: _Block, first: int) -> np.ndarray:
        kernels.cut_out(
            pictures.pixels, first, min(len(block.codes), total - first), group.key_rows.start,
            group.key_cols.start, len(group.key_rows), len(group.key_cols), group.above, group.left,
            height, width, block.room, block.length, block.centres, block.codes,
        )  # fmt: skip
        return block.centres

    queries = _windows(x, group)
    channels = pictures.channels
    return _Products(queries, level, total, channels, channels, cut, tile).reduce(threads)


def _group_on_its_side(
    pictures: Pictures,
    group: QueryGroup,
    x: Float32[np.ndarray, "b c h w"],
    level: Level,
    threads: int | None,
    tile: int,
) -> Posterior:
    """Reduce a tall group with rows and columns exchanged: patches are cut along rows."""
    height, width = pictures.size
    state = _group(pictures.turned, group.turned, x.transpose(0, 1, 3, 2), level, threads, tile)
    source = state.source
    picture, col, row = source // (height * width), source // height % width, source % height
    state.source[:] = (picture * height + row) * width + col
    shape = (len(x), len(group.cols), len(group.rows))
    return Posterior(
        *(
            np.ascontiguousarray(array.reshape(*shape, *array.shape[1:]).swapaxes(1, 2)).reshape(
                array.shape
            )
            for array in state.arrays()
        )
    )


def _whole(
    pictures: Pictures,
    queries: Float32[np.ndarray, "b m d"],
    level: Level,
    threads: int | None,
    tile: int,
) -> Posterior:
    """Reduce queries that are whole pictures; values are whole pictures too."""
    from intarsia.reduce import posterior_kernels as kernels

    total, (height, width) = len(pictures), pictures.size

    def cut(block: _Block, first: int) -> np.ndarray:
        kernels.cut_out(
            pictures.pixels, first, min(len(block.codes), total - first), 0, 0, 1, 1, 0, 0,
            height, width, block.room, block.length, block.centres, block.codes,
        )  # fmt: skip
        return block.keys[:, :-1].T

    channels, length = pictures.channels, queries.shape[2]
    return _Products(queries, level, total, channels, length, cut, tile).reduce(threads)


@dataclass(frozen=True, eq=False)
class _Block:
    """Room for a block of keys, which a thread uses again and again.

    Attributes
    ----------
    room : float32, the keys one after another and a little more; see `posterior_kernels.cut_out`.
    length : D + 1.
    centres : float32 [C, K].
    codes : int64 [K].
    """

    room: np.ndarray
    length: int
    centres: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, count: int, length: int, channels: int) -> _Block:
        """Make room for ``count`` keys."""
        from intarsia.reduce.posterior_kernels import VECTOR

        return cls(
            np.zeros(count * length + VECTOR, np.float32),
            length,
            np.empty((channels, count), np.float32),
            np.empty(count, np.int64),
        )

    @property
    def keys(self) -> np.ndarray:
        """float32 [K, D + 1], the keys as rows."""
        return self.room[: len(self.codes) * self.length].reshape(-1, self.length)


@dataclass(frozen=True, eq=False)
class _Products:
    """Many queries against one dictionary, by matrix products.

    A logit less a constant of its query is sqrt(ab) q.k / (1 - ab) - ab |k|^2 / (2 (1 - ab)): one
    product, if -|k|^2 / 2 is one more coordinate of the key.

    Attributes
    ----------
    queries : float32 [B, M, D]. Those of one canvas share matrix products.
    level : the noise level.
    total : keys in the dictionary.
    channels : C.
    width : V, numbers in a value.
    cut : cuts out the keys from a number on, and returns their values [V, K].
    tile : queries taken at a time.
    """

    queries: Float32[np.ndarray, "b m d"]
    level: Level
    total: int
    channels: int
    width: int
    cut: Callable[[_Block, int], np.ndarray]
    tile: int

    def reduce(self, threads: int | None) -> Posterior:
        """Fold every block into sums, span by span, and merge these."""
        from intarsia.reduce import posterior_kernels as kernels

        batch, pixels, length = self.queries.shape
        block = max(kernels.SPAN, min(KEYS, _BLOCK_VALUES // length, self.total))
        block = -(-block // kernels.SPAN) * kernels.SPAN
        starts = range(0, self.total, block)
        span = max(_SPAN, -(-len(starts) // _SPANS))
        spans = [starts[at : at + span] for at in range(0, len(starts), span)]
        plan = self._plan()
        parts: dict[int, Posterior] = {}

        def share(tasks: Iterable[int]) -> None:
            keys = _Block.of(block, length + 1, self.channels)
            logits = torch.empty((min(self.tile, pixels), block))
            for task in tasks:
                state = Posterior.empty(batch * pixels, self.width)
                for first in spans[task]:
                    values = self.cut(keys, first)
                    for rows in self._tiles():
                        self._fold(rows, plan, keys, values, logits, state)
                parts[task] = state

        each(share, range(len(spans)), threads)
        state = merged([parts[task] for task in range(len(spans))])
        if not plan.exact:
            state.top[:] += plan.offsets
        return state

    def _tiles(self) -> Iterator[slice]:
        """Yield rows of queries that share a product: never of two canvases."""
        batch, pixels, _ = self.queries.shape
        for b in range(batch):
            for at in range(0, pixels, self.tile):
                yield slice(b * pixels + at, b * pixels + min(at + self.tile, pixels))

    def _plan(self) -> _Plan:
        """Scale the queries, and decide whether their logits can be taken as they come."""
        flat = self.queries.reshape(-1, self.queries.shape[2])
        level, length = self.level, flat.shape[1]
        scaled = np.empty((len(flat), length + 1), np.float32)
        scaled[:, :-1] = flat * np.float32(level.signal / level.variance)
        scaled[:, -1] = level.alpha_bar / level.variance
        norms = (flat.astype(np.float64) ** 2).sum(axis=1)
        # Keys are in [-1, 1], so |k|^2 <= D; what is rounded is at most this large.
        size = (level.signal * np.sqrt(norms * length) + level.alpha_bar * length) / level.variance
        # Of a query with |q|^2 = D, so that no canvas decides for another.
        typical = (level.signal + level.alpha_bar) * length / level.variance * _ROUNDING
        return _Plan(
            flat,
            scaled,
            exact=typical > _TOLERANCE or level.variance < _FAINT,
            offsets=-norms * level.scale,
            margins=size * (length + 4) * _ROUNDING,
            cut=float(np.log(self.total / _NEGLIGIBLE)),
        )

    def _fold(
        self,
        rows: slice,
        plan: _Plan,
        block: _Block,
        values: np.ndarray,
        room: torch.Tensor,
        state: Posterior,
    ) -> None:
        from intarsia.reduce import posterior_kernels as kernels

        logits = room[: rows.stop - rows.start]
        keys, codes = block.keys, block.codes
        torch.mm(torch.from_numpy(plan.scaled[rows]), torch.from_numpy(keys).T, out=logits)
        peaks = logits.view(len(logits), -1, kernels.SPAN).amax(dim=2).numpy()
        sums = state.part(rows).arrays()
        if not plan.exact:
            kernels.fold(logits.numpy(), peaks, values, codes, plan.cut, *sums)
            return
        kernels.fold_exactly(
            logits.numpy(), peaks, values, codes, plan.cut, *sums, plan.queries[rows], keys,
            self.level.signal, self.level.scale, plan.offsets[rows], plan.margins[rows],
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is known of queries before any key is seen; see `fold_exactly` for the names."""

    queries: Float32[np.ndarray, "q d"]
    scaled: Float32[np.ndarray, "q d1"]
    exact: bool
    offsets: np.ndarray
    margins: np.ndarray
    cut: float


def _alone(
    pictures: Pictures,
    sharing: Sharing,
    x: Float32[np.ndarray, "b c h w"],
    level: Level,
    threads: int | None,
) -> Posterior:
    """Reduce the pixels that see their own place alone, by box filters: rows [B * H * W]."""
    from intarsia.reduce import posterior_kernels as kernels

    pixels = sharing.alone.size
    starts = range(0, len(pictures), kernels.SPAN)
    span = max(1, -(-len(starts) // _SPANS))
    spans = [starts[at : at + span] for at in range(0, len(starts), span)]
    cut = float(np.log(len(pictures) / _NEGLIGIBLE))
    kind = np.float64 if level.variance < _FAINT else np.float32
    canvases, signal, scale = x.astype(kind), kind(level.signal), kind(level.scale)
    parts: dict[int, Posterior] = {}

    def share(tasks: Iterable[int]) -> None:
        for task in tasks:
            state = Posterior.empty(len(x) * pixels, pictures.channels)
            for first in spans[task]:
                some = pictures.unit_columns(first, kernels.SPAN, kind)
                for b, canvas in enumerate(canvases):
                    sums = state.part(slice(b * pixels, (b + 1) * pixels)).arrays()
                    kernels.same_place(
                        canvas, some, sharing.alone, sharing.side // 2, signal, scale, cut, first,
                        *sums,
                    )  # fmt: skip
            parts[task] = state

    each(share, range(len(spans)), threads)
    return merged([parts[task] for task in range(len(spans))])


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
