"""What all score machines share: noise levels, labels, noises, and estimates of three kinds.

A machine is told by what it believes of noisy canvases (`ScoreMachine.believe`); score, noise and
clean estimate are the same thing said three ways (paper C, eqs. 3 and B.18, Tweedie).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from jaxtyping import Float32, Int64

from intarsia.corpus import Corpus
from intarsia.dictionary import Pictures, Sharing
from intarsia.errors import UsageError
from intarsia.models.machine_settings import MachineSettings
from intarsia.models.memory import BUDGET
from intarsia.models.reverse import ReverseStep, implied_noise, reverse
from intarsia.models.schedule import Schedule, Stop, schedule
from intarsia.models.starting_noise import starting_noise
from intarsia.reduce.posterior import Belief
from intarsia.reduce.posterior_state import Level
from intarsia.reduce.products import room

if TYPE_CHECKING:
    import torch

    from intarsia.reduce.far_pictures import FarPictures
    from intarsia.reduce.workers import Workers
    from intarsia.samples import Samples


@dataclass(frozen=True, eq=False)
class Estimate:
    """What a machine says of B noisy canvases.

    Attributes
    ----------
    score, noise, clean : float32 [B, C, H, W]: the score (eq. 3), eps, and the clean picture in
        [-1, 1] units, unclipped.
    belief : the heaviest training patch of every pixel, and its weight.
    """

    score: Float32[np.ndarray, "b c h w"]
    noise: Float32[np.ndarray, "b c h w"]
    clean: Float32[np.ndarray, "b c h w"]
    belief: Belief


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a machine returns where a diffusers model is expected: ``sample`` is the noise."""

    sample: torch.Tensor


class ScoreMachine(ABC):
    """A diffusion model in closed form, which names the training patches it moves towards.

    Parameters
    ----------
    corpus : training pictures, all of one size.
    device : "cpu".
    threads : CPU threads; torch's number by default. No result depends on it.
    memory : bytes that canvases side by side may take, beside the corpus. No result depends on it.
    **settings : any field of `models.machine_settings.MachineSettings`.

    Raises
    ------
    UsageError
        If a setting is wrong, or the corpus cannot serve it.
    """

    name: ClassVar[str]
    evidence: ClassVar[str] = "posterior"
    default_schedule: ClassVar[str] = "cosine"
    default_steps: ClassVar[int] = 20

    def __init__(
        self,
        corpus: Corpus,
        *,
        device: str = "cpu",
        threads: int | None = None,
        memory: int = BUDGET,
        **settings: Any,
    ) -> None:
        if threads is not None and not 1 <= threads <= 256:
            raise UsageError(f"--threads is {threads}; at least 1 is needed, and at most 256.")
        if device != "cpu":
            raise UsageError(
                f"--device is {device!r}, but {self.name} is computed on the CPU alone. "
                "Use --device cpu."
            )
        asked = MachineSettings.of(self.name, **settings)
        self.corpus = corpus
        self.threads = threads
        self.memory = memory
        self.size = corpus.size
        self.settings = asked.resolved(
            self.default_schedule, self.default_steps, self.size, corpus.channels
        )
        assert self.settings.schedule is not None and self.settings.steps is not None
        self.schedule: Schedule = schedule(self.settings.schedule)
        self.stops: list[Stop] = self.schedule.stops(self.settings.steps)
        self._pictures: dict[int | None, Pictures] = {}
        self._workers: Workers | None = None
        self._far: dict[int, FarPictures] = {}
        self.pictures(self.settings.label)  # refuses a label that the corpus lacks
        self.check()

    def check(self) -> None:  # noqa: B027  (most machines have nothing to refuse)
        """Refuse settings that this machine cannot serve."""

    @abstractmethod
    def believe(self, pictures: Pictures, x: Float32[np.ndarray, "b c h w"], stop: Stop) -> Belief:
        """Return the clean estimate of every canvas, and where it comes from.

        Parameters
        ----------
        pictures : training pictures, of one class or all.
        x : noisy canvases.
        stop : their noise level, and which window side is its own.
        """

    def pictures(self, label: int | None) -> Pictures:
        """Return the training pictures of a class, or all."""
        if label not in self._pictures:
            self._pictures[label] = Pictures.of(self.corpus, label)
        return self._pictures[label]

    def share_with(self, workers: Workers) -> None:
        """Let workers hold the training pictures between them, and weigh each its share.

        Raises
        ------
        UsageError
            If this machine's beliefs are not sums over pictures that can be shared out.
        """
        if not self.can_share:
            raise UsageError(f"{self.name} cannot be shared out by pictures; use --spread samples.")
        self._workers = workers

    can_share: ClassVar[bool] = False
    """Whether `share_with` works: the beliefs are one posterior over pictures."""

    def sharings(self) -> Sequence[Sharing]:
        """Return every sharing of pixels that a run asks about; none for whole pictures."""
        return ()

    def far(self, pictures: Pictures) -> FarPictures | None:
        """Return the workers that hold these pictures, or None if they lie here."""
        if self._workers is None:
            return None
        from intarsia.reduce.far_pictures import FarPictures

        if id(pictures) not in self._far:
            self._far[id(pictures)] = FarPictures(pictures, self._workers, self.sharings())
        return self._far[id(pictures)]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out pictures, which are cut from the corpus again, and workers."""
        return self.__dict__ | {"_pictures": {}, "_far": {}, "_workers": None}

    def side(self, stop: Stop) -> int:
        """Return the window side P of a step."""
        assert self.settings.scales is not None
        return self.settings.scales[stop.index]

    def estimate(
        self,
        x: Float32[np.ndarray, "b c h w"],
        t: float | Stop,
        labels: Sequence[int] | Int64[np.ndarray, " b"] | None = None,
    ) -> Estimate:
        """Return score, noise and clean picture of noisy canvases.

        Parameters
        ----------
        x : float32 [B, C, H, W].
        t : the time, as the schedule counts it (cosine: 0 < t <= 1; linear: 0 to 999), or a stop
            of the reverse process.
        labels : a class for each canvas; by default the label of the settings, or none.
        """
        x = self._checked(x)
        stop = t if isinstance(t, Stop) else self._stop(t)
        if labels is None:
            belief = self.believe(self.pictures(self.settings.label), x, stop)
        else:
            belief = Belief.blank(len(x), x.shape[1], self.size)
            asked = np.asarray(labels)
            for label in np.unique(asked):
                which = np.flatnonzero(asked == label)
                belief.write(which, self.believe(self.pictures(int(label)), x[which], stop))
        level = Level(stop.alpha_bar)
        noise = implied_noise(x, belief.clean, stop.alpha_bar)
        return Estimate(-noise / np.float32(math.sqrt(level.variance)), noise, belief.clean, belief)

    def score(self, x: Float32[np.ndarray, "b c h w"], t: float) -> Float32[np.ndarray, "b c h w"]:
        """Return M_t[x], the machine's score."""
        return self.estimate(x, t).score

    def noise(self, x: Float32[np.ndarray, "b c h w"], t: float) -> Float32[np.ndarray, "b c h w"]:
        """Return the noise the machine sees in x."""
        return self.estimate(x, t).noise

    def clean(self, x: Float32[np.ndarray, "b c h w"], t: float) -> Float32[np.ndarray, "b c h w"]:
        """Return the clean picture the machine expects behind x, unclipped."""
        return self.estimate(x, t).clean

    @cached_property
    def config(self) -> SimpleNamespace:
        """What diffusers' pipelines ask of a model: ``in_channels`` and ``sample_size``."""
        return SimpleNamespace(in_channels=self.corpus.channels, sample_size=self.size)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the noise that diffusers' pipelines start from."""
        import torch

        return torch.float32

    def __call__(
        self,
        sample: torch.Tensor,
        timestep: float | torch.Tensor,
        class_labels: torch.Tensor | None = None,
        return_dict: bool = True,
    ) -> Prediction | tuple[torch.Tensor]:
        """Predict noise as a diffusers model does: ``machine(sample, timestep).sample``.

        So a machine is the ``unet`` of a pipeline. diffusers' schedulers at their defaults have the
        noise levels of the linear schedule: use ``schedule="linear"`` with them.

        Parameters
        ----------
        sample : [B, C, H, W].
        timestep : 0 to 999 of diffusers' training steps; the cosine schedule takes (timestep + 1)
            / 1000 for t.
        class_labels : [B], a class for each canvas; by default as for `estimate`.
        return_dict : False for a tuple, as diffusers has it.
        """
        import torch

        t = float(timestep)
        if self.schedule.name == "cosine":
            t = (t + 1) / 1000
        labels = None if class_labels is None else class_labels.cpu().numpy()
        x = sample.detach().cpu().numpy().astype(np.float32)
        noise = torch.from_numpy(self.estimate(x, t, labels).noise).to(sample)
        return Prediction(noise) if return_dict else (noise,)

    def reverse(
        self,
        x: Float32[np.ndarray, "b c h w"],
        labels: Sequence[int] | Int64[np.ndarray, " b"] | None = None,
        done: int = 0,
    ) -> Iterator[ReverseStep]:
        """Take noise to pictures, step by step.

        Parameters
        ----------
        x : starting noise, or the canvases after ``done`` steps.
        labels : as for `estimate`.
        done : steps that were taken before.
        """
        return reverse(lambda at, stop: self.estimate(at, stop, labels), x, self.stops[done:])

    def sample(
        self,
        n: int,
        seed: int = 0,
        *,
        noise: Float32[np.ndarray, "n c h w"] | None = None,
        labels: Sequence[int] | None = None,
        batch: int | None = None,
        callback_on_step_end: Callable[[ReverseStep], None] | None = None,
    ) -> Samples:
        """Draw pictures.

        Parameters
        ----------
        n : how many.
        seed : decides the starting noise, where none is given.
        noise : float32 [n, C, H, W], the starting noise.
        labels : a class for each picture; by default the label of the settings, or none.
        batch : canvases taken side by side. No result depends on it.
        callback_on_step_end : called after every step of every batch.

        Returns
        -------
        Samples
            With ``raw`` and ``noise`` in ``extra``.
        """
        from intarsia.models.machine_batch import batches, gathered

        finished = []
        for one in batches(self, n, seed, noise, labels, batch):
            for step in one.grow(self):
                if callback_on_step_end is not None:
                    callback_on_step_end(step)
            finished.append(one)
        return gathered(self, finished, n, seed)

    def starting_noise(
        self, n: int, seed: int, noise: Float32[np.ndarray, "n c h w"] | None
    ) -> Float32[np.ndarray, "n c h w"]:
        """Return the noise that ``n`` pictures start from: given, from the file, or drawn."""
        shape = (n, self.corpus.channels, *self.size)
        path, known = self.settings.noise, self.settings.noise_fingerprint
        return starting_noise(shape, seed, noise, path, known)

    def resolved_settings(self, n: int, seed: int) -> dict[str, Any]:
        """Return everything that decides the result, in plain values."""
        own = self.settings.model_dump(mode="json")
        return {"model": self.name, "n": n, "seed": seed} | {
            name: value for name, value in own.items() if value is not None
        }

    def pixels(self, n: int, seed: int) -> int:
        """Return how many pixel updates a run makes."""
        return n * self.size[0] * self.size[1] * len(self.stops)

    @property
    def canvas_bytes(self) -> int:
        """Memory that one canvas takes at the widest window, from above.

        Its windows are cut out, and copied while they are; and each span of the dictionary has
        sums of its own until they merge.
        """
        assert self.settings.scales is not None
        window = min(max(self.settings.scales) ** 2, self.size[0] * self.size[1])
        pixels, channels = self.size[0] * self.size[1], self.corpus.channels
        return room(pixels, channels * window, channels, len(self.corpus) * pixels)

    @property
    def default_batch(self) -> int:
        """Canvases side by side: 64, or fewer where they would take more than ``memory``."""
        return int(np.clip(self.memory // self.canvas_bytes, 1, 64))

    def _stop(self, t: float) -> Stop:
        """Return a time as a stop, with the window side of the nearest step."""
        assert self.settings.steps is not None
        level = self.schedule.alpha_bar(float(t))
        if not 0 < level < 1:
            raise UsageError(f"t is {t}, where no noise or no picture is left; choose another.")
        return Stop(self.schedule.index(t, self.settings.steps), t, level, 1.0)

    def _checked(self, x: Float32[np.ndarray, "b c h w"]) -> Float32[np.ndarray, "b c h w"]:
        x = np.asarray(x, np.float32)
        wanted = (self.corpus.channels, *self.size)
        if x.ndim != 4 or x.shape[1:] != wanted:
            raise UsageError(
                f"x has shape {list(x.shape)}, but must be [B, {wanted[0]}, {wanted[1]}, "
                f"{wanted[2]}]."
            )
        if not np.isfinite(x).all():
            raise UsageError("x is not finite; check for NaN and infinity.")
        return x
