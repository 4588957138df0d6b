"""What networks over tokens are trained on: the exact histograms of eq. 9 (paper B, eq. 10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from intarsia.networks.checkpoint import Row
from intarsia.networks.token_network import ArvmNetwork, PixelCNN

_AT_ONCE = 4096


def log_shares(
    bits: UInt8[np.ndarray, "n gh gw k"], offsets: list[tuple[int, int]]
) -> Float[np.ndarray, "n gh gw"]:
    """Return log q of every training token: eq. 9 at its place and in its context.

    Parameters
    ----------
    bits : of the training token grids.
    offsets : of the causal window.
    """
    count, rows, cols, _ = bits.shape
    out = np.empty((count, rows, cols))
    for row, col in np.ndindex(rows, cols):
        seen = [
            bits[:, row + dy, col + dx]
            for dy, dx in offsets
            if 0 <= row + dy < rows and 0 <= col + dx < cols
        ]
        context = _rows_as_bytes(np.concatenate([bits[:, 0, 0, :0], *seen], axis=1), count)
        both = _rows_as_bytes(np.concatenate([*seen, bits[:, row, col]], axis=1), count)
        out[:, row, col] = np.log(_counts(both) / _counts(context))
    return out


class HistogramMatching:
    """The task of `networks.training` for gamma-ARVM: KL to the exact histogram.

    Over training tokens the mean of log q - log p is the KL divergence from eq. 9's histogram,
    each context weighed by how often it occurs.

    Parameters
    ----------
    network : trained in place.
    bits : of the training token grids.
    about : what tells this corpus and BL-AE from others.
    device : where batches go.
    """

    def __init__(
        self,
        network: ArvmNetwork,
        bits: UInt8[np.ndarray, "n gh gw k"],
        about: dict[str, Any],
        device: str = "cpu",
    ) -> None:
        self.network = network
        self.device = device
        self.about = about
        count, rows, cols, _ = bits.shape
        self.bits = torch.from_numpy(bits)
        self.padded = network.padded(self.bits)
        self.exact = torch.from_numpy(log_shares(bits, network.offsets)).float()
        self.places = torch.cartesian_prod(
            torch.arange(count), torch.arange(rows), torch.arange(cols)
        )

    def describe(self) -> dict[str, Any]:
        """Return all that decides the result beside the recipe."""
        return _plain(asdict(self.network.settings)) | self.about

    def batch_count(self, size: int) -> int:
        """Return how many batches an epoch has."""
        return len(self.places) // size

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Int64[Tensor, "b 3"]]:
        """Yield every place of every grid once."""
        order = torch.randperm(len(self.places), generator=generator)
        for at in range(self.batch_count(size)):
            yield self.places[order[at * size : (at + 1) * size]]

    def loss(self, batch: Int64[Tensor, "b 3"]) -> Tensor:
        """Return the mean of log q - log p over places: KL in expectation (eq. 10)."""
        return self._gaps(batch).mean()

    def figures(self) -> Row:
        """Return the KL divergence over all training contexts, in nats a token."""
        parts = torch.split(self.places, _AT_ONCE)
        gaps = [self._gaps(some).sum() for some in parts]
        return {"kl": float(torch.stack(gaps).sum()) / len(self.places)}

    def _gaps(self, places: Int64[Tensor, "b 3"]) -> Float[Tensor, " b"]:
        number, row, col = places.T
        tokens = self.bits[number, row, col].float().to(self.device)
        contexts = self.network.contexts(self.padded, places).to(self.device)
        found = self.network.head.log_likelihood(self.network.features(contexts), tokens)
        return self.exact[number, row, col].to(self.device) - found.float()


class PixelCNNTask:
    """The task of `networks.training` for PixelCNN: the likelihood of whole token grids.

    Parameters
    ----------
    network, bits, about, device : as for `HistogramMatching`.
    """

    def __init__(
        self,
        network: PixelCNN,
        bits: UInt8[np.ndarray, "n gh gw k"],
        about: dict[str, Any],
        device: str = "cpu",
    ) -> None:
        self.network = network
        self.device = device
        self.about = about
        self.bits = torch.from_numpy(bits)
        rows, cols = bits.shape[1:3]
        before = [(-dy, dx) for dy in range(rows) for dx in range(-cols, cols + 1)]
        everything = [one for one in before if one < (0, 0)]
        self.exact = torch.from_numpy(log_shares(bits, everything)).float()

    def describe(self) -> dict[str, Any]:
        """Return all that decides the result beside the recipe."""
        return _plain(asdict(self.network.settings)) | self.about

    def batch_count(self, size: int) -> int:
        """Return how many batches an epoch has."""
        return len(self.bits) // size

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Int64[Tensor, " b"]]:
        """Yield every grid once."""
        order = torch.randperm(len(self.bits), generator=generator)
        for at in range(self.batch_count(size)):
            yield order[at * size : (at + 1) * size]

    def loss(self, batch: Int64[Tensor, " b"]) -> Tensor:
        """Return the mean of log q - log p a token, q the histogram given all that came before."""
        found = self.network.log_likelihood(self.bits[batch].to(self.device))
        return (self.exact[batch].to(self.device) - found.float()).mean()

    def figures(self) -> Row:
        """Return the KL divergence from the training grids, in nats a token."""
        parts = torch.split(torch.arange(len(self.bits)), 256)
        return {"kl": float(sum(self.loss(part) * len(part) for part in parts)) / len(self.bits)}


def _rows_as_bytes(rows: UInt8[np.ndarray, "n k"], count: int) -> np.ndarray:
    """Return each row of bits as one value that can be sorted."""
    if rows.shape[1] == 0:
        return np.zeros(count, np.uint8)
    packed = np.ascontiguousarray(np.packbits(rows, axis=1))
    return packed.view(np.dtype((np.void, packed.shape[1])))[:, 0]


def _counts(values: np.ndarray) -> np.ndarray:
    """Return for each value how often it occurs."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(counts[where.reshape(-1)])


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()
    }
