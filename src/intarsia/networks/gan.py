"""A small convolutional GAN whose input is noise, or a mixture of Gaussians that learns its means.

Paper B, appendix A.1.3: all inputs of a GAN share one distribution, so the overlap of any two is 1.
A mixture whose means are parameters lets them part. The networks are those of A. Radford et al.,
2016, arXiv 1511.06434, without normalisation in the discriminator.
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
from intarsia.networks.blae import to_bytes, to_unit
from intarsia.networks.checkpoint import Row

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

COARSEST = 4
"""Sides are halved while they are even and larger."""


@dataclass(frozen=True)
class GanSettings:
    """All that decides a GAN's shape and input.

    Attributes
    ----------
    shape : (C, H, W) of the pictures.
    dims : latent values.
    components : Gaussians in the mixture, all as likely; 0 for plain noise.
    spread : standard deviation of each component; plain noise has 1.
    width : channels at the finest scale; coarser ones have twice as many each.
    """

    shape: tuple[int, int, int]
    dims: int = 64
    components: int = 0
    spread: float = 0.1
    width: int = 32

    def __post_init__(self) -> None:
        if self.dims < 1 or self.width < 1 or self.components < 0:
            raise UsageError(
                f"--dims is {self.dims}, --width {self.width} and --components {self.components}; "
                "the first two are at least 1, and --components is 0 or more."
            )
        if not 0 <= self.spread < float("inf"):
            raise UsageError(f"--spread is {self.spread}; a standard deviation is 0 or more.")
        if not self.halvings:
            raise UsageError(
                f"The pictures are {self.shape[1]}x{self.shape[2]}; a GAN halves their sides at "
                f"least once, to no less than {COARSEST}. Use --resize 32."
            )

    @property
    def halvings(self) -> int:
        """How often sides are halved between the picture and the coarsest features."""
        count, sides = 0, list(self.shape[1:])
        while all(side % 2 == 0 and side > COARSEST for side in sides) and count < 4:
            count, sides = count + 1, [side // 2 for side in sides]
        return count


class Gan(nn.Module):
    """Generator, discriminator, and the means of the mixture.

    Parameters
    ----------
    settings : shape and input.
    """

    def __init__(self, settings: GanSettings) -> None:
        super().__init__()
        self.settings = settings
        channels, height, width = settings.shape
        unit = 2**settings.halvings
        coarse = settings.width * unit // 2
        sides = height // unit, width // unit
        layers: list[nn.Module] = [
            nn.Linear(settings.dims, coarse * sides[0] * sides[1]),
            nn.Unflatten(1, (coarse, *sides)),
            nn.BatchNorm2d(coarse),
            nn.ReLU(),
        ]
        judge: list[nn.Module] = []
        before, seen = coarse, channels
        for at in range(settings.halvings):
            last = at == settings.halvings - 1
            after = channels if last else before // 2
            layers.append(nn.ConvTranspose2d(before, after, 4, 2, 1))
            layers += [nn.Tanh()] if last else [nn.BatchNorm2d(after), nn.ReLU()]
            judge += [nn.Conv2d(seen, settings.width * 2**at, 4, 2, 1), nn.LeakyReLU(0.2)]
            before, seen = after, settings.width * 2**at
        self.generator = nn.Sequential(*layers)
        self.discriminator = nn.Sequential(
            *judge, nn.Flatten(), nn.Linear(seen * sides[0] * sides[1], 1)
        )
        self.means = nn.Parameter(torch.randn(max(1, settings.components), settings.dims))
        self.means.requires_grad_(settings.components > 0)

    def latents(self, n: int, random: torch.Generator) -> Float[Tensor, "n d"]:
        """Draw inputs of the generator."""
        settings = self.settings
        noise = torch.randn(n, settings.dims, generator=random).to(self.means.device)
        if not settings.components:
            return noise
        which = torch.randint(settings.components, (n,), generator=random)
        return self.means[which.to(self.means.device)] + settings.spread * noise

    def generate(self, latents: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """Return pictures, -1 to 1."""
        pictures: Tensor = self.generator(latents)
        return pictures

    def score(self, pictures: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1"]:
        """Return the discriminator's logits: above 0 for what it takes for real."""
        logits: Tensor = self.discriminator(pictures)
        return logits

    def samples(self, n: int, seed: int) -> UInt8[Tensor, "n h w c"]:
        """Draw pictures."""
        random = torch.Generator().manual_seed(seed)
        with torch.inference_mode():
            return to_bytes(self.generate(self.latents(n, random))).cpu()


class Adversarial:
    """The task of `networks.training`: both players move at once, each on its own loss.

    The generator's loss goes through a discriminator whose weights stand still, so that one sum
    gives both their gradients (the non-saturating game of I. Goodfellow et al., 2014).

    Parameters
    ----------
    network : trained in place.
    corpus : training pictures of the network's shape.
    device : where batches go.
    """

    def __init__(self, network: Gan, corpus: Corpus, device: str = "cpu") -> None:
        assert corpus.images is not None
        self.network = network
        self.corpus = corpus
        self.device = device
        self.pictures = torch.from_numpy(np.array(corpus.images))
        self._random = torch.Generator()
        self._losses: list[tuple[float, float]] = []

    def describe(self) -> dict[str, Any]:
        """Return all that decides the result beside the recipe."""
        settings = asdict(self.network.settings)
        settings["shape"] = list(settings["shape"])
        return {"kind": "gan", **settings, "fingerprint": self.corpus.fingerprint}

    def batch_count(self, size: int) -> int:
        """Return how many batches an epoch has."""
        return len(self.pictures) // size

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Float[Tensor, "b c h w"]]:
        """Yield every picture once, values from -1 to 1."""
        self._random, self._losses = generator, []
        order = torch.randperm(len(self.pictures), generator=generator)
        for at in range(self.batch_count(size)):
            some = order[at * size : (at + 1) * size]
            yield to_unit(self.pictures[some]).to(self.device)

    def loss(self, batch: Float[Tensor, "b c h w"]) -> Tensor:
        """Return the sum of both players' losses, in nats a picture."""
        network = self.network
        made = network.generate(network.latents(len(batch), self._random))
        real, false = network.score(batch), network.score(made.detach())
        caught = functional.softplus(-real).mean() + functional.softplus(false).mean()
        still = {name: value.detach() for name, value in network.discriminator.named_parameters()}
        judged = torch.func.functional_call(network.discriminator, still, (made,))
        fooled = functional.softplus(-judged).mean()
        self._losses.append((float(fooled.detach()), float(caught.detach())))
        return caught + fooled

    def figures(self) -> Row:
        """Return each player's mean loss of the epoch."""
        generator, discriminator = np.mean(self._losses, axis=0)
        return {"generator": float(generator), "discriminator": float(discriminator)}
