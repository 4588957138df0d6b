"""A trained network in the place of a machine: same noise, same steps, nothing it can name.

Paper C's networks run i = T, ..., 1, one step more than its machines, from the same noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float32, Int64

from intarsia.corpus import Corpus
from intarsia.dictionary import Pictures
from intarsia.errors import DataError, UsageError
from intarsia.models.device import torch_device
from intarsia.models.machine import Estimate, ScoreMachine
from intarsia.models.reverse import clean_behind
from intarsia.models.schedule import Cosine, Stop
from intarsia.models.studio import unsourced
from intarsia.networks.diffusers_unet import DiffusersNetwork, is_diffusers, open_diffusers
from intarsia.networks.saved import SavedNetwork, open_network
from intarsia.reduce.posterior import Belief

BLOCK = 16
"""Canvases the network is handed at once, always: its sums must not depend on the batch (law 3)."""


class TrainedNetwork(ScoreMachine):
    """A trained network, of ``intarsia train`` or of diffusers, asked as a score machine is.

    Parameters
    ----------
    corpus : pictures of the size and channels it was trained on.
    network : the folder of a training, or of diffusers' UNet2DModel, or its name on the hub.
    network_fingerprint : SHA-256 of its weights, where a config says so.
    device : where it runs.
    threads, **settings : as for `ScoreMachine`.

    Raises
    ------
    UsageError
        If network and corpus, or network and label, do not fit.
    DataError
        If the folder holds no such network, or another one than the config says.
    """

    name = "network"
    evidence: ClassVar[str] = "none"

    def __init__(
        self,
        corpus: Corpus,
        *,
        network: str | Path | None = None,
        network_fingerprint: str | None = None,
        device: str = "cpu",
        threads: int | None = None,
        **settings: Any,
    ) -> None:
        if network is None:
            raise UsageError("Name the network to draw with: --network FOLDER.")
        self.folder = str(network)
        self.device = torch_device(device)
        self.saved: SavedNetwork | DiffusersNetwork = (
            open_diffusers(network, device)
            if is_diffusers(network)
            else open_network(network, device)
        )
        if network_fingerprint not in (None, self.saved.weights_fingerprint):
            raise DataError(
                f"--network {network} has other weights than that run. Name the same network, or "
                "drop --config."
            )
        super().__init__(corpus, threads=threads, **settings)
        if isinstance(self.schedule, Cosine):
            assert self.settings.steps is not None
            self.stops = [self.schedule.first(self.settings.steps), *self.stops]

    def check(self) -> None:
        """Refuse pictures and labels that the network was not trained on."""
        wanted = (self.saved.channels, *self.saved.size)
        found = (self.corpus.channels, *self.size)
        if wanted != found:
            raise UsageError(
                f"--network {self.folder} was trained on pictures [C, H, W] = {list(wanted)}, but "
                f"those of {self.corpus.name!r} are {list(found)}. Use --resize "
                f"{self.saved.size[0]}, --grey, or the data it was trained on."
            )
        if self.settings.label is not None:
            self._check_label(self.settings.label)

    def pictures(self, label: int | None) -> Pictures:
        """Return the pictures of the corpus: a network looks at none of them."""
        if label is not None:
            self._check_label(label)
        return super().pictures(None)

    def estimate(
        self,
        x: Float32[np.ndarray, "b c h w"],
        t: float | Stop,
        labels: Sequence[int] | Int64[np.ndarray, " b"] | None = None,
    ) -> Estimate:
        """Return what the network says; see `ScoreMachine.estimate`."""
        x = self._checked(x)
        stop = t if isinstance(t, Stop) else self._stop(t)
        if labels is None and self.settings.label is not None:
            labels = [self.settings.label] * len(x)
        if labels is None and self.saved.classes:
            raise UsageError(
                f"--network {self.folder} is class-conditional: give --label, from 0 to "
                f"{self.saved.classes - 1}."
            )
        asked = None if labels is None else np.asarray(labels, np.int64)
        noise = self._noise(x, self.saved.time_of(stop.alpha_bar), asked)
        clean = clean_behind(x, noise, stop.alpha_bar)
        variance = np.float32(math.sqrt(1 - stop.alpha_bar))
        return Estimate(-noise / variance, noise, clean, unsourced(clean, 0))

    def believe(self, pictures: Pictures, x: Float32[np.ndarray, "b c h w"], stop: Stop) -> Belief:
        """Return the clean estimate, of no training picture; ``pictures`` are not looked at."""
        return self.estimate(x, stop).belief

    def resolved_settings(self, n: int, seed: int) -> dict[str, Any]:
        """Return everything that decides the result, in plain values."""
        own = {"network": self.folder, "network_fingerprint": self.saved.weights_fingerprint}
        return super().resolved_settings(n, seed) | own

    def _noise(
        self, x: Float32[np.ndarray, "b c h w"], t: float, labels: Int64[np.ndarray, " b"] | None
    ) -> Float32[np.ndarray, "b c h w"]:
        found = np.empty_like(x)
        for at in range(0, len(x), BLOCK):
            some = x[at : at + BLOCK]
            block = torch.zeros(BLOCK, *x.shape[1:])
            block[: len(some)] = torch.from_numpy(some)
            told = None
            if labels is not None:
                told = torch.zeros(BLOCK, dtype=torch.int64)
                told[: len(some)] = torch.from_numpy(labels[at : at + BLOCK])
                told = told.to(self.device)
            block = block.to(self.device, memory_format=torch.channels_last)
            times = torch.full((BLOCK,), t, device=self.device)
            with torch.inference_mode():
                predicted = self.saved.network(block, times, told)
            found[at : at + len(some)] = predicted[: len(some)].cpu().numpy()
        return found

    def _check_label(self, label: int) -> None:
        if not self.saved.classes:
            raise UsageError(
                f"--label is {label}, but --network {self.folder} is not class-conditional. "
                "Drop --label, or train with --conditional."
            )
        if not 0 <= label < self.saved.classes:
            raise UsageError(
                f"--label is {label}, but --network {self.folder} knows the classes 0 to "
                f"{self.saved.classes - 1}."
            )
