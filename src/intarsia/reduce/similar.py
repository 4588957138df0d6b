"""What the stage `Similar` does: look pictures up under phi, and lay them out (paper A, d_SSL)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8

from intarsia.dictionary import CodeBook, Dictionary, Near, Similar, Stack
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
    (whole,) = dictionary.stacks
    if lookup.shift is not None:
        return _moved(whole, lookup)
    lists = torch.from_numpy(np.maximum(lookup.pictures, 0)).to(dictionary.device)
    hole = None
    if whole.hole is not None:
        hole = whole.hole[0][..., lists].movedim(2, 0).contiguous()
    seen = _seen(dictionary, whole, places)
    return replace(
        whole,
        pixels=_take(whole.pixels[0], lists, seen, threads, None if over is None else over.pixels),
        pictures=lookup.pictures,
        hole=hole,
    )


def _seen(
    dictionary: Dictionary, whole: Stack, places: Sequence[tuple[int, int]] | None
) -> Bool[np.ndarray, "h w"]:
    """Return which pixels, padding included, windows of candidates near some places cover."""
    radius = min((s.radius for s in dictionary.stages if isinstance(s, Near)), default=None)
    if places is None or radius is None:
        return np.ones(whole.pixels.shape[2:4], bool)
    seen = np.zeros(whole.pixels.shape[2:4], bool)
    reach = dictionary.window.half + radius
    for row, col in places:
        top, left = row + whole.pad - reach, col + whole.pad - reach
        seen[
            max(0, top) : max(0, top + 2 * reach + 1), max(0, left) : max(0, left + 2 * reach + 1)
        ] = True
    return seen


def _take(
    pixels: torch.Tensor,
    lists: torch.Tensor,
    seen: Bool[np.ndarray, "h w"],
    threads: int | None,
    over: torch.Tensor | None,
) -> torch.Tensor:
    """Copy listed pictures where ``seen``: int8 [C, H, W, N] and [B, M] to [B, C, H, W, M]."""
    if pixels.device.type != "cpu":
        return pixels[..., lists].movedim(3, 0).contiguous()
    source = pixels.reshape(-1, pixels.shape[-1]).numpy()
    shape = len(lists), *pixels.shape[:3], lists.shape[1]
    out = over if over is not None and over.shape == shape else torch.empty(shape, dtype=torch.int8)
    flat = out.view(len(lists), source.shape[0], -1).numpy()
    wanted = np.flatnonzero(np.broadcast_to(seen, (len(pixels), *seen.shape)))
    band, short = 64, lists.numpy().astype(np.int32)

    def share(firsts: Iterable[int]) -> None:
        for at in firsts:
            kernels.take_pictures(source, short, wanted[at : at + band], flat)

    each(share, range(0, len(wanted), band), threads)
    return out


def _moved(whole: Stack, lookup: Lookup) -> Stack:
    """Lay out listed pictures, each moved so that its similar patch lies under the query."""
    assert lookup.shift is not None
    batch, members = lookup.pictures.shape
    _, channels, height, width, _ = whole.pixels.shape
    pixels = torch.full((batch, channels, height, width, members), -128, dtype=torch.int8)
    hole = torch.ones((batch, height, width, members), dtype=torch.bool)
    for b in range(batch):
        for m in range(members):
            dy, dx = (int(v) for v in lookup.shift[b, m])
            to = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
            at = (slice(max(0, dy), height - max(0, -dy)), slice(max(0, dx), width - max(0, -dx)))
            which = max(0, int(lookup.pictures[b, m]))
            pixels[(b, slice(None), *to, m)] = whole.pixels[(0, slice(None), *at, which)].cpu()
            hole[(b, *to, m)] = False
            if whole.hole is not None:
                hole[(b, *to, m)] |= whole.hole[(0, *at, which)].cpu()
    device = whole.pixels.device
    return replace(
        whole,
        pixels=pixels.to(device),
        pictures=lookup.pictures,
        hole=hole.to(device),
        shift=lookup.shift,
    )
