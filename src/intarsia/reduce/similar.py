"""What the stage `Similar` does: look pictures up under phi, and lay them out (paper A, d_SSL)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8

from intarsia.dictionary import CodeBook, Dictionary, Similar, Stack
from intarsia.dictionary.stack import bordered
from intarsia.reduce import kernels
from intarsia.reduce.crew import each
from intarsia.reduce.nearest import code_distances, nearest, nearest_codes, put_out_of_reach
from intarsia.represent import PatchLevel


@dataclass(frozen=True)
class Lookup:
    """What `Similar` found for each sample of a batch; part of a checkpoint.

    Attributes
    ----------
    pictures : int64 [B, M] corpus indices; -1 fills short lists.
    shift : int64 [B, M, 2], how far each is moved (patch-level phi), or None.
    """

    pictures: Int64[np.ndarray, "b m"]
    shift: Int64[np.ndarray, "b m 2"] | None = None


def look_up(
    dictionary: Dictionary,
    stage: Similar,
    canvas: UInt8[np.ndarray, "b h w c"],
    known: Bool[np.ndarray, "h w"],
    place: tuple[int, int],
    origins: Int64[np.ndarray, " b"],
    label: int | None = None,
    threads: int | None = None,
) -> Lookup:
    """Find the pictures (under a patch-level phi, the places in pictures) most like each canvas.

    Parameters
    ----------
    dictionary : the corpus and its codes.
    stage : how many are kept, and by which phi.
    canvas, known : what has been drawn so far.
    place : (row, column) about to be filled; only a patch-level phi needs it.
    origins : int64 [B], the picture each seed came from, left out where a stage bars it.
    label : the class to look in where a stage asks for one.
    threads : CPU threads.
    """
    barred = origins if dictionary.bars_source else np.full(len(canvas), -1)
    labels = dictionary.corpus.labels
    allowed = labels == label if dictionary.by_label and labels is not None else None
    if isinstance(stage.phi, PatchLevel):
        assert dictionary.corpus.images is not None
        query = stage.phi.query(canvas, known, place)
        around = stage.phi.neighbourhoods(dictionary.corpus.images, known, place, stage.radius)
        moves, columns = [], []
        for move, codes in around:
            book = CodeBook.of(codes.values, dictionary.device)
            moves.append(move)
            columns.append(code_distances(book, query.values, query.known & codes.known, threads))
            put_out_of_reach(columns[-1], barred, allowed)
        # Picture by picture, then move by move, so that ties go to the first (picture, move).
        dist = np.stack(columns, axis=-1).reshape(len(canvas), -1)
        found = nearest(dist, stage.keep, stage.epsilon, threads)
        shift = np.array(moves, np.int64)[np.where(found < 0, 0, found % len(moves))]
        return Lookup(np.where(found < 0, -1, found // len(moves)), shift)
    codes = stage.phi.codes(canvas, known)
    if stage.epsilon is None:
        return Lookup(
            nearest_codes(
                dictionary.codes, codes.values, codes.known, stage.keep, barred, allowed, threads
            )
        )
    dist = code_distances(dictionary.codes, codes.values, codes.known, threads)
    put_out_of_reach(dist, barred, allowed)
    return Lookup(nearest(dist, stage.keep, stage.epsilon, threads))


def lay_out(
    dictionary: Dictionary,
    lookup: Lookup,
    threads: int | None = None,
    places: Sequence[tuple[int, int]] | None = None,
    over: Stack | None = None,
) -> Stack:
    """Lay out each sample's own pictures side by side, moved where phi says so.

    Parameters
    ----------
    places : the only ones that will be asked about; what lies beyond the reach of window and
        radius is left out then. None for all.
    over : what was laid out before, if it may be overwritten: fresh memory costs more to get.
    """
    corpus, lists = dictionary.corpus, np.maximum(lookup.pictures, 0)
    pad = dictionary.pad
    if lookup.shift is not None:
        return _moved(lay_out(dictionary, Lookup(lookup.pictures), threads), lookup.shift)
    if dictionary.device.type != "cpu":
        (whole,) = dictionary.stacks
        pixels = whole.pixels[0][..., torch.from_numpy(lists).to(dictionary.device)]
        pixels = pixels.movedim(3, 0).contiguous()
    else:
        pixels = _take(
            dictionary, lists, _seen(dictionary, places), threads,
            None if over is None else over.pixels,
        )  # fmt: skip
    hole = None
    if corpus.valid is not None:
        assert corpus.valid.stacked is not None
        closed = torch.from_numpy(~corpus.valid.stacked[lists]).movedim(1, 3)
        hole = bordered(closed, dictionary.border, pad, dims=(1, 2), beyond=False)
        hole = hole.to(dictionary.device)
    return Stack(pixels, lookup.pictures, pad, corpus.size, hole)


def _seen(
    dictionary: Dictionary, places: Sequence[tuple[int, int]] | None
) -> Bool[np.ndarray, "h w"]:
    """Return which pixels, padding included, windows of candidates near some places cover."""
    pad, (height, width) = dictionary.pad, dictionary.corpus.size
    shape = height + 2 * pad, width + 2 * pad
    radius = dictionary.radius
    if places is None or radius is None:
        return np.ones(shape, bool)
    seen = np.zeros(shape, bool)
    reach = dictionary.window.half + radius
    for row, col in places:
        top, left = row + pad - reach, col + pad - reach
        seen[
            max(0, top) : max(0, top + 2 * reach + 1), max(0, left) : max(0, left + 2 * reach + 1)
        ] = True
    return seen


def _take(
    dictionary: Dictionary,
    lists: Int64[np.ndarray, "b m"],
    seen: Bool[np.ndarray, "h w"],
    threads: int | None,
    over: torch.Tensor | None,
) -> torch.Tensor:
    """Lay listed pictures out where ``seen``, straight from the corpus: int8 [B, C, H, W, M]."""
    corpus = dictionary.corpus
    assert corpus.images is not None
    pictures = corpus.images.reshape(len(corpus), -1)
    shape = len(lists), corpus.channels, *seen.shape, lists.shape[1]
    out = over if over is not None and over.shape == shape else torch.empty(shape, dtype=torch.int8)
    flat = out.view(len(lists), corpus.channels * seen.size, -1).numpy()
    to = np.flatnonzero(np.broadcast_to(seen, (corpus.channels, *seen.shape)))
    number = torch.arange(pictures.shape[1]).reshape(1, *corpus.images.shape[1:]).movedim(3, 1)
    source = bordered(number, dictionary.border, dictionary.pad, dims=(2, 3), beyond=-1)
    pixels_of = source.numpy().reshape(-1)[to]
    band, short = 64, lists.astype(np.int32)

    def share(firsts: Iterable[int]) -> None:
        for at in firsts:
            some = slice(at, at + band)
            kernels.take_pictures(pictures, short, to[some], pixels_of[some], flat)

    each(share, range(0, len(to), band), threads)
    return out


def _moved(still: Stack, shift: Int64[np.ndarray, "b m 2"]) -> Stack:
    """Move each listed picture so that its similar patch lies under the query."""
    batch, _, height, width, members = still.pixels.shape
    pixels = torch.full_like(still.pixels, -128)
    hole = torch.ones((batch, height, width, members), dtype=torch.bool, device=pixels.device)
    for b in range(batch):
        for m in range(members):
            dy, dx = (int(v) for v in shift[b, m])
            to = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
            at = (slice(max(0, dy), height - max(0, -dy)), slice(max(0, dx), width - max(0, -dx)))
            pixels[(b, slice(None), *to, m)] = still.pixels[(b, slice(None), *at, m)]
            hole[(b, *to, m)] = False if still.hole is None else still.hole[(b, *at, m)]
    return replace(still, pixels=pixels, hole=hole, shift=shift)
