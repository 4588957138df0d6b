"""Holes filled, and pictures continued beyond their edges, by the same sampler."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from intarsia.corpus import Corpus
from intarsia.dictionary import FillOrder
from intarsia.errors import UsageError
from intarsia.models.batch import Batch
from intarsia.models.nonparametric import NonparametricSampler, numbers_to_draw


class Inpainting(NonparametricSampler):
    """Fill the holes of a picture from a corpus, or from the rest of the picture itself.

    Parameters
    ----------
    picture : uint8 [H, W, C].
    hole : bool [H, W], True where pixels are to be drawn. Holes are never sources.
    corpus : where pixels come from; None for the picture itself.
    **settings : as for `NonparametricSampler`. From the picture itself the principles are L; from
        a corpus they are NS+L+H by default, and then its pictures must have the picture's size.

    Raises
    ------
    UsageError
        If the mask does not fit the picture, covers nothing or everything, or the corpus's
        pictures do not fit.
    """

    name = "inpaint"

    def __init__(
        self,
        picture: UInt8[np.ndarray, "h w c"],
        hole: Bool[np.ndarray, "h w"],
        corpus: Corpus | None = None,
        **settings: Any,
    ) -> None:
        if picture.shape[:2] != hole.shape:
            raise UsageError(
                f"The mask is {hole.shape[0]}x{hole.shape[1]}, but the picture is "
                f"{picture.shape[0]}x{picture.shape[1]}. Give a mask of the picture's size."
            )
        if not hole.any():
            raise UsageError(
                "The mask marks nothing to fill. White marks a hole; is it the other way round?"
            )
        if hole.all():
            raise UsageError(
                "The mask marks the whole picture, so nothing is left to grow from. White marks "
                "a hole; is it the other way round?"
            )
        self.picture = np.where(hole[..., None], 0, picture).astype(np.uint8)
        self.hole = hole
        self.own = corpus is None
        if corpus is None:
            corpus = Corpus.from_arrays([self.picture], valid=[~hole], name="self")
            if settings.get("principles") not in (None, "L"):
                raise UsageError(
                    f"--principles is {settings['principles']}, but with --data self there is only "
                    "one picture, so only L makes sense. Drop --principles, or name a corpus."
                )
            settings = settings | {"principles": "L"}
        if corpus.channels != picture.shape[2]:
            kinds = {1: "grey", 3: "colour"}
            raise UsageError(
                f"The picture is {kinds[picture.shape[2]]}, the corpus {kinds[corpus.channels]}. "
                "Add --grey to make both grey, or choose another corpus."
            )
        # No seed is cut here, so there is no seed's picture to leave out.
        fixed = {"allow_seed_source": True, "size": hole.shape, "seed_size": 1}
        super().__init__(corpus, **(settings | fixed))
        if self.dictionary.by_label != (self.settings.label is not None):
            raise UsageError(
                "An inpainting has no seed to take a class from: give --condition class and "
                "--label together, or neither."
            )

    def batches(
        self,
        n: int,
        seed: int,
        size: int | None = None,
        skip: Int64[np.ndarray, " m"] | None = None,
    ) -> Iterator[Batch]:
        """Set up ``n`` ways to fill the same holes, batch by batch."""
        samples = numbers_to_draw(n, seed, size, skip)
        order = FillOrder.grow(~self.hole, self.window, self.settings.border)
        step = size or self.default_batch
        for at in range(0, len(samples), step):
            label = self.settings.label if self.dictionary.by_label else None
            batch = Batch.blank(samples[at : at + step], order, self.picture.shape[2], label)
            batch.canvas[:] = self.picture
            if self.own:
                rows, cols = np.nonzero(~self.hole)
                for name, value in {"image": 0, "row": rows, "col": cols, "pool": 1}.items():
                    batch.sources[name][:, rows, cols] = value
                batch.sources["weight"][:, rows, cols] = 1
            yield batch

    def resolved_settings(self, n: int, seed: int) -> dict[str, Any]:
        """Return everything that decides the result; ``content`` stands for picture and hole."""
        content = sha256(self.picture.tobytes() + self.hole.tobytes()).hexdigest()
        return super().resolved_settings(n, seed) | {"content": content}

    def pixels(self, n: int, seed: int) -> int:
        """Return how many pixels a run draws."""
        return n * int(self.hole.sum())


def extended(
    picture: UInt8[np.ndarray, "h w c"],
    hole: Bool[np.ndarray, "h w"],
    margins: tuple[int, int, int, int],
) -> tuple[UInt8[np.ndarray, "h2 w2 c"], Bool[np.ndarray, "h2 w2"]]:
    """Add margins (top, right, bottom, left) to be drawn: outpainting is a hole at the edge."""
    if min(margins) < 0:
        raise UsageError(f"--extend is {margins}; margins are numbers of pixels, 0 or more.")
    top, right, bottom, left = margins
    around = ((top, bottom), (left, right))
    return np.pad(picture, (*around, (0, 0))), np.pad(hole, around, constant_values=True)
