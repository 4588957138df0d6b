from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from intarsia import UsageError
from intarsia.provenance import (
    class_map,
    distance_map,
    draw_maps,
    draw_overview,
    image_map,
    place_map,
    pool_map,
    step_map,
)
from intarsia.provenance.colours import (
    CLASS_COLOURS,
    NEUTRAL,
    RANK_COLOURS,
    class_colours,
    hex_of,
    id_colours,
    ramp_colours,
    rgb,
)
from intarsia.provenance.draw import enlarge, outlined, to_rgb
from intarsia.provenance.maps import class_legend, columns_of
from intarsia.samples import Origin
from tests.provenance.made import colour_samples, digit_samples, with_sources

# Full protanopia, deuteranopia and tritanopia on linear RGB: Machado, Oliveira and Fernandes 2009.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colours: np.ndarray) -> np.ndarray:
    part = colours / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def oklab(light: np.ndarray) -> np.ndarray:
    cones = (
        light
        @ np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        ).T
    )
    return (
        np.cbrt(np.maximum(cones, 0))
        @ np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        ).T
    )


def nearest_pair(points: np.ndarray) -> float:
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return apart[np.triu_indices(len(points), 1)].min()


@pytest.mark.parametrize("sight", SIGHTS)
def test_ten_classes_are_told_apart_by_every_kind_of_sight(sight):
    seen = linear(class_colours(np.arange(10))) @ np.array(SIGHTS[sight]).T
    assert nearest_pair(oklab(np.clip(seen, 0, 1))) > 0.1


@pytest.mark.parametrize("palette", [CLASS_COLOURS, RANK_COLOURS])
def test_palettes_are_told_apart_in_grey(palette):
    luminance = linear(np.array([rgb(colour) for colour in palette])) @ [0.2126, 0.7152, 0.0722]
    lightness = 116 * np.cbrt(luminance) - 16
    assert np.diff(np.sort(lightness)).min() > 5


def test_an_image_has_one_colour_in_every_map():
    samples = colour_samples()
    whole = image_map(samples.sources)
    assert (image_map(samples[3].sources) == whole[3:4]).all()
    assert (image_map(samples[::-1].sources) == whole[::-1]).all()
    for number in np.unique(samples.sources.image):
        here = whole[samples.sources.image == number]
        assert (here == id_colours(np.array([number]))[0]).all()


def test_colours_of_image_numbers_never_change():
    """Pictures made by different versions must agree: these colours are part of the format."""
    colours = [hex_of(colour) for colour in id_colours(np.array([0, 1, 2, 59_999]))]
    assert colours == ["#4C998B", "#55593D", "#F2B28F", "#DB3A62"]


def test_sixty_thousand_images_have_colours_of_their_own():
    colours = id_colours(np.arange(60_000))
    assert len(np.unique(colours, axis=0)) > 59_500
    points = oklab(linear(colours))
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).min() > 0.15
    assert np.abs(np.diff(points[:, 0])).min() > 0.15  # neighbouring numbers differ in grey too


def test_many_classes_get_different_colours():
    assert len(np.unique(class_colours(np.arange(200)), axis=0)) == 200


def test_no_source_is_neutral():
    samples = colour_samples()
    image = samples.sources.image.copy()
    image[0, 0, 0] = -1
    label = samples.sources.label.copy()
    label[0, 0, 0] = -1
    sources = with_sources(samples, image=image, label=label).sources
    for draw in (image_map, class_map, place_map):
        assert tuple(draw(sources)[0, 0, 0]) == NEUTRAL
    for draw in (step_map, pool_map, distance_map):
        given = sources.step < 0
        assert (draw(sources)[given] == NEUTRAL).all()


def test_ramp_gets_lighter_all_the_way():
    lightness = oklab(linear(ramp_colours(np.linspace(0, 1, 50))))[:, 0]
    assert (np.diff(lightness) > 0).all()


def test_step_map_gets_lighter_with_time():
    sources = colour_samples().sources
    lightness = oklab(linear(step_map(sources)))[..., 0]
    order = np.argsort(sources.step[0][sources.step[0] >= 0])
    ordered = lightness[0][sources.step[0] >= 0][order]
    assert (np.diff(ordered) >= -0.005).all()  # rounding to 8 bits


def test_place_map_is_smooth_where_a_piece_was_copied():
    samples = colour_samples()[0]
    row, col = np.mgrid[:16, :16][:, None]
    colours = oklab(linear(place_map(with_sources(samples, row=row, col=col).sources)[0]))
    assert np.linalg.norm(np.diff(colours, axis=0), axis=-1).max() < 0.12
    assert np.linalg.norm(np.diff(colours, axis=1), axis=-1).max() < 0.12


@pytest.mark.parametrize("columns", [None, 1, 4, 100])
def test_grid_shows_every_pixel_of_every_sample(columns):
    samples = digit_samples()
    grid = np.asarray(samples.grid(columns=columns))
    across = min(columns or 4, len(samples))
    down = -(-len(samples) // across)

    def shows(scale: int, gap: int) -> bool:
        pitch = 8 * scale + gap
        return grid.shape[:2] == (down * pitch - gap, across * pitch - gap) and all(
            (
                grid[index // across * pitch :, index % across * pitch :][: 8 * scale, : 8 * scale]
                == enlarge(to_rgb(image), scale)
            ).all()
            for index, image in enumerate(samples.images)
        )

    assert any(shows(scale, gap) for scale in range(2, 60) for gap in range(1, 40))


@pytest.mark.parametrize("count", [1, 3, 4, 12])
def test_maps_are_wide_enough_to_see(count):
    picture = draw_maps(digit_samples()[:count])
    assert picture.mode == "RGB"
    assert 500 < picture.width < 1200
    assert picture.height > count * 168 / (2 if count > 3 else 1)
    assert draw_overview(digit_samples()[:count]).width < 1200


def test_maps_show_sixteen_at_most():
    samples = digit_samples()
    many = samples[[*range(12), *range(12)]]
    assert draw_maps(many).height <= draw_maps(many[:16]).height
    assert np.asarray(many.grid()).size > np.asarray(samples.grid()).size / 2


def test_outline_stays_inside_the_seed_and_off_the_edge():
    mask = np.zeros((6, 6), dtype=bool)
    mask[:3, :3] = True
    big = np.zeros((60, 60, 3), dtype=np.uint8)
    drawn = outlined(big, mask, colour="#FFFFFF", edge="#FF0000")
    painted = drawn.any(axis=-1)
    assert not painted[30:].any() and not painted[:, 30:].any()
    assert painted[29, :30].all() and painted[:30, 29].all()
    assert not painted[:20, :20].any()  # along the picture's edge there is no boundary
    assert (drawn[28, :27] == 255).all() and (drawn[27, :26, 0] == 255).all()


def test_columns_fit_the_corpus():
    samples = colour_samples()
    assert [title for title, _ in columns_of(samples)] == [
        "Samples", "Source image", "Source class",
    ]  # fmt: skip
    one = replace(
        with_sources(
            samples,
            image=np.zeros_like(samples.sources.image),
            label=np.full_like(samples.sources.label, -1),
        ),
        origin=Origin(data="brick.png", images=1),
    )
    assert [title for title, _ in columns_of(one)] == ["Samples", "Source place"]
    none = with_sources(samples, image=np.full_like(samples.sources.image, -1))
    assert [title for title, _ in columns_of(none)] == ["Samples"]
    draw_maps(one)
    draw_maps(none)


def test_legend_names_the_classes_that_occur():
    samples = colour_samples()
    assert class_legend(samples) == [(CLASS_COLOURS[0], "palace"), (CLASS_COLOURS[1], "flower")]
    unnamed = replace(samples, origin=Origin())
    assert [name for _, name in class_legend(unnamed)] == ["0", "1"]
    label = np.arange(samples.sources.label.size).reshape(samples.sources.shape) % 40
    entries = class_legend(with_sources(unnamed, label=label))
    assert len(entries) == 25 and entries[-1][1] == "and 16 more classes"


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (1, 1), (3, 300)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_odd_shapes_are_drawn(shape, channels):
    samples = colour_samples()[0]
    some = np.resize(np.arange(np.prod(shape)), (1, *shape))
    fields = {
        name: np.resize(value, (1, *shape)) for name, value in samples.sources.arrays().items()
    }
    fields["step"] = some - 1
    sources = type(samples.sources)(**fields)
    images = np.resize(samples.images, (1, *shape, channels))
    odd = replace(samples, images=images, sources=sources)
    for picture in (odd.grid(), draw_maps(odd), draw_overview(odd)):
        assert picture.width >= 1


def test_an_empty_grid_is_refused():
    for samples, columns in ((digit_samples()[:0], None), (digit_samples(), -1)):
        with pytest.raises(UsageError, match="at least 1"):
            samples.grid(columns=columns)
