"""Random small steps of a sampler: what the engine and the reference are both asked."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from intarsia.corpus import Corpus
from intarsia.dictionary import (
    Border,
    Candidates,
    Dictionary,
    Everywhere,
    Near,
    NotSource,
    Query,
    Similar,
    Stack,
    Window,
)
from intarsia.reduce import Drawn, PoolRule, keys, pool
from intarsia.reduce.similar import Lookup, lay_out
from intarsia.represent import LowResolution
from tests.pictures import colour_patches, digits
from tests.reference.pool import (
    ReferencePool,
    reference_intersection_pool,
    reference_pool,
)

CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Situation:
    """A small corpus, a batch of half-known canvases, a place to fill and a rule.

    ``lists`` int64 [B, M] are the pictures each query may use (-1 fills short rows), as the
    stage Similar leaves them; None lets all use all. ``block`` and ``threads`` must not matter.
    """

    planes: list[np.ndarray]
    valid: list[np.ndarray] | None
    canvas: np.ndarray
    known: np.ndarray
    place: tuple[int, int]
    window: Window
    rule: PoolRule
    border: Border = "ignore"
    radius: int | None = None
    barred: np.ndarray | None = None
    lists: np.ndarray | None = None
    seed: int = 0
    first_sample: int = 0
    step: int = 0
    appearance: bool = True
    block: int | None = None
    threads: int = 1

    def __len__(self) -> int:
        return len(self.canvas)

    @cached_property
    def origins(self) -> np.ndarray:
        return np.full(len(self), -1) if self.barred is None else self.barred

    @cached_property
    def dictionary(self) -> Dictionary:
        corpus = Corpus.from_arrays(self.planes, valid=self.valid)
        stages: list[Any] = [NotSource()]
        if self.lists is not None:
            stages.append(Similar(LowResolution(), self.lists.shape[1]))
        stages.append(Everywhere() if self.radius is None else Near(self.radius))
        return Dictionary(corpus, self.window, self.border, stages, CPU)

    @cached_property
    def query(self) -> Query:
        samples = self.first_sample + np.arange(len(self))
        salts = keys.salts(self.seed, samples, self.step)
        query = Query.at(self.place, self.canvas, self.known, self.window, self.border, salts)
        return query if self.appearance else query.without_appearance()

    @cached_property
    def similar(self) -> Stack | None:
        return None if self.lists is None else lay_out(self.dictionary, Lookup(self.lists), 1)

    def candidates(self) -> list[Candidates]:
        return self.dictionary.candidates(self.place, self.origins, similar=self.similar)

    def draw(self, **options: Any) -> Drawn:
        """What the engine draws."""
        defaults = {"block": self.block, "threads": self.threads}
        return pool(self.candidates(), self.query, self.rule, **(defaults | options))

    def allowed(self, b: int) -> set[int] | None:
        return None if self.lists is None else set(self.lists[b].tolist()) - {-1}

    def _shared(self, b: int) -> dict[str, Any]:
        return {
            "radius": self.radius,
            "images_allowed": self.allowed(b),
            "barred": int(self.origins[b]),
            "epsilon": self.rule.epsilon,
            "appearance": self.appearance,
            "seed": self.seed,
            "sample": self.first_sample + b,
            "step": self.step,
        }

    def _given(self, b: int) -> tuple[Any, ...]:
        return (
            self.planes, self.valid, self.canvas[b], self.known, self.place, self.window.weights,
            self.border,
        )  # fmt: skip

    def expected(self, b: int) -> ReferencePool:
        """What the obvious loop draws for query ``b``."""
        return reference_pool(*self._given(b), min_pool=self.rule.min_pool, **self._shared(b))

    def expected_intersection(self, b: int) -> ReferencePool:
        """What it draws under thresholds relative to the whole corpus."""
        return reference_intersection_pool(*self._given(b), None, **self._shared(b))


def check(drawn: Drawn, expected: list[ReferencePool]) -> None:
    """Winners, pool sizes, distances and, where kept, members are those expected."""
    for b, e in enumerate(expected):
        assert drawn.pool[b] == e.size
        winner = drawn.image[b], drawn.row[b], drawn.col[b]
        assert winner == (e.winner if e.size else (-1, -1, -1))
        if e.size:
            assert drawn.distance[b] == e.distance
        if drawn.members is not None:
            codes, distances = drawn.members[b]
            members = zip(*keys.decode(codes), distances, strict=True)
            assert [tuple(map(int, m)) for m in members] == sorted(e.pool)


@st.composite
def situations(draw: Any, own_lists: bool | None = None) -> Situation:
    """Real pictures, with ties, holes, mixed sizes and lists of a query's own."""
    pictures = colour_patches() if draw(st.booleans()) else digits().images
    count = draw(st.integers(2, 20))
    first = draw(st.integers(0, len(pictures) - count - 1))
    images = np.array(pictures[first : first + count])
    if draw(st.booleans()):
        images = images // 64 * 64  # many ties
    height, width = images.shape[1:3]
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    known = rng.random((height, width)) < draw(st.sampled_from([0.2, 0.6, 1.0]))
    place = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    known[place] = False
    queries = draw(st.sampled_from([1, 3, 6, 9]))
    chosen = rng.integers(0, count, queries)
    noise = rng.integers(-9, 10, (queries, *images.shape[1:])) * draw(st.integers(0, 1))
    canvas = np.clip(images[chosen].astype(int) + noise, 0, 255).astype(np.uint8)

    barred = chosen if draw(st.booleans()) else None
    kind = draw(st.sampled_from(["all", "all", "lists", "ragged"]))
    own = kind == "lists" if own_lists is None else own_lists
    lists = _lists(rng, chosen, count, barred is not None) if own else None
    planes = list(images)
    if kind == "ragged" and not own:
        planes = [p[: height - i % 3 % 2, i % 3 // 2 :] for i, p in enumerate(planes)]
    valid = None
    whole = draw(st.sampled_from([1.0, 1.0, 0.95, 0.5]))
    if whole < 1:
        valid = [rng.random(p.shape[:2]) < whole for p in planes]
    return Situation(
        planes,
        valid,
        canvas,
        known,
        place,
        Window(draw(st.sampled_from([3, 5, 7])), draw(st.sampled_from([None, 0.7, 20.0]))),
        PoolRule(
            Fraction(draw(st.sampled_from(["0", "0.1", "0.123457", "1.5", "20", "1000"]))),
            draw(st.sampled_from([1, 1, 2, 9, 500])),
        ),
        border=draw(st.sampled_from(["ignore", "zeros", "wrap"])),
        radius=draw(st.sampled_from([None, 0, 1, 3])),
        barred=barred,
        lists=lists,
        seed=draw(st.integers(0, 2**63 - 1)),
        first_sample=draw(st.sampled_from([0, 7, 10**6])),
        step=draw(st.integers(0, 900)),
        appearance=draw(st.sampled_from([True, True, True, False])),
        block=draw(st.sampled_from([None, 1, 7, 50, 1500])),
        threads=draw(st.sampled_from([1, 2, 3])),
    )


def _lists(rng: np.random.Generator, chosen: np.ndarray, count: int, bar: bool) -> np.ndarray:
    """Pictures for each query, ascending, -1 at the end; never the barred one."""
    longest = int(rng.integers(1, count + 1))
    lists = np.full((len(chosen), longest), -1, np.int64)
    for b, origin in enumerate(chosen):
        may = np.setdiff1d(np.arange(count), [origin] if bar else [])
        some = np.sort(rng.permutation(may)[: rng.integers(1, longest + 1)])
        lists[b, : len(some)] = some
    return lists
