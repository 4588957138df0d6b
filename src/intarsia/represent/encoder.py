"""Encoders phi: what a half-known canvas and a whole picture are compared by (paper A, d_SSL)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Int8, UInt8


@dataclass(frozen=True)
class Codes:
    """What an encoder makes of a batch of canvases that know the same pixels.

    Attributes
    ----------
    values : int8 [B, D].
    known : bool [D], the coordinates that mean something for these canvases. Distances are taken
        over them alone, so that a half-known canvas can lie near the pictures that complete it.
    """

    values: Int8[np.ndarray, "b d"]
    known: Bool[np.ndarray, " d"]


class Encoder(ABC):
    """An encoder phi of canvases.

    Codes are int8, so that distances between them are exact integers (law 1).
    """

    name: ClassVar[str]

    @abstractmethod
    def codes(self, images: UInt8[np.ndarray, "b h w c"], known: Bool[np.ndarray, "h w"]) -> Codes:
        """Encode canvases.

        Parameters
        ----------
        images : uint8 [B, H, W, C].
        known : bool [H, W], pixels that are there; what the others hold must not matter.
        """

    def corpus_codes(self, images: UInt8[np.ndarray, "n h w c"]) -> Int8[np.ndarray, "n d"]:
        """Encode whole pictures, a few thousand at a time."""
        everything = np.ones(images.shape[1:3], bool)
        step = 4096
        parts = [
            self.codes(np.asarray(images[at : at + step]), everything).values
            for at in range(0, len(images), step)
        ]
        return np.concatenate(parts)
