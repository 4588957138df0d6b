"""Sampling from a network over tokens, as `ArvmSampler` samples from the exact histogram."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64

from intarsia.dictionary import Query, Window
from intarsia.errors import UsageError
from intarsia.models.batch import Batch
from intarsia.models.nonparametric import Step
from intarsia.models.token_sampler import TokenSampler, in_order
from intarsia.models.tokens import TokenGrid, numbers_of
from intarsia.networks.saved_tokens import SavedTokens
from intarsia.reduce import Drawn, keys
from intarsia.samples import Samples, Sources

_SMALLEST = Window(3)


class TokenNetworkSampler(TokenSampler):
    """Draws token after token from what a network predicts.

    It names no sources: a network's weights have none (evidence ``none``).

    Parameters
    ----------
    tokens : training pictures as bits, and the BL-AE that decodes.
    saved : the network.

    Raises
    ------
    UsageError
        If the two do not belong together.
    """

    def __init__(self, tokens: TokenGrid, saved: SavedTokens) -> None:
        saved.check(tokens)
        super().__init__(tokens)
        self.saved = saved

    def grow(self, batch: Batch, seed: int, *, keep_members: bool = False) -> Iterator[Step]:
        """Draw every token of a batch in raster order; yields a `Step` after each."""
        if keep_members:
            raise UsageError("A network draws from no pool: drop --keep-pools.")
        network, bits = self.saved.network, self.saved.settings.bits
        known = batch.known()
        nobody = np.full(len(batch.samples), -1, np.int64)
        none = np.zeros(len(batch.samples), np.int64)
        for place in list(batch.order)[batch.step :]:
            with torch.inference_mode():
                features = network.features_at(torch.from_numpy(batch.canvas), place)
                chance = torch.from_numpy(uniform(seed, batch.samples, batch.step, bits))
                token = network.head.draw(features, chance)
            batch.canvas[:, place[0], place[1]] = token.numpy()
            batch.sources["step"][:, place[0], place[1]] = batch.step
            batch.step += 1
            query = Query.at(place, batch.canvas, known, _SMALLEST, "ignore", none)
            known[place] = True
            yield Step(batch, place, query, Drawn(nobody, nobody, nobody, none, none, none))

    def gather(self, batches: list[Batch], n: int, seed: int) -> Samples:
        """Decode finished batches, in order of sample."""
        bits, sources = in_order(batches)
        return Samples(
            images=self.tokens.decode(bits),
            sources=Sources.of_tokens(sources, self.pictures.size, "none"),
            settings=self.resolved_settings(n, seed),
            corpus=self.pictures,
            extra={"tokens": numbers_of(bits)},
        )

    def figures(self, batches: list[Batch]) -> dict[str, Any]:
        """Return how far the network is from the exact histogram, as it was trained."""
        return {"kl": self.saved.about.get("kl")}

    def resolved_settings(self, n: int, seed: int) -> dict[str, Any]:
        """Return everything that decides the result, in plain values."""
        settings = self.saved.settings
        return {
            "model": self.name,
            "n": n,
            "seed": seed,
            "kind": settings.kind,
            **({"gamma": settings.gamma} if settings.kind == "arvm" else {}),
            **self.folders,
            "bits": settings.bits,
            "grid": list(self.tokens.shape),
            "network_fingerprint": self.saved.weights_fingerprint,
            "blae_fingerprint": self.tokens.blae.weights_fingerprint,
        }


def uniform(
    seed: int, samples: Int64[np.ndarray, " b"], step: int, count: int
) -> Float32[np.ndarray, "b count"]:
    """Return values from 0 to 1 that depend on nothing but seed, sample, step and column."""
    columns = [
        keys.salts(seed, samples, step * 64 + bit).view(np.uint64) >> np.uint64(11)
        for bit in range(count)
    ]
    return np.stack([column / 2.0**53 for column in columns], axis=1).astype(np.float32)
