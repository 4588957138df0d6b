from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from intarsia.provenance import draw_timeline, timeline, timeline_svg
from intarsia.provenance.timeline import _ticks
from tests.provenance.made import colour_samples, digit_samples, with_sources


def test_steps_come_in_order_without_the_seed():
    sources = colour_samples().sources
    line = timeline(sources, 1)
    assert line.step.tolist() == list(range(240))
    for step, image, label in zip(line.step, line.image, line.label, strict=True):
        y, x = np.argwhere(sources.step[1] == step)[0]
        assert image == sources.image[1, y, x] and label == sources.label[1, y, x]


def test_svg_is_well_formed_and_has_one_dot_a_pixel():
    samples = colour_samples()
    root = ET.fromstring(timeline_svg(samples, 1))
    under, *classes = [path for path in root if path.get("class", "").startswith("dots")]
    assert under.get("d").count("M") == 240
    assert sum(path.get("d").count("M") for path in classes) == 240
    assert {path.get("stroke") for path in classes} <= {"#0C5BB2", "#E6B50C"}
    assert "240 steps" in root.get("aria-label")


def test_a_sample_of_given_pixels_alone_is_drawn():
    samples = colour_samples()
    given = with_sources(samples, step=np.full_like(samples.sources.step, -1))
    ET.fromstring(timeline_svg(given))
    draw_timeline(given)


def test_panel_is_drawn():
    assert draw_timeline(colour_samples(), 2).width > 900
    samples = digit_samples()
    unlabelled = with_sources(samples, label=np.full_like(samples.sources.label, -1))
    assert draw_timeline(unlabelled).width < draw_timeline(samples).width


@pytest.mark.parametrize("end", [1, 2, 3, 7, 63, 240, 719, 1797, 2000, 50_000, 60_000, 10**7])
def test_ticks_are_few_and_round(end):
    ticks = _ticks(end)
    assert ticks[0] == 0 and ticks[-1] <= end
    assert 2 <= len(ticks) <= 7
    assert all(str(tick).rstrip("0") in {"", *(str(n) for n in range(1, 100))} for tick in ticks)
