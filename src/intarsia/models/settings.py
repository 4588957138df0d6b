"""The non-parametric sampler's settings: checked, resolved, and the same in YAML."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from intarsia.dictionary.window import BORDERS, Border, Window
from intarsia.errors import UsageError
from intarsia.reduce.rule import PoolRule, exact_fraction

Principles = Literal["L", "NS+L", "NS+H", "NS+L+H"]

PRESETS: dict[str, dict[str, Any]] = {
    "table-2": {
        "encoder": "simclr",
        "window": 5,
        "epsilon": "0.1",
        "min_pool": 5,
        "radius": 0,
        "keep": 30,
    },
}
"""Named settings. ``table-2`` reaches both entropies of paper A's table 2 on CIFAR-10, at the price
of speckled pictures (docs/results/paper-a/table-2.md)."""


class Settings(BaseModel):
    """Settings of `NonparametricSampler`; None stands for a default that depends on the corpus.

    Attributes
    ----------
    principles : which of paper A's three principles hold: NS (place), L (appearance), H (phi).
    condition : what H is: a representation, or the class label.
    threshold : ``cascade`` takes the stages in order; ``intersection`` is paper A's letter, each
        threshold relative to the least over the whole corpus.
    window, sigma : side of the context window in pixels, and its Gaussian's width.
    border : what windows find beyond an edge.
    epsilon : tolerance over the least distance, an exact decimal.
    min_pool : least number of candidates drawn from.
    radius : how far from its place a patch may come, in pixels (maximum norm).
    encoder : phi by name or path (docs/encoders.md).
    encoder_fingerprint : what phi's weights must be; None takes them as they are.
    keep : how many similar pictures phi leaves.
    refresh : pixels between look-ups under phi.
    seed_size : side of the square cut from a training picture to start from.
    seed_at : ``center``, ``random`` or "ROW,COL" of the seed's top left pixel.
    allow_seed_source : let the seed's own picture be a source.
    size : "HxW" of what is drawn; the corpus's own by default.
    label : the class asked for, by number.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    principles: Principles = "NS+L+H"
    condition: Literal["representation", "class"] = "representation"
    threshold: Literal["cascade", "intersection"] = "cascade"
    window: int | None = None
    sigma: float | None = None
    border: Border = "ignore"
    epsilon: str = "0.1"
    min_pool: int = 1
    radius: int | None = None
    encoder: str = "lowres"
    encoder_fingerprint: str | None = None
    keep: int | None = None
    refresh: int = 16
    seed_size: int | None = None
    seed_at: str = "center"
    allow_seed_source: bool = False
    size: tuple[int, int] | None = None
    label: int | None = None

    @classmethod
    def of(cls, preset: str | None = None, **given: Any) -> Settings:
        """Check settings; a preset fills in what is not given.

        Raises
        ------
        UsageError
            Naming the setting, its value and what is allowed.
        """
        if preset is not None:
            if preset not in PRESETS:
                raise UsageError(
                    f"There is no preset called {preset!r}. Known: {', '.join(PRESETS)}."
                )
            given = {**PRESETS[preset], **{k: v for k, v in given.items() if v is not None}}
        if "epsilon" in given:
            given["epsilon"] = str(given["epsilon"])
        try:
            settings = cls(**{k: v for k, v in given.items() if v is not None})
        except ValidationError as error:
            raise UsageError(_in_words(error)) from error
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse what no corpus could serve."""
        from intarsia.dictionary import Near, Similar
        from intarsia.represent import LowResolution, check_encoder

        if self.window is not None:
            Window(self.window, self.sigma)
        PoolRule(exact_fraction(self.epsilon), self.min_pool)
        if self.radius is not None:
            Near(self.radius)
        check_encoder(self.encoder)
        Similar(LowResolution(), 1 if self.keep is None else self.keep, None, self.refresh)
        if self.seed_size is not None and self.seed_size < 1:
            raise UsageError(f"--seed-size is {self.seed_size}; a seed has at least 1 pixel.")
        if self.size is not None and min(self.size) < 1:
            raise UsageError(f"--size is {self.size[0]}x{self.size[1]}; give HxW, such as 64x64.")
        if self.size is not None and self.size[0] * self.size[1] > 2**24:
            raise UsageError(
                f"--size is {self.size[0]}x{self.size[1]}; at most 4096x4096 pixels are drawn."
            )
        if self.threshold == "intersection" and self.min_pool > 1:
            raise UsageError(
                f"--min-pool is {self.min_pool}, but --threshold intersection is the paper's "
                "letter, which has no minimum. Drop one of the two."
            )
        if self.min_pool > 10**6:
            raise UsageError(f"--min-pool is {self.min_pool}; at most 1,000,000 can be asked for.")
        if self.condition == "class" and "H" not in self.principles:
            raise UsageError(
                f"--condition class puts the label in the place of phi, but --principles is "
                f"{self.principles}, without H. Use --principles NS+L+H, or drop --condition."
            )

    @property
    def by_place(self) -> bool:
        """Whether principle NS holds."""
        return "NS" in self.principles

    @property
    def by_appearance(self) -> bool:
        """Whether principle L holds."""
        return "L" in self.principles.split("+")

    @property
    def by_meaning(self) -> bool:
        """Whether principle H holds."""
        return "H" in self.principles

    def resolved(self, size: tuple[int, int], channels: int, count: int) -> Settings:
        """Fill in what depends on the corpus.

        Parameters
        ----------
        size : (H, W) of its smallest picture.
        channels : 1 or 3.
        count : how many pictures it has.
        """
        side = min(size)
        colour = channels > 1
        window = self.window or (9 if side >= 16 else 5 if side >= 5 else 3)
        defaults = {
            # One spelling of each number, so that .1 and 0.10 are the same run.
            "epsilon": format(Decimal(self.epsilon).normalize(), "f"),
            "window": window,
            "sigma": self.sigma if self.sigma is not None else window / 6.4,
            "radius": self.radius if self.radius is not None else 2 if colour else 1,
            "keep": min(self.keep or (200 if colour else 100), max(1, count)),
            # A patch-level phi asks about the patch itself, so it is asked at every place.
            "refresh": 1 if self.encoder.startswith("patch:") else self.refresh,
            "seed_size": self.seed_size or (8 if side >= 16 else max(1, side // 2)),
        }
        return self.model_copy(update=defaults)


def _in_words(error: ValidationError) -> str:
    """Say in one line what pydantic found."""
    first = error.errors()[0]
    name = "--" + str(first["loc"][0]).replace("_", "-") if first["loc"] else "settings"
    given = first.get("input")
    if first["type"] == "extra_forbidden":
        return f"There is no setting called {str(first['loc'][0])!r}."
    allowed = first.get("ctx", {}).get("expected")
    if allowed:
        return f"{name} is {given!r}; it must be {allowed}."
    return f"{name} is {given!r}: {first['msg'][0].lower()}{first['msg'][1:]}."


assert set(BORDERS) == {"ignore", "zeros", "wrap"}
