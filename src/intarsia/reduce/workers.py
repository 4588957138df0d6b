"""More than one process, or more than one machine: workers of a Ray cluster.

A worker calls functions of this package on values it holds. What it returns merges by the monoid
laws, or is a whole batch of canvases, so a worker that dies is replaced by Ray, asked again, and no
result changes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from intarsia.errors import IntarsiaError, UsageError

_number = count()

_KEPT = 32
"""Values that a worker keeps; the first fetched goes first, and is fetched again if need be."""


@dataclass(frozen=True, eq=False)
class Held:
    """A value that workers fetch once, and keep.

    Attributes
    ----------
    key : names it.
    reference : where it lies in Ray's object store.
    """

    key: int
    reference: Any


class Workers:
    """Processes that share work, of a cluster of their own or of one that runs already.

    Parameters
    ----------
    address : ``ray://HOST:PORT`` or ``HOST:PORT`` of a running cluster; a local one is started when
        None, and ended by `close`.
    count : how many; by default two or more, as many as the cluster has CPUs for.
    threads : CPU threads of each; by default what a machine has, shared out.

    Raises
    ------
    UsageError
        If Ray is not installed, or a number makes no sense.
    IntarsiaError
        If no cluster answers.

    Examples
    --------
    >>> workers = Workers(count=2)  # doctest: +SKIP
    """

    def __init__(
        self, address: str | None = None, count: int | None = None, threads: int | None = None
    ) -> None:
        if count is not None and not 1 <= count <= 4096:
            raise UsageError(f"--workers is {count}; at least 1 is needed, and at most 4096.")
        try:
            import ray
        except ImportError as error:
            raise UsageError(
                "--engine ray needs Ray, which is not installed: pip install 'intarsia[scale]'."
            ) from error
        self._ray = ray
        self._started_here = not ray.is_initialized()
        cores = os.cpu_count() or 1
        if address is None:
            self.count = count or max(2, cores // (threads or 1))
            self.threads = threads or max(1, cores // self.count)
        if self._started_here:
            self._connect(address)
        if address is not None:
            self.threads = threads or 1
            cpus = int(ray.cluster_resources().get("CPU", 1))
            self.count = count or max(1, cpus // self.threads)
            if self.count * self.threads > cpus:  # Ray would wait for more machines, for ever
                raise UsageError(
                    f"{self.count} workers of {self.threads} threads need "
                    f"{self.count * self.threads} CPUs, but the cluster at {address} has {cpus}. "
                    "Use fewer --workers or --threads."
                )
        worker = ray.remote(num_cpus=0 if address is None else self.threads)(_Worker)
        # A worker that dies is started anew, and what it was asked is asked again.
        always = worker.options(max_restarts=-1, max_task_retries=-1)
        self._workers: list[Any] = [always.remote(self.threads) for _ in range(self.count)]
        ray.get([one.ready.remote() for one in self._workers])

    def _connect(self, address: str | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            if address is None:
                self._ray.init(
                    num_cpus=self.count, include_dashboard=False, log_to_driver=False,
                    logging_level=logging.ERROR,
                )  # fmt: skip
            else:
                self._ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # Ray raises its own kinds, ConnectionError and ValueError
            where = "on this machine" if address is None else f"at {address}"
            raise IntarsiaError(
                f"No Ray cluster could be reached {where}: {error}. Where a cluster asks for a "
                "token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN."
            ) from error

    def __len__(self) -> int:
        return self.count

    def hold(self, value: Any) -> Held:
        """Put a value where all workers can fetch it; once a machine, whoever asks."""
        return Held(next(_number), self._ray.put(value))

    def start(self, worker: int, function: Callable[..., Any], held: Held, *args: Any) -> Any:
        """Ask one worker for ``function(value held, *args)``; return a promise of it."""
        # In a list, so that Ray does not open it for every call.
        return self._workers[worker % self.count].call.remote(
            function, held.key, [held.reference], *args
        )

    def results(self, promises: Sequence[Any]) -> list[Any]:
        """Wait for promises, in order; an error of ours comes through as if it were raised here."""
        try:
            return list(self._ray.get(list(promises)))
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, IntarsiaError):
                raise error.cause from None
            raise

    def first(self, promises: Sequence[Any], patience: float = 1.0) -> Any | None:
        """Return a promise that is kept, or None if none is within ``patience`` seconds."""
        done, _ = self._ray.wait(list(promises), num_returns=1, timeout=patience)
        return done[0] if done else None

    def processes(self) -> list[int]:
        """Return the process number of every worker, on its own machine."""
        return self.results([one.process.remote() for one in self._workers])

    def close(self) -> None:
        """Let the workers go, and end the cluster if it was started here."""
        for one in self._workers:
            self._ray.kill(one)
        if self._started_here:
            self._ray.shutdown()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Worker:
    """One process."""

    def __init__(self, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self._held: dict[int, Any] = {}

    def ready(self) -> bool:
        return True

    def process(self) -> int:
        return os.getpid()

    def call(self, function: Callable[..., Any], key: int, reference: list[Any], *args: Any) -> Any:
        if key not in self._held:
            import ray

            self._held[key] = ray.get(reference[0])
            if len(self._held) > _KEPT:
                del self._held[next(iter(self._held))]
        return function(self._held[key], *args)
