"""What denoisers are trained on: pictures under noise of every level (paper C, eq. 2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from intarsia.dictionary import Pictures
from intarsia.errors import UsageError
from intarsia.models.schedule import SHIFT
from intarsia.networks.denoiser import Denoiser

if TYPE_CHECKING:
    from intarsia.corpus import Corpus


@dataclass(frozen=True, eq=False)
class NoisyBatch:
    """Pictures under noise.

    Attributes
    ----------
    x : [B, C, H, W], sqrt(alpha_bar) clean + sqrt(1 - alpha_bar) noise, clean in [-1, 1].
    noise : what the network is to find.
    t : [B], times.
    labels : [B], classes, of a class-conditional network.
    """

    x: Float[Tensor, "b c h w"]
    noise: Float[Tensor, "b c h w"]
    t: Float[Tensor, " b"]
    labels: Int64[Tensor, " b"] | None


class Denoising:
    """The task of `networks.training`: predict the noise, in mean squares, at times 0 to 1.

    A batch of B takes one time from each of B equal parts of [0, 1], which keeps its loss from
    depending on how its times fell.

    Parameters
    ----------
    network : class-conditional or not.
    corpus : training pictures of one size.
    device : where batches go.

    Raises
    ------
    UsageError
        If the pictures do not fit the network, or it asks for labels that are not there.
    """

    def __init__(self, network: Denoiser, corpus: Corpus, device: str = "cpu") -> None:
        network.check_size(corpus.size)
        if network.settings.classes and corpus.labels is None:
            raise UsageError(f"{corpus.name!r} has no labels; drop --conditional.")
        self.network = network.to(memory_format=torch.channels_last)
        self.corpus = corpus
        self.device = device
        self.pixels = torch.from_numpy(Pictures.of(corpus).pixels)
        self.labels = (
            torch.from_numpy(corpus.labels.astype("int64"))
            if network.settings.classes and corpus.labels is not None
            else None
        )

    def describe(self) -> dict[str, Any]:
        """Return all that decides the result beside the recipe."""
        shape = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self.network.settings).items()
        }
        return {"kind": self.network.kind, **shape, "fingerprint": self.corpus.fingerprint}

    def batch_count(self, size: int) -> int:
        """Return how many batches an epoch has."""
        return len(self.pixels) // size

    def batches(self, size: int, generator: torch.Generator) -> Iterator[NoisyBatch]:
        """Yield every picture once, under new noise at a new time."""
        order = torch.randperm(len(self.pixels), generator=generator)
        for at in range(self.batch_count(size)):
            some = order[at * size : (at + 1) * size]
            parts = torch.arange(size) + torch.rand(size, generator=generator)
            clean = self.pixels[some].float() / 127.5 - 1
            noise = torch.randn(clean.shape, generator=generator)
            labels = None if self.labels is None else self.labels[some]
            yield self._noisy(clean, noise, parts / size, labels)

    def _noisy(
        self,
        clean: Float[Tensor, "b c h w"],
        noise: Float[Tensor, "b c h w"],
        t: Float[Tensor, " b"],
        labels: Int64[Tensor, " b"] | None,
    ) -> NoisyBatch:
        signal = torch.cos(math.pi * t / (2 * SHIFT))[:, None, None, None]
        x = signal * clean + (1 - signal.square()).sqrt() * noise
        x, noise = (one.to(self.device, memory_format=torch.channels_last) for one in (x, noise))
        labels = None if labels is None else labels.to(self.device)
        return NoisyBatch(x, noise, t.to(self.device), labels)

    def loss(self, batch: NoisyBatch) -> Tensor:
        """Return the mean squared error of the noise."""
        predicted = self.network(batch.x, batch.t, batch.labels)
        return (predicted.float() - batch.noise).square().mean()

    def figures(self) -> dict[str, float]:
        """Return nothing: the loss says it all."""
        return {}
