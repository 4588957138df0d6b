"""What networks over tokens are trained on: the exact histograms of eq. 9 (paper B, eq. 10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from intarsia.networks.checkpoint import Row
from intarsia.networks.token_network import DENSE, ArvmNetwork, PixelCNN

_AT_ONCE = 4096

_LARGEST = 10**8
"""Numbers that histograms of all contexts may take: 400 MB."""


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
        context, token = _context_and_token(bits, offsets, (row, col))
        both = _rows_as_bytes(np.concatenate([context, token], axis=1), count)
        out[:, row, col] = np.log(_counts(both) / _counts(_rows_as_bytes(context, count)))
    return out


def histograms(
    bits: UInt8[np.ndarray, "n gh gw k"], offsets: list[tuple[int, int]]
) -> tuple[Int64[np.ndarray, "n gh gw"], Float32[np.ndarray, "u t"]] | None:
    """Return eq. 9 for every context that occurs, or None where that would take too much memory.

    Parameters
    ----------
    bits : of the training token grids.
    offsets : of the causal window.

    Returns
    -------
    the number of each token's context, and the histograms of all contexts over all 2^NoD tokens.
    """
    count, rows, cols, values = bits.shape
    which = np.empty((count, rows, cols), np.int64)
    before = 0
    for row, col in np.ndindex(rows, cols):
        context, _ = _context_and_token(bits, offsets, (row, col))
        _, inverse = np.unique(_rows_as_bytes(context, count), return_inverse=True)
        which[:, row, col] = inverse.reshape(-1) + before
        before = int(which[:, row, col].max()) + 1
    if values > DENSE or before * 2**values > _LARGEST:
        return None
    shares = np.zeros((before, 2**values), np.float32)
    numbers = bits.astype(np.int64) @ (1 << np.arange(values))
    np.add.at(shares, (which.reshape(-1), numbers.reshape(-1)), 1.0)
    return which, shares / shares.sum(axis=1, keepdims=True)


def _context_and_token(
    bits: UInt8[np.ndarray, "n gh gw k"], offsets: list[tuple[int, int]], place: tuple[int, int]
) -> tuple[UInt8[np.ndarray, "n c"], UInt8[np.ndarray, "n k"]]:
    """Return the bits around a place, and those at it."""
    rows, cols = bits.shape[1:3]
    seen = [
        bits[:, place[0] + dy, place[1] + dx]
        for dy, dx in offsets
        if 0 <= place[0] + dy < rows and 0 <= place[1] + dx < cols
    ]
    context = np.concatenate([bits[:, 0, 0, :0], *seen], axis=1)
    return context, bits[:, place[0], place[1]]


class HistogramMatching:
    """The task of `networks.training` for gamma-ARVM: KL to the exact histogram.

    Each context is weighed by how often it occurs. Where histograms over all tokens are too large,
    the loss is the mean of log q - log p over training tokens, which has the same mean.

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
        found = histograms(bits, network.offsets)
        self.targets = None if found is None else [torch.from_numpy(part) for part in found]
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
        """Return the KL divergence from the histograms at these places (eq. 10)."""
        return self._gaps(batch).mean()

    def figures(self) -> Row:
        """Return the KL divergence over all training contexts, in nats a token."""
        parts = torch.split(self.places, _AT_ONCE)
        gaps = [self._gaps(some).sum() for some in parts]
        return {"kl": float(torch.stack(gaps).sum()) / len(self.places)}

    def _gaps(self, places: Int64[Tensor, "b 3"]) -> Float[Tensor, " b"]:
        number, row, col = places.T
        contexts = self.network.contexts(self.padded, places).to(self.device)
        features = self.network.features(contexts)
        if self.targets is not None:
            which, shares = self.targets
            wanted = shares[which[number, row, col]].to(self.device)
            found = self.network.head.log_probabilities(features).float()
            return (torch.xlogy(wanted, wanted) - wanted * found).sum(dim=1)
        tokens = self.bits[number, row, col].float().to(self.device)
        likely = self.network.head.log_likelihood(features, tokens)
        return self.exact[number, row, col].to(self.device) - likely.float()


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
