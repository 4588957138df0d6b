"""Window sides from a trained network: how far it looks at each step (paper C, appendix C).

Along the network's own reverse trajectories, the noise it sees is compared with what machines of
several window sides see in the same canvases. Each sample votes for the side of the highest cosine
similarity; the median is the side of the step.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int64

from intarsia.errors import UsageError
from intarsia.models.machine import ScoreMachine
from intarsia.models.network import TrainedNetwork
from intarsia.models.run import Progress


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was found, in the order of the steps i = 1, ..., T - 1.

    Attributes
    ----------
    sides : P that were tried, ascending.
    similarity : [T - 1, n, P], cosine between the noises that network and machine see.
    """

    sides: tuple[int, ...]
    similarity: Float[np.ndarray, "t n p"]

    @property
    def votes(self) -> Int64[np.ndarray, "t n"]:
        """The side of the highest similarity of each sample at each step; the smaller of equals."""
        return np.asarray(self.sides)[self.similarity.argmax(axis=2)]

    @property
    def scales(self) -> tuple[int, ...]:
        """A side for each i = 0, ..., T - 1; entry 0, which no machine uses, repeats entry 1.

        Of an even number of samples the lower median is taken, which is a side that was tried.
        """
        found = [int(statistics.median_low(row)) for row in self.votes.tolist()]
        return (found[0], *found)

    def summary(self) -> dict[str, Any]:
        """Return sides, and the median similarity of every side at i = 1, ..., T - 1."""
        medians = np.round(np.median(self.similarity, axis=1), 5)
        return {
            "scales": list(self.scales),
            "sides": list(self.sides),
            "steps": len(self.scales),
            "similarity": medians.tolist(),
        }


def calibrate(
    network: TrainedNetwork,
    machines: dict[int, ScoreMachine],
    n: int,
    seed: int,
    *,
    labels: Sequence[int] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Calibration:
    """Find the window side that explains a network best at each step.

    Parameters
    ----------
    network : whose trajectories are followed.
    machines : by window side, each with that side at every step.
    n, seed : of the trajectories' starting noises.
    labels : a class for each trajectory, of a class-conditional network.
    on_progress : called after every machine's answer.

    Raises
    ------
    UsageError
        If there is nothing to choose from, or steps differ.
    """
    if n < 1:
        raise UsageError(f"--n is {n}; at least 1 trajectory is followed.")
    sides = tuple(sorted(machines))
    if not sides:
        raise UsageError("--sides is empty; give odd window sides, such as 3,5,7.")
    shared = machines[sides[0]].stops
    if network.stops[-len(shared) :] != shared:
        raise UsageError("Network and machine must share --schedule and --steps.")
    pixels = n * network.size[0] * network.size[1]
    progress = Progress(pixels * len(shared) * len(sides), 0, 0)
    if on_progress is not None:
        progress.callbacks.append(on_progress)
        on_progress(progress)
    rows = []
    for step in network.reverse(network.starting_noise(n, seed, None), labels):
        if step.stop not in shared:  # i = T, which machines do not take
            continue
        row = []
        for side in sides:
            seen = machines[side].estimate(step.x, step.stop, labels).noise
            row.append(cosine(seen, step.estimate.noise))
            progress.advance(pixels)
        rows.append(np.stack(row, axis=1))
    return Calibration(sides, np.stack(rows[::-1]))


def cosine(
    one: Float32[np.ndarray, "n c h w"], other: Float32[np.ndarray, "n c h w"]
) -> Float[np.ndarray, " n"]:
    """Return the cosine of the angle between pictures, one by one."""
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (one, other))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(axis=1) / np.maximum(lengths, np.finfo(float).tiny)
