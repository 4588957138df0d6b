"""Stages: which training patches a query may use (paper A, section 2.4).

Paper A's models are lists of stages. Each stage narrows the candidates that the ones before it
left; the ablation of figure 2 is a shorter list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64

from intarsia.dictionary.sharing import Patches, Sharing, one_group
from intarsia.dictionary.stack import Stack
from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.represent import Encoder, PatchLevel


@dataclass(frozen=True)
class Candidates:
    """A rectangle of places in one set of pictures.

    Attributes
    ----------
    stack : the pictures.
    rows, cols : first and last place, inclusive, in picture coordinates.
    barred : int64 [B], the corpus index each query may not use; -1 for none.
    """

    stack: Stack
    rows: tuple[int, int]
    cols: tuple[int, int]
    barred: Int64[np.ndarray, " b"]


@dataclass(frozen=True)
class Surroundings:
    """What a stage may know about the batch it serves.

    Attributes
    ----------
    of_label : lays out the pictures of one class.
    place : (row, column) about to be filled.
    origins : int64 [B], the corpus index each sample's seed came from; -1 for none.
    label : the label that all samples of the batch ask for, or None.
    similar : the pictures that the `Similar` stage last looked up, or None.
    """

    of_label: Callable[[int], Stack]
    place: tuple[int, int]
    origins: Int64[np.ndarray, " b"]
    label: int | None
    similar: Stack | None


@runtime_checkable
class Stage(Protocol):
    """One condition on candidates."""

    def narrow(self, candidates: Candidates, around: Surroundings) -> Candidates:
        """Return the candidates that also meet this condition."""
        ...


@dataclass(frozen=True)
class Everywhere:
    """Any place of any picture: Efros and Leung's choice, paper A's L, paper C's ELS machine.

    Parameters
    ----------
    patches : for ELS, ``wrapped`` for the theory's orbit, where pictures wrap as the canvas does;
        ``interior`` for patches that lie inside their pictures, as the released code has it.
    """

    patches: Patches = "wrapped"

    def narrow(self, candidates: Candidates, around: Surroundings) -> Candidates:
        """Keep all."""
        return candidates

    def sharing(self, size: tuple[int, int], side: int) -> Sharing:
        """Put all pixels of the canvas into one group."""
        return one_group(size, side, self.patches)


@dataclass(frozen=True)
class Near:
    """Places within ``radius`` of the query's, in the maximum norm (paper A, d_loc).

    Raises
    ------
    UsageError
        If the radius is negative.
    """

    radius: int

    def __post_init__(self) -> None:
        if self.radius < 0:
            raise UsageError(
                f"--radius is {self.radius}; a radius is a number of pixels, 0 or more."
            )

    def narrow(self, candidates: Candidates, around: Surroundings) -> Candidates:
        """Keep the square of places around the query's own."""
        if candidates.stack.shift is not None:  # moved to the query's place already
            return candidates
        (r0, r1), (c0, c1), (row, col) = candidates.rows, candidates.cols, around.place
        return replace(
            candidates,
            rows=(max(r0, row - self.radius), min(r1, row + self.radius)),
            cols=(max(c0, col - self.radius), min(c1, col + self.radius)),
        )


@dataclass(frozen=True)
class SameLabel:
    """Pictures of the class the sample asks for (paper A's class-conditional model)."""

    def narrow(self, candidates: Candidates, around: Surroundings) -> Candidates:
        """Keep one class."""
        if around.label is None:
            raise UsageError(
                "The stage SameLabel needs a label for each sample. Use a corpus with labels."
            )
        return replace(candidates, stack=around.of_label(around.label))


@dataclass(frozen=True)
class NotSource:
    """Not the picture the sample's seed was cut from, or the sampler copies it at distance 0."""

    def narrow(self, candidates: Candidates, around: Surroundings) -> Candidates:
        """Bar one picture for each sample."""
        return replace(candidates, barred=around.origins)


@dataclass(frozen=True)
class Similar:
    """The pictures nearest to the canvas under an encoder phi (paper A, d_SSL).

    Parameters
    ----------
    phi : the encoder. One that sees the whole canvas names pictures; one that sees the patch
        around the place (`represent.PatchLevel`, the paper's letter) names places in pictures.
    keep : how many of the nearest are kept.
    epsilon : if given, only those within (1 + epsilon) times the least distance are kept, still
        at most ``keep`` of them. An exact fraction.
    refresh : pixels between look-ups.
    radius : how far a patch-level phi looks around the place.

    Raises
    ------
    UsageError
        If keep or refresh is below 1, or epsilon negative.
    """

    phi: Encoder | PatchLevel
    keep: int
    epsilon: Fraction | None = None
    refresh: int = 16
    radius: int = 0

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise UsageError(f"--keep is {self.keep}; at least 1 picture must be kept.")
        if self.refresh < 1:
            raise UsageError(f"--refresh is {self.refresh}; it counts pixels, 1 or more.")
        if self.epsilon is not None and self.epsilon < 0:
            raise UsageError(f"epsilon is {float(self.epsilon)}; it must be 0 or more.")

    def narrow(self, candidates: Candidates, around: Surroundings) -> Candidates:
        """Keep the pictures last looked up."""
        if around.similar is None:
            raise UsageError("The stage Similar has not looked anything up yet.")
        if around.similar.shift is None:
            return replace(candidates, stack=around.similar)
        row, col = around.place
        return replace(candidates, stack=around.similar, rows=(row, row), cols=(col, col))
