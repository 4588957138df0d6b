"""Where no patch fits, the window narrows for that sample alone, until one does."""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.models import Inpainting, NonparametricSampler
from tests.models.obvious import assert_law, assert_same, seed_of
from tests.models.stepwise import drawn_at, moments
from tests.pictures import colour_patches, digits
from tests.reference.lowres import reference_similar
from tests.reference.pool import (
    Known,
    as_epsilon,
    draw,
    find_candidates,
    make_query,
    pool_threshold,
)


def narrower(query: list[Known]) -> list[Known]:
    """Drop the outer ring; of the innermost one the corners first, then the sides."""
    assert query, "nothing is compared and still nothing fits"
    ring = [max(abs(k.dy), abs(k.dx)) for k in query]
    if max(ring) == 1:
        ring = [k.dy**2 + k.dx**2 for k in query]
    return [k for k, r in zip(query, ring, strict=True) if r < max(ring)]


def replay(model, samples, b: int, barred: int) -> int:
    """Check every draw of one sample; return how many windows had to narrow."""
    s, corpus = model.settings, model.corpus
    planes = list(corpus.planes)
    valid = None if corpus.valid is None else list(corpus.valid)
    images = [i for i in range(len(planes)) if i != barred]
    narrowed = 0
    for step, place, canvas, known in moments(samples, b):
        if s.by_meaning and step % s.refresh == 0:
            images = reference_similar(canvas, known, planes, s.keep, barred=barred)
        query, _ = make_query(canvas, known, place, model.window.weights, s.border, True)
        radius = s.radius if s.by_place else None
        first = True
        while not (found := find_candidates(planes, valid, images, place, radius, query, s.border)):
            query, narrowed, first = narrower(query), narrowed + first, False
        weight = corpus.channels * sum(k.weight for k in query)
        threshold = pool_threshold(found, weight, as_epsilon(s.epsilon), s.min_pool)
        pool = [c for c in found if c.distance <= threshold]
        winner = draw(pool, samples.settings["seed"], b, step)
        at = drawn_at(samples, b, place)
        assert (at["image"], at["row"], at["col"]) == winner[:3]
        assert at["pool"] == len(pool)
        share = winner.distance / (weight * 255**2) if weight else 0
        assert at["distance"] == np.float32(share)
    return narrowed


@pytest.mark.parametrize("border", ["ignore", "zeros", "wrap"])
def test_large_holes_are_filled_from_the_picture_as_the_slow_loop_fills_them(border):
    picture, hole = np.array(colour_patches()[4]), np.zeros((10, 10), bool)
    hole[2:8, 3:9] = True
    model = Inpainting(picture, hole, window=7, border=border)
    samples = model.sample(2, seed=3)
    samples.check_pixel_law()
    assert all(replay(model, samples, b, barred=-1) > 0 for b in range(2))
    drawn = samples.sources.step >= 0
    assert not hole[samples.sources.row[drawn], samples.sources.col[drawn]].any()


@pytest.mark.parametrize("principles", ["NS+L", "NS+L+H"])
def test_a_corpus_full_of_holes_is_drawn_from_as_the_slow_loop_does(principles):
    images = np.array(digits().images[:9])
    valid = np.random.default_rng(6).random(images.shape[:3]) < 0.75
    valid[:, 2:6, 2:6] = True
    model = NonparametricSampler(
        Corpus.from_arrays(images, valid=valid), principles=principles, keep=4, refresh=5, threads=2
    )
    samples = model.sample(4, seed=1)
    assert_law(samples)
    counts = [replay(model, samples, b, barred=seed_of(samples, b)[2]) for b in range(4)]
    assert min(counts) > 0
    # One sample's narrower window is no other's.
    assert_same(samples, model.sample(4, seed=1, batch=1))
