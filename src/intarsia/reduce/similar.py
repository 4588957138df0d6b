"""What the stage `Similar` does: look pictures up under phi, and lay them out (paper A, d_SSL)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8

from intarsia.dictionary import CodeBook, Dictionary, Similar, Stack
from intarsia.reduce import kernels
from intarsia.reduce.crew import each
from intarsia.reduce.nearest import OUT_OF_REACH, code_distances, nearest
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
    if isinstance(stage.phi, PatchLevel):
        assert dictionary.corpus.images is not None
        query = stage.phi.query(canvas, known, place)
        around = stage.phi.neighbourhoods(dictionary.corpus.images, known, place, stage.radius)
        moves, columns = [], []
        for move, codes in around:
            book = CodeBook.of(codes.values, dictionary.device)
            moves.append(move)
            columns.append(code_distances(book, query.values, query.known & codes.known, threads))
            _put_out_of_reach(columns[-1], dictionary, origins, label)
        # Picture by picture, then move by move, so that ties go to the first (picture, move).
        dist = np.stack(columns, axis=-1).reshape(len(canvas), -1)
        found = nearest(dist, stage.keep, stage.epsilon, threads)
        shift = np.array(moves, np.int64)[np.where(found < 0, 0, found % len(moves))]
        return Lookup(np.where(found < 0, -1, found // len(moves)), shift)
    codes = stage.phi.codes(canvas, known)
    dist = code_distances(dictionary.codes, codes.values, codes.known, threads)
    _put_out_of_reach(dist, dictionary, origins, label)
    return Lookup(nearest(dist, stage.keep, stage.epsilon, threads))


def _put_out_of_reach(
    dist: Int64[np.ndarray, "b n"],
    dictionary: Dictionary,
    origins: Int64[np.ndarray, " b"],
    label: int | None,
) -> None:
    """Leave out what the other stages exclude."""
    if dictionary.bars_source:
        rows = np.flatnonzero(origins >= 0)
        dist[rows, origins[rows]] = OUT_OF_REACH
    if dictionary.by_label and dictionary.corpus.labels is not None:
        dist[:, dictionary.corpus.labels != label] = OUT_OF_REACH


def lay_out(dictionary: Dictionary, lookup: Lookup, threads: int | None = None) -> Stack:
    """Lay out each sample's own pictures side by side, moved where phi says so."""
    (whole,) = dictionary.stacks
    if lookup.shift is not None:
        return _moved(whole, lookup)
    lists = torch.from_numpy(np.maximum(lookup.pictures, 0)).to(dictionary.device)
    hole = None
    if whole.hole is not None:
        hole = whole.hole[0][..., lists].movedim(2, 0).contiguous()
    return replace(
        whole, pixels=_take(whole.pixels[0], lists, threads), pictures=lookup.pictures, hole=hole
    )


def _take(pixels: torch.Tensor, lists: torch.Tensor, threads: int | None) -> torch.Tensor:
    """Copy listed pictures: int8 [C, H, W, N] and [B, M] to [B, C, H, W, M]."""
    if pixels.device.type != "cpu":
        return pixels[..., lists].movedim(3, 0).contiguous()
    source = pixels.reshape(-1, pixels.shape[-1]).numpy()
    out = torch.empty((len(lists), *pixels.shape[:3], lists.shape[1]), dtype=torch.int8)
    flat = out.view(len(lists), source.shape[0], -1).numpy()
    band = 64

    def share(firsts: Iterable[int]) -> None:
        for at in firsts:
            kernels.take_pictures(source, lists.numpy(), flat, at, min(at + band, len(source)))

    each(share, range(0, len(source), band), threads)
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
