"""Paper C's theorems as properties: who commutes with what, and where local machines end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.corpus import Corpus
from intarsia.dictionary.orbit import named_group
from intarsia.measure.local_consistency import consistent
from intarsia.models.machines import MACHINES

SIDE = 6
CORPUS = Corpus.from_arrays(np.array(Corpus.open("digits", limit=6).images[:, 1:7, 1:7]))
GROUPS = ("translations", "flips", "turns")
MACHINES_OF = {
    "is": {},
    "es translations": {"group": "translations"},
    "es flips": {"group": "flips"},
    "es turns": {"group": "turns"},
    "es translations+flips": {"group": "translations+flips"},
    "ls": {"scales": 3},
    "els": {"scales": 3},
    "els interior": {"scales": 3, "dictionary": "interior"},
    "bbels": {"scales": 3},
}
COMMUTES = {
    ("es translations", "translations"),
    ("es flips", "flips"),
    ("es turns", "turns"),
    ("es translations+flips", "translations"),
    ("es translations+flips", "flips"),
    ("els", "translations"),
    ("els interior", "translations"),
}


def off(name: str, group: str, element: int, t: float, seed: int) -> float:
    """The largest difference between the score of a moved canvas and the moved score."""
    machine = MACHINES[name.split()[0]](CORPUS, **MACHINES_OF[name])
    moves = named_group(group, (SIDE, SIDE), 1)
    x = np.random.default_rng(seed).standard_normal((1, 1, SIDE, SIDE)).astype(np.float32)
    moved = machine.score(moves.apply(element, x).astype(np.float32), t)
    apart = np.abs(moved - moves.apply(element, machine.score(x, t))).max()
    return float(apart * (1 - machine.schedule.alpha_bar(t)))


@pytest.mark.parametrize("pair", sorted(COMMUTES), ids=" under ".join)
@given(data=st.data())
@settings(max_examples=15)
def test_an_equivariant_machine_commutes_with_every_element(
    pair: tuple[str, str], data: st.DataObject
) -> None:
    name, group = pair
    count = len(named_group(group, (SIDE, SIDE), 1))
    element = data.draw(st.integers(0, count - 1), "element")
    t = data.draw(st.floats(0.1, 0.95), "t")
    assert off(name, group, element, t, data.draw(st.integers(0, 99), "seed")) < 2e-4


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", MACHINES_OF)
def test_all_others_do_not(name: str, group: str) -> None:
    count = len(named_group(group, (SIDE, SIDE), 1))
    most = max(off(name, group, element, 0.4, 0) for element in range(count))
    assert (most > 1e-2) == ((name, group) not in COMMUTES)


@pytest.mark.parametrize("name", ["ls", "els", "bbels"])
def test_more_steps_end_nearer_to_locally_consistent_points(name: str) -> None:
    """Theorems 3 and 6: the limit of t to 0, of which finite steps fall short."""
    shares = []
    for steps in (10, 100, 1000):
        machine = MACHINES[name](CORPUS, steps=steps, scales=3)
        raw = machine.sample(6, seed=4).extra["raw"]
        shares.append(consistent(machine, raw, 2 * 2 / 255).mean())
    assert shares[0] < shares[1] <= shares[2] + 0.02
    assert shares[2] > 0.95
