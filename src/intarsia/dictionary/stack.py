"""The corpus laid out for the engine: equal pixels of all pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Int8, Int64
from torch import Tensor

from intarsia.dictionary.window import Border

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.dictionary.room import Room

_CHUNK = 1024
"""Pictures turned at a time: few enough that what is read stays in the second-level cache."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Pictures of one size, picture index fastest, so a row of places is one contiguous run.

    Attributes
    ----------
    pixels : int8 [g, C, H + 2 pad, W + 2 pad, N], uint8 values minus 128. g is 1 where all
        queries share the pictures, or the batch size where each has a list of its own.
    pictures : int64 [g, N], the corpus index of each picture; -1 fills short lists.
    pad : pixels added on each side by the borders ``zeros`` and ``wrap``; 0 for ``ignore``.
    size : (H, W) of the pictures without padding.
    hole : bool [g, H + 2 pad, W + 2 pad, N], pixels that are never sources, or None.
    shift : int64 [g, N, 2], where a listed picture has been moved: its pixel at p stands at
        p - shift. None if none has.
    """

    pixels: Int8[Tensor, "g c h w n"]
    pictures: Int64[np.ndarray, "g n"]
    pad: int
    size: tuple[int, int]
    hole: Bool[Tensor, "g h w n"] | None = None
    shift: Int64[np.ndarray, "g n 2"] | None = None

    @property
    def shared(self) -> bool:
        """Whether all queries use the same pictures."""
        return self.pixels.shape[0] == 1

    @classmethod
    def of(
        cls,
        corpus: Corpus,
        border: Border,
        half: int,
        device: torch.device,
        pictures: Int64[np.ndarray, " n"] | None = None,
        room: Room | None = None,
    ) -> list[Stack]:
        """Lay out a corpus, one `Stack` for each size of picture in it.

        Parameters
        ----------
        corpus : uniform or ragged; holes and padding (``valid`` False) are marked.
        border : what the window finds beyond a picture's edge.
        half : half the window's side, the padding of ``zeros`` and ``wrap``.
        device : where the pixels go.
        pictures : corpus indices to take; all by default.
        room : where to lay them out if not in memory.
        """
        chosen = np.arange(len(corpus)) if pictures is None else pictures
        sizes: dict[tuple[int, int], list[int]] = {}
        if corpus.is_ragged:
            for i in chosen:
                sizes.setdefault(corpus[int(i)].shape[:2], []).append(int(i))
        else:
            sizes[corpus.size] = chosen.tolist()
        return [
            cls._of_one_size(corpus, size, np.array(members, np.int64), border, half, device, room)
            for size, members in sorted(sizes.items())
        ]

    @classmethod
    def _of_one_size(
        cls,
        corpus: Corpus,
        size: tuple[int, int],
        members: Int64[np.ndarray, " n"],
        border: Border,
        half: int,
        device: torch.device,
        room: Room | None,
    ) -> Stack:
        pad = padding(border, half)
        height, width = size
        shape = (1, corpus.channels, height + 2 * pad, width + 2 * pad, len(members))
        if room is None:
            pixels = torch.full(shape, -128, dtype=torch.int8, device=device)
        else:
            pixels = torch.from_numpy(room.blank(shape))
            for plane in pixels.view(-1, *shape[3:]) if pad else ():
                plane.fill_(-128)
                room.touch(plane.shape[0], plane.shape[1])
        inner = pixels[0, :, pad : pad + height, pad : pad + width]
        for at in range(0, len(members), _CHUNK):
            some = members[at : at + _CHUNK]
            block = torch.from_numpy(_stack(corpus, some)).to(device)
            inner[..., at : at + len(some)] = (block ^ 128).view(torch.int8).permute(3, 1, 2, 0)
            if room is not None:
                room.touch(inner[..., 0].numel(), 2 * len(some))
        hole = None
        if corpus.valid is not None:
            open_ = np.stack([corpus.valid[int(i)] for i in members], axis=-1)
            closed = torch.from_numpy(~open_)[None].to(device)
            hole = bordered(closed, border, pad, dims=(1, 2), beyond=False)
        if border == "wrap":
            _wrap(pixels, pad, dims=(2, 3))
        return cls(pixels, members[None], pad, size, hole)


@dataclass(frozen=True, eq=False)
class CodeBook:
    """The codes of a corpus under an encoder phi, coordinate by coordinate.

    Attributes
    ----------
    values : int8 [D, N].
    upright : int8 [N, D] on the CPU, D filled up with zeros to a multiple of 16: as products of
        int8 like it. None elsewhere.
    """

    values: Int8[Tensor, "d n"]
    upright: Int8[Tensor, "n depth"] | None = None

    @classmethod
    def of(cls, codes: Int8[np.ndarray, "n d"], device: torch.device) -> CodeBook:
        """Turn codes on their side, and keep them."""
        upright = torch.from_numpy(codes)
        values = upright.to(device).T.contiguous()
        if device.type != "cpu":
            return cls(values)
        return cls(values, torch.nn.functional.pad(upright, (0, -codes.shape[1] % 16)))


def padding(border: Border, half: int) -> int:
    """Return how many pixels a border adds on each side under windows of ``2 half + 1``."""
    return 0 if border == "ignore" else half


def bordered(
    array: Tensor, border: Border, pad: int, dims: tuple[int, int], beyond: int | bool
) -> Tensor:
    """Add ``pad`` rows and columns on each side: from the opposite edge, or of one value."""
    shape = [side + 2 * pad if dim in dims else side for dim, side in enumerate(array.shape)]
    out = torch.full(shape, beyond, dtype=array.dtype, device=array.device)
    inner = out
    for dim in dims:
        inner = inner.narrow(dim, pad, array.shape[dim])
    inner.copy_(array)
    if border == "wrap":
        _wrap(out, pad, dims)
    return out


def _stack(corpus: Corpus, members: Sequence[int] | np.ndarray) -> np.ndarray:
    if corpus.images is not None:
        return np.ascontiguousarray(corpus.images[members])
    return np.stack([corpus[int(i)] for i in members])


def _wrap(array: Tensor, pad: int, dims: tuple[int, int]) -> None:
    """Fill the padding from the opposite edge, in place."""
    for dim in dims:
        inner = array.shape[dim] - 2 * pad
        array.narrow(dim, 0, pad).copy_(array.narrow(dim, inner, pad))
        array.narrow(dim, inner + pad, pad).copy_(array.narrow(dim, pad, pad))
