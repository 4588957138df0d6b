"""What a BL-AE is trained on: its own pictures through noisy latents, one MSE loss (eq. 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from intarsia.networks.blae import BinaryAutoencoder, noise_like, to_bytes, to_unit
from intarsia.networks.checkpoint import Row

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

BINARY = 0.9
"""A latent counts as binary if its magnitude is above this."""

_SHOWN = 1000
"""Pictures that figures are measured on after each epoch, at most."""

BINS = 40
"""Of the histogram of latents."""


Batch = tuple[Float[Tensor, "b c h w"], Float[Tensor, "b k gh gw"] | None]
"""Pictures, and their latents where those are known beforehand."""


class Binarising:
    """The task of `networks.training` for a BL-AE.

    Parameters
    ----------
    network : trained in place.
    corpus : training pictures of the network's size.
    device : where batches go.
    only_decoder : leave the encoder as it is (paper B, section 5.1.2 and figure 4).
    rounded : decode latents rounded to -1 and 1, without noise; needs ``only_decoder``.
    """

    def __init__(
        self,
        network: BinaryAutoencoder,
        corpus: Corpus,
        device: str = "cpu",
        *,
        only_decoder: bool = False,
        rounded: bool = False,
    ) -> None:
        assert corpus.images is not None
        self.network = network.to(memory_format=torch.channels_last)
        self.corpus = corpus
        self.device = device
        self.only_decoder, self.rounded = only_decoder, rounded
        network.encoder.requires_grad_(not only_decoder)
        self.pictures = torch.from_numpy(np.array(corpus.images))
        # An encoder that is left as it is has said all it can say once.
        self._latents = latents_of(network.eval(), self.pictures, device) if only_decoder else None
        self._noise = torch.Generator()

    def describe(self) -> dict[str, Any]:
        """Return all that decides the result beside the recipe."""
        shape = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self.network.settings).items()
        }
        return {
            "kind": "blae",
            **shape,
            "only_decoder": self.only_decoder,
            "rounded": self.rounded,
            "fingerprint": self.corpus.fingerprint,
        }

    def batch_count(self, size: int) -> int:
        """Return how many batches an epoch has."""
        return len(self.pictures) // size

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yield every picture once, with its latents where the encoder is left as it is."""
        self._noise = generator
        order = torch.randperm(len(self.pictures), generator=generator)
        for at in range(self.batch_count(size)):
            some = order[at * size : (at + 1) * size]
            pictures = to_unit(self.pictures[some]).to(self.device)
            known = None if self._latents is None else self._latents[some].to(self.device)
            yield pictures, known

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean squared error of pictures decoded from noisy latents (eq. 5)."""
        settings = self.network.settings
        pictures, latents = batch
        if latents is None:
            latents = self.network.latents(pictures)
        if self.rounded:
            noisy = latents.sign()
        else:
            noise = noise_like(latents, settings.noise, self._noise)
            noisy = latents + settings.sigma * noise
        decoded = self.network.decode(noisy)
        return nn.functional.mse_loss(decoded.float(), pictures)

    def figures(self) -> Row:
        """Return binary rate, PSNR of reconstructions from binary latents, latents' histogram."""
        some = self.pictures[:_SHOWN]
        known = self._latents
        latents = latents_of(self.network, some, self.device) if known is None else known[:_SHOWN]
        psnr = psnr_of_rows(some, decoded(self.network, latents.sign(), self.device))
        return {
            "binary_rate": binary_rate(latents),
            "psnr": float(psnr.mean()),
            "psnr_p10": float(psnr.quantile(0.1)),
            "latents": torch.histc(latents, BINS, -1, 1).long().tolist(),
        }


def latents_of(
    network: BinaryAutoencoder, images: UInt8[Tensor, "n h w c"], device: str, step: int = 250
) -> Float[Tensor, "n k gh gw"]:
    """Return the latents of pictures, values from -1 to 1."""
    with torch.inference_mode():
        parts = [network.latents(to_unit(some).to(device)).cpu() for some in images.split(step)]
    return torch.cat(parts)


def decoded(
    network: BinaryAutoencoder, latents: Float[Tensor, "n k gh gw"], device: str, step: int = 250
) -> UInt8[Tensor, "n h w c"]:
    """Return the pictures of latents."""
    with torch.inference_mode():
        parts = [to_bytes(network.decode(some.to(device))).cpu() for some in latents.split(step)]
    return torch.cat(parts)


def binary_rate(latents: Float[Tensor, "..."]) -> float:
    """Return the share of latents of magnitude above `BINARY` (paper B, figure 5: brate)."""
    return float((latents.abs() > BINARY).float().mean())


def psnr_of_rows(
    one: UInt8[Tensor, "n h w c"], other: UInt8[Tensor, "n h w c"]
) -> Float[Tensor, " n"]:
    """Return the PSNR of each picture against another, in decibel; equal ones have 100."""
    error = (one.float() - other.float()).square().flatten(1).mean(dim=1)
    return (10 * torch.log10(255.0**2 / error.clamp_min(255.0**2 * 1e-10))).float()
