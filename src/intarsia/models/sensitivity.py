"""Where a trained network looks: gradients of its middle pixel (paper C, appendix on multiscale).

The average size of the gradient of one output pixel with respect to the input shows how far a
network sees at a noise level; its reach is to be compared with calibrated window sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32

from intarsia.models.network import TrainedNetwork
from intarsia.models.schedule import Stop


@dataclass(frozen=True, eq=False)
class HeatMap:
    """How much the middle pixel depends on each other pixel at a step.

    Attributes
    ----------
    stop : the step.
    gradient : [H, W], mean absolute gradient over samples and channels; 0 at the middle itself,
        which outweighs all others.
    """

    stop: Stop
    gradient: Float[np.ndarray, "h w"]

    def reach(self, share: float) -> int:
        """Return the side of the smallest square around the middle with a share of the gradient."""
        height, width = self.gradient.shape
        row, col = height // 2, width // 2
        total = self.gradient.sum()
        for ring in range(max(height, width)):
            rows = slice(max(0, row - ring), row + ring + 1)
            cols = slice(max(0, col - ring), col + ring + 1)
            if self.gradient[rows, cols].sum() >= share * total:
                return 2 * ring + 1
        return max(height, width)


def heat_maps(
    network: TrainedNetwork, n: int, seed: int, labels: list[int] | None = None
) -> Iterator[HeatMap]:
    """Follow a network's own reverse trajectories, and look at each step.

    Parameters
    ----------
    network : whose.
    n, seed : of the trajectories' starting noises.
    labels : a class for each, of a class-conditional network.
    """
    for step in network.reverse(network.starting_noise(n, seed, None), labels):
        yield HeatMap(step.stop, _gradient(network, step.x, step.stop, labels))


def _gradient(
    network: TrainedNetwork, x: Float32[np.ndarray, "b c h w"], stop: Stop, labels: list[int] | None
) -> Float[np.ndarray, "h w"]:
    shown = torch.from_numpy(x).to(network.device).requires_grad_()
    times = torch.full((len(x),), network.saved.time_of(stop.alpha_bar), device=network.device)
    told = None if labels is None else torch.tensor(labels, device=network.device)
    row, col = x.shape[2] // 2, x.shape[3] // 2
    noise = network.saved.network(shown, times, told)[:, :, row, col]
    found = np.zeros(x.shape[2:])
    for channel in range(noise.shape[1]):
        (slope,) = torch.autograd.grad(noise[:, channel].sum(), shown, retain_graph=True)
        found += slope.abs().mean(dim=(0, 1)).cpu().numpy()
    found[row, col] = 0.0
    return found / noise.shape[1]
