from __future__ import annotations

import base64
import io
import json
import math
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from intarsia.provenance import report_html, run_metrics
from intarsia.provenance.metrics import explained
from intarsia.samples import Origin, Sources
from tests.provenance.made import colour_samples, digit_samples, with_sources

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Collects what the laws speak of, and checks that tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        if tag == "img":
            self.images.append(found)
        self.links += [found[name] for name in ("src", "href", "srcset") if found.get(name)]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)


def page_of(samples, extra=None) -> Page:
    return Page(report_html(samples, run_metrics(samples, extra)))


@pytest.mark.parametrize("samples", [colour_samples, digit_samples])
def test_report_needs_nothing_beside_it(samples):
    page = page_of(samples())
    assert page.open == []
    assert page.links and all(link.startswith("data:image/png;base64,") for link in page.links)
    assert "script" not in page.tags and "link" not in page.tags
    for image in page.images:
        assert image["alt"]
        Image.open(io.BytesIO(base64.b64decode(image["src"].split(",")[1]))).verify()


def test_report_says_what_the_run_is():
    text = " ".join(page_of(colour_samples(), {"seconds": 1.5, "empty_pools": 3}).words)
    for part in ("5 pictures from crops", "nps", "NS+L+H", "220", "palace", "flower", "Seconds",
                 "1.5", "Empty pools", "Class-map entropy"):  # fmt: skip
        assert part in text, part
    assert "$" not in text


def test_report_shows_eight_one_by_one():
    page = page_of(digit_samples())
    assert page.tags.count("section") == 8
    assert "The first 8 of 12." in " ".join(page.words)


def test_report_works_without_corpus_labels_or_sources():
    samples = colour_samples()
    page_of(replace(samples, corpus=None))
    unlabelled = with_sources(samples, label=np.full_like(samples.sources.label, -1))
    assert "Source class" not in " ".join(page_of(unlabelled).words)
    nothing = np.full_like(samples.sources.image, -1)
    none = Sources(
        **{**samples.sources.arrays(), "image": nothing, "label": nothing, "step": nothing},
        evidence="none",
    )
    assert "no claim" in " ".join(page_of(replace(samples, sources=none)).words)


def test_what_people_type_is_escaped():
    samples = colour_samples()
    nasty = "<script>alert('x')</script>"
    origin = Origin(data=nasty, split='"', images=3, class_names=(nasty, "a & b"))
    page = page_of(
        replace(samples, origin=origin, settings={"model": nasty, nasty: nasty, "cost": "$grid"}),
        {nasty: nasty},
    )
    assert page.open == [] and "script" not in page.tags
    assert nasty in " ".join(page.words) and "$grid" in " ".join(page.words)


def test_metrics_are_plain_json_with_none_for_the_undefined():
    metrics = run_metrics(digit_samples(), {"seconds": 2.0})
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert metrics["n"] == 12 and metrics["run"] == {"seconds": 2.0}
    assert metrics["entropy"]["class_map_drawn"] is None
    assert all(len(row) == 3 for row in explained(metrics))


def test_metrics_agree_with_the_sources():
    samples = colour_samples()
    metrics = run_metrics(samples)
    drawn = samples.sources.step >= 0
    pools = np.sort(samples.sources.pool[drawn])
    assert metrics["pool"]["min"] == pools[0] and metrics["pool"]["max"] == pools[-1]
    assert metrics["pool"]["median"] == np.median(pools)
    assert metrics["pool"]["mean"] == pytest.approx(pools.mean())
    assert 0 <= metrics["entropy"]["class_map"] <= math.log(2) + 1e-9
    assert metrics["top_source_share"]["max"] >= metrics["top_source_share"]["mean"]


def test_metrics_of_samples_without_sources():
    samples = colour_samples()
    nothing = np.full_like(samples.sources.image, -1)
    metrics = run_metrics(with_sources(samples, image=nothing, label=nothing))
    assert metrics["pool"]["median"] is None and metrics["entropy"]["image_map"] is None
    assert metrics["top_source_share"]["mean"] is None
    assert all("undefined" in value for _, value, _ in explained(metrics)[:2])


def test_inpainted_pictures_are_told_from_grown_ones():
    samples = colour_samples()
    step = samples.sources.step.copy()
    step[:, :12] = -1
    inpainted = replace(
        with_sources(samples, step=step), origin=Origin(data="/far/away/a.png,/b.png", images=2)
    )
    words = " ".join(page_of(inpainted).words)
    assert "marks the pixels that were drawn" in words and "marks the seed" not in words
    assert "64 pixels drawn into it, from" in words
    assert "5 pictures from a.png, b.png" in words and "/far/away" not in words
    words = " ".join(page_of(samples).words)
    assert "marks the seed" in words and "around 16 given pixels" in words
