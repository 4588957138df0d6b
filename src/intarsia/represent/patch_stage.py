"""Fit the training-free first stage of the shipped networks to a corpus, in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from intarsia.networks.patch_net import SOFT, PatchStage

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

PICTURES, PATCHES = 4000, 200_000
ROUNDS = 6
ANSWERING = 0.1
"""Share of the atoms that answer a patch."""

RIDGE = 0.01
"""Added to the variances, in units of their mean, before they are brought to 1."""


def fit(stage: PatchStage, corpus: Corpus, seed: int = 0) -> None:
    """Set the buffers of a `PatchStage`: whitening, dictionary, threshold, principal axes.

    Parameters
    ----------
    stage : to be fitted, in place.
    corpus : pictures of one size.
    seed : decides which pictures and patches are looked at.

    References
    ----------
    A. Coates, H. Lee, A. Ng, "An analysis of single-layer networks in unsupervised feature
    learning", AISTATS 2011: whitening and k-means of patches.
    """
    assert corpus.images is not None
    rng = np.random.default_rng(seed)
    some = np.sort(rng.permutation(len(corpus))[:PICTURES])
    pictures = torch.from_numpy(np.array(corpus.images[some])).permute(0, 3, 1, 2).float() / 255
    patches = _patches(pictures, stage.side, stage.stride)
    patches = patches[torch.from_numpy(rng.permutation(len(patches))[:PATCHES])]
    whitening = _whitening(patches)
    white = patches @ whitening.T
    white = white / (white.norm(dim=1, keepdim=True) + SOFT)
    # Flat patches carry no direction.
    telling = white[white.norm(dim=1) > 0.5]
    dictionary = _spherical_means(telling, len(stage.dictionary))
    answers = (telling[:4000] @ dictionary.T).flatten()
    stage.whitening.copy_(whitening.view_as(stage.whitening))
    stage.dictionary.copy_(dictionary)
    # quantile() takes at most 2^24 numbers
    stage.threshold.copy_(torch.quantile(answers[: 2**23], 1 - ANSWERING))
    _set_axes(stage, pictures[:2560])


def _patches(
    pictures: Float[Tensor, "n c h w"], side: int, stride: int
) -> Float[Tensor, "m pixels"]:
    cut = pictures.unfold(2, side, stride).unfold(3, side, stride)
    rows = cut.permute(0, 2, 3, 1, 4, 5).flatten(0, 2).flatten(1)
    return rows - rows.mean(dim=1, keepdim=True)


def _whitening(patches: Float[Tensor, "m pixels"]) -> Float[Tensor, "pixels pixels"]:
    """Return rows that take the mean off a patch and bring its principal axes to one variance."""
    covariance = (patches.T @ patches / len(patches)).double()
    variances, axes = torch.linalg.eigh(covariance)
    rows = (axes / torch.sqrt(variances + RIDGE * variances.mean())).float().T
    return rows - rows.mean(dim=1, keepdim=True)


def _spherical_means(
    points: Float[Tensor, "m pixels"], count: int
) -> Float[Tensor, "count pixels"]:
    """K-means on the sphere, from the first points."""
    means = functional.normalize(points[:count].clone(), dim=1)
    if len(means) < count:  # a tiny corpus: repeat what there is
        means = means.repeat(-(-count // len(means)), 1)[:count]
    for _ in range(ROUNDS):
        sums = torch.zeros_like(means)
        for some in points[: PATCHES // 2].split(16384):
            sums.index_add_(0, (some @ means.T).argmax(dim=1), some)
        length = sums.norm(dim=1, keepdim=True)
        means = torch.where(length > 0, sums / length.clamp_min(1e-9), means)
    return means


def _set_axes(stage: PatchStage, pictures: Float[Tensor, "n c h w"]) -> None:
    """Principal axes of the roots of averaged answers, scaled to the fourth root of variance."""
    with torch.inference_mode():
        cells = torch.cat([stage.activations(some)[0] for some in pictures.split(64)])
    rows = cells.permute(0, 2, 3, 1).flatten(0, 2).sqrt()
    mean = rows.mean(dim=0)
    rows = rows - mean
    variances, axes = torch.linalg.eigh((rows.T @ rows / len(rows)).double())
    width = stage.axes.shape[1]
    kept, spread = axes[:, -width:].flip(1), variances[-width:].flip(0).clamp_min(1e-9).sqrt()
    # The widest axis gets a standard deviation of 30, so that features fit int8.
    stage.mean.copy_(mean)
    stage.axes.copy_((kept * 30 / (spread * spread[0]).sqrt()).float())
