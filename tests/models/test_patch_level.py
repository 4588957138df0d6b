"""Phi at patch level, paper A's letter: candidates are places in pictures, as a slow loop finds."""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.models import NonparametricSampler
from intarsia.represent import open_encoder
from tests.models.obvious import assert_law, assert_same, seed_of
from tests.models.stepwise import drawn_at, moments
from tests.pictures import colour_patches, digits
from tests.reference.pool import (
    Candidate,
    as_epsilon,
    draw,
    make_query,
    patch_distance,
    pool_threshold,
)
from tests.represent.slow_patches import slow_code, slow_moves


def by_distance(corpus, canvas, known, place, phi, radius, barred):
    """Every (distance, picture, move) under phi, nearest first."""
    code, present = slow_code(canvas, known, place, phi)
    everything = np.ones(known.shape, bool)
    found = []
    for move in slow_moves(known, place, phi.side, radius):
        at = place[0] + move[0], place[1] + move[1]
        for image, plane in enumerate(corpus.planes):
            if image == barred:
                continue
            other, there = slow_code(plane, everything, at, phi)
            known_both = [p and t for p, t in zip(present, there, strict=True)]
            distance = sum(
                (a - b) ** 2 for a, b, k in zip(code, other, known_both, strict=True) if k
            )
            found.append((distance, image, move))
    return sorted(found)


def replay(model, samples, b):
    s, corpus = model.settings, model.corpus
    height, width = corpus.size
    _, _, barred, _ = seed_of(samples, b)
    phi = open_encoder(s.encoder)
    whole = [[True] * width] * height
    planes = [np.asarray(p).tolist() for p in corpus.planes]
    for step, place, canvas, known in moments(samples, b):
        if step % s.refresh == 0:
            ranked = by_distance(corpus, canvas, known, place, phi, s.radius, barred)[: s.keep]
        query, weight = make_query(
            canvas, known, place, model.window.weights, s.border, s.by_appearance
        )
        candidates = []
        for _, image, (dy, dx) in ranked:
            row, col = place[0] + dy, place[1] + dx
            if 0 <= row < height and 0 <= col < width:
                distance = patch_distance(planes[image], whole, row, col, query, s.border)
                if distance is not None:
                    candidates.append(Candidate(image, row, col, distance))
        threshold = pool_threshold(candidates, weight, as_epsilon(s.epsilon), s.min_pool)
        pool = sorted(c for c in candidates if c.distance <= threshold)
        at = drawn_at(samples, b, place)
        assert at["pool"] == len(pool)
        winner = draw(pool, samples.settings["seed"], b, step)
        assert (at["image"], at["row"], at["col"]) == winner[:3]


@pytest.mark.parametrize("border", ["ignore", "zeros", "wrap"])
@pytest.mark.parametrize("principles", ["NS+L+H", "NS+H"])
def test_every_draw_equals_the_slow_loop(principles, border):
    corpus = Corpus.from_arrays(np.array(digits().images[:7]))
    model = NonparametricSampler(
        corpus, principles=principles, encoder="patch:lowres", border=border, keep=25, radius=1,
        refresh=6, min_pool=2,
    )  # fmt: skip
    samples = model.sample(2, seed=3)
    assert_law(samples)
    replay(model, samples, 0)


@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
def test_runs_keep_the_pixel_law_and_do_not_depend_on_batch_or_threads(colour):
    pictures = colour_patches() if colour else digits().images[:200]
    corpus = Corpus.from_arrays(np.array(pictures))
    model = NonparametricSampler(corpus, encoder="patch:lowres", radius=2, keep=12, threads=1)
    three = model.sample(3, seed=2)
    assert_law(three)
    rows, cols = np.mgrid[: corpus.size[0], : corpus.size[1]]
    assert (abs(three.sources.row - rows) <= 2).all() and (abs(three.sources.col - cols) <= 2).all()
    model.threads = 3
    assert_same(three, model.sample(3, seed=2, batch=2))
    assert_same(three, model.sample(3, seed=2, batch=1))


def test_intersection_keeps_every_place_within_the_threshold():
    corpus = Corpus.from_arrays(np.array(digits().images[:5]))
    model = NonparametricSampler(
        corpus, encoder="patch:lowres", threshold="intersection", radius=2, epsilon="1"
    )
    assert_law(model.sample(2, seed=0))
    (batch,) = model.batches(2, 0)
    step = next(model.grow(batch, 0))
    known = batch.order.known
    for b in range(2):
        canvas = np.where(known[..., None], batch.canvas[b], 0)
        barred = int(batch.origins[b])
        ranked = by_distance(
            corpus, canvas, known, step.place, open_encoder("patch:lowres"), 2, barred
        )
        within = {(image, move) for d, image, move in ranked if d <= 4 * ranked[0][0]}
        found = batch.lookups[-1]
        places = zip(found.pictures[b].tolist(), map(tuple, found.shift[b].tolist()), strict=True)
        assert {place for place in places if place[0] >= 0} == within


def test_runs_that_keep_few_places_do_not_run_out_of_candidates():
    corpus = Corpus.from_arrays(np.array(digits().images[:300]))
    model = NonparametricSampler(corpus, encoder="patch:lowres", keep=3, radius=2)
    assert_law(model.sample(4, seed=0))
