"""A trained network beside the machine that predicts it, from the same noise (paper C, section 5).

The ideal score machine, which can only memorise, is the baseline that a theory of creativity has to
beat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.measure.correlation import Correlation, correlation
from intarsia.models.machine import ScoreMachine
from intarsia.models.network import TrainedNetwork
from intarsia.models.run import Progress


@dataclass(frozen=True, eq=False)
class Compared:
    """Outputs from the same noises, and how they agree with the network's.

    Attributes
    ----------
    noise : float32 [n, C, H, W].
    labels : a class for each sample, or None.
    outputs : float32 [n, C, H, W] by name: ``network``, the machine's, ``is``; in [-1, 1] units,
        unclipped.
    agreements : by name of the machine, how it predicts the network.
    """

    noise: Float32[np.ndarray, "n c h w"]
    labels: list[int] | None
    outputs: dict[str, Float32[np.ndarray, "n c h w"]]
    agreements: dict[str, Correlation]

    @property
    def machine(self) -> str:
        """Name of the machine that was compared."""
        return next(iter(self.agreements))

    @property
    def share_won(self) -> float:
        """Share of samples that the machine predicts better than IS, by Pearson's r."""
        ours, ideal = (self.agreements[name].pearson_r for name in (self.machine, "is"))
        return float(np.mean(ours > ideal))


def compare(
    network: TrainedNetwork,
    machines: Sequence[ScoreMachine],
    n: int,
    seed: int,
    *,
    noise: Float32[np.ndarray, "n c h w"] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Compared:
    """Draw with all from the same noises, and compare.

    A class-conditional network without a label of its own draws its classes in turn.

    Parameters
    ----------
    network : whose outputs are predicted.
    machines : the machine, then the baseline IS (once, if they are the same).
    n, seed, noise : as for `ScoreMachine.sample`.
    on_progress : called after every step of a batch.

    Raises
    ------
    UsageError
        If they do not take the same steps, or a label is missing in the corpus.
    """
    for machine in machines:
        if machine.stops != network.stops[-len(machine.stops) :]:
            raise UsageError("Network and machine must share --schedule and --steps.")
    if n < 1:
        raise UsageError(f"--n is {n}; at least 1 sample is compared.")
    start = network.starting_noise(n, seed, noise)
    labels = labels_in_turn(network, machines[0].corpus, n)
    everyone: list[ScoreMachine] = [network, *machines]
    progress = Progress(sum(one.pixels(n, seed) for one in everyone), 0, 0)
    if on_progress is not None:
        progress.callbacks.append(on_progress)
        on_progress(progress)
    pixels = network.size[0] * network.size[1]
    outputs = {}
    for one in everyone:
        samples = one.sample(
            n,
            seed,
            noise=start,
            labels=labels,
            callback_on_step_end=lambda step: progress.advance(len(step.x) * pixels),
        )
        outputs[one.name] = np.asarray(samples.extra["raw"])
    agreements = {
        machine.name: correlation(outputs[machine.name], outputs["network"]) for machine in machines
    }
    return Compared(start, labels, outputs, agreements)


def labels_in_turn(network: TrainedNetwork, corpus: Corpus, n: int) -> list[int] | None:
    """Return a class for each of n samples of a class-conditional network.

    Returns
    -------
    list of int, optional
        The classes of the corpus in turn; None where the network has none, or a label of its own.
    """
    if not network.saved.classes or network.settings.label is not None:
        return None
    if corpus.labels is None:
        raise UsageError(
            f"The network is class-conditional, but {corpus.name!r} has no labels. Name the data "
            "it was trained on."
        )
    present = np.unique(corpus.labels).tolist()
    return [int(present[at % len(present)]) for at in range(n)]
