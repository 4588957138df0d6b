"""Holes are filled as the obvious loop fills them, and never from a hole."""

from __future__ import annotations

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.models import Inpainting
from intarsia.models.inpainting import extended
from tests.models.obvious import FIELDS, assert_same
from tests.pictures import colour_patches, digits
from tests.reference.lowres import reference_similar
from tests.reference.sampler import reference_fill


def holes(kind: str, height: int, width: int) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    if kind == "middle":
        hole[3:6, 2:7] = True
    elif kind == "edges":
        hole[:2], hole[:, -1] = True, True
    else:
        hole |= np.random.default_rng(3).random((height, width)) < 0.06
    return hole


def filled(model: Inpainting, picture: np.ndarray, n: int = 2, seed: int = 4):
    """Samples that equal the reference, given pixels untouched."""
    s, corpus, known = model.settings, model.corpus, ~model.hole
    samples = model.sample(n, seed)
    similar = None
    if s.by_meaning:

        def similar(canvas, mask):
            return reference_similar(canvas, mask, corpus.planes, s.keep)

    for b in range(n):
        expected = reference_fill(
            list(corpus.planes), corpus.labels, picture, known, model.window.weights, s.border,
            valid=None if corpus.valid is None else list(corpus.valid),
            radius=s.radius if s.by_place else None, similar=similar, refresh=s.refresh,
            epsilon=s.epsilon, min_pool=s.min_pool, appearance=s.by_appearance, seed=seed,
            sample=b,
        )  # fmt: skip
        np.testing.assert_array_equal(samples.images[b], expected.canvas)
        np.testing.assert_array_equal(samples.images[b][known], picture[known])
        for name in FIELDS:
            found, wanted = getattr(samples.sources, name)[b], getattr(expected, name)
            np.testing.assert_array_equal(found[~known], wanted[~known], err_msg=name)
    return samples


@pytest.mark.parametrize("border", ["ignore", "zeros", "wrap"])
@pytest.mark.parametrize("kind", ["middle", "edges", "scattered"])
def test_a_picture_fills_its_own_holes_as_the_reference_does(kind, border):
    picture = np.array(colour_patches()[5])
    hole = holes(kind, 10, 10)
    samples = filled(Inpainting(picture, hole, window=3, border=border, min_pool=3), picture)
    sources = samples.sources
    assert not hole[sources.row, sources.col].any()  # no hole is a source
    samples.check_pixel_law()
    rows, cols = np.nonzero(~hole)
    for b in range(2):
        given = (b, rows, cols)
        assert (sources.row[given] == rows).all() and (sources.col[given] == cols).all()
        assert (sources.image[given] == 0).all() and (sources.step[given] == -1).all()
        assert (sources.pool[given] == 1).all() and (sources.weight[given] == 1).all()


@pytest.mark.parametrize("principles", ["L", "NS+L", "NS+H", "NS+L+H"])
@pytest.mark.parametrize("kind", ["middle", "edges"])
def test_a_corpus_fills_holes_as_the_reference_does(kind, principles):
    corpus = Corpus.from_arrays(np.array(digits().images[:15]), np.arange(15) % 4)
    picture, hole = np.array(digits().images[40]), holes(kind, 8, 8)
    model = Inpainting(picture, hole, corpus, principles=principles, keep=5, refresh=6)
    sources = filled(model, picture).sources
    given = np.broadcast_to(~hole, sources.image.shape)
    for name in ("image", "row", "col", "label", "step"):
        assert (getattr(sources, name)[given] == -1).all()
    for name in ("pool", "distance", "weight"):
        assert (getattr(sources, name)[given] == 0).all()


def test_holes_of_the_corpus_are_never_sources():
    valid = np.random.default_rng(1).random((12, 10, 10)) < 0.9
    corpus = Corpus.from_arrays(np.array(colour_patches()[:12]), valid=valid)
    picture, hole = np.array(colour_patches()[30]), holes("middle", 10, 10)
    sources = filled(Inpainting(picture, hole, corpus, principles="NS+L"), picture, 3).sources
    drawn = np.broadcast_to(hole, sources.image.shape)
    assert valid[sources.image[drawn], sources.row[drawn], sources.col[drawn]].all()


def test_what_the_mask_hides_does_not_matter():
    picture, hole = np.array(colour_patches()[5]), holes("middle", 10, 10)
    other = np.where(hole[..., None], 77, picture).astype(np.uint8)
    first, second = (Inpainting(p, hole, window=3).sample(2, 1) for p in (picture, other))
    assert_same(first, second)
    assert first.corpus.fingerprint == second.corpus.fingerprint


def test_fillings_do_not_depend_on_batch_or_threads():
    corpus = Corpus.from_arrays(np.array(digits().images[:300]))
    picture, hole = np.array(digits().images[1000]), holes("edges", 8, 8)
    model = Inpainting(picture, hole, corpus, threads=1)
    whole = model.sample(9, 1)
    assert len({image.tobytes() for image in whole.images}) > 1
    model.threads = 3
    assert_same(whole, model.sample(9, 1, batch=4))
    assert_same(whole, model.sample(9, 1, batch=1))


def test_margins_are_holes_beside_the_picture():
    picture, hole = np.array(colour_patches()[0]), holes("middle", 10, 10)
    wide, beyond = extended(picture, hole, (1, 2, 3, 4))
    assert wide.shape == (14, 16, 3) and beyond.shape == (14, 16)
    assert (wide[1:11, 4:14] == picture).all() and (beyond[1:11, 4:14] == hole).all()
    assert beyond.sum() == 14 * 16 - 100 + hole.sum()
    same, unchanged = extended(picture, hole, (0, 0, 0, 0))
    assert (same == picture).all() and (unchanged == hole).all()


def test_outpainting_equals_the_reference():
    picture = np.array(colour_patches()[3])
    wide, hole = extended(picture, np.zeros((10, 10), bool), (0, 3, 2, 0))
    samples = filled(Inpainting(wide, hole, window=3), wide, 1)
    assert (samples.images[0][:10, :10] == picture).all()


@pytest.mark.parametrize(
    ("shape", "mask", "says"),
    [
        ((8, 8, 1), np.ones((5, 8), bool), "mask is 5x8, but the picture is 8x8"),
        ((8, 8, 1), np.zeros((8, 8), bool), "nothing to fill.*other way round"),
        ((8, 8, 1), np.ones((8, 8), bool), "whole picture.*other way round"),
        ((8, 8, 3), np.eye(8, dtype=bool), "picture is colour, the corpus grey.*--grey"),
        ((9, 9, 1), np.eye(9, dtype=bool), "--size 9x9 differs.*8x8.*--principles L"),
    ],
)
def test_masks_and_pictures_that_do_not_fit_are_refused(shape, mask, says):
    corpus = Corpus.from_arrays(np.array(digits().images[:5]))
    with pytest.raises(UsageError, match=says):
        Inpainting(np.zeros(shape, np.uint8), mask, corpus)


def test_negative_margins_are_refused():
    with pytest.raises(UsageError, match=r"--extend is \(0, -1, 0, 0\)"):
        extended(np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4), bool), (0, -1, 0, 0))


def test_a_hole_that_leaves_one_pixel_is_filled_with_it():
    hole = np.ones((8, 8), bool)
    hole[3, 4] = False
    picture = digits().images[0]
    samples = Inpainting(picture, hole, window=3).sample(1)
    assert (samples.images == picture[3, 4]).all()
    assert (samples.sources.row == 3).all() and (samples.sources.col == 4).all()


def test_where_no_patch_fits_the_window_loses_its_outer_ring_until_one_does():
    picture = colour_patches()[0]
    hole = np.zeros(picture.shape[:2], bool)
    hole[2:8, 2:8] = True  # no 7x7 window of the 10x10 picture is clear of it
    samples = Inpainting(picture, hole, window=7).sample(2, seed=1)
    drawn = samples.sources.step >= 0
    assert (drawn == hole).all()
    assert not hole[samples.sources.row[drawn], samples.sources.col[drawn]].any()
    assert (samples.sources.pool[drawn] > 0).all()
    assert (samples.sources.distance <= 1).all()


def test_a_class_is_asked_for_by_condition_and_label_together():
    hole = np.zeros((8, 8), bool)
    hole[5:] = True
    picture, corpus = digits().images[0], digits()
    samples = Inpainting(picture, hole, corpus, condition="class", label=3).sample(1)
    assert (samples.sources.label[samples.sources.step >= 0] == 3).all()
    for half in ({"condition": "class"}, {"principles": "NS+L", "label": 3}):
        with pytest.raises(UsageError, match="--condition class and --label together"):
            Inpainting(picture, hole, corpus, **half)
