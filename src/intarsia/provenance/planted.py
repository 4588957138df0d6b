"""Copies planted among genuine pictures: what an audit should find is then known."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from intarsia.errors import UsageError
from intarsia.provenance.calibration import HELD_OUT, calibration_pictures
from intarsia.provenance.sample_set import SampleSet

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.provenance.audit import Audit

Picture = UInt8[np.ndarray, "h w c"]

EXACT, SHIFTED, BRIGHTER, JPEG, HALVES = "exact", "shifted", "brightness", "jpeg", "halves"
GENUINE = "genuine"
SHIFT = 3
"""Pixels by which a shifted copy is moved at most, down and across."""


@dataclass(frozen=True)
class Planted:
    """A sample set of which it is known what each picture is.

    Attributes
    ----------
    samples : copies of each kind, then genuine pictures.
    kinds : one a sample, of `KINDS` or `GENUINE`.
    sources : training images each was made of; none for genuine ones.
    """

    samples: SampleSet
    kinds: tuple[str, ...]
    sources: tuple[tuple[int, ...], ...]

    def found(self, audit: Audit, kind: str) -> tuple[int, int]:
        """Return how many of a kind are declared copies of just the right images, of how many.

        An image equal to the right one, pixel for pixel, is right too. Of genuine pictures those
        declared copies of anything are counted.
        """
        members = [i for i, one in enumerate(self.kinds) if one == kind]
        return sum(self._is_found(audit, i) for i in members), len(members)

    def _is_found(self, audit: Audit, i: int) -> bool:
        finding = audit.findings[i]
        if not finding.is_copy or self.kinds[i] == GENUINE:
            return finding.is_copy
        named = {audit.corpus[match.image].tobytes() for match in finding.scored.sources}
        return named == {audit.corpus[source].tobytes() for source in self.sources[i]}


def plant(
    corpus: Corpus,
    held_out: Corpus,
    each: int,
    genuine: int,
    *,
    calibrated: int = HELD_OUT,
    seed: int = 0,
) -> Planted:
    """Make a sample set with planted copies.

    Parameters
    ----------
    corpus : training images.
    held_out : genuine pictures; those an audit calibrates on are not used.
    each : copies of each kind: exact, shifted by up to `SHIFT` pixels (what comes in at the edge
        repeats it), 5 % brighter or darker, JPEG of quality 75, left half of one image and right
        half of another.
    genuine : how many pictures of ``held_out``.
    calibrated : pictures the audit calibrates on.

    Raises
    ------
    UsageError
        If either has too few pictures.
    """
    draw = np.random.default_rng(seed)
    free = np.setdiff1d(np.arange(len(held_out)), calibration_pictures(len(held_out), calibrated))
    if len(free) < genuine or len(corpus) < each * (len(KINDS) + 1):
        raise UsageError(
            f"{len(free):,} held-out and {len(corpus):,} training pictures are free; {genuine:,} "
            f"and {each * (len(KINDS) + 1):,} are needed."
        )
    images: list[Picture] = []
    kinds: list[str] = []
    sources: list[tuple[int, ...]] = []
    numbers = iter(draw.permutation(len(corpus)).tolist())
    for kind, make in KINDS.items():
        for _ in range(each):
            made_of = tuple(next(numbers) for _ in range(2 if kind == HALVES else 1))
            images.append(make([corpus[i] for i in made_of], draw))
            kinds.append(kind)
            sources.append(made_of)
    for number in draw.choice(free, genuine, replace=False).tolist():
        images.append(held_out[number])
        kinds.append(GENUINE)
        sources.append(())
    names = tuple(f"{kind}-{i:04}.png" for i, kind in enumerate(kinds))
    return Planted(SampleSet(np.stack(images), names), tuple(kinds), tuple(sources))


def _exact(pictures: list[Picture], draw: np.random.Generator) -> Picture:
    return pictures[0].copy()


def _shifted(pictures: list[Picture], draw: np.random.Generator) -> Picture:
    shift = (0, 0)
    while shift == (0, 0):
        shift = tuple(draw.integers(-SHIFT, SHIFT + 1, 2).tolist())
    height, width = pictures[0].shape[:2]
    rows = np.clip(np.arange(height) - shift[0], 0, height - 1)
    cols = np.clip(np.arange(width) - shift[1], 0, width - 1)
    return pictures[0][rows[:, None], cols]


def _brighter(pictures: list[Picture], draw: np.random.Generator) -> Picture:
    gain = draw.choice([0.95, 1.05])
    return np.rint(pictures[0] * gain).clip(0, 255).astype(np.uint8)


def _jpeg(pictures: list[Picture], draw: np.random.Generator) -> Picture:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pictures[0].squeeze()).save(stream, "JPEG", quality=75)
    with Image.open(stream) as image:
        return np.asarray(image).reshape(pictures[0].shape)


def _halves(pictures: list[Picture], draw: np.random.Generator) -> Picture:
    made = pictures[0].copy()
    middle = made.shape[1] // 2
    made[:, middle:] = pictures[1][:, middle:]
    return made


KINDS: dict[str, Callable[[list[Picture], np.random.Generator], Picture]] = {
    EXACT: _exact,
    SHIFTED: _shifted,
    BRIGHTER: _brighter,
    JPEG: _jpeg,
    HALVES: _halves,
}
