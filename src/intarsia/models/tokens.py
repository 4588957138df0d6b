"""Pictures as grids of binary tokens, by way of a BL-AE."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8

from intarsia.corpus import Corpus
from intarsia.corpus.planes import Planes
from intarsia.errors import UsageError
from intarsia.networks.binarising import BINARY, binary_rate
from intarsia.networks.saved_blae import BINARY_ENOUGH, SavedBlae

_BLOCK = 1000  # pictures encoded at once


@dataclass(frozen=True, eq=False)
class TokenGrid:
    """Training pictures as bits, [N, gh, gw, K].

    Attributes
    ----------
    corpus : the pictures.
    blae : what made the bits, and makes pictures of them.
    bits : uint8 [N, gh, gw, K], 0 or 1.
    binary_rate : share of latents that were beyond +-0.9 before they were rounded.
    """

    corpus: Corpus
    blae: SavedBlae
    bits: UInt8[np.ndarray, "n gh gw k"]
    binary_rate: float

    @classmethod
    def of(cls, corpus: Corpus, blae: SavedBlae, least_binary: float = BINARY_ENOUGH) -> TokenGrid:
        """Encode pictures.

        Raises
        ------
        UsageError
            If the pictures are not of the size the BL-AE takes, or their latents are not binary:
            rounding them would not keep what they say.
        """
        blae.check((*corpus.size, corpus.channels))
        assert corpus.images is not None
        images = corpus.images
        blocks = (np.array(images[at : at + _BLOCK]) for at in range(0, len(images), _BLOCK))
        latents = torch.cat([blae.latents(torch.from_numpy(block)) for block in blocks])
        rate = binary_rate(latents)
        if rate < least_binary:
            raise UsageError(
                f"Only {rate:.1%} of the latents are binary (magnitude above {BINARY}), and tokens "
                f"need {least_binary:.0%}. Train the BL-AE longer or with a larger --sigma, and on "
                "these pictures."
            )
        bits = (latents > 0).permute(0, 2, 3, 1).numpy().astype(np.uint8)
        return cls(corpus, blae, np.ascontiguousarray(bits), rate)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the grid."""
        return self.bits.shape[1], self.bits.shape[2]

    @property
    def cell(self) -> tuple[int, int]:
        """(height, width) of the part of a picture that a token stands for, in pixels."""
        height, width = self.corpus.size
        return height // self.shape[0], width // self.shape[1]

    @cached_property
    def as_corpus(self) -> Corpus:
        """The bits as pictures of K channels, which is what the engine reduces over.

        A squared difference of such pixels is a Hamming distance.
        """
        count, rows, cols, bits = self.bits.shape
        shapes = np.tile((rows, cols, bits), (count, 1))
        return Corpus(
            planes=Planes(self.bits.reshape(-1), shapes),
            valid=None,
            labels=self.corpus.labels,
            class_names=self.corpus.class_names,
            name=self.corpus.name,
            split=self.corpus.split,
            fingerprint=self.corpus.fingerprint,
        )

    @cached_property
    def numbers(self) -> Int64[np.ndarray, "n gh gw"]:
        """Tokens as numbers: bit b counts 2^b."""
        return numbers_of(self.bits)

    def decode(self, bits: UInt8[np.ndarray, "m gh gw k"]) -> UInt8[np.ndarray, "m h w c"]:
        """Return the pictures of token grids."""
        held: Bool[np.ndarray, "m gh gw k"] = bits.astype(bool)
        return self.blae.decode(torch.from_numpy(held)).numpy()


def numbers_of(bits: UInt8[np.ndarray, "... k"]) -> Int64[np.ndarray, "..."]:
    """Return tokens as numbers: bit b counts 2^b."""
    return np.asarray(bits.astype(np.int64) @ (1 << np.arange(bits.shape[-1], dtype=np.int64)))
