"""A memorization audit: which samples of any model are copies of training images.

Each sample's copy score (`intarsia.provenance.copy_score`) is set against those of genuine, unseen
pictures (`intarsia.provenance.calibration`); nothing is asked of the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float64

from intarsia.errors import UsageError
from intarsia.provenance.calibration import (
    HELD_OUT,
    discoveries,
    held_out_scores,
    interval,
    p_values,
)
from intarsia.provenance.copy_score import CopyScorer, Scored, copied_mask

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.provenance.sample_set import SampleSet

FALSE_DISCOVERIES = 0.05
PAPER_RULE = 30.0
"""Decibel above which paper A calls a sample a copy."""

EQUAL = 100.0
"""Stands for the infinite PSNR of equal pictures, which JSON cannot say."""

Tell = Callable[[str, int, int], None]
"""Called with (what is being done, done, all)."""


@dataclass(frozen=True, eq=False)
class Finding:
    """What the audit says of one sample.

    Attributes
    ----------
    name : as in the sample set.
    p_value : share of genuine pictures that score as high.
    is_copy : declared a copy, at the false-discovery rate.
    source_image : the training image of the best match.
    psnr : decibel to the nearest whole training image, unshifted; `EQUAL` for an equal one.
    psnr_image : that image.
    copied_fraction : share of the sample's detail that its sources explain.
    scored : score, matches and sources.
    mask : bool [H, W], the region that agrees with them.
    """

    name: str
    p_value: float
    is_copy: bool
    source_image: int
    psnr: float
    psnr_image: int
    copied_fraction: float
    scored: Scored = field(repr=False)
    mask: Bool[np.ndarray, "h w"] = field(repr=False)

    @property
    def is_copy_by_psnr(self) -> bool:
        """Whether paper A's rule calls it a copy."""
        return self.psnr > PAPER_RULE

    @property
    def is_equal(self) -> bool:
        """Whether a training image is the same, pixel for pixel."""
        return self.psnr >= EQUAL

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints of a sample."""
        return {
            "name": self.name,
            "p_value": self.p_value,
            "source_image": self.source_image,
            "psnr": self.psnr,
            "copied_fraction": self.copied_fraction,
            "copy": self.is_copy,
            "copy_by_psnr": self.is_copy_by_psnr,
            "score": self.scored.score,
            "sources": [
                {
                    "image": match.image,
                    "region": match.region,
                    "shift": list(match.shift),
                    "residual": match.residual,
                }
                for match in self.scored.sources
            ],
        }


@dataclass(frozen=True, eq=False)
class Audit:
    """An audit's result.

    Attributes
    ----------
    samples : what was looked at.
    corpus : training images.
    findings : one a sample, in the order of the samples.
    held_out : float64 [m], scores of genuine pictures.
    held_out_name : what they are.
    """

    samples: SampleSet
    corpus: Corpus
    findings: tuple[Finding, ...]
    held_out: Float64[np.ndarray, " m"]
    held_out_name: str

    @property
    def copies(self) -> int:
        """How many samples are declared copies."""
        return sum(one.is_copy for one in self.findings)

    @property
    def rate(self) -> float:
        """Share of the samples declared copies."""
        return self.copies / len(self.findings)

    @property
    def rate_interval(self) -> tuple[float, float]:
        """Its 95 % confidence interval (Clopper-Pearson)."""
        return interval(self.copies, len(self.findings))

    @property
    def least_copies(self) -> int:
        """Fewest copies that can be declared among so many samples.

        No p-value is below 1 / (m + 1), and of k copies the last must be at most 5 % k / n.
        """
        allowed = Fraction(str(FALSE_DISCOVERIES)) * (1 + len(self.held_out))
        return math.ceil(len(self.findings) / allowed)

    @cached_property
    def ranked(self) -> list[int]:
        """Sample numbers, highest score first."""
        return sorted(range(len(self.findings)), key=lambda i: -self.findings[i].scored.score)

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "rate": self.rate,
            "rate_interval": list(self.rate_interval),
            "rate_by_psnr": float(np.mean([one.is_copy_by_psnr for one in self.findings])),
            "false_discovery_rate": FALSE_DISCOVERIES,
            "held_out": {"data": self.held_out_name, "pictures": len(self.held_out)},
            "corpus": {
                "data": self.corpus.name,
                "images": len(self.corpus),
                "fingerprint": self.corpus.fingerprint,
            },
            "least_copies": self.least_copies,
            "notes": list(self.samples.notes),
            "samples": [one.as_dict() for one in self.findings],
        }


def audit(
    samples: SampleSet,
    corpus: Corpus,
    held_out: Corpus,
    *,
    count: int = HELD_OUT,
    threads: int | None = None,
    tell: Tell | None = None,
) -> Audit:
    """Audit a set of samples.

    Parameters
    ----------
    samples : of the corpus's size and channels.
    corpus : the training images.
    held_out : genuine pictures the model has not seen.
    count : how many of them the scores are set against.
    threads : CPU threads.
    tell : called as the work goes on.

    Raises
    ------
    UsageError
        If there are no samples, or the pictures are too small, too few, or of other sizes.
    """
    if not len(samples.images):
        raise UsageError("There are no samples to audit.")
    scorer = CopyScorer(corpus, threads)

    def bar(what: str) -> Callable[[int, int], None] | None:
        return None if tell is None else lambda done, total: tell(what, done, total)

    genuine = held_out_scores(scorer, held_out, count, bar("scoring held-out pictures"))
    scored = scorer.scores(samples.images, bar("scoring samples"))
    p = p_values(np.array([one.score for one in scored]), genuine)
    declared = discoveries(p, FALSE_DISCOVERIES)
    findings = tuple(
        _finding(samples, i, corpus, one, float(p[i]), bool(declared[i]), threads)
        for i, one in enumerate(scored)
    )
    name = f"{held_out.name} ({held_out.split})"
    return Audit(samples, corpus, findings, genuine, name)


def _finding(
    samples: SampleSet,
    i: int,
    corpus: Corpus,
    scored: Scored,
    p: float,
    is_copy: bool,
    threads: int | None,
) -> Finding:
    from intarsia.measure.nearest import psnr_of
    from intarsia.provenance.attribution import stacks_of
    from intarsia.provenance.whole_neighbours import nearest_by_difference

    picture = samples.images[i]
    images, squared = nearest_by_difference(picture, stacks_of(corpus)[0], 1, threads)
    mask, share = copied_mask(picture, corpus, scored.sources)
    return Finding(
        name=samples.names[i],
        p_value=p,
        is_copy=is_copy,
        source_image=scored.sources[0].image,
        psnr=min(EQUAL, float(psnr_of(squared[:1], picture.size)[0])),
        psnr_image=int(images[0]),
        copied_fraction=share,
        scored=scored,
        mask=mask,
    )
