"""A training-free phi: single-layer k-means features (Coates and Ng)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from intarsia.represent.blocks import in_blocks, one_thread
from intarsia.represent.encoder import Codes, FittedEncoder, Progress
from intarsia.represent.latent import Latent
from intarsia.represent.pca import fitted_to

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

_PATCHES = 200_000
_MOST = 10_000  # pictures that the latent is fitted to
_ROUNDS = 12
_BLOCK = 4  # pictures whose activations fit into a processor's cache
_POWER = 0.15  # of the latent's variances: of 0, 0.15, 0.25 and 0.5 the best on two data sets
_FLAT = 10.0  # variance that contrast normalisation adds, in squared pixel values
_GRID = 4096.0  # features are rounded to multiples of 1 / 4096
_LARGEST = 2**16  # no root of an activation reaches 16: normalised patches are short vectors


@dataclass(frozen=True, eq=False)
class Bank:
    """Filters on small patches.

    Attributes
    ----------
    shift, whiten : float32 [p] and [p, p]: a contrast-normalised patch x becomes
        (x - shift) @ whiten (ZCA).
    filters : float32 [K, p], centroids of whitened patches.
    """

    shift: Float[Tensor, " p"]
    whiten: Float[Tensor, "p p"]
    filters: Float[Tensor, "k p"]

    @classmethod
    def fit(cls, patches: Float[Tensor, "n p"], count: int, seed: int) -> Bank:
        """Whiten contrast-normalised patches, then find ``count`` centroids by Lloyd's rounds."""
        x = _contrast_normalised(patches)
        shift = x.mean(dim=0)
        cov = (x - shift).T @ (x - shift) / len(x)
        spread, basis = torch.linalg.eigh(cov.double())
        whiten = ((basis / (spread + 0.1).sqrt()) @ basis.T).float()
        x = (x - shift) @ whiten
        generator = torch.Generator().manual_seed(seed)
        filters = x[torch.randperm(len(x), generator=generator)[:count]].clone()
        for _ in range(_ROUNDS):
            nearest = torch.cat(
                [(part @ filters.T - (filters**2).sum(1) / 2).argmax(1) for part in x.split(8192)]
            )
            sizes = torch.bincount(nearest, minlength=len(filters))
            sums = torch.zeros_like(filters).index_add_(0, nearest, x)
            filters = torch.where(sizes[:, None] > 0, sums / sizes[:, None].clamp_min(1), filters)
        return cls(shift, whiten, filters)

    def activations(self, patches: Float[Tensor, "... p"]) -> Float[Tensor, "... k"]:
        """Return how much nearer each filter is than filters are on average, or 0 (triangle)."""
        x = (_contrast_normalised(patches) - self.shift) @ self.whiten
        squares = (x**2).sum(-1, keepdim=True) + (self.filters**2).sum(1)
        dist = torch.addcmul(squares, x @ self.filters.T, torch.tensor(-2.0)).clamp_min_(0).sqrt_()
        return (dist.mean(-1, keepdim=True) - dist).clamp_min_(0)


@dataclass(frozen=True, eq=False)
class PatchFeatures(FittedEncoder):
    """K-means features of patches, averaged over cells of a grid, under probabilistic PCA.

    A patch counts where all of it is known; a cell counts as far as its patches do, and `Latent`
    lets those cells speak for the others. It sees square roots of averages, which are more like a
    Gaussian, and filters are not learnt from flat patches, or blank paper would take half of them.

    Parameters
    ----------
    filters : centroids.
    grid : cells along each side.
    dims : numbers in a code.
    seed : decides patches and first centroids.
    shape : (H, W, C) of the pictures, once fitted.
    bank, latent : what was fitted.

    References
    ----------
    A. Coates, H. Lee, A. Ng, "An analysis of single-layer networks in unsupervised feature
    learning", AISTATS 2011.
    """

    name: ClassVar[str] = "kmeans"
    filters: int = 800
    grid: int = 3
    dims: int = 256
    seed: int = 0
    shape: tuple[int, ...] | None = None
    bank: Bank | None = None
    latent: Latent | None = None

    @property
    def key(self) -> str:
        """``kmeans`` and all its parameters."""
        return f"kmeans{self.filters}-{self.grid}-{self.dims}-{self.seed}"

    def fit(self, corpus: Corpus, progress: Progress | None = None) -> PatchFeatures:
        """Find filters from 200,000 patches, and the latent from up to 10,000 pictures."""
        height, width = corpus.size
        assert corpus.images is not None
        some = corpus.images[:: -(-len(corpus) // _MOST)]
        shape = (height, width, corpus.channels)
        with one_thread():
            patches = _random_patches(some, _side(shape), self.seed)
            steep = patches.var(dim=1, correction=0) >= _FLAT
            patches = patches[steep] if bool(steep.any()) else patches
            bank = Bank.fit(patches, min(self.filters, len(patches)), self.seed)
        unlike = replace(self, shape=shape, bank=bank)
        everything = np.ones((height, width), bool)
        features = []
        for at in range(0, len(some), 1000):
            features.append(unlike.features(some[at : at + 1000], everything))
            if progress is not None:
                progress(min(at + 1000, len(some)), len(some))
        return replace(unlike, latent=Latent.fit(np.concatenate(features), self.dims, _POWER))

    def codes(self, images: UInt8[np.ndarray, "b h w c"], known: Bool[np.ndarray, "h w"]) -> Codes:
        """Encode canvases: int8 [B, dims]."""
        latent = fitted_to(self, self.latent, self.shape, images)
        assert self.bank is not None
        whole, cells = self._layout(known)
        known_patches, patches = (
            np.bincount(cells, weights, minlength=self.grid**2) for weights in (whole, None)
        )
        seen = np.repeat(known_patches / np.maximum(patches, 1), len(self.bank.filters))
        vectors = self.features(images, known).astype(np.float64)
        values = latent.codes(vectors, seen, _LARGEST)
        return Codes(values, np.ones(values.shape[1], bool))

    def features(
        self, images: UInt8[np.ndarray, "b h w c"], known: Bool[np.ndarray, "h w"]
    ) -> Float[np.ndarray, "b d"]:
        """Return roots of mean activations, cell by cell, in whole 4096ths; 0 where unknown."""
        assert self.bank is not None and self.shape is not None
        bank, side = self.bank, _side(self.shape)
        whole, cells = self._layout(known)
        members = np.arange(self.grid**2)[:, None] == cells[whole]
        mean = torch.from_numpy(
            (members / np.maximum(members.sum(1, keepdims=True), 1)).astype("f4")
        )
        places = torch.from_numpy(np.flatnonzero(whole))

        def work(some: UInt8[np.ndarray, "b h w c"]) -> Float[np.ndarray, "b d"]:
            planes = torch.from_numpy(some).permute(0, 3, 1, 2).float()
            patches = nn.functional.unfold(planes, side)[..., places].transpose(1, 2)
            pooled = (mean @ bank.activations(patches)).sqrt()
            return (pooled * _GRID).round().flatten(1).numpy()

        return in_blocks(work, images, _BLOCK)

    def _layout(self, known: Bool[np.ndarray, "h w"]) -> tuple[np.ndarray, np.ndarray]:
        """Return, for patches in raster order, which are wholly known, and the cell of each."""
        assert self.shape is not None
        side = _side(self.shape)
        windows = np.lib.stride_tricks.sliding_window_view(known, (side, side))
        rows, cols = (np.arange(n) * self.grid // n for n in windows.shape[:2])
        return windows.all(axis=(2, 3)).reshape(-1), (rows[:, None] * self.grid + cols).reshape(-1)

    def state(self) -> dict[str, np.ndarray]:
        """Return the shape, the bank and the latent."""
        assert self.latent is not None and self.shape is not None and self.bank is not None
        bank = {name: value.numpy() for name, value in vars(self.bank).items()}
        return {"size": np.array(self.shape, np.int64), **bank, **self.latent.state()}

    def with_state(self, state: Mapping[str, np.ndarray]) -> PatchFeatures:
        """Return the encoder with this shape, bank and latent."""
        shape = tuple(int(side) for side in state["size"])
        names = ("shift", "whiten", "filters")
        bank = Bank(*(torch.from_numpy(np.array(state[name])) for name in names))
        depth = _side(shape) ** 2 * shape[2]
        latent = Latent.of(state)
        fits = bank.shift.shape == (depth,) and bank.whiten.shape == (depth, depth)
        fits = fits and len(latent.mean) == len(bank.filters) * self.grid**2
        if not fits or bank.filters.shape[1:] != (depth,):
            raise ValueError("its arrays do not fit each other")
        return replace(self, shape=shape, bank=bank, latent=latent)


def _side(shape: tuple[int, ...]) -> int:
    """Return the side of a patch: 6, or less in small pictures."""
    return max(1, min(6, min(shape[:2]) // 3))


def _random_patches(
    images: UInt8[np.ndarray, "n h w c"], side: int, seed: int
) -> Float[Tensor, "m p"]:
    """Return patches from random places, each channel by channel as `unfold` lays them out."""
    rng = np.random.default_rng(seed)
    count, height, width, _ = images.shape
    total = min(_PATCHES, count * (height - side + 1) * (width - side + 1))
    which = np.sort(rng.integers(count, size=total))
    rows = rng.integers(height - side + 1, size=total)
    cols = rng.integers(width - side + 1, size=total)
    at = np.arange(side)
    patches = images[
        which[:, None, None],
        rows[:, None, None] + at[:, None],
        cols[:, None, None] + at,
    ]
    return torch.from_numpy(patches).permute(0, 3, 1, 2).flatten(1).float()


def _contrast_normalised(patches: Float[Tensor, "... p"]) -> Float[Tensor, "... p"]:
    """Return patches of mean 0 and deviation about 1; flat ones stay flat."""
    centred = patches - patches.mean(-1, keepdim=True)
    return centred / ((centred**2).mean(-1, keepdim=True) + _FLAT).sqrt()
