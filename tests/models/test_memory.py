"""A budget of memory bounds the canvases side by side, and changes no result."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import UsageError
from intarsia.models.machine_batch import batches
from intarsia.models.machines import MACHINES
from intarsia.models.memory import in_bytes

SETTINGS = {"els": {"scales": 7}, "bbels": {"scales": 9}, "ls": {"scales": 9}, "es": {}, "is": {}}

PEAK = """
import sys
from intarsia.corpus import Corpus
from intarsia.models.machines import MACHINES
def status(name):
    lines = open("/proc/self/status")
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024
corpus = Corpus.open("digits", limit=200, resize=24)
settings = {"scales": 15} if sys.argv[1] in ("els", "bbels") else {}
machine = MACHINES[sys.argv[1]](corpus, steps=2, threads=2, **settings)
machine.sample(1, batch=1)
before = status("VmHWM")
machine.memory = 100 * 2**20
machine.sample(48, batch=48)
print(status("VmHWM") - before, machine.canvas_bytes)
"""


@pytest.mark.parametrize("name", SETTINGS)
def test_a_small_budget_takes_fewer_canvases_and_draws_the_same(name):
    corpus = Corpus.open("digits", limit=60)
    machine = MACHINES[name](corpus, steps=3, **SETTINGS[name])
    wide = machine.sample(5)
    machine.memory = 2 * machine.canvas_bytes
    assert [len(one.samples) for one in batches(machine, 5, 0)] == [2, 2, 1]
    assert [len(one.samples) for one in batches(machine, 5, 0, size=4)] == [2, 2, 1]
    narrow = machine.sample(5, batch=5)
    assert (narrow.extra["raw"] == wide.extra["raw"]).all()
    assert (narrow.sources.image == wide.sources.image).all()
    machine.memory = 1  # one canvas is always taken
    assert np.array_equal(machine.sample(2).images, wide.images[:2])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["els", "bbels", "es"])
def test_canvases_stay_within_the_budget(name):
    found = subprocess.run(
        [sys.executable, "-c", PEAK, name], capture_output=True, text=True, check=True
    )
    more, one = map(int, found.stdout.split())
    assert more <= 100 * 2**20 + one


@pytest.mark.parametrize(("text", "size"), [("500MB", 500 * 2**20), ("1.5 gb", 3 * 2**29)])
def test_sizes_are_read(text, size):
    assert in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "lots", "-1GB", "10", "5KB", "1e9"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UsageError, match="--memory is"):
        in_bytes(text)
