from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from intarsia import Corpus, UsageError
from intarsia.provenance import distinct_sources, draw_top_sources, top_share, top_sources
from intarsia.provenance.colours import NEUTRAL, RANK_COLOURS, rgb
from intarsia.provenance.draw import enlarge
from intarsia.provenance.top_sources import SourceUse, describe, top_map, used_pixels
from tests.provenance.made import colour_samples, crops, digit_samples, with_sources


def test_counts_are_the_counts():
    samples = colour_samples()
    for index in range(len(samples)):
        image = samples.sources.image[index]
        counts = Counter(image.ravel().tolist())
        expected = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:5]
        found = top_sources(samples.sources, index)
        assert [(use.image, use.pixels) for use in found] == expected
        for use in found:
            assert use.share == use.pixels / image.size
            assert use.label == crops().labels[use.image]
            given = samples.sources.step[index] < 0
            assert use.seed == (given & (image == use.image)).sum()


def test_equal_counts_come_in_order_of_image():
    samples = colour_samples()[0]
    image = np.arange(256)[::-1].reshape(1, 16, 16)
    found = top_sources(with_sources(samples, image=image).sources, k=3)
    assert [use.image for use in found] == [0, 1, 2]


def test_pixels_without_a_source_do_not_count():
    samples = colour_samples()
    image = samples.sources.image.copy()
    image[0, :8] = -1
    found = top_sources(with_sources(samples, image=image).sources, k=10**6)
    assert -1 not in [use.image for use in found]
    assert sum(use.pixels for use in found) == 128
    assert sum(use.share for use in found) == pytest.approx(1)
    assert top_sources(with_sources(samples, image=np.full_like(image, -1)).sources) == []


def test_share_is_of_drawn_pixels_unless_asked():
    sources = colour_samples().sources
    for index in range(len(sources)):
        drawn = sources.image[index][sources.step[index] >= 0]
        most = Counter(drawn.tolist()).most_common(1)[0][1]
        assert top_share(sources)[index] == most / drawn.size
        assert distinct_sources(sources)[index] == len(set(drawn.tolist()))
        everything = Counter(sources.image[index].ravel().tolist()).most_common(1)[0][1]
        assert top_share(sources, seed=True)[index] == everything / 256


def test_a_copy_has_share_one():
    samples = colour_samples()
    copy = with_sources(samples, image=np.full_like(samples.sources.image, 7)).sources
    assert (top_share(copy) == 1).all() and (distinct_sources(copy) == 1).all()
    nothing = with_sources(samples, image=np.full_like(samples.sources.image, -1)).sources
    assert np.isnan(top_share(nothing)).all()


def test_the_map_shows_the_five_and_greys_the_rest():
    sources = colour_samples().sources
    uses = top_sources(sources, 2)
    drawn = top_map(sources, 2, uses)
    for y, x in np.ndindex(16, 16):
        ranks = [r for r, use in enumerate(uses) if use.image == sources.image[2, y, x]]
        assert tuple(drawn[y, x]) == (rgb(RANK_COLOURS[ranks[0]]) if ranks else NEUTRAL)


def test_used_pixels_keep_their_colour_and_others_fade():
    samples = colour_samples()
    use = top_sources(samples.sources, 0)[0]
    drawn = used_pixels(samples, crops(), 0, use, colour="#FF0000", target=160)
    taken = samples.sources.image[0] == use.image
    used = np.zeros((16, 16), dtype=bool)
    used[samples.sources.row[0][taken], samples.sources.col[0][taken]] = True
    plane = crops()[use.image]
    assert drawn.shape == (160, 160, 3)
    whole = enlarge(used, 10)
    assert (drawn[whole] == enlarge(plane, 10)[whole]).all()  # the outline runs outside of them
    outside = drawn[~whole]
    red = (outside == (255, 0, 0)).all(axis=-1)
    grey = (outside[:, 0] == outside[:, 1]) & (outside[:, 1] == outside[:, 2])
    assert (red | grey).all() and red.any() and grey.any()


def test_large_training_images_are_thinned_out():
    large = Corpus.from_arrays(np.zeros((1, 1500, 900), dtype=np.uint8), name="large")
    samples = colour_samples()[0]
    copy = with_sources(
        samples,
        image=np.zeros_like(samples.sources.image),
        row=samples.sources.row + 1400,
        col=samples.sources.col + 800,
    )
    drawn = used_pixels(copy, large, 0, SourceUse(0, -1, 256, 1, 0), colour="#FF0000", target=168)
    assert max(drawn.shape) <= 340


def test_panel_is_drawn_for_colour_grey_and_a_single_source():
    for samples in (colour_samples(), digit_samples()):
        assert draw_top_sources(samples, 1).width > 900
    samples = colour_samples()
    zero = np.zeros_like(samples.sources.image)
    assert draw_top_sources(with_sources(samples, image=zero)).width > 500


def test_panel_without_a_corpus_says_what_to_do():
    bare = replace(colour_samples(), corpus=None)
    with pytest.raises(UsageError, match="Pass the corpus"):
        draw_top_sources(bare)
    assert draw_top_sources(bare, corpus=crops()).width > 900


def test_words_about_a_source():
    samples = colour_samples()
    assert describe(samples, SourceUse(812, 1, 40, 0.156, 0)) == (
        "#812, flower",
        "40 pixels, 16%",
    )
    assert describe(samples, SourceUse(3, -1, 16, 0.0625, 16)) == (
        "#3",
        "16 pixels, 6% (the seed)",
    )
    assert describe(digit_samples(), SourceUse(3, 4, 16, 0.25, 9)) == (
        "#3, class 4",
        "16 pixels, 25% (9 given)",
    )
