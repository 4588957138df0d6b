"""The nearest-k reduction for all pixels of a picture at once: filters first, then exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Int64, UInt8

from intarsia.dictionary import (
    Candidates,
    Everywhere,
    Near,
    Query,
    Stack,
    Surroundings,
    Window,
)
from intarsia.errors import UsageError
from intarsia.reduce import filtered_kernels as loops
from intarsia.reduce import nearest_kernels as kernels
from intarsia.reduce.cpu import _packed
from intarsia.reduce.crew import each
from intarsia.reduce.filters import Filters, sample_patches
from intarsia.reduce.fit import fitting
from intarsia.reduce.flat import flat_patches
from intarsia.reduce.nearest_patches import (
    Nearest,
    Progress,
    Stopped,
    check_keep,
    empty,
    fold_by_differences,
    settled,
)
from intarsia.reduce.vectors import QUERIES

FEW = 1
"""Queries up to which filters cost more than they leave out."""

SMALL = 1 << 16
"""Candidates up to which the same holds."""

_FILTERS = 16, 4
"""How many decide first, and how many look at what these leave."""

_TASK = 1 << 16
"""Candidates handed to a thread at a time."""

_AHEAD = 31
"""One task in so many goes first: it brings the limits down before the others need them."""

_LIGHTEST = 32
"""Filters leave out pixels that weigh less than the heaviest by this factor."""

Offsets = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Task:
    row: int
    col: int
    at: int
    n: int


def nearest_filtered(
    stacks: Sequence[Stack],
    queries: Sequence[Query],
    keep: int,
    *,
    radius: int | None = None,
    limits: Int64[np.ndarray, " q"] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Nearest:
    """Find the ``keep`` nearest patches of every query, near its place or everywhere.

    Parameters
    ----------
    stacks : the pictures, without padding.
    queries : places of one canvas, all of whose pixels are known.
    keep : k.
    radius : how far from a query's place a candidate may be; None for anywhere.
    limits : for each query a distance within which there are known to be ``keep`` candidates; the
        lower they are, the sooner most candidates are left out.
    threads : CPU threads; torch's number when None. No result depends on it.
    progress : called with (work done, work in all), in candidates times queries.
    should_stop : asked now and then; once it says True, `Stopped` is raised.

    Raises
    ------
    UsageError
        If ``keep`` is below 1 or ``radius`` below 0.
    Stopped
        If asked to.
    """
    check_keep(keep)
    if radius is not None:
        Near(radius)  # refuses a negative one
    lists = empty(len(queries), keep)
    if limits is not None:
        lists.limit[:] = limits
    jobs = [
        (stack, np.array(offsets, np.int64).reshape(-1, 2), members)
        for stack in stacks
        for offsets, members in _groups(queries).items()
    ]
    meter = _Meter(sum(_size(stack) * len(m) for stack, _, m in jobs), progress, should_stop)
    for stack, offsets, members in jobs:
        if stack.hole is not None or len(members) <= FEW or _size(stack) <= SMALL:
            _plainly(stack, queries, members, radius, lists, threads, meter)
        else:
            _by_filters(stack, offsets, queries, members, radius, lists, threads, meter)
        if meter.stopped:
            raise Stopped("Stopped: the caller asked to.")
    return settled(lists)


def limits_of(
    picture: UInt8[np.ndarray, "h w c"],
    near: UInt8[np.ndarray, "m h w c"],
    window: Window,
    keep: int,
) -> Int64[np.ndarray, " q"] | None:
    """Return for every place of a picture a distance within which ``keep`` patches are known.

    Each window is compared with the same window of some training pictures, exactly.

    Parameters
    ----------
    near : pictures that are alike as a whole; None is returned for fewer than ``keep``.
    """
    if not 0 < keep <= len(near):
        return None
    squares = ((near.astype(np.int64) - picture) ** 2).sum(axis=3)
    half, (height, width) = window.half, picture.shape[:2]
    padded = np.pad(squares, ((0, 0), (half, half), (half, half)))
    total = np.zeros_like(squares)
    for (dy, dx), weight in zip(window.offsets, window.weights.ravel(), strict=True):
        row, col = half + dy, half + dx
        total += int(weight) * padded[:, row : row + height, col : col + width]
    return np.sort(total.reshape(len(near), -1), axis=0)[keep - 1]


class _Meter:
    """Counts work done, and hears whether to stop."""

    def __init__(
        self, total: int, progress: Progress | None, should_stop: Callable[[], bool] | None
    ) -> None:
        self.done, self.total = 0, total
        self._progress, self._should_stop = progress, should_stop
        self.stopped = False

    def add(self, work: int) -> None:
        self.done = min(self.total, self.done + work)
        if self._progress is not None:
            self._progress(self.done, self.total)

    def may_go_on(self) -> bool:
        if self._should_stop is not None and self._should_stop():
            self.stopped = True
        return not self.stopped


def _size(stack: Stack) -> int:
    return stack.size[0] * stack.size[1] * stack.pictures.shape[1]


def _groups(queries: Sequence[Query]) -> dict[Offsets, list[int]]:
    """Return which queries share filters, by the pixels that these may see."""
    kinds: dict[bytes, list[int]] = defaultdict(list)
    for q, query in enumerate(queries):
        kinds[query.offsets.tobytes() + query.weights.tobytes()].append(q)
    examples = [queries[members[0]] for members in kinds.values()]
    half = max((int(abs(_heaviest(query).offsets).max()) for query in examples), default=0)
    groups: dict[Offsets, list[int]] = defaultdict(list)
    for example, members in zip(examples, kinds.values(), strict=True):
        groups[_common(example, half)] += members
    return groups


def _common(query: Query, half: int) -> Offsets:
    """Pixels that all queries cut by the same edges of the canvas compare.

    A window cut at the top always has the rows from its centre down, and so on: nine sets serve
    all border classes, and a lower bound over a part of the window is one for the whole. What is
    farther than ``half``, where weights are small, counts as never cut.
    """
    spans = []
    for low, high in zip(query.offsets.min(axis=0), query.offsets.max(axis=0), strict=True):
        spans.append(range(0 if low > -half else -half, (0 if high < half else half) + 1))
    return tuple((dy, dx) for dy in spans[0] for dx in spans[1])


def _near(stack: Stack, query: Query, radius: int | None) -> Candidates:
    none = np.full(1, -1, np.int64)
    whole = Candidates(stack, (0, stack.size[0] - 1), (0, stack.size[1] - 1), none)
    stage = Everywhere() if radius is None else Near(radius)
    return stage.narrow(whole, Surroundings(_unasked, query.place, none, None, None))


def _unasked(label: int) -> Stack:
    raise UsageError(f"no class is asked for here, but {label} was.")


def _plainly(
    stack: Stack,
    queries: Sequence[Query],
    members: list[int],
    radius: int | None,
    lists: kernels.Lists,
    threads: int | None,
    meter: _Meter,
) -> None:
    def share(mine: Iterable[int]) -> None:
        for q in mine:
            if not meter.may_go_on():
                return
            fold_by_differences(_near(stack, queries[q], radius), queries[q], lists, q)
            meter.add(_size(stack))

    each(share, members, threads)


def _by_filters(
    stack: Stack,
    offsets: Int64[np.ndarray, "k 2"],
    queries: Sequence[Query],
    members: list[int],
    radius: int | None,
    lists: kernels.Lists,
    threads: int | None,
    meter: _Meter,
) -> None:
    """Fold one stack into the lists of the queries that share ``offsets``."""
    asked_of = [queries[q] for q in members]
    first = asked_of[0]
    shared = _restricted(first, offsets)
    view = fitting(_near(stack, shared, None), shared)
    if view is None:
        return
    seen = _heaviest(shared)
    filters = _filters(stack, seen, (view.rows, view.cols))
    half = max(int(abs(query.offsets).max()) for query in asked_of)
    flat = flat_patches(stack, half)
    _, _, height, width, pictures = stack.pixels.shape
    plane = height * width * pictures
    sieve = _sieve(filters, plane, width * pictures, pictures)
    asked, kinds = _asked(filters, asked_of, members, stack, background=flat.size > 0)
    tasks = _tasks(view.rows, view.cols, pictures, asked_of, radius)
    whole_work = _size(stack) * len(members)
    total = sum(task.n for task in tasks)
    planes, names = stack.pixels.reshape(-1).numpy(), view.codes[0]

    def share(mine: Iterable[_Task]) -> kernels.Lists:
        own = empty(*lists.distance.shape)._replace(limit=lists.limit)
        for task in mine:
            if not meter.may_go_on():
                break
            loops.fold_filtered(
                planes, flat, width, pictures, task.row, task.col, task.at, task.n, names,
                (task.row << 16) + task.col, -1 if radius is None else radius, sieve, asked,
                kinds, own,
            )  # fmt: skip
            meter.add(whole_work * task.n // max(1, total))
        return own

    for some in each(share, tasks, threads):
        _merge(lists, some)


def _heaviest(query: Query) -> Query:
    """Leave out the pixels that hardly weigh: filters need not see them for their bound to hold."""
    heavy = query.weights * _LIGHTEST >= query.weights.max()
    return _restricted(query, query.offsets[heavy])


_kept: WeakKeyDictionary[Stack, dict[tuple[bytes, ...], Filters]] = WeakKeyDictionary()


def _filters(
    stack: Stack,
    shared: Query,
    places: tuple[tuple[int, int], tuple[int, int]],
) -> Filters:
    """Return filters of a stack's patches; they serve every picture that comes, so are kept."""
    kept = _kept.setdefault(stack, {})
    key = (shared.offsets.tobytes(), shared.weights.tobytes())
    if key not in kept:
        patches = sample_patches(stack, shared.offsets, *places)
        kept[key] = Filters.of(patches, shared.offsets, shared.weights, *_FILTERS)
    return kept[key]


def _restricted(query: Query, offsets: Int64[np.ndarray, "k 2"]) -> Query:
    """Return the query over some of the pixels it knows, in the order given."""
    chosen = _positions(query, offsets)
    return Query(
        query.place,
        offsets,
        query.weights[chosen],
        np.ascontiguousarray(query.values[:, :, chosen]),
        query.salts,
    )


def _positions(query: Query, offsets: Int64[np.ndarray, "k 2"]) -> Int64[np.ndarray, " k"]:
    """Where offsets stand among those a query compares."""
    at = {tuple(offset): k for k, offset in enumerate(query.offsets.tolist())}
    return np.array([at[tuple(offset)] for offset in offsets.tolist()])


def _tasks(
    rows: tuple[int, int],
    cols: tuple[int, int],
    pictures: int,
    queries: Sequence[Query],
    radius: int | None,
) -> list[_Task]:
    """Cut the candidates to tasks, some from all over in front."""
    run = pictures if radius is not None else (cols[1] - cols[0] + 1) * pictures
    if radius is None:
        places = [(row, cols[0]) for row in range(rows[0], rows[1] + 1)]
    else:
        served = np.zeros((rows[1] + 1, cols[1] + 1), bool)
        for row, col in {query.place for query in queries}:
            served[
                max(rows[0], row - radius) : max(0, row + radius + 1),
                max(cols[0], col - radius) : max(0, col + radius + 1),
            ] = True
        places = [(int(row), int(col)) for row, col in np.argwhere(served)]
    tasks = [
        _Task(row, col, at, min(_TASK, run - at))
        for row, col in places
        for at in range(0, run, _TASK)
    ]
    return tasks[::_AHEAD] + [task for i, task in enumerate(tasks) if i % _AHEAD]


def _starts(
    offsets: Int64[np.ndarray, "k 2"], channels: int, plane: int, row: int, col: int
) -> Int64[np.ndarray, " ck"]:
    """How far each compared pixel lies from the centre in the flat stack, channel by channel."""
    within = offsets[:, 0] * row + offsets[:, 1] * col
    return (np.arange(channels)[:, None] * plane + within).ravel()


def _sieve(filters: Filters, plane: int, row: int, col: int) -> loops.Sieve:
    starts = _starts(filters.offsets, 1, plane, row, col)
    odd = len(starts) % 2  # pairs: a pixel of weight 0 changes nothing
    return loops.Sieve(
        _packed(np.pad(filters.spatial, ((0, 0), (0, odd)))),
        np.concatenate([starts, starts[:odd]]),
        plane,
        filters.matrix.shape[1] // len(filters.offsets),
        filters.mixed[::QUERIES].copy(),
        filters.shift,
        filters.first,
        filters.gain_first,
        filters.gain_all,
        filters.cuts,
    )


def _asked(
    filters: Filters,
    queries: Sequence[Query],
    numbers: list[int],
    stack: Stack,
    background: bool,
) -> tuple[loops.Asked, loops.Kinds]:
    """Lay out queries and the sets of pixels that they compare."""
    _, channels, height, width, pictures = stack.pixels.shape
    known: dict[bytes, int] = {}
    kind = np.array([known.setdefault(q.offsets.tobytes(), len(known)) for q in queries])
    longest = channels * max(len(q.offsets) for q in queries)
    shape = (len(known), longest)
    starts, weights = np.zeros(shape, np.int64), np.zeros(shape, np.int32)
    count, box = np.zeros(len(known), np.int64), np.zeros((len(known), 4), np.int64)
    values = np.zeros((len(queries), longest), np.int8)
    codes = np.zeros((len(queries), len(filters.matrix)), np.int32)
    for t, example in enumerate({q.offsets.tobytes(): q for q in queries}.values()):
        members = np.flatnonzero(kind == t)
        shown = np.stack([queries[int(i)].values[0] for i in members])  # [members, C, K]
        every = np.tile(example.weights, channels)
        heavy = every * _LIGHTEST >= every.max()
        # What the filters leave agrees in the pixels they see. On a background of one value most
        # of it does, and the others decide; elsewhere reading them costs more.
        order = np.lexsort((-every, heavy & background))
        n = count[t] = len(order)
        values[members, :n] = shown.reshape(len(members), -1)[:, order]
        weights[t, :n] = every[order]
        starts[t, :n] = _starts(
            example.offsets, channels, height * width * pictures, width * pictures, pictures
        )[order]
        top, left = np.maximum(0, -example.offsets.min(axis=0))
        bottom, right = np.array(stack.size) - 1 - np.maximum(0, example.offsets.max(axis=0))
        box[t] = top, bottom, left, right
        chosen = _positions(example, filters.offsets)
        codes[members] = filters.codes(shown[:, :, chosen].reshape(len(members), -1))
    first = codes[:, : filters.first]
    asked = loops.Asked(
        np.array(numbers),
        np.array([q.place[0] for q in queries]),
        np.array([q.place[1] for q in queries]),
        _packed(-2 * first),
        (first**2).sum(axis=1, dtype=np.int32),
        np.ascontiguousarray(codes.T),
        kind,
        values,
    )
    return asked, loops.Kinds(count, starts, weights, box)


def _merge(lists: kernels.Lists, other: kernels.Lists) -> None:
    """Take another thread's lists in; what they hold in common is nothing."""
    keep = lists.distance.shape[1]
    distance = np.concatenate([lists.distance, other.distance], axis=1)
    code = np.concatenate([lists.code, other.code], axis=1)
    order = np.lexsort((code, distance), axis=1)[:, :keep]
    lists.distance[:] = np.take_along_axis(distance, order, axis=1)
    lists.code[:] = np.take_along_axis(code, order, axis=1)
    np.minimum(lists.limit, lists.distance[:, -1], out=lists.limit)
