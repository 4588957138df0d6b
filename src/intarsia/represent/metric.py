"""The last, linear layer of the shipped encoders, in closed form from views of pictures.

Directions in which views of one picture agree are kept, and brought to one scale: the linear
discriminant of pictures, or VICReg for a linear map (Bardes et al., 2022, arXiv 2105.04906).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

RIDGE = 1e-3
"""Added to the total covariance, in units of its mean variance."""


class Mapped(Protocol):
    """A network whose last layer is ``(x - centre) @ metric``."""

    centre: Tensor
    metric: Tensor


Views = Iterator[list[Float[Tensor, "b e"]]]


def fit(network: Mapped, views: Views) -> None:
    """Set ``centre`` and ``metric`` of a network.

    With the covariance of all views S, and the covariance between different views of a picture B,
    the columns p of the metric solve B p = l S p with the greatest l, at unit variance under S,
    times l: what views disagree on is shrunk.

    Parameters
    ----------
    network : changed in place.
    views : blocks of pictures: for each the joined features of two or more views of them. The
        first view of each picture is the whole picture.
    """
    total = between = first = everything = torch.zeros(())
    count = 0
    for block in views:
        # Products in float32, sums over blocks in float64: half the time, digits enough.
        here = [view.float() for view in block]
        summed = torch.stack(here).sum(dim=0)
        same = torch.stack([view.T @ view for view in here]).sum(dim=0).double()
        several = len(here)
        total = total + same / several
        between = between + ((summed.T @ summed).double() - same) / (several * (several - 1))
        first = first + here[0].sum(dim=0).double()
        everything = everything + summed.sum(dim=0).double() / several
        count += len(here[0])
    mean = everything / count
    outer = torch.outer(mean, mean)
    total, between = total / count - outer, between / count - outer
    ridge = RIDGE * total.diagonal().mean() * torch.eye(len(total), dtype=total.dtype)
    root = torch.linalg.cholesky(total + ridge)
    half = torch.linalg.solve_triangular(root, between, upper=False)
    whole = torch.linalg.solve_triangular(root, half.T, upper=False)
    agreed, axes = torch.linalg.eigh((whole + whole.T) / 2)
    outputs = min(network.metric.shape[1], len(total))
    agreed, axes = agreed[-outputs:].clamp_min(0), axes[:, -outputs:]
    metric = torch.linalg.solve_triangular(root.T, axes, upper=True) * agreed
    network.centre.copy_(first / count)
    network.metric.zero_()[:, :outputs] = metric
