"""The nearest-k reduction over patches: which training patches are most like each query.

One door, `nearest_patches`. Distances are exact integers, and equal ones are settled by the name
of the candidate: image, then row, then column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from intarsia.dictionary import Candidates, Query
from intarsia.errors import IntarsiaError, UsageError
from intarsia.reduce import keys
from intarsia.reduce import nearest_kernels as kernels
from intarsia.reduce.cpu import HEAD, _buffer, _heaviest_first
from intarsia.reduce.crew import each
from intarsia.reduce.fit import fitting

Progress = Callable[[int, int], None]
"""Called with (work done, work in all)."""


class Stopped(IntarsiaError):
    """The caller asked to stop."""


@dataclass(frozen=True)
class Nearest:
    """The k nearest patches of each of Q queries, nearest first.

    Attributes
    ----------
    code : int64 [Q, k], names of the patches (`reduce.keys.decode` opens them); -1 where fewer
        than k candidates exist.
    distance : int64 [Q, k], weighted squared distance over the query's known pixels; -1 likewise.
    """

    code: Int64[np.ndarray, "q k"]
    distance: Int64[np.ndarray, "q k"]

    def names(
        self,
    ) -> tuple[Int64[np.ndarray, "q k"], Int64[np.ndarray, "q k"], Int64[np.ndarray, "q k"]]:
        """Return image, row and column, -1 where there is none."""
        image, row, col = keys.decode(np.maximum(self.code, 0))
        there = self.code >= 0
        return np.where(there, image, -1), np.where(there, row, -1), np.where(there, col, -1)


def nearest_patches(
    candidates: Sequence[Sequence[Candidates]],
    queries: Sequence[Query],
    keep: int,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Nearest:
    """Find each query's ``keep`` nearest candidates.

    Parameters
    ----------
    candidates : for each query what it may use, in one or more stacks that all queries share.
    queries : one canvas each, each with the pixels it knows.
    keep : k.
    threads : CPU threads; torch's number when None. No result depends on it.
    progress : called with (queries done, queries in all).
    should_stop : asked now and then; once it says True, `Stopped` is raised.

    Raises
    ------
    UsageError
        If ``keep`` is below 1.
    Stopped
        If asked to.
    """
    check_keep(keep)
    lists = empty(len(queries), keep)
    done = 0

    def share(mine: Iterable[int]) -> None:
        nonlocal done
        for q in mine:
            if should_stop is not None and should_stop():
                return
            for some in candidates[q]:
                fold_by_differences(some, queries[q], lists, q)
            done += 1
            if progress is not None:
                progress(done, len(queries))

    each(share, range(len(queries)), threads)
    if should_stop is not None and should_stop():
        raise Stopped("Stopped: the caller asked to.")
    return settled(lists)


def check_keep(keep: int) -> None:
    """Raise UsageError unless at least one patch is asked for."""
    if keep < 1:
        raise UsageError(f"--top is {keep}; at least the 1 nearest patch is named.")


def empty(queries: int, keep: int) -> kernels.Lists:
    """Return lists without an entry."""
    shape = (queries, keep)
    return kernels.Lists(
        np.full(shape, kernels.FAR), np.full(shape, kernels.FAR), np.full(queries, kernels.FAR)
    )


def settled(lists: kernels.Lists) -> Nearest:
    """Return finished lists; free slots become -1."""
    there = lists.distance < kernels.FAR
    return Nearest(np.where(there, lists.code, -1), np.where(there, lists.distance, -1))


def fold_by_differences(candidates: Candidates, query: Query, lists: kernels.Lists, q: int) -> None:
    """Fold one query's candidates by plain sums of squared differences."""
    view = fitting(candidates, query)
    if view is None:
        return
    order, weights, values = _heaviest_first(query)
    first, last = view.rows
    usable = np.empty((0, 0), np.bool_) if view.usable is None else view.usable.numpy()[0]
    kernels.fold_direct(
        view.stack.pixels.reshape(-1).numpy(), view.starts(query, first)[order], view.row_stride,
        last - first + 1, weights, values[0], min(HEAD, len(order)), view.row_code(first),
        view.codes[0], view.barred[0], usable, lists, q, _buffer(query),
    )  # fmt: skip
