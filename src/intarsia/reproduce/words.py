"""Sentences made from numbers, so that a page cannot claim what its table does not show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from intarsia.reproduce.measures import Several, number


def moved(
    what: str,
    before: float,
    after: float,
    by: str,
    published: tuple[float, float] | None = None,
    where: str = "",
    write: Callable[[float], str] = number,
) -> str:
    """Say which way a number moves, and whether the paper's moves the same way.

    Parameters
    ----------
    what : the number, such as ``class entropy``.
    before, after : here.
    by : what makes the difference, such as ``with the representation``.
    published : the paper's numbers before and after.
    where : table or section they are from.
    write : how a number is written, such as `share`.

    Examples
    --------
    >>> moved("class entropy", 1.4, 1.02, "with phi", (1.461, 1.075), "table 2")
    'Class entropy falls with phi, from 1.40 to 1.02, as in the paper (1.461 to 1.075, table 2).'
    """
    text = (
        f"{what[0].upper()}{what[1:]} {_verb(before, after)} {by}, {_from_to(before, after, write)}"
    )
    if published is None:
        return f"{text}."
    theirs = _verb(*published)
    numbers = f"{published[0]:g} to {published[1]:g}" + (f", {where}" if where else "")
    if theirs == _verb(before, after):
        return f"{text}, as in the paper ({numbers})."
    return f"{text}; the paper's {theirs} ({numbers})."


def ordered(
    what: str,
    named: Sequence[tuple[str, float]],
    rising: bool,
    write: Callable[[float], str] = number,
) -> str:
    """Say whether a number rises or falls from one model to the next.

    Examples
    --------
    >>> ordered("class entropy", [("L", 1.6), ("NS+L", 1.3), ("NS+L+H", 0.3)], rising=False)
    'Class entropy falls at every step: L 1.60, NS+L 1.30, NS+L+H 0.30.'
    """
    values = [value for _, value in named]
    steps = [(b > a) if rising else (b < a) for a, b in zip(values, values[1:], strict=False)]
    verb = "rises" if rising else "falls"
    listed = ", ".join(f"{name} {write(value)}" for name, value in named)
    how = f"{verb} at every step" if all(steps) else f"does not {verb[:-1]} at every step"
    return f"{what[0].upper()}{what[1:]} {how}: {listed}."


@dataclass(frozen=True)
class Verdict:
    """Which of two models has the better metric.

    Attributes
    ----------
    metric : such as ``FID``, for which less is better; of ``IS`` more is.
    ours, theirs : values of the model expected to be better, and of the other.
    """

    metric: str
    ours: Several
    theirs: Several

    @property
    def holds(self) -> bool:
        """Whether the first is better on average."""
        a, b = self.ours.mean, self.theirs.mean
        return a < b if self.metric == "FID" else a > b

    @property
    def apart(self) -> bool | None:
        """Whether no seed of one reaches a seed of the other; None if one has a single seed."""
        if min(len(self.ours.values), len(self.theirs.values)) < 2:
            return None
        return self.ours.below(self.theirs) or self.theirs.below(self.ours)

    def __str__(self) -> str:
        spread = {True: "by more than the spread", False: "within the spread", None: "one seed"}
        verdict = "better" if self.holds else "not better"
        return f"{self.metric} {self.ours} against {self.theirs} ({verdict}, {spread[self.apart]})"


def verdicts(ours: Mapping[str, Several], theirs: Mapping[str, Several]) -> list[Verdict]:
    """Compare two models by FID and IS.

    Parameters
    ----------
    ours, theirs : as `Measures.values` returns, of the one expected to be better first.
    """
    return [
        Verdict(metric.upper(), ours[metric], theirs[metric])
        for metric in ("fid", "is")
        if metric in ours
    ]


def compared(ours: str, theirs: str, by: Sequence[Verdict]) -> str:
    """Say by which metrics a model is better than another, with all numbers.

    Examples
    --------
    >>> fid = Verdict("FID", Several((12.0, 13.0)), Several((14.0, 15.0)))
    >>> compared("NS+L+H", "NS+L", [fid])[:60]
    'NS+L+H against NS+L: FID 12.50 (12.00 to 13.00) against 14.5'
    """
    return f"{ours} against {theirs}: {', '.join(map(str, by))}."


def tally(by: Sequence[Verdict]) -> str:
    """Count how many comparisons come out as expected."""
    held = sum(one.holds for one in by)
    apart = sum(one.holds and one.apart is True for one in by)
    return (
        f"Of {len(by)} comparisons that the paper's ordering implies, {held} come out so, "
        f"{apart} of them by more than the spread between seeds."
    )


def _from_to(before: float, after: float, write: Callable[[float], str]) -> str:
    """Write two numbers so that different ones look different."""
    first, second = write(before), write(after)
    if write is number and first == second and before != after:
        first, second = f"{before:.4g}", f"{after:.4g}"
    return f"from {first} to {second}"


def _verb(before: float, after: float) -> str:
    if before != before or after != after:
        return "is undefined"
    return "rises" if after > before else "falls" if after < before else "stays the same"


def share(value: float) -> str:
    """Write a share in percent."""
    return "undefined" if value != value else f"{100 * value:.0f} %"
