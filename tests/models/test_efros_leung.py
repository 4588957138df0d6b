"""Efros and Leung's texture synthesis equals the obvious loop, from pictures of any sizes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.models import EfrosLeung, NonparametricSampler, Texture
from tests.models.obvious import assert_equal, assert_law, assert_same, expected_sample, seed_of
from tests.pictures import colour_patches, digits


@cache
def textures(holes: bool = False) -> Corpus:
    """Brick and grass in different sizes."""
    from skimage import data

    pictures = [data.brick()[40:53, 60:74], data.grass()[:15, :11]]
    valid = None
    if holes:
        valid = [np.ones(p.shape, bool) for p in pictures]
        valid[0][5:7, 3:6] = False
        valid[1][0, :] = False
    return Corpus.from_arrays(pictures, valid=valid)


def equals_reference(model, n=1, seed=0):
    samples = model.sample(n, seed)
    assert_law(samples)
    for b in range(n):
        assert_equal(samples, b, expected_sample(model, samples, b))
    return samples


@pytest.mark.parametrize("size", [(6, 19), (5, 5), (16, 12)])
def test_textures_of_any_size_equal_the_reference(size):
    samples = equals_reference(Texture(textures(), size, window=5, threads=2), seed=sum(size))
    assert samples.images.shape == (1, *size, 1)


@pytest.mark.parametrize("border", ["zeros", "wrap"])
def test_textures_equal_the_reference_at_every_border(border):
    equals_reference(Texture(textures(), (6, 9), window=5, border=border))


def test_textures_never_use_holes():
    corpus = textures(holes=True)
    samples = equals_reference(Texture(corpus, (7, 12), window=5, seed_size=4), 2)
    sources = samples.sources
    for image in range(2):
        of = sources.image == image
        assert corpus.valid[image][sources.row[of], sources.col[of]].all()


def test_seeds_are_cut_from_random_places_of_every_picture():
    model = Texture(textures(), (9, 9), window=3, min_pool=20)
    batches = list(model.batches(200, 1))
    assert sum(len(b.samples) for b in batches) == 200
    seen = set()
    for batch in batches:
        corners = (batch.sources[k][:, 3, 3].tolist() for k in ("image", "row", "col"))
        seen |= set(zip(*corners, strict=True))
    assert {image for image, _, _ in seen} == {0, 1}
    assert len(seen) > 100  # of 11 x 12 + 13 x 9 places


def test_a_texture_of_one_picture_may_use_all_of_it():
    corpus = Corpus.from_arrays([textures()[0]])
    samples = equals_reference(Texture(corpus, (8, 8), window=3))
    assert (samples.sources.image == 0).all()


@pytest.mark.parametrize("size", [None, (4, 11), (13, 12)])
def test_efros_leung_is_the_model_l_at_any_size(size):
    corpus = Corpus.from_arrays(np.array(colour_patches()[:5]))
    options = {"window": 3, "seed_size": 4, "size": size, "epsilon": "0.2"}
    samples = equals_reference(EfrosLeung(corpus, **options))
    same = NonparametricSampler(corpus, principles="L", **options).sample(1)
    assert_same(samples, same)
    if size is not None:
        # The seed stands at the same place of picture and canvas, aligned at their centres.
        place, source, _, _ = seed_of(samples, 0)
        assert np.subtract(source, place).tolist() == [(10 - s) // 2 for s in size]


def test_efros_leung_grows_pictures_of_any_sizes():
    equals_reference(EfrosLeung(textures(), size=(9, 10), window=3, seed_size=3), 2)


def test_a_texture_smaller_than_its_window_is_refused_with_its_size():
    with pytest.raises(UsageError, match="--window is 11, larger than the 8 pixels"):
        Texture(Corpus.from_arrays([np.array(digits()[0])]), (20, 20))
