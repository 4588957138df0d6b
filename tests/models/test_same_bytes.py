"""Same bytes for any batch, block, thread count and company, resumed or not (law 3)."""

from __future__ import annotations

import io

import numpy as np
import pytest

from intarsia.models import NonparametricSampler
from intarsia.models.batch import Batch
from intarsia.samples import Samples
from tests.models.obvious import assert_law, assert_same

CORPORA = ["mnist", "cifar10"]
# Seeds are large to keep runs short; every pixel is drawn as in any other run.
SEED_SIDE = {"mnist": 17, "cifar10": 26}


def named(options: dict[str, object]) -> str:
    return " ".join(str(value) for value in options.values())


def grown(
    model: NonparametricSampler, n: int, size: int, threads: int, only: range | list[int]
) -> Samples:
    """The samples ``only`` of a run of ``n``, in batches of at most ``size``."""
    model.threads = threads
    skip = np.setdiff1d(np.arange(n), only)
    batches = list(model.batches(n, 9, size, skip))
    assert max(len(b.samples) for b in batches) <= size
    for batch in batches:
        for _ in model.grow(batch, 9):
            pass
    found = model.gather(batches, n, 9)
    numbers = np.sort(np.concatenate([b.samples for b in batches]))
    return Samples(found.images, found.sources, found.settings, found.labels, found.corpus, numbers)


@pytest.mark.parametrize("principles", ["NS+L", "NS+L+H"])
@pytest.mark.parametrize("name", CORPORA)
def test_batches_of_1_7_and_32_and_threads_1_2_and_3_give_the_same_bytes(name, principles, request):
    corpus = request.getfixturevalue(name)
    model = NonparametricSampler(corpus, principles=principles, seed_size=SEED_SIDE[name])
    whole = grown(model, 33, 32, threads=2, only=range(33))
    assert len(whole) == 33
    assert_law(whole)
    sevens = grown(model, 33, 7, threads=1, only=range(3, 12))
    assert_same(whole, sevens, slice(3, 12))
    alone = [0, 32]
    assert_same(whole, grown(model, 33, 1, threads=3, only=alone), alone)


@pytest.mark.parametrize("principles", ["NS+L", "NS+L+H"])
@pytest.mark.parametrize("name", CORPORA)
def test_seeds_at_random_places_give_the_same_bytes_in_any_batch(name, principles, request):
    corpus = request.getfixturevalue(name)
    # Few places, so that batches of several samples come together.
    side = corpus.size[0] - 2
    model = NonparametricSampler(corpus, principles=principles, seed_at="random", seed_size=side)
    whole = grown(model, 24, 32, threads=3, only=range(24))
    assert_law(whole)
    assert 6 <= len(list(model.batches(24, 9, 32))) <= 9  # places, most of several samples
    assert_same(whole, grown(model, 24, 2, threads=1, only=range(5, 17)), slice(5, 17))
    alone = [1, 23]
    assert_same(whole, grown(model, 24, 1, threads=2, only=alone), alone)


@pytest.mark.parametrize(
    "options",
    [
        {"principles": "L", "window": 5},
        {"principles": "NS+H"},
        {"principles": "NS+L+H", "condition": "class"},
        {"principles": "NS+L", "min_pool": 30},
        {"principles": "NS+L", "border": "wrap", "epsilon": "1000"},
        {"principles": "NS+L+H", "threshold": "intersection"},
    ],
    ids=named,
)
def test_every_model_gives_the_same_bytes_in_any_batch(options, few):
    model = NonparametricSampler(few, seed_size=25, **options)
    whole = grown(model, 11, 32, threads=3, only=range(11))
    assert_law(whole)
    assert_same(whole, grown(model, 11, 4, threads=1, only=range(2, 11)), slice(2, 11))
    assert_same(whole, grown(model, 11, 1, threads=2, only=[10]), [10])


def through_a_file(batch: Batch) -> Batch:
    stream = io.BytesIO()
    np.savez(stream, **batch.to_arrays())
    stream.seek(0)
    with np.load(stream, allow_pickle=False) as archive:
        return Batch.from_arrays(dict(archive))


@pytest.mark.parametrize(
    "options",
    [
        {"principles": "NS+L"},
        {"principles": "NS+L+H"},
        {"principles": "NS+L+H", "condition": "class"},
        {"principles": "NS+L+H", "encoder": "patch:lowres", "keep": 9, "radius": 1},
        {"principles": "NS+L+H", "threshold": "intersection", "epsilon": "0.5"},
    ],
    ids=named,
)
def test_a_batch_saved_midway_and_grown_on_gives_the_same_bytes(options, few):
    model = NonparametricSampler(few, seed_size=25, **options)
    whole = next(model.batches(3, 4))
    saved = {}
    for step in model.grow(whole, 4):
        if step.batch.step in (1, 16, 17, 100, 158):
            saved[step.batch.step] = through_a_file(step.batch)
    assert whole.done and len(saved) == 5
    for at, batch in saved.items():
        assert batch.step == at and not batch.done
        again = list(model.grow(batch, 4))
        assert len(again) == len(whole.order) - at
        for name, array in whole.to_arrays().items():
            np.testing.assert_array_equal(batch.to_arrays()[name], array, err_msg=name)
    finished = through_a_file(whole)
    assert finished.done and list(model.grow(finished, 4)) == []
