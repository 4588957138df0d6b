"""The CPU threads of the engine.

Compiled loops and int8 products leave Python's lock, so plain threads work side by side, each on
blocks of its own; their results merge by the monoid law. Torch's own thread pool is held to one
thread inside them: two pools that wait for each other cost more than they bring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import repeat
from threading import Lock
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")


@cache
def _crew(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(
        threads, thread_name_prefix="intarsia", initializer=torch.set_num_threads, initargs=(1,)
    )


def each(work: Callable[[Iterable[T]], R], tasks: Iterable[T], threads: int | None) -> list[R]:
    """Run ``work`` once a thread; together the calls are handed every task exactly once.

    Parameters
    ----------
    work : takes an iterator over tasks and returns what it made of those it got.
    tasks : handed out as threads become free.
    threads : how many; torch's number when None.

    Returns
    -------
    list of what each call returned, in no order that matters.
    """
    count = torch.get_num_threads() if threads is None else threads
    source, lock = iter(tasks), Lock()

    def share() -> Iterable[T]:
        for _ in repeat(None):
            with lock:
                try:
                    task = next(source)
                except StopIteration:
                    return
            yield task

    return list(_crew(count).map(lambda _: work(share()), range(count)))
