"""Probabilistic PCA: codes of vectors of which only some numbers are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch
from jaxtyping import Float, Int8
from torch import Tensor

from intarsia.represent.blocks import one_thread

_BITS = 24
"""Precision of the posterior's matrix."""

_ALIKE = 4.0
"""Noise of a mean over a part, in units of independent parts: of 1 and 4 the better by k-NN."""

_EXACT = 1024
"""Numbers in a vector up to which all of the covariance is decomposed, not a random sketch."""


@dataclass(frozen=True, eq=False)
class Latent:
    """A Gaussian of few dimensions behind vectors of many, x = W z + mean + noise.

    The code of x is the posterior mean of z given the known numbers of x, so what is known stands
    for what is not as far as the two go together. Coordinates are weighted by a power of their
    variances, from 0 (whitened) to 1/2 (as they are), and codes have length 127: half-known
    canvases have shorter posteriors, which would be near pictures of little contrast.

    Arithmetic is exact: the posterior's matrix is rounded once, to integers, and sums of integers
    below 2^53 have no order. So a code depends on nothing but its vector (law 3).

    Attributes
    ----------
    mean : float64 [d].
    weight : float64 [d, D], W.
    spread : float64 [D], the variances of x along the columns of W.
    noise : variance that W leaves out, above 0.
    power : of the variances, by which coordinates are weighted.

    References
    ----------
    M. Tipping, C. Bishop, "Probabilistic principal component analysis", JRSS B 61 (1999), eqs. 6-8
    and appendix A.
    """

    mean: Float[np.ndarray, " d"]
    weight: Float[np.ndarray, "d k"]
    spread: Float[np.ndarray, " k"]
    noise: float
    power: float

    @classmethod
    def fit(cls, vectors: Float[np.ndarray, "n d"], dims: int, power: float) -> Latent:
        """Find the maximum-likelihood model; ``dims`` is cut to what the vectors can show."""
        count, depth = vectors.shape
        dims = max(1, min(dims, depth - 1, count - 1))
        with one_thread():
            mean = vectors.mean(axis=0, dtype=np.float64)
            centred = torch.from_numpy(vectors.astype(np.float32) - mean.astype(np.float32))
            spread, basis = _principal(centred, dims)
            total = float((centred.double() ** 2).sum()) / max(1, count - 1)
        # The sign of a component is the library's choice; the largest entry decides it here.
        basis = basis * np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(dims)])
        left = (total - float(spread.sum())) / max(1, depth - dims)
        noise = max(left, total / depth * 1e-6, 1e-9)
        weight = basis * np.sqrt(np.maximum(spread - noise, 0))
        return cls(mean, np.ascontiguousarray(weight), spread, noise, power)

    def codes(
        self, vectors: Float[np.ndarray, "b d"], known: Float[np.ndarray, " d"], largest: int
    ) -> Int8[np.ndarray, "b k"]:
        """Code vectors.

        Parameters
        ----------
        vectors : whole numbers as float64 [B, d].
        known : float64 [d] from 0 to 1, how much is known of what each number is the mean of. Where
            it is 0 the number does not matter; the less it is, the noisier the number.
        largest : no number's magnitude is larger.
        """
        matrix, offset = self._posterior(known, largest)
        z = vectors[:, known > 0] @ matrix - offset
        length = np.sqrt((z * z).sum(axis=1, keepdims=True))
        return np.rint(127 * (z / np.maximum(length, 1))).astype(np.int8)

    def _posterior(
        self, known: Float[np.ndarray, " d"], largest: int
    ) -> tuple[Float[np.ndarray, "e k"], Float[np.ndarray, " k"]]:
        """Return (I + W' N^-1 W)^-1 W' N^-1, weighted, as whole numbers; and times the mean.

        N is the noise of each number.
        """
        rows = known > 0
        seen, share = self.weight[rows], known[rows]
        # The mean over a share of parts scatters about the mean of all by (1 - share) / share of
        # their variance, and more where parts beside each other are alike.
        variance = (seen**2).sum(axis=1) + self.noise
        noise = self.noise + _ALIKE * variance * (1 - share) / share
        with one_thread():
            scaled = (seen / noise[:, None]).T
            inner = np.eye(seen.shape[1]) + scaled @ seen
            matrix = scipy.linalg.solve(inner, scaled, assume_a="pos").T * self.spread**self.power
        size = float(np.abs(matrix).max(initial=0))
        if size == 0:
            return np.zeros_like(matrix), np.zeros(matrix.shape[1])
        # At most 2^52 in any sum of products, and no more bits than mean something.
        room = 52 - np.log2(largest * max(1, len(matrix)) * size)
        bits = min(_BITS - np.log2(size), room)
        matrix = np.rint(matrix * 2.0 ** np.floor(bits))
        return matrix, np.rint(self.mean[rows] @ matrix)

    def state(self) -> dict[str, np.ndarray]:
        """Return the model as arrays."""
        return {
            "mean": self.mean,
            "weight": self.weight,
            "spread": self.spread,
            "noise": np.array([self.noise, self.power]),
        }

    @classmethod
    def of(cls, state: Mapping[str, np.ndarray]) -> Latent:
        """Return the model that `state` came from; ValueError if arrays do not fit each other."""
        weight, mean, spread = state["weight"], state["mean"], state["spread"]
        if weight.ndim != 2 or mean.shape != weight.shape[:1] or spread.shape != weight.shape[1:]:
            raise ValueError("its arrays do not fit each other")
        noise, power = (float(value) for value in state["noise"])
        return cls(mean, weight, spread, noise, power)


def _principal(
    centred: Float[Tensor, "n d"], dims: int
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "d k"]]:
    """Return the largest variances and their directions, as float64."""
    count, depth = centred.shape
    if depth <= _EXACT:
        cov = (centred.T @ centred).double().numpy() / max(1, count - 1)
        spread, basis = scipy.linalg.eigh(cov, subset_by_index=(depth - dims, depth - 1))
        return np.maximum(spread[::-1], 0), basis[:, ::-1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _, values, basis = torch.svd_lowrank(centred, min(dims + 32, count, depth), niter=4)
    spread = values[:dims].double().numpy() ** 2 / max(1, count - 1)
    return spread, basis[:, :dims].double().numpy()
