"""Wrong settings are refused before anything is drawn: the value is named, and a fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.models import EfrosLeung, Inpainting, NonparametricSampler, Settings, Texture
from intarsia.models.catalogue import check_name
from tests.pictures import digits

Made = Callable[[], Any]


def corpus(count: int = 12, labels: bool = True) -> Corpus:
    images = np.array(digits().images[:count])
    return Corpus.from_arrays(images, np.arange(count) % 4 if labels else None)


def mixed() -> Corpus:
    images = digits().images
    return Corpus.from_arrays([np.array(images[0]), np.array(images[1][:7]), np.array(images[2])])


def model(**options: Any) -> Made:
    return lambda: NonparametricSampler(corpus(), **options)


def sample(n: int = 1, seed: int = 0, batch: int | None = None, **options: Any) -> Made:
    return lambda: NonparametricSampler(corpus(), **options).sample(n, seed, batch=batch)


def mask(*shape: int) -> Made:
    return lambda: Inpainting(np.array(digits()[0]), np.eye(*shape, dtype=bool), corpus())


TABLE: list[tuple[str, Made, str, str]] = [
    # what is wrong, how, the value named, the fix named
    ("even window", model(window=4), "--window is 4", "odd.*Try 5"),
    ("no window", model(window=0), "--window is 0", "Try 3"),
    ("window larger than the image", model(window=9), "--window is 9.*8 pixels", "smaller odd"),
    (
        "window larger than what is drawn",
        lambda: EfrosLeung(corpus(), size=(4, 30), window=5, seed_size=3),
        "--window is 5.*4 pixels",
        "smaller odd",
    ),
    ("window of words", model(window="wide"), "--window is 'wide'", "integer"),
    ("no width", model(window=5, sigma=0), "--sigma is 0", "positive width"),
    ("radius < 0", model(radius=-1), "--radius is -1", "0 or more"),
    ("epsilon < 0", model(epsilon="-0.1"), "--epsilon is -0.1", "0 or more"),
    ("epsilon < 0 as a number", model(epsilon=-0.5), "--epsilon is -0.5", "0 or more"),
    ("epsilon of 7 decimals", model(epsilon="0.1234567"), "0.1234567", "at most 6 decimals"),
    ("epsilon of words", model(epsilon="small"), "'small'", "not a number"),
    ("epsilon without end", model(epsilon="inf"), "'inf'", "not a number"),
    ("epsilon too large", model(epsilon="1001"), "--epsilon is 1001", "Try 0.1"),
    ("n of 0", sample(n=0), "--n is 0", "at least 1"),
    ("n < 0", sample(n=-3), "--n is -3", "at least 1"),
    ("seed too large", sample(seed=2**63), str(2**63), r"0 to 2\^63 - 1"),
    ("seed < 0", sample(seed=-1), "--seed is -1", r"0 to 2\^63 - 1"),
    ("batch of 0", sample(batch=0), "--batch is 0", "at least 1"),
    ("unknown encoder", model(encoder="dino"), "'dino'", "Known: lowres"),
    ("patch of a patch", model(encoder="patch:patch:lowres"), "patch:patch:lowres", "twice"),
    ("cells of no pixels", model(encoder="lowres0"), "side 0", "encoder"),
    ("unknown preset", model(preset="table-3"), "'table-3'", "Known: table-2"),
    ("unknown principles", model(principles="L+NS"), "'L\\+NS'", "'NS\\+L'"),
    ("unknown condition", model(condition="colour"), "'colour'", "'class'"),
    ("unknown threshold", model(threshold="union"), "'union'", "'intersection'"),
    ("unknown border", model(border="mirror"), "'mirror'", "'wrap'"),
    ("unknown setting", model(windw=5), "'windw'", "no setting called"),
    ("keep 0", model(keep=0), "--keep is 0", "at least 1"),
    ("refresh 0", model(refresh=0), "--refresh is 0", "1 or more"),
    ("min_pool 0", model(min_pool=0), "--min-pool is 0", "at least 1"),
    ("seed of no pixels", model(seed_size=0), "--seed-size is 0", "at least 1"),
    ("seed larger than the image", sample(seed_size=9), "--seed-size is 9", "8x8"),
    ("seed at nowhere", sample(seed_at="left"), "'left'", "center, random or ROW,COL"),
    ("seed at less than nothing", sample(seed_at="-1,0"), "'-1,0'", "ROW,COL"),
    ("seed outside", sample(seed_at="5,0"), "--seed-at 5,0", "last place it fits is 4,4"),
    ("size with NS", model(size=(9, 9)), "--size 9x9.*8x8", "--principles L, or leave --size"),
    ("size of nothing", model(size=(0, 8)), "--size is 0x8", "such as 64x64"),
    (
        "class without H",
        model(condition="class", principles="NS+L"),
        "--principles is NS\\+L",
        "--principles NS\\+L\\+H, or drop --condition",
    ),
    ("unknown label", model(label=7), "--label is 7", "0, 1, 2, 3"),
    (
        "label without labels",
        lambda: NonparametricSampler(corpus(labels=False), label=2),
        "no labels",
        "drop --label",
    ),
    (
        "class without labels",
        lambda: NonparametricSampler(corpus(labels=False), condition="class"),
        "no labels",
        "class",
    ),
    (
        "corpus of one image",
        lambda: NonparametricSampler(corpus(1)),
        "one picture",
        "--allow-seed-source, or use more pictures",
    ),
    (
        "class of one image",
        lambda: NonparametricSampler(corpus(5), condition="class", label=2),
        "Class 2 has one picture",
        "--allow-seed-source, or use more pictures",
    ),
    ("mixed sizes", lambda: NonparametricSampler(mixed()), "7 to 8 rows", "--resize S"),
    (
        "mixed sizes of one asked size",
        lambda: NonparametricSampler(mixed(), size=(8, 8)),
        "7 to 8 rows",
        "--resize S",
    ),
    ("mask of another size", mask(7, 8), "mask is 7x8.*8x8", "mask of the picture's size"),
    (
        "texture smaller than its window",
        lambda: Texture(corpus(), (20, 20)),
        "--window is 11.*8 pixels",
        "smaller odd",
    ),
    ("unknown device", model(device="gpu"), "'gpu'", "cpu, cuda or mps"),
    ("unknown model", lambda: check_name("npz"), "'npz'", "Did you mean nps"),
]


@pytest.mark.parametrize(
    ("made", "value", "fix"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_wrong_settings_are_refused_by_value_with_a_fix(made, value, fix):
    with pytest.raises(UsageError, match=value) as caught:
        made()
    message = str(caught.value)
    assert caught.match(fix)
    assert message.endswith((".", "?")) and "\n" not in message and len(message) < 300
    assert caught.value.exit_code == 2


def test_no_threads_are_refused():
    with pytest.raises(UsageError, match="--threads is 0.*at least 1"):
        NonparametricSampler(corpus(), threads=0).sample(1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_cuda_asked_for_and_absent_is_refused(device):
    with pytest.raises(UsageError, match=f"--device {device} was asked for.*Use --device cpu"):
        NonparametricSampler(corpus(), device=device)


def test_defaults_depend_on_the_corpus_and_are_resolved_in_plain_values():
    small = Settings.of().resolved((8, 8), 1, 1797)
    assert (small.window, small.radius, small.keep, small.seed_size) == (5, 1, 100, 4)
    large = Settings.of().resolved((32, 32), 3, 50_000)
    assert (large.window, large.radius, large.keep, large.seed_size) == (9, 2, 200, 8)
    assert Settings.of().resolved((32, 32), 3, 7).keep == 7
    resolved = NonparametricSampler(corpus()).resolved_settings(3, 5)
    assert resolved["n"] == 3 and resolved["seed"] == 5 and resolved["model"] == "nps"
    assert None not in [v for k, v in resolved.items() if k != "label"]


def test_resolved_settings_make_the_same_model_again():
    first = NonparametricSampler(corpus(), principles="NS+L", epsilon=0.25, min_pool=2)
    settings = first.resolved_settings(2, 0)
    for name in ("model", "n", "seed"):
        del settings[name]
    again = NonparametricSampler(corpus(), **settings)
    assert again.resolved_settings(2, 0) == first.resolved_settings(2, 0)
    assert (again.sample(2).images == first.sample(2).images).all()


def test_a_preset_gives_way_to_what_is_said():
    preset = Settings.of("table-2")
    assert (preset.min_pool, preset.radius, preset.encoder) == (5, 0, "simclr")
    assert Settings.of("table-2", min_pool=3).min_pool == 3
