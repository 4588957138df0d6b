"""The engine's pools equal the obvious loop's: winners, sizes and members, ties included."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.corpus import Corpus
from intarsia.dictionary import Candidates, Near, Stack, Query, Window
from intarsia.reduce import PoolRule, keys, pool
from tests.pictures import colour_patches, digits
from tests.reference.pool import reference_pool


@st.composite
def situations(draw):
    """A small corpus, a batch of half-known canvases, a place and a rule."""
    colour = draw(st.booleans())
    pictures = colour_patches() if colour else digits().images
    count = draw(st.integers(2, 24))
    first = draw(st.integers(0, len(pictures) - count - 1))
    images = np.array(pictures[first : first + count])
    if draw(st.booleans()):
        images = images // 64 * 64  # many ties
    height, width = images.shape[1:3]
    side = draw(st.sampled_from([3, 5, 7]))
    border = draw(st.sampled_from(["ignore", "zeros", "wrap"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    known = rng.random((height, width)) < draw(st.sampled_from([0.2, 0.6, 1.0]))
    place = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    known[place] = False
    queries = draw(st.sampled_from([1, 3, 6, 9]))
    chosen = rng.integers(0, count, queries)
    canvas = images[chosen].copy()
    noise = rng.integers(-9, 10, canvas.shape)
    canvas = np.clip(canvas.astype(int) + noise * draw(st.integers(0, 1)), 0, 255).astype(np.uint8)
    holes = rng.random(images.shape[:3]) < draw(st.sampled_from([0.0, 0.0, 0.05]))
    return {
        "images": images,
        "holes": holes if holes.any() else None,
        "canvas": canvas,
        "known": known,
        "place": place,
        "window": Window(side, draw(st.sampled_from([None, 0.7, 20.0]))),
        "border": border,
        "radius": draw(st.sampled_from([None, 0, 1, 3])),
        "barred": chosen if draw(st.booleans()) else np.full(queries, -1),
        "rule": PoolRule(
            Fraction(draw(st.sampled_from(["0", "0.1", "0.123457", "1.5"]))),
            draw(st.sampled_from([1, 1, 2, 9, 500])),
        ),
        "seed": draw(st.integers(0, 2**62)),
        "step": draw(st.integers(0, 900)),
        "appearance": draw(st.sampled_from([True, True, True, False])),
        "block": draw(st.sampled_from([None, 1, 7, 1500])),
        "threads": draw(st.sampled_from([1, 2, 3])),
    }


def engine(s, *, keep_members=False, device="cpu"):
    valid = None if s["holes"] is None else [~h for h in s["holes"]]
    corpus = Corpus.from_arrays(s["images"], valid=valid)
    samples = np.arange(len(s["canvas"]))
    salts = keys.salts(s["seed"], samples, s["step"])
    query = Query.at(s["place"], s["canvas"], s["known"], s["window"], s["border"], salts)
    if not s["appearance"]:
        query = query.without_appearance()
    (planes,) = Stack.of(corpus, s["border"], s["window"].half, torch.device(device))
    height, width = corpus.size
    candidates = Candidates(planes, (0, height - 1), (0, width - 1), s["barred"])
    if s["radius"] is not None:
        near = Near(s["radius"])
        around = type("Around", (), {"place": s["place"]})
        candidates = near.narrow(candidates, around)
    return pool(
        [candidates], query, s["rule"], keep_members=keep_members, block=s["block"],
        threads=s["threads"],
    )  # fmt: skip


def reference(s, b):
    return reference_pool(
        list(s["images"]),
        None if s["holes"] is None else [~h for h in s["holes"]],
        s["canvas"][b],
        s["known"],
        s["place"],
        s["window"].weights,
        s["border"],
        radius=s["radius"],
        barred=int(s["barred"][b]),
        epsilon=s["rule"].epsilon,
        min_pool=s["rule"].min_pool,
        appearance=s["appearance"],
        seed=s["seed"],
        sample=b,
        step=s["step"],
    )


@settings(max_examples=150, deadline=None)
@given(s=situations())
def test_winners_and_pools_equal_the_reference(s):
    expected = [reference(s, b) for b in range(len(s["canvas"]))]
    if any(e.size == 0 for e in expected):
        with pytest.raises(Exception, match="No training patch fits"):
            engine(s)
        return
    drawn = engine(s)
    kept = engine(s, keep_members=True)
    for b, e in enumerate(expected):
        got = int(drawn.image[b]), int(drawn.row[b]), int(drawn.col[b])
        assert got == e.winner
        assert int(drawn.pool[b]) == e.size
        assert int(drawn.distance[b]) == e.distance
        codes, distances = kept.members[b]
        members = zip(*keys.decode(codes), distances, strict=True)
        assert [tuple(map(int, m)) for m in members] == sorted(e.pool)
        assert (int(kept.image[b]), int(kept.row[b]), int(kept.col[b])) == e.winner
