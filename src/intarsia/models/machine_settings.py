"""The settings of paper C's machines and the Studio's methods: checked, and the same in YAML."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from intarsia.dictionary.sharing import Patches
from intarsia.errors import UsageError
from intarsia.models import scales as sides_of
from intarsia.models.settings import _in_words


class MachineSettings(BaseModel):
    """Settings of a `ScoreMachine`; None stands for a default of the machine or the corpus.

    A machine takes what its family shares, also where it has no use for it.

    Attributes
    ----------
    schedule : noise schedule, ``cosine`` or ``linear``.
    steps : T, steps of the reverse process.
    scales : window side of each step, entry i for step i.
    scales_from : where they were taken from: a name of `models.scales.published`.
    noise : file the starting noise was read from.
    noise_fingerprint : SHA-256 of that noise; None takes any.
    label : class to draw, by number.
    dictionary : which patches ELS draws from.
    group : whose orbit ES draws from.
    mask_threshold : pca-locality: share of the largest entry from which on a pixel is seen.
    temperature : pca-locality: what squared distances are divided by besides the noise.
    smoothing, smoothing_draws : scfdm: deviation and number of the perturbed copies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schedule: Literal["cosine", "linear"] | None = None
    steps: int | None = None
    scales: tuple[int, ...] | None = None
    scales_from: str | None = None
    noise: str | None = None
    noise_fingerprint: str | None = None
    label: int | None = None
    dictionary: Patches = "wrapped"
    group: str = "translations"
    mask_threshold: float | None = None
    temperature: float = 1.0
    smoothing: float = 0.1
    smoothing_draws: int = 10

    @classmethod
    def of(cls, machine: str, **given: Any) -> MachineSettings:
        """Check settings as far as no corpus is needed.

        Raises
        ------
        UsageError
            Naming the setting, its value and what is allowed.
        """
        given = {name: value for name, value in given.items() if value is not None}
        unknown = [name for name in given if name not in cls.model_fields]
        if unknown:
            option = "--" + unknown[0].replace("_", "-")
            raise UsageError(f"{machine} has no option {option}. Drop it.")
        if "scales" in given:
            given["scales"] = sides_of.parse(given["scales"])
        try:
            settings = cls(**given)
        except ValidationError as error:
            raise UsageError(_in_words(error)) from error
        settings._check()
        return settings

    def _check(self) -> None:
        if self.steps is not None and not 1 <= self.steps <= 10_000:
            raise UsageError(f"--steps is {self.steps}; give 1 to 10,000.")
        for name in ("temperature", "smoothing"):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise UsageError(f"--{name} is {value}; it must be a positive number.")
        share = self.mask_threshold
        if share is not None and not 0 <= share <= 1:
            raise UsageError(f"--mask-threshold is {share}; it is a share, from 0 to 1.")
        if not 1 <= self.smoothing_draws <= 10_000:
            raise UsageError(f"--smoothing-draws is {self.smoothing_draws}; give 1 to 10,000.")

    def resolved(
        self, schedule: str, steps: int, size: tuple[int, int], channels: int
    ) -> MachineSettings:
        """Fill in what depends on the machine (schedule, steps) and the corpus (size, channels).

        Raises
        ------
        UsageError
            If scales do not fit the steps.
        """
        steps = self.steps or steps
        chosen = self.scales
        if self.scales_from is not None:
            named = sides_of.named_scales(self.scales_from, steps)
            if chosen is not None and chosen != named:
                raise UsageError("Give --scales or --scales-from, not both.")
            chosen = named
        if chosen is None:
            chosen = sides_of.growing(size, steps)
        threshold = 0.005 if channels == 1 else 0.02
        return self.model_copy(
            update={
                "schedule": self.schedule or schedule,
                "steps": steps,
                "scales": sides_of.a_step(chosen, steps),
                "mask_threshold": threshold if self.mask_threshold is None else self.mask_threshold,
            }
        )
