"""Work started from the page: one job at a time, a few waiting, each with progress and a stop."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from intarsia.errors import IntarsiaError

log = logging.getLogger("intarsia")

WAITING = 4
"""Jobs that may wait."""
REMEMBERED = 32
LONGEST = 900.0
"""Seconds a job may take."""


class Stopped(Exception):
    """Raised inside a job that was cancelled or took too long."""


class Busy(IntarsiaError):
    """Too many jobs wait."""


@dataclass
class Job:
    """One piece of work.

    Attributes
    ----------
    words : what it does, for people.
    state : waiting, running, done, cancelled or failed.
    done, total : progress; total 0 while unknown.
    run : identifier of what it made, at the end.
    error : what went wrong.
    preview : PNG of how far it is.
    """

    id: int
    words: str
    work: Callable[[Job], str] = field(repr=False)
    state: str = "waiting"
    done: int = 0
    total: int = 0
    run: str | None = None
    error: str | None = None
    preview: bytes | None = field(default=None, repr=False)
    began: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event, repr=False)

    def should_stop(self) -> bool:
        """Whether the job was cancelled or took too long."""
        return self.stop.is_set() or time.monotonic() - self.began > LONGEST

    def advance(self, done: int, total: int) -> None:
        """Note progress.

        Raises
        ------
        Stopped
            If the job should stop.
        """
        self.done, self.total = done, total
        if self.should_stop():
            raise Stopped

    def to_json(self) -> dict[str, Any]:
        """Return what the page is told."""
        names = ("id", "words", "state", "done", "total", "run", "error")
        known = {name: getattr(self, name) for name in names}
        return known | {"preview": self.preview is not None}


class Jobs:
    """A queue with one worker thread, which starts with the first job."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._queue: queue.Queue[Job] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._next = 1

    def submit(self, words: str, work: Callable[[Job], str]) -> Job:
        """Queue a job.

        Parameters
        ----------
        words : what it does.
        work : given the job, returns the identifier of what it made.

        Raises
        ------
        Busy
            If too many wait.
        """
        with self._lock:
            job = Job(self._next, words, work)
            try:
                self._queue.put_nowait(job)
            except queue.Full:
                raise Busy(
                    f"{WAITING} jobs wait already. Try again when one is finished, or cancel one."
                ) from None
            self._next += 1
            self._jobs[job.id] = job
            for old in list(self._jobs)[:-REMEMBERED]:
                self._jobs.pop(old)
            if self._worker is None:
                self._worker = threading.Thread(
                    target=self._take, name="intarsia-jobs", daemon=True
                )
                self._worker.start()
        return job

    def get(self, number: int) -> Job:
        """Return a job.

        Raises
        ------
        LookupError
            If there is none of that number.
        """
        with self._lock:
            if number not in self._jobs:
                raise LookupError(f"There is no job {number}.")
            return self._jobs[number]

    def all(self) -> list[Job]:
        """Return the jobs, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def cancel(self, number: int) -> Job:
        """Ask a job to stop; it does within one of its steps."""
        job = self.get(number)
        job.stop.set()
        if job.state == "waiting":
            job.state = "cancelled"
        return job

    def close(self) -> None:
        """Stop everything."""
        for job in self.all():
            job.stop.set()

    def _take(self) -> None:
        while True:
            job = self._queue.get()
            if job.stop.is_set():
                job.state = "cancelled"
                continue
            job.state, job.began = "running", time.monotonic()
            try:
                job.run = job.work(job)
                job.state = "done"
            except Stopped:
                job.state = "cancelled"
                if not job.stop.is_set():
                    job.state, job.error = "failed", f"It took longer than {LONGEST:.0f} seconds."
            except Exception as error:  # the worker must go on
                # A search that was asked to stop may end with an error of its own.
                job.state = "cancelled" if job.stop.is_set() else "failed"
                if job.state == "failed":
                    job.error = _told(error)


def _told(error: Exception) -> str:
    if isinstance(error, IntarsiaError):
        return str(error)
    log.error("a job of the explorer failed", exc_info=error)
    return f"{type(error).__name__}: {error}"
