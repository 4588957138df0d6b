"""Look-ups under phi equal the obvious ones, and lay the right pixels side by side."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.corpus import Corpus
from intarsia.dictionary import Dictionary, Everywhere, NotSource, SameLabel, Similar, Window
from intarsia.reduce.similar import Lookup, lay_out, look_up
from intarsia.represent import LowResolution, PatchLevel
from tests.pictures import colour_patches, digits
from tests.reference.lowres import reference_code_distances, reference_similar

CPU = torch.device("cpu")


def labelled(count: int, colour: bool = False) -> Corpus:
    images = np.array((colour_patches() if colour else digits().images)[:count])
    return Corpus.from_arrays(images, np.arange(count) % 3)


@settings(max_examples=40)
@given(
    colour=st.booleans(),
    factor=st.sampled_from([1, 2, 3]),
    keep=st.sampled_from([1, 4, 30]),
    bars=st.booleans(),
    label=st.sampled_from([None, 0, 2]),
    share=st.sampled_from([0.0, 0.3, 0.8, 1.0]),
    seed=st.integers(0, 2**31),
)
def test_look_ups_equal_the_reference(colour, factor, keep, bars, label, share, seed):
    corpus = labelled(30, colour)
    rng = np.random.default_rng(seed)
    origins = rng.integers(0, 30, 3)
    canvas = np.array(corpus.images[origins])
    known = rng.random(canvas.shape[1:3]) < share
    similar = Similar(LowResolution(factor), keep)
    stages = [NotSource()] * bars + [SameLabel()] * (label is not None) + [similar]
    dictionary = Dictionary(corpus, Window(3), "ignore", stages, CPU)
    found = look_up(dictionary, similar, canvas, known, (0, 0), origins, label, threads=2)
    for b in range(3):
        expected = reference_similar(
            canvas[b], known, corpus.images, keep, factor=factor,
            barred=int(origins[b]) if bars else -1, labels=corpus.labels, label=label,
        )  # fmt: skip
        row = found.pictures[b]
        assert row[row >= 0].tolist() == sorted(expected)


def test_look_ups_by_threshold_keep_what_is_near_the_nearest():
    corpus = labelled(40)
    canvas, known = np.array(corpus.images[[3]]), np.ones((8, 8), bool)
    known[5:] = False
    similar = Similar(LowResolution(2), 40, Fraction("0.25"))
    dictionary = Dictionary(corpus, Window(3), "ignore", [NotSource(), similar], CPU)
    found = look_up(dictionary, similar, canvas, known, (0, 0), np.array([3]))
    squared = reference_code_distances(canvas[0], known, corpus.images)
    least = min(d for i, d in enumerate(squared) if i != 3)
    near = [i for i, d in enumerate(squared) if i != 3 and d <= Fraction("1.25") ** 2 * least]
    assert 1 < len(near) < 39
    assert found.pictures[0].tolist() == near


@pytest.mark.parametrize("border", ["ignore", "zeros", "wrap"])
def test_listed_pictures_are_laid_out_as_they_are_in_the_corpus(border):
    valid = np.random.default_rng(1).random((30, 10, 10)) < 0.9
    corpus = Corpus.from_arrays(np.array(colour_patches()[:30]), valid=valid)
    dictionary = Dictionary(corpus, Window(5), border, [Everywhere()], CPU)
    (whole,) = dictionary.stacks
    lists = np.array([[3, 9, 29], [0, 7, -1]])
    stack = lay_out(dictionary, Lookup(lists), threads=2)
    assert not stack.shared and (stack.pictures == lists).all()
    for b, m in np.argwhere(lists >= 0):
        picture = lists[b, m]
        assert (stack.pixels[b, ..., m] == whole.pixels[0, ..., picture]).all()
        assert (stack.hole[b, ..., m] == whole.hole[0, ..., picture]).all()


@pytest.mark.parametrize("border", ["ignore", "zeros", "wrap"])
def test_moved_pictures_show_the_pixel_they_are_moved_by_and_holes_where_there_is_none(border):
    valid = np.random.default_rng(1).random((30, 10, 10)) < 0.9
    corpus = Corpus.from_arrays(np.array(colour_patches()[:30]), valid=valid)
    dictionary = Dictionary(corpus, Window(5), border, [Everywhere()], CPU)
    (whole,) = dictionary.stacks
    lists = np.array([[3, 9, 29], [0, 7, -1]])
    shift = np.array([[[0, 0], [1, -2], [-2, 1]], [[2, 2], [0, -1], [1, 1]]])
    stack = lay_out(dictionary, Lookup(lists, shift))
    side = whole.pixels.shape[2]
    for b, m in np.argwhere(lists >= 0):
        for row in range(side):
            for col in range(side):
                at = row + shift[b, m, 0], col + shift[b, m, 1]
                if not (0 <= at[0] < side and 0 <= at[1] < side):
                    assert stack.hole[b, row, col, m]
                    continue
                of = whole.pixels[0, :, at[0], at[1], lists[b, m]]
                assert (stack.pixels[b, :, row, col, m] == of).all()
                assert stack.hole[b, row, col, m] == whole.hole[0, at[0], at[1], lists[b, m]]


def test_a_patch_level_look_up_finds_the_place_a_patch_was_cut_from():
    corpus = Corpus.from_arrays(np.array(colour_patches()[:40]))
    phi = PatchLevel(LowResolution(2), 5)
    similar = Similar(phi, 3, None, radius=2)
    dictionary = Dictionary(corpus, Window(3), "ignore", [NotSource(), similar], CPU)
    # Picture i + 1 is cut 3 rows below and 2 columns right of picture i; compare inner places.
    canvas = np.array(corpus.images[[12]])
    canvas[0, 1:9, 1:9] = corpus.images[20, 2:10, 0:8]
    known = np.ones((10, 10), bool)
    known[5, 4] = False
    found = look_up(dictionary, similar, canvas, known, (5, 4), np.array([12]))
    places = zip(found.pictures[0].tolist(), found.shift[0].tolist(), strict=True)
    assert (20, [1, -1]) in places
