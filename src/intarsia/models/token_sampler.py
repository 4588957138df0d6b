"""What models that draw one token after another have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from intarsia.corpus import Corpus
from intarsia.dictionary import FillOrder
from intarsia.errors import UsageError
from intarsia.models.batch import Batch
from intarsia.models.nonparametric import Step, numbers_to_draw
from intarsia.models.tokens import TokenGrid
from intarsia.samples import SOURCE_FIELDS, Samples


class TokenSampler(ABC):
    """Fills token grids in raster order and decodes them.

    Parameters
    ----------
    tokens : training pictures as bits, and the BL-AE that decodes.

    Attributes
    ----------
    folders : the folders a run is repeated from, by option; part of its settings.
    """

    name = "arvm"

    def __init__(self, tokens: TokenGrid) -> None:
        self.tokens = tokens
        self.folders: dict[str, str] = {}

    default_batch = 256

    @property
    def pictures(self) -> Corpus:
        """The training pictures that samples speak of."""
        return self.tokens.corpus

    def sample(
        self,
        n: int,
        seed: int = 0,
        *,
        batch: int | None = None,
        callback_on_step_end: Callable[[Step], None] | None = None,
    ) -> Samples:
        """Draw pictures.

        Parameters
        ----------
        n : how many.
        seed : 0 <= seed < 2^63. With the model it decides every token.
        batch : grids filled side by side. No result depends on it.
        callback_on_step_end : called after every token of every batch.

        Returns
        -------
        Samples
            Decoded by the BL-AE. ``extra`` has ``tokens``, int64 [n, gh, gw]; those of an
            `ArvmSampler` also ``window``, int16 [n, gh, gw] (`ArvmSampler.windows`), and their
            sources have evidence ``token``.
        """
        finished = []
        for started in self.batches(n, seed, batch):
            for step in self.grow(started, seed):
                if callback_on_step_end is not None:
                    callback_on_step_end(step)
            finished.append(started)
        return self.gather(finished, n, seed)

    def batches(
        self,
        n: int,
        seed: int,
        size: int | None = None,
        skip: Int64[np.ndarray, " m"] | None = None,
    ) -> Iterator[Batch]:
        """Yield empty grids for samples 0 to n - 1, less those to ``skip``."""
        left = numbers_to_draw(n, seed, size, skip)
        rows, cols = self.tokens.shape
        raster = np.array(list(np.ndindex(rows, cols)), np.int64)
        order = FillOrder(np.zeros((rows, cols), bool), raster)
        step = size or self.default_batch
        for start in range(0, len(left), step):
            yield Batch.blank(left[start : start + step], order, self.tokens.bits.shape[3])

    def pixels(self, n: int, seed: int) -> int:
        """Return how many tokens a run draws."""
        return n * self.tokens.shape[0] * self.tokens.shape[1]

    def share_with(self, workers: object) -> None:
        """Refuse: a corpus of tokens is small, and every worker holds all of it."""
        raise UsageError("A token model cannot be shared out by pictures; use --spread samples.")

    @abstractmethod
    def grow(self, batch: Batch, seed: int, *, keep_members: bool = False) -> Iterator[Step]:
        """Draw every token of a batch in raster order; yields a `Step` after each."""

    @abstractmethod
    def gather(self, batches: list[Batch], n: int, seed: int) -> Samples:
        """Decode finished batches, in order of sample."""

    @abstractmethod
    def resolved_settings(self, n: int, seed: int) -> dict[str, Any]:
        """Return everything that decides the result, in plain values."""

    @abstractmethod
    def figures(self, batches: list[Batch]) -> dict[str, Any]:
        """Return what metrics.json says of the run beside its maps."""


def in_order(
    batches: list[Batch],
) -> tuple[UInt8[np.ndarray, "n gh gw k"], dict[str, np.ndarray]]:
    """Return bits and sources of all batches, in order of sample."""
    order = np.argsort(np.concatenate([batch.samples for batch in batches]))
    bits = np.concatenate([batch.canvas for batch in batches])[order]
    sources = {
        name: np.concatenate([batch.sources[name] for batch in batches])[order]
        for name in SOURCE_FIELDS
    }
    return bits, sources
