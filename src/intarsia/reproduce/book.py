"""Several tables and figures in one go: checked first, then drawn, then written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intarsia.files import make_folder
from intarsia.reproduce.estimate import seconds_of_all
from intarsia.reproduce.item import Item
from intarsia.reproduce.measures import Measures
from intarsia.reproduce.page import Page, write
from intarsia.reproduce.runs import Runs
from intarsia.reproduce.scales import Scale
from intarsia.reproduce.summary import write_summary
from intarsia.reproduce.telling import Teller


class Book:
    """What items draw and measure with.

    Parameters
    ----------
    scale : how much.
    folder : for the runs.
    threads : CPU threads.
    weights : of InceptionV3.
    teller : is told of progress.

    Attributes
    ----------
    runs, measures : shared by all items.
    """

    def __init__(
        self,
        scale: Scale,
        folder: Path,
        threads: int | None = None,
        weights: Path | None = None,
        teller: Teller | None = None,
    ) -> None:
        self.scale = scale
        self.runs = Runs(folder, scale, threads, teller)
        self.measures = Measures(self.runs, weights)

    @property
    def teller(self) -> Teller:
        """Who is told of progress."""
        return self.runs.teller


@dataclass(frozen=True)
class Made:
    """An item that was written.

    Attributes
    ----------
    item, page : what it is, and what it found.
    path, pictures : its files.
    seconds : what it took now; runs that were finished before took nothing.
    """

    item: Item
    page: Page
    path: Path
    pictures: tuple[Path, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "name": self.item.full_name,
            "page": str(self.path),
            "pictures": [str(path) for path in self.pictures],
            "rows": [row.as_dict() for row in self.page.rows],
            "seconds": round(self.seconds, 3),
        }


def reproduce(
    items: Sequence[Item],
    scale: Scale,
    out: Path,
    runs: Path,
    *,
    threads: int | None = None,
    weights: Path | None = None,
    teller: Teller | None = None,
) -> list[Made]:
    """Draw, measure and write items. The same call goes on where an earlier one was stopped.

    Parameters
    ----------
    items : in the order they are made; see `intarsia.reproduce.catalogue.chosen`.
    scale : how much.
    out : folder of results; pages go to ``out/PAPER``.
    runs : folder of runs; finished ones are reused.
    threads : CPU threads; torch's number by default.
    weights : a file of InceptionV3 weights, for the values that the paper publishes.
    teller : is told of progress.

    Raises
    ------
    DataError, UsageError
        If a data set is missing. All are opened before anything is drawn or written.
    IntarsiaError
        If something cannot be drawn or written. Pages already written stay; none is half-written.
    """
    book = Book(scale, runs, threads, weights, teller)
    if weights is not None:
        _ = book.measures.inception  # a file that is damaged is refused now, not in an hour
    needs = [item.needs(scale) for item in items]
    for one in (draw for need in needs for draw in need.draws):
        book.runs.corpus(one.data, one.limit)
    book.runs.plan(draw for need in needs for draw in need.draws)
    make_folder(runs)
    made: list[Made] = []
    clock = Clock(items, scale)
    for at, item in enumerate(items):
        left = clock.left(at)
        book.teller.say(f"{item.full_name} ({at + 1} of {len(items)}, about {left} left)")
        started = time.perf_counter()
        page = item.make(book, needs[at])
        corpora = [book.runs.corpus(one.data, one.limit) for one in needs[at].draws]
        corpora += page.corpora
        written = write(item, page, out, scale, corpora)
        seconds = time.perf_counter() - started
        made.append(Made(item, page, written.page, written.pictures, seconds))
        book.teller.say(f"  wrote {written.page} ({seconds:.0f} s)")
        write_summary(out, item.paper)
    return made


class Clock:
    """Time left: the estimate of what is to come, corrected by what has been.

    Parameters
    ----------
    items, scale : what is made.
    """

    def __init__(self, items: Sequence[Item], scale: Scale) -> None:
        # What the first items draw, later ones share: an item costs what it adds.
        totals = [seconds_of_all(items[: at + 1], scale) for at in range(len(items))]
        self._until = [0.0, *totals]
        self._started = time.perf_counter()

    def left(self, at: int) -> str:
        """Say how long items from number ``at`` on will take, about."""
        expected, elapsed = self._until[at], time.perf_counter() - self._started
        remaining = self._until[-1] - expected
        if expected > 60:  # before that the ratio says little
            remaining *= min(4.0, max(0.1, elapsed / expected))
        return duration(remaining)


def duration(seconds: float) -> str:
    """Write a time as a person would say it.

    Examples
    --------
    >>> duration(20), duration(400), duration(8000)
    ('1 min', '7 min', '2 h 13 min')
    """
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
