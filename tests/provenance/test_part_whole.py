from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from intarsia import UsageError
from intarsia.provenance import part_whole, picture_segments
from tests.provenance.made import colour_samples, digit_samples, with_sources


def criteria(samples, sample, mask) -> tuple[float, int, float]:
    """Purity, distinct images and majority of one region, by counting."""
    labels = Counter(samples.sources.label[sample][mask].tolist())
    images = Counter(samples.sources.image[sample][mask].tolist())
    area = mask.sum()
    return max(labels.values()) / area, len(images), max(images.values()) / area


def test_windows_equal_the_slow_loop():
    samples = colour_samples()
    found = part_whole(samples, side=5)
    at = 0
    for i, y, x in np.ndindex(len(samples), 12, 12):
        mask = np.zeros((16, 16), dtype=bool)
        mask[y : y + 5, x : x + 5] = True
        mask &= samples.sources.step[i] >= 0
        if mask.sum() < 16:
            continue
        assert found.sample[at] == i and found.area[at] == mask.sum()
        assert (found.purity[at], found.images[at], found.majority[at]) == criteria(
            samples, i, mask
        )
        at += 1
    assert 600 < at == len(found.area) < 720  # windows at the seed are left out, not all


@pytest.mark.parametrize("own", [False, True])
def test_segments_equal_the_slow_loop(own):
    samples = colour_samples()
    numbers = np.stack([picture_segments(image) for image in samples.images])
    found = part_whole(samples, numbers if own else "segments")
    at = 0
    for i in range(len(samples)):
        for region in np.unique(numbers[i]):
            mask = (numbers[i] == region) & (samples.sources.step[i] >= 0)
            if mask.sum() < 16:
                continue
            assert (found.purity[at], found.images[at], found.majority[at]) == criteria(
                samples, i, mask
            )
            assert found.sample[at] == i and found.area[at] == mask.sum()
            at += 1
    assert at == len(found.area) > 5


def obvious_segments(image: np.ndarray, scale: float, least: int) -> np.ndarray:
    """Felzenszwalb and Huttenlocher by relabelling whole regions."""
    height, width = image.shape[:2]
    smooth = ndimage.gaussian_filter(image.astype(float), (0.5, 0.5, 0), mode="nearest")
    across = [((y, x), (y, x + 1)) for y in range(height) for x in range(width - 1)]
    down = [((y, x), (y + 1, x)) for y in range(height - 1) for x in range(width)]
    edges = sorted(
        ((np.linalg.norm(smooth[a] - smooth[b]), a, b) for a, b in across + down),
        key=lambda edge: edge[0],
    )
    region = np.arange(height * width).reshape(height, width)
    inner = dict.fromkeys(range(height * width), 0.0)
    for between, a, b in edges:
        one, two = region[a], region[b]
        allowed = (inner[r] + scale / (region == r).sum() for r in (one, two))
        if one != two and between <= min(allowed):
            region[region == two] = one
            inner[one] = between
    for _, a, b in edges:
        one, two = region[a], region[b]
        if one != two and min((region == one).sum(), (region == two).sum()) < least:
            region[region == two] = one
    return region


def test_segments_equal_the_obvious_implementation():
    for samples in (colour_samples(), digit_samples()):
        for image in samples.images[:4]:
            for scale, least in ((100, 16), (20, 4), (5, 1)):
                fast = picture_segments(image, scale=scale, least=least)
                slow = obvious_segments(image, scale, least)
                pairs = np.unique(np.stack([fast.ravel(), slow.ravel()]), axis=1)
                assert len(pairs[0]) == len(np.unique(pairs[0])) == len(np.unique(pairs[1]))


def test_segments_are_connected_and_cover_the_picture():
    for image in (*colour_samples().images, *digit_samples().images):
        segments = picture_segments(image)
        assert segments.shape == image.shape[:2]
        assert np.unique(segments).tolist() == list(range(segments.max() + 1))
        for region in range(segments.max() + 1):
            mask = segments == region
            assert ndimage.label(mask)[1] == 1
            assert mask.sum() >= 16 or segments.max() == 0


def test_segments_find_a_stroke_on_paper():
    image = np.zeros((20, 20, 1), dtype=np.uint8)
    image[4:16, 8:11] = 255
    segments = picture_segments(image)
    inside = np.unique(segments[5:15, 9])
    assert len(inside) == 1 and inside[0] not in segments[:3]


def test_a_copy_is_pure_but_not_put_together():
    samples = colour_samples()
    one = np.zeros_like(samples.sources.image)
    for kind in ("windows", "segments"):
        summary = part_whole(with_sources(samples, image=one, label=one), kind).summary()
        assert summary["pure"] == 1 and summary["majority"] == 1
        assert summary["multi_image"] == 0 and summary["part_whole"] == 0


def test_a_patchwork_of_classes_is_put_together_but_not_pure():
    samples = colour_samples()
    each = np.arange(samples.sources.image.size).reshape(samples.sources.shape)
    for kind in ("windows", "segments"):
        summary = part_whole(with_sources(samples, image=each, label=each % 10), kind).summary()
        assert summary["multi_image"] == 1
        assert summary["pure"] == 0 and summary["part_whole"] == 0


def test_many_images_of_one_class_are_part_whole():
    samples = colour_samples()
    each = np.arange(samples.sources.image.size).reshape(samples.sources.shape)
    one = np.zeros_like(each)
    for kind in ("windows", "segments"):
        summary = part_whole(with_sources(samples, image=each, label=one), kind).summary()
        assert summary["part_whole"] == 1


def test_half_from_one_image_is_no_majority_but_more_is():
    samples = colour_samples()[0]
    step = np.zeros_like(samples.sources.step)
    image = np.arange(256).reshape(1, 16, 16)
    regions = np.zeros((1, 16, 16), dtype=np.int64)
    for pixels, expected in ((128, True), (129, False)):
        taken = image.copy()
        taken.reshape(-1)[:pixels] = 999
        found = part_whole(with_sources(samples, image=taken, step=step), regions)
        assert found.multi_image.tolist() == [expected]


def test_two_images_are_not_several():
    samples = colour_samples()[0]
    step = np.zeros_like(samples.sources.step)
    image = (np.arange(256) % 2).reshape(1, 16, 16)
    regions = np.zeros((1, 16, 16), dtype=np.int64)
    cut = with_sources(samples, image=image, step=step)
    assert part_whole(cut, regions).multi_image.tolist() == [False]
    assert part_whole(cut, regions, images=2).multi_image.tolist() == [True]


def test_seed_pixels_count_in_no_region():
    samples = colour_samples()
    given = samples.sources.step < 0
    image = np.where(given, 10**6, samples.sources.image)
    for kind in ("windows", "segments"):
        before, after = (
            part_whole(samples, kind),
            part_whole(with_sources(samples, image=image), kind),
        )
        assert (before.images == after.images).all()
        assert (before.majority == after.majority).all()


def test_without_classes_criterion_one_is_undefined():
    samples = colour_samples()
    none = with_sources(samples, label=np.full_like(samples.sources.label, -1))
    summary = part_whole(none).summary()
    assert summary["pure"] is None and summary["part_whole"] is None
    assert summary["multi_image"] is not None


def test_blank_regions_are_told_apart():
    samples = colour_samples()
    blank = part_whole(samples).summary()["blank"]
    assert blank < 0.1
    white = replace(samples, images=np.full_like(samples.images, 255))
    summary = part_whole(white).summary()
    assert summary["blank"] == 1 and summary["part_whole_not_blank"] is None


def test_wrong_regions_are_refused():
    with pytest.raises(UsageError, match="'squares'"):
        part_whole(colour_samples(), "squares")
    with pytest.raises(UsageError, match="shape"):
        part_whole(colour_samples(), np.zeros((1, 2, 3), dtype=np.int64))
