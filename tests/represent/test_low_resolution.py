"""The training-free phi equals its reference, and looks at known pixels alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.errors import UsageError
from intarsia.represent import LowResolution
from tests.pictures import colour_patches, digits
from tests.reference.lowres import encode


@st.composite
def canvases(draw):
    """Crops of real pictures whose sides need not be whole cells, and a mask."""
    pictures = colour_patches() if draw(st.booleans()) else digits().images
    height = draw(st.integers(1, pictures.shape[1]))
    width = draw(st.integers(1, pictures.shape[2]))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    images = np.array(pictures[rng.integers(0, len(pictures), 3), :height, :width])
    known = rng.random((height, width)) < draw(st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]))
    return images, known, draw(st.sampled_from([1, 2, 3, 4, 7, 12])), rng


@settings(max_examples=120)
@given(case=canvases())
def test_codes_equal_the_reference(case):
    images, known, factor, _ = case
    codes = LowResolution(factor).codes(images, known)
    assert codes.values.dtype == np.int8 and codes.known.dtype == bool
    for b, image in enumerate(images):
        values, weights = encode(image, known, factor)
        assert codes.values[b].tolist() == np.ravel(values).tolist()
        present = np.repeat(np.ravel(weights), image.shape[-1])
        assert codes.known.tolist() == present.astype(bool).tolist()


@given(case=canvases())
def test_what_unknown_pixels_hold_does_not_matter(case):
    images, known, factor, rng = case
    other = np.where(known[..., None], images, rng.integers(0, 256, images.shape, np.uint8))
    first, second = (LowResolution(factor).codes(i, known) for i in (images, other))
    assert (first.values == second.values).all() and (first.known == second.known).all()


@given(case=canvases())
def test_codes_of_one_canvas_do_not_depend_on_its_batch(case):
    images, known, factor, _ = case
    phi = LowResolution(factor)
    together = phi.codes(images, known).values
    alone = [phi.codes(image[None], known).values[0] for image in images]
    assert (together == alone).all()


def test_a_corpus_is_encoded_whole_however_many_pictures_it_has():
    images = np.resize(np.array(digits().images), (4100, 8, 8, 1))
    codes = LowResolution(2).corpus_codes(images)
    assert codes.shape == (4100, 16)
    for i in (0, 4095, 4096, 4099):
        values, _ = encode(images[i], np.ones((8, 8), bool), 2)
        assert codes[i].tolist() == np.ravel(values).tolist()


def test_extreme_pixels_make_extreme_codes():
    images = np.array([0, 255], np.uint8)[:, None, None, None].repeat(99, 1).repeat(99, 2)
    codes = LowResolution(99).codes(images, np.ones((99, 99), bool))
    assert codes.values.tolist() == [[-128], [127]]


def test_a_cell_of_no_pixels_is_refused():
    with pytest.raises(UsageError, match="side 0"):
        LowResolution(0)
