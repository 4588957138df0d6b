"""Training pictures as paper C's machines read them: whole, uint8, channel first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Float32, Int64, UInt8

from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of one size, of one class or all.

    Attributes
    ----------
    pixels : uint8 [N, C, H, W]; with a worker only those from ``first`` on that it needs.
    numbers : int64 [N], the corpus indices of all, ascending.
    first : the first picture that ``pixels`` holds.
    """

    pixels: UInt8[np.ndarray, "held c h w"]
    numbers: Int64[np.ndarray, " n"]
    first: int = 0

    @classmethod
    def of(cls, corpus: Corpus, label: int | None = None) -> Pictures:
        """Take a corpus, or the pictures of one class (the stage `SameLabel`).

        Raises
        ------
        UsageError
            If pictures differ in size or have holes, or the class is empty.
        """
        height, width = corpus.size  # raises for pictures of mixed size
        if corpus.valid is not None:
            raise UsageError(
                f"Pictures of {corpus.name!r} have holes or padding, which a score machine cannot "
                "leave out. Use --fit crop or --fit resize."
            )
        numbers = np.arange(len(corpus))
        if label is not None:
            numbers = _of_class(corpus, label)
        pixels = np.empty((len(numbers), corpus.channels, height, width), np.uint8)
        images = corpus.images
        assert images is not None
        for at in range(0, len(numbers), _CHUNK):
            some = numbers[at : at + _CHUNK]
            pixels[at : at + len(some)] = np.moveaxis(images[some], 3, 1)
        pixels.flags.writeable = False  # as with a worker: so both run the same compiled code
        return cls(pixels, numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.pixels.shape[2], self.pixels.shape[3]

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return self.pixels.shape[1]

    @cached_property
    def turned(self) -> Pictures:
        """The same pictures with rows and columns exchanged."""
        turned = np.ascontiguousarray(self.pixels.swapaxes(2, 3))
        turned.flags.writeable = False
        return Pictures(turned, self.numbers, self.first)

    def held(self, first: int, stop: int) -> Pictures:
        """Return the same pictures, of which only those from ``first`` to ``stop`` are there."""
        return Pictures(self.pixels[first:stop], self.numbers, first)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is quickly made again."""
        return {name: getattr(self, name) for name in ("pixels", "numbers", "first")}

    def unit_columns(
        self, first: int, count: int, kind: type[np.floating] = np.float32
    ) -> Float[np.ndarray, "h w c n"]:
        """Return some pictures in [-1, 1], picture index fastest."""
        some = self.pixels[first - self.first :][:count].transpose(2, 3, 1, 0)
        return np.ascontiguousarray(to_unit(some, kind))


def to_unit(
    pixels: UInt8[np.ndarray, "..."], kind: type[np.floating] = np.float32
) -> Float[np.ndarray, "..."]:
    """Return uint8 pixels as numbers in [-1, 1]."""
    return pixels.astype(kind) * kind(1 / 127.5) - kind(1)


def to_pixels(raw: Float32[np.ndarray, "n c h w"]) -> UInt8[np.ndarray, "n h w c"]:
    """Return pictures in [-1, 1] units as uint8: round((clip(raw) + 1) * 127.5)."""
    scaled = (np.clip(raw, -1, 1) + 1) * np.float32(127.5)
    return np.moveaxis(np.rint(scaled).astype(np.uint8), 1, 3)


def _of_class(corpus: Corpus, label: int) -> Int64[np.ndarray, " n"]:
    if corpus.labels is None:
        raise UsageError(f"{corpus.name!r} has no labels; drop --label.")
    members = np.flatnonzero(corpus.labels == label)
    if not len(members):
        known = ", ".join(map(str, np.unique(corpus.labels)))
        raise UsageError(
            f"--label is {label}, but the corpus has no picture of that class. It has {known}."
        )
    return members
