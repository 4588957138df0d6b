"""A small variational autoencoder, with the two changes of paper B's appendix A.1.

A.1.1: the prior's standard deviation is a setting. A.1.2: latents are bounded by tanh under
triangular noise of half-width sigma, without a prior, so that 2^dims of them do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from intarsia.errors import UsageError
from intarsia.networks.blae import noise_like
from intarsia.networks.checkpoint import Row

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

LATENTS = ("gaussian", "triangular")

PRIORS = ("scaled", "unit")

_PUSH = 30.0
"""Bounded latents begin near their ends. From the middle, where noise hides them all, nothing is
learned: the decoder draws one mean picture, and tells the encoder nothing."""


@dataclass(frozen=True)
class VaeSettings:
    """All that decides a VAE's shape and loss.

    Attributes
    ----------
    shape : (C, H, W) of the pictures.
    dims : latent values.
    hidden : values of the hidden layers.
    latents : ``gaussian`` with a prior N(0, sigma^2), or ``triangular``: tanh, noise of half-width
        sigma, no prior.
    sigma : of the prior, or of the noise.
    prior : of Gaussian latents. ``scaled`` is N(0, sigma^2), as the text has it; nothing but the
        unit of the latents changes with sigma then. ``unit`` is N(0, 1), and sigma scales the
        noise alone ("all other parts are kept invariant"), so that latents overlap less.
    """

    shape: tuple[int, int, int]
    dims: int = 20
    hidden: int = 400
    latents: str = "gaussian"
    sigma: float = 1.0
    prior: str = "scaled"

    def __post_init__(self) -> None:
        if self.latents not in LATENTS:
            raise UsageError(f"--latents is {self.latents!r}; it must be {' or '.join(LATENTS)}.")
        if self.prior not in PRIORS:
            raise UsageError(f"--prior is {self.prior!r}; it must be {' or '.join(PRIORS)}.")
        if not self.sigma > 0:
            raise UsageError(f"--sigma is {self.sigma}; it must be above 0.")
        if self.dims < 1 or self.hidden < 1:
            raise UsageError("--dims and --hidden are at least 1.")


class Vae(nn.Module):
    """One hidden layer on either side of the latents (Kingma and Welling, 2014).

    Parameters
    ----------
    settings : shape and loss.
    """

    def __init__(self, settings: VaeSettings) -> None:
        super().__init__()
        self.settings = settings
        pixels = int(np.prod(settings.shape))
        self.inside = nn.Linear(pixels, settings.hidden)
        self.mean = nn.Linear(settings.hidden, settings.dims)
        self.spread = nn.Linear(settings.hidden, settings.dims)
        if settings.latents == "triangular":
            with torch.no_grad():
                self.mean.weight.mul_(_PUSH)
        self.outside = nn.Sequential(
            nn.Linear(settings.dims, settings.hidden),
            nn.ReLU(),
            nn.Linear(settings.hidden, pixels),
        )

    def encode(
        self, pictures: Float[Tensor, "b c h w"]
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, "b d"]]:
        """Return means and logarithms of standard deviations, in units of sigma for the latter.

        Parameters
        ----------
        pictures : values from 0 to 1.
        """
        hidden = functional.relu(self.inside(pictures.flatten(1)))
        mean = self.mean(hidden)
        return (mean.tanh() if self.settings.latents == "triangular" else mean), self.spread(hidden)

    def decode(self, latents: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        """Return pictures, 0 to 1, of latents."""
        found: Tensor = self.outside(latents).sigmoid()
        return found.view(-1, *self.settings.shape)

    def divergence(
        self, mean: Float[Tensor, "b d"], spread: Float[Tensor, "b d"]
    ) -> Float[Tensor, " b"]:
        """Return KL(N(mean, (sigma e^spread)^2) || N(0, sigma^2)), in nats.

        With a ``unit`` prior, KL(N(mean, e^(2 spread)) || N(0, 1)), which does not know of sigma.
        """
        scaled = mean if self.settings.prior == "unit" else mean / self.settings.sigma
        return 0.5 * (scaled.square() + (2 * spread).exp() - 1 - 2 * spread).sum(dim=1)

    def samples(self, n: int, seed: int) -> UInt8[Tensor, "n h w c"]:
        """Draw pictures from the prior; triangular latents from the ends -1 and 1."""
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randn(n, self.settings.dims, generator=generator)
        latents = drawn.sign() if self.settings.latents == "triangular" else drawn
        settings = self.settings
        fixed = settings.latents == "triangular" or settings.prior == "unit"
        scale = 1.0 if fixed else settings.sigma
        with torch.inference_mode():
            pictures = self.decode(latents * scale)
        return (pictures * 255).round().to(torch.uint8).permute(0, 2, 3, 1)


class Variational:
    """The task of `networks.training`: reconstruction and, with a prior, its divergence.

    Parameters
    ----------
    network : trained in place.
    corpus : training pictures of the network's shape.
    device : where batches go.
    """

    def __init__(self, network: Vae, corpus: Corpus, device: str = "cpu") -> None:
        assert corpus.images is not None
        self.network = network
        self.corpus = corpus
        self.device = device
        self.pictures = torch.from_numpy(np.array(corpus.images)).permute(0, 3, 1, 2)
        self._noise = torch.Generator()

    def describe(self) -> dict[str, Any]:
        """Return all that decides the result beside the recipe."""
        settings = asdict(self.network.settings)
        settings["shape"] = list(settings["shape"])
        return {"kind": "vae", **settings, "fingerprint": self.corpus.fingerprint}

    def batch_count(self, size: int) -> int:
        """Return how many batches an epoch has."""
        return len(self.pictures) // size

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Float[Tensor, "b c h w"]]:
        """Yield every picture once, values from 0 to 1."""
        self._noise = generator
        order = torch.randperm(len(self.pictures), generator=generator)
        for at in range(self.batch_count(size)):
            some = order[at * size : (at + 1) * size]
            yield (self.pictures[some].float() / 255).to(self.device)

    def loss(self, batch: Float[Tensor, "b c h w"]) -> Tensor:
        """Return minus the evidence bound, in nats a picture; without a prior, reconstruction."""
        settings = self.network.settings
        mean, spread = self.network.encode(batch)
        noise = noise_like(mean, settings.latents, self._noise)
        if settings.latents == "triangular":
            found = self.network.decode(mean + settings.sigma * noise)
            prior = torch.zeros(())
        else:
            found = self.network.decode(mean + settings.sigma * spread.exp() * noise)
            prior = self.network.divergence(mean, spread).mean()
        cost = functional.binary_cross_entropy(found, batch, reduction="sum") / len(batch)
        return cost + prior

    def figures(self) -> Row:
        """Return the mean squared error of reconstructions without noise, in units of 1."""
        some = self.pictures[:1000].float().to(self.device) / 255
        mean, _ = self.network.encode(some)
        return {"mse": float((self.network.decode(mean) - some).square().mean())}
