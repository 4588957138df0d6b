"""Generating and attributing in a loop keeps memory flat.

INTARSIA_SOAK sets how many seconds it lasts (an hour: 3600); a few by default.
"""

import os
import resource
import sys
import time

import numpy as np
import pytest

from intarsia import Corpus, NonparametricSampler
from intarsia.models.machines import machine_kind
from intarsia.provenance.attribution import Attributor

SECONDS = float(os.environ.get("INTARSIA_SOAK", "20"))
WARM = 8
"""Rounds in which caches fill and the allocator settles."""

ALLOWED = 24 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/statm")
@pytest.mark.timeout(SECONDS + 300)
def test_memory_is_flat_over_many_rounds():
    corpus = Corpus.open("digits")
    end, rounds, held = time.monotonic() + SECONDS, 0, []
    while time.monotonic() < end or rounds < WARM + 4:
        for principles in ("NS+L", "NS+L+H"):
            samples = NonparametricSampler(corpus, principles=principles).sample(2, seed=rounds)
        found = Attributor(corpus, window=5).attribute(samples.images[0])
        assert found.mosaic.shape == samples.images[0].shape
        raw = machine_kind("bbels")(corpus, steps=3, scales="5,3,3").sample(1, seed=rounds)
        assert np.isfinite(raw.extra["raw"]).all()
        rounds += 1
        held.append(_resident())
    print(f"{rounds} rounds, MB: {[h >> 20 for h in held[:: max(1, rounds // 20)]]}")
    grown = min(held[-3:]) - max(held[WARM - 3 : WARM])
    assert grown < ALLOWED, f"{grown / 2**20:.0f} MB more after {rounds} rounds"


def _resident() -> int:
    with open("/proc/self/statm") as line:
        return int(line.read().split()[1]) * resource.getpagesize()
