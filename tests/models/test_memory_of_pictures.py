"""Law 3 for corpora larger than memory: what is let go and read again changes nothing."""

import numpy as np
import pytest

from intarsia import Corpus, NonparametricSampler
from intarsia.dictionary.room import Room
from intarsia.errors import IntarsiaError, UsageError

SETTINGS = [
    {"principles": "NS+L"},
    {"principles": "NS+L", "border": "zeros"},
    {"principles": "NS+L", "border": "wrap"},
    {"principles": "NS+L+H"},
    {"condition": "class", "label": 4},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: "-".join(map(str, s.values())))
def test_pictures_that_are_let_go_at_every_step_draw_the_same(settings):
    corpus = Corpus.open("digits", limit=300)
    expected = NonparametricSampler(corpus, **settings).sample(3, seed=7)
    model = NonparametricSampler(corpus, memory=1, **settings)
    found = model.sample(3, seed=7)
    assert (found.images == expected.images).all()
    for name in ("image", "row", "col", "label", "step", "pool"):
        assert (getattr(found.sources, name) == getattr(expected.sources, name)).all(), name


def test_pages_are_given_back_where_the_budget_is_spent():
    room = Room(2**20)
    pixels = room.blank((64, 2**16))
    for row in pixels:
        row[:] = 7
        room.touch(1, row.size)
    assert _resident(pixels) < 2 * 2**20
    assert (pixels == 7).all()  # and come back


def test_a_model_that_reads_everything_at_each_step_refuses_a_budget():
    with pytest.raises(UsageError, match="--memory bounds models that match places"):
        NonparametricSampler(Corpus.open("digits"), principles="L", memory=2**20)


def test_a_full_disk_is_said(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(IntarsiaError, match="has no room for 0.0 GB"):
        Room(2**20).blank((1000,))


def _resident(array: np.ndarray) -> int:
    """Bytes of a mapping that are in this process's memory now."""
    start = array.__array_interface__["data"][0]
    with open("/proc/self/smaps") as lines:
        inside = False
        for line in lines:
            head = line.split()[0]
            if "-" in head and not head.endswith(":"):
                first, last = (int(part, 16) for part in head.split("-"))
                inside = first <= start < last
            elif inside and head == "Rss:":
                return 1024 * int(line.split()[1])
    raise AssertionError("the mapping was not found")
