"""Paper A's letter: thresholds relative to the whole corpus, whose intersection may be empty."""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.models import NonparametricSampler
from tests.models.obvious import assert_law, assert_same, seed_of
from tests.models.stepwise import drawn_at, moments
from tests.pictures import digits
from tests.reference.lowres import reference_code_distances, reference_similar
from tests.reference.pool import reference_intersection_pool, reference_pool


def tiny(count: int = 12) -> Corpus:
    return Corpus.from_arrays(np.array(digits().images[:count]), np.arange(count) % 2)


def grown(model: NonparametricSampler, n: int, seed: int):
    """Samples, and how many pools were empty."""
    batches = list(model.batches(n, seed, 2))
    for batch in batches:
        for _ in model.grow(batch, seed):
            pass
    return model.gather(batches, n, seed), int(sum(b.fell_back.sum() for b in batches))


def replayed(model: NonparametricSampler, samples, b: int) -> int:
    """Check every draw of one sample against the reference; return the empty pools."""
    s, corpus = model.settings, model.corpus
    _, _, barred, _ = seed_of(samples, b)
    planes = list(corpus.planes)
    same = None
    if s.by_meaning and s.condition == "class":
        same = set(np.flatnonzero(corpus.labels == corpus.labels[barred]).tolist())
    codes, similar, empty = None, same, 0
    for step, place, canvas, known in moments(samples, b):
        if s.by_meaning and s.condition != "class" and step % s.refresh == 0:
            codes = reference_code_distances(canvas, known, planes)
            similar = reference_similar(canvas, known, planes, s.keep, barred=barred)
        given = (planes, None, canvas, known, place, model.window.weights, s.border)
        shared = {
            "radius": s.radius if s.by_place else None, "barred": barred, "epsilon": s.epsilon,
            "appearance": s.by_appearance, "seed": samples.settings["seed"], "sample": b,
            "step": step,
        }  # fmt: skip
        found = reference_intersection_pool(*given, codes, images_allowed=same, **shared)
        if found.size == 0:
            empty += 1
            found = reference_pool(*given, images_allowed=similar, **shared)
        at = drawn_at(samples, b, place)
        assert (at["image"], at["row"], at["col"]) == found.winner
        assert at["pool"] == found.size
        norm = found.weight * 255**2
        assert at["distance"] == (np.float32(found.distance / norm) if norm else 0)
    return empty


@pytest.mark.parametrize(
    "options",
    [
        {"principles": "L"},
        {"principles": "NS+L", "epsilon": "1.5"},
        {"principles": "NS+L", "border": "zeros", "radius": 0},
        {"principles": "NS+L+H", "epsilon": "0.8", "keep": 4, "refresh": 7},
        {"principles": "NS+L+H", "border": "wrap", "epsilon": "1.5", "keep": 5},
        {"principles": "NS+H", "epsilon": "0.3", "keep": 3},
        {"principles": "NS+L+H", "condition": "class", "epsilon": "1.2"},
    ],
    ids=lambda options: " ".join(str(value) for value in options.values()),
)
def test_every_draw_and_the_count_of_empty_pools_equal_the_reference(options):
    model = NonparametricSampler(tiny(), threshold="intersection", threads=2, **options)
    samples, empty = grown(model, 2, seed=1)
    assert_law(samples)
    assert empty == sum(replayed(model, samples, b) for b in range(2))
    drawn = 2 * (64 - 16)
    if options["principles"] in ("L", "NS+H"):
        assert empty == 0  # the nearest of all is in every pool of one threshold
    else:
        assert 0 < empty < drawn  # both ways were taken
    again, count = grown(NonparametricSampler(tiny(), threshold="intersection", **options), 2, 1)
    assert count == empty
    assert_same(samples, again)
