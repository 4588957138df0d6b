"""Whole pictures by the obvious loop, asked exactly what a model was asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from intarsia.models import NonparametricSampler
from intarsia.represent import LowResolution, open_encoder
from intarsia.samples import SOURCE_FIELDS, Samples
from tests.reference.lowres import reference_similar
from tests.reference.sampler import ReferenceSample, reference_sample

FIELDS = [name for name in SOURCE_FIELDS if name != "transform"]


def seed_of(samples: Samples, b: int) -> tuple[tuple[int, int], tuple[int, int], int, int]:
    """Place on the canvas, place in the picture, picture, and side of a sample's square seed."""
    rows, cols = np.nonzero(samples.sources.step[b] == -1)
    place = int(rows.min()), int(cols.min())
    side = int(rows.max()) + 1 - place[0]
    assert len(rows) == side**2 and cols.max() + 1 - cols.min() == side
    picture = int(samples.sources.image[b][place])
    source = int(samples.sources.row[b][place]), int(samples.sources.col[b][place])
    return place, source, picture, side


def expected_sample(model: NonparametricSampler, samples: Samples, b: int) -> ReferenceSample:
    """Grow sample ``b`` again from its seed, one candidate at a time."""
    s, corpus = model.settings, model.corpus
    place, source, picture, side = seed_of(samples, b)
    barred = -1 if s.allow_seed_source else picture
    by_class = s.by_meaning and s.condition == "class"
    similar = None
    if s.by_meaning and not by_class:
        phi = open_encoder(s.encoder)
        assert isinstance(phi, LowResolution)

        def similar(canvas: np.ndarray, known: np.ndarray) -> list[int]:
            return reference_similar(
                canvas, known, corpus.planes, s.keep, factor=phi.factor, barred=barred
            )

    top, left = source
    return reference_sample(
        list(corpus.planes),
        corpus.labels,
        model.canvas_size,
        corpus[picture][top : top + side, left : left + side],
        place,
        picture,
        model.window.weights,
        s.border,
        seed_source=source,
        valid=None if corpus.valid is None else list(corpus.valid),
        radius=s.radius if s.by_place else None,
        label=int(corpus.labels[picture]) if by_class else None,
        similar=similar,
        refresh=s.refresh,
        not_source=not s.allow_seed_source,
        epsilon=s.epsilon,
        min_pool=s.min_pool,
        appearance=s.by_appearance,
        seed=samples.settings["seed"],
        sample=b,
    )


def assert_equal(samples: Samples, b: int, expected: ReferenceSample) -> None:
    """Every pixel and every array of its source, bit for bit."""
    np.testing.assert_array_equal(samples.images[b], expected.canvas)
    for name in FIELDS:
        found, wanted = getattr(samples.sources, name)[b], getattr(expected, name)
        np.testing.assert_array_equal(found, wanted, err_msg=name)
    assert (samples.sources.transform[b] == 0).all()


def assert_law(samples: Samples) -> None:
    """The pixel law, and that every pixel is filled once with a pool of at least one."""
    sources, corpus = samples.sources, samples.corpus
    assert corpus is not None and sources.evidence == "exact"
    drawn = corpus[sources.image, sources.row, sources.col]
    np.testing.assert_array_equal(samples.images, drawn)
    samples.check_pixel_law(corpus)
    if corpus.labels is not None:
        np.testing.assert_array_equal(sources.label, corpus.labels[sources.image])
    else:
        assert (sources.label == -1).all()
    for step in sources.step:
        count = int((step >= 0).sum())
        assert sorted(step[step >= 0].tolist()) == list(range(count))
    assert (sources.pool >= 1).all()
    np.testing.assert_array_equal(sources.weight, (1 / sources.pool).astype(np.float32))
    assert (sources.distance >= 0).all() and (sources.distance <= 1).all()


def assert_same(first: Samples, second: Samples, which: Any = slice(None)) -> None:
    """Same bytes: pictures, labels and every array of the sources."""
    some = first[which]
    np.testing.assert_array_equal(some.seeds, second.seeds)
    np.testing.assert_array_equal(some.images, second.images)
    for name in SOURCE_FIELDS:
        np.testing.assert_array_equal(
            getattr(some.sources, name), getattr(second.sources, name), err_msg=name
        )
    assert (some.labels is None) == (second.labels is None)
    if some.labels is not None:
        np.testing.assert_array_equal(some.labels, second.labels)
