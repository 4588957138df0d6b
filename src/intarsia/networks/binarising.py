"""What a BL-AE is trained on: its own pictures through noisy latents, one MSE loss (eq. 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from intarsia.measure.overlap import latent_distances
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
"""What is to be decoded, and latents where those are known beforehand."""


class Binarising:
    """The task of `networks.training` for a BL-AE.

    Parameters
    ----------
    network : trained in place.
    corpus : training pictures of the network's size.
    device : where batches go.
    part : what learns: ``all`` but the memory; the ``decoder`` and the memory, the encoder left as
        it is (paper B, section 5.1.2 and figure 4); or the ``memory`` alone, from rounded latents
        without noise.
    """

    def __init__(
        self,
        network: BinaryAutoencoder,
        corpus: Corpus,
        device: str = "cpu",
        *,
        part: str = "all",
    ) -> None:
        assert corpus.images is not None
        self.network = network.to(memory_format=torch.channels_last)
        self.corpus = corpus
        self.device = device
        self.part = part
        network.encoder.requires_grad_(part == "all")
        network.decoder.requires_grad_(part != "memory")
        if network.memory is not None:
            network.memory.requires_grad_(part != "all")
        self.pictures = torch.from_numpy(np.array(corpus.images))
        # Parts that are left as they are have said all they can say once.
        self._latents = self._left = None
        if part != "all":
            self._latents = latents_of(network.eval(), self.pictures, device)
        if part == "memory":
            assert self._latents is not None
            self._left = left_over(network, self.pictures, self._latents.sign(), device)
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
            "part": self.part,
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
            wanted = to_unit(self.pictures[some]) if self._left is None else self._left[some]
            known = None if self._latents is None else self._latents[some].to(self.device)
            yield wanted.to(self.device), known

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean squared error of pictures decoded from noisy latents (eq. 5)."""
        settings, (wanted, latents) = self.network.settings, batch
        if self.part == "memory":
            assert latents is not None
            found = self.network.remembered(latents.sign())
        else:
            if latents is None:
                latents = self.network.latents(wanted)
            noisy = latents + settings.sigma * noise_like(latents, settings.noise, self._noise)
            decode = self.network.convolved if self.part == "all" else self.network.decode
            found = decode(noisy)
        return nn.functional.mse_loss(found.float(), wanted)

    def figures(self) -> Row:
        """Return binary rate, PSNR from binary latents, and how far apart and where latents lie."""
        some = self.pictures[:_SHOWN]
        known = self._latents
        latents = latents_of(self.network, some, self.device) if known is None else known[:_SHOWN]
        mean, least = latent_distances(latents.flatten(1).double().numpy())
        psnr = psnr_of_rows(some, decoded(self.network, latents.sign(), self.device))
        return {
            "binary_rate": binary_rate(latents),
            "psnr": float(psnr.mean()),
            "psnr_p10": float(psnr.quantile(0.1)),
            "distance_mean": mean,
            "distance_least": least,
            "latents": torch.histc(latents, BINS, -1, 1).long().tolist(),
        }


def latents_of(
    network: BinaryAutoencoder, images: UInt8[Tensor, "n h w c"], device: str, step: int = 250
) -> Float[Tensor, "n k gh gw"]:
    """Return the latents of pictures, values from -1 to 1."""
    with torch.inference_mode():
        parts = [network.latents(to_unit(some).to(device)).cpu() for some in images.split(step)]
    return torch.cat(parts)


def left_over(
    network: BinaryAutoencoder,
    images: UInt8[Tensor, "n h w c"],
    latents: Float[Tensor, "n k gh gw"],
    device: str,
    step: int = 250,
) -> Float[Tensor, "n c h w"]:
    """Return what the convolutions leave of pictures, in units of -1 to 1."""
    with torch.inference_mode():
        parts = [
            to_unit(some) - network.convolved(bits.to(device)).cpu()
            for some, bits in zip(images.split(step), latents.split(step), strict=True)
        ]
    return torch.cat(parts).clone()


def convolved(
    network: BinaryAutoencoder, latents: Float[Tensor, "n k gh gw"], device: str, step: int = 250
) -> UInt8[Tensor, "n h w c"]:
    """Return the pictures of latents by the convolutions alone, without what is remembered."""
    with torch.inference_mode():
        parts = [to_bytes(network.convolved(some.to(device))).cpu() for some in latents.split(step)]
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
