"""Networks that predict the next binary token: paper B's gamma-ARVM, and PixelCNN.

Both give the distribution of the token at a place, given the tokens before it. Up to `DENSE` bits
it is one number for each token; beyond, 2^NoD numbers are too many, and it is a chain of bits, each
given those before it, in one pass of masked layers (MADE: Germain et al., 2015, arXiv 1502.03509).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int8, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional

from intarsia.errors import UsageError

DENSE = 12
"""Bits up to which a distribution is one number for each token."""

CHAIN_WIDTH = 16
"""Hidden values a bit, in a chain."""


@dataclass(frozen=True)
class TokenSettings:
    """All that decides the shape of a network over tokens.

    Attributes
    ----------
    kind : ``arvm`` or ``pixelcnn``.
    bits : NoD.
    grid : (rows, columns).
    gamma : side of the causal window; of an ARVM.
    width : values of a hidden layer, or channels.
    layers : hidden layers.
    """

    kind: str
    bits: int
    grid: tuple[int, int]
    gamma: int = 7
    width: int = 1024
    layers: int = 2

    def __post_init__(self) -> None:
        if self.width < 1 or self.layers < 1:
            raise UsageError("--width and --layers are at least 1.")


class TokenHead(nn.Module):
    """From features to the distribution of a token.

    Parameters
    ----------
    features : values that say what is known.
    bits : NoD.
    """

    mask_in: Tensor
    mask_out: Tensor

    def __init__(self, features: int, bits: int) -> None:
        super().__init__()
        self.bits = bits
        self.dense = bits <= DENSE
        if self.dense:
            self.out = nn.Linear(features, 2**bits)
            return
        hidden = CHAIN_WIDTH * bits
        order = torch.arange(hidden) // CHAIN_WIDTH  # a hidden value of bit b sees bits below b
        self.register_buffer("mask_in", (torch.arange(bits) < order[:, None]).float())
        self.register_buffer("mask_out", (order <= torch.arange(bits)[:, None]).float())
        self.told = nn.Linear(features, hidden)
        self.before = nn.Linear(bits, hidden)
        self.out = nn.Linear(hidden, bits)
        self.direct = nn.Linear(features, bits)

    def log_probabilities(self, features: Float[Tensor, "b f"]) -> Float[Tensor, "b t"]:
        """Return the natural logarithms of all tokens' probabilities, of a dense head."""
        return functional.log_softmax(self.out(features), dim=1)

    def log_likelihood(
        self, features: Float[Tensor, "b f"], tokens: Float[Tensor, "b k"]
    ) -> Float[Tensor, " b"]:
        """Return the natural logarithm of each token's probability.

        Parameters
        ----------
        tokens : bits, 0 or 1.
        """
        if self.dense:
            chosen = self.log_probabilities(features)
            return chosen.gather(1, number_of(tokens)[:, None])[:, 0]
        logits = self._bit_logits(features, tokens)
        return -functional.binary_cross_entropy_with_logits(logits, tokens, reduction="none").sum(
            dim=1
        )

    def draw(
        self, features: Float[Tensor, "b f"], uniform: Float[Tensor, "b k"]
    ) -> Float[Tensor, "b k"]:
        """Draw a token for each row.

        Parameters
        ----------
        uniform : values from 0 to 1 that decide; the first column where one draw is enough.
        """
        if self.dense:
            summed = functional.softmax(self.out(features).double(), dim=1).cumsum(dim=1)
            chosen = torch.searchsorted(summed, uniform[:, :1].double() * summed[:, -1:])
            return bits_of(chosen[:, 0].clamp_max(2**self.bits - 1), self.bits)
        tokens = torch.zeros(len(features), self.bits, device=features.device)
        for bit in range(self.bits):
            chance = self._bit_logits(features, tokens)[:, bit].sigmoid()
            tokens[:, bit] = (uniform[:, bit] < chance).float()
        return tokens

    def _bit_logits(
        self, features: Float[Tensor, "b f"], tokens: Float[Tensor, "b k"]
    ) -> Float[Tensor, "b k"]:
        """Logits of bits, each from the bits before it."""
        seen = functional.linear(
            2 * tokens - 1, self.before.weight * self.mask_in, self.before.bias
        )
        hidden = functional.leaky_relu(self.told(features) + seen)
        chained = functional.linear(hidden, self.out.weight * self.mask_out, self.out.bias)
        return chained + self.direct(features)


class ArvmNetwork(nn.Module):
    """Paper B's network: a causal window and its place in, a histogram over tokens out.

    Parameters
    ----------
    settings : its shape.
    """

    def __init__(self, settings: TokenSettings) -> None:
        super().__init__()
        self.settings = settings
        rows, cols = settings.grid
        half = settings.gamma // 2
        self.offsets = [
            (dy, dx)
            for dy in range(-half, 1)
            for dx in range(-half, half + 1)
            if (dy, dx) < (0, 0) and -dy < rows and abs(dx) < cols
        ]
        inputs = len(self.offsets) * settings.bits + rows * cols
        layers: list[nn.Module] = []
        for _ in range(settings.layers):
            layers += [nn.Linear(inputs, settings.width), nn.LayerNorm(settings.width), nn.GELU()]
            inputs = settings.width
        self.body = nn.Sequential(*layers)
        self.head = TokenHead(settings.width, settings.bits)

    def padded(self, bits: UInt8[Tensor, "n gh gw k"]) -> Int8[Tensor, "n ph pw k"]:
        """Return bits as -1 and 1, with 0 around the grid as far as a window reaches."""
        half = self.settings.gamma // 2
        return functional.pad(2 * bits.to(torch.int8) - 1, (0, 0, half, half, half, 0))

    def contexts(
        self, padded: Int8[Tensor, "n ph pw k"], places: Int64[Tensor, "b 3"]
    ) -> Float[Tensor, "b i"]:
        """Return what the network sees around places.

        Parameters
        ----------
        padded : as `padded` returns.
        places : (number of the grid, row, column); tokens at or after a place are not read.
        """
        half = self.settings.gamma // 2
        number, row, col = places.T
        seen = [padded[number, row + dy + half, col + dx + half] for dy, dx in self.offsets]
        rows, cols = self.settings.grid
        where = functional.one_hot(row * cols + col, rows * cols)
        return torch.cat([*seen, where], dim=1).float()

    def features(self, contexts: Float[Tensor, "b i"]) -> Float[Tensor, "b f"]:
        """Return the features of the next token."""
        found: Tensor = self.body(contexts)
        return found

    def features_at(
        self, bits: UInt8[Tensor, "b gh gw k"], place: tuple[int, int]
    ) -> Float[Tensor, "b f"]:
        """Return the features of the token at one place of every grid."""
        places = torch.tensor(place).expand(len(bits), 2)
        numbered = torch.cat([torch.arange(len(bits))[:, None], places], dim=1)
        return self.features(self.contexts(self.padded(bits), numbered.to(bits.device)))


class PixelCNN(nn.Module):
    """Gated PixelCNN over tokens (van den Oord et al., 2016, arXiv 1606.05328).

    A vertical stack sees the rows above, a horizontal one what is to the left, so no token before a
    place is hidden from it.

    Parameters
    ----------
    settings : its shape; ``width`` counts channels.
    """

    def __init__(self, settings: TokenSettings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.inside = nn.Conv2d(settings.bits + 1, width, 1)
        self.layers = nn.ModuleList(_Gated(width, first=at == 0) for at in range(settings.layers))
        self.head = TokenHead(width, settings.bits)

    def maps(self, bits: UInt8[Tensor, "b gh gw k"]) -> Float[Tensor, "b f gh gw"]:
        """Return the features of all tokens; each from the tokens before it."""
        signs = 2 * bits.permute(0, 3, 1, 2).float() - 1
        seen = self.inside(torch.cat([signs, torch.ones_like(signs[:, :1])], dim=1))
        above, left, out = seen, seen, torch.zeros_like(seen)
        for layer in self.layers:
            above, left, skipped = layer(above, left)
            out = out + skipped
        return functional.relu(out)

    def features_at(
        self, bits: UInt8[Tensor, "b gh gw k"], place: tuple[int, int]
    ) -> Float[Tensor, "b f"]:
        """Return the features of the token at one place of every grid."""
        return self.maps(bits)[:, :, place[0], place[1]]

    def log_likelihood(self, bits: UInt8[Tensor, "b gh gw k"]) -> Float[Tensor, "b gh gw"]:
        """Return the logarithm of the probability of every token, given those before it."""
        maps = self.maps(bits).permute(0, 2, 3, 1)
        flat = self.head.log_likelihood(maps.flatten(0, 2), bits.flatten(0, 2).float())
        return flat.view(maps.shape[:3])


TokenNetwork = ArvmNetwork | PixelCNN


def build(settings: TokenSettings) -> TokenNetwork:
    """Build an untrained network."""
    return ArvmNetwork(settings) if settings.kind == "arvm" else PixelCNN(settings)


def number_of(tokens: Float[Tensor, "b k"]) -> Int64[Tensor, " b"]:
    """Return tokens as numbers: bit b counts 2^b."""
    return (tokens.long() << torch.arange(tokens.shape[1], device=tokens.device)).sum(dim=1)


def bits_of(numbers: Int64[Tensor, " b"], bits: int) -> Float[Tensor, "b k"]:
    """Undo `number_of`."""
    return ((numbers[:, None] >> torch.arange(bits, device=numbers.device)) & 1).float()


class _Gated(nn.Module):
    """A gated layer of both stacks."""

    def __init__(self, width: int, first: bool) -> None:
        super().__init__()
        self.first = first
        self.vertical = nn.Conv2d(width, 2 * width, (2, 3))
        self.horizontal = nn.Conv2d(width, 2 * width, (1, 2 if not first else 1))
        self.across = nn.Conv2d(2 * width, 2 * width, 1)
        self.residual = nn.Conv2d(width, width, 1)
        self.skip = nn.Conv2d(width, width, 1)

    def forward(self, above: Tensor, left: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # Row r of the vertical stack sees rows up to r; moved down by one, those above r.
        tall = self.vertical(functional.pad(above, (1, 1, 1, 0)))
        moved = functional.pad(tall, (0, 0, 1, 0))[:, :, :-1]
        if self.first:  # what stands at the place itself stays unseen
            wide = self.horizontal(functional.pad(left, (1, 0))[:, :, :, :-1])
        else:
            wide = self.horizontal(functional.pad(left, (1, 0)))
        mixed = _gate(wide + self.across(moved))
        beside = self.residual(mixed) if self.first else left + self.residual(mixed)
        return _gate(tall), beside, self.skip(mixed)


def _gate(x: Tensor) -> Tensor:
    one, other = x.chunk(2, dim=1)
    return one.tanh() * other.sigmoid()
