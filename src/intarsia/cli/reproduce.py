"""``intarsia reproduce``: the papers' tables and figures beside what this machine finds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, drawing_progress, emit, stderr_console

if TYPE_CHECKING:
    from intarsia.models import Progress
    from intarsia.reproduce import Item


def reproduce_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="paper-a, paper-b, paper-c, or one page: paper-a/figure-2. Without one: the list.",
        ),
    ] = None,
    scale: Annotated[
        str, typer.Option(help="quick, full, or smoke: seconds, on digits, to see it work.")
    ] = "quick",
    out: Annotated[Path, typer.Option(help="Folder for the pages.")] = Path("docs/results"),
    runs: Annotated[
        Path, typer.Option(help="Folder for the runs; finished ones are reused.")
    ] = Path("runs/reproduce"),
    weights: Annotated[
        Path | None, typer.Option(help="InceptionV3 weights, for the paper's own features.")
    ] = None,
    threads: o.Threads = None,
    json: o.Json = False,
) -> None:
    """Draw a paper's tables and figures again; each page sets the published value beside ours.

    Stopped, the same command goes on. --json prints {"items": [{"name", "page", "pictures":
    [...], "rows": [{"what", "published", "here", "settings", "command"}], "seconds"}]}; without
    NAME {"items": [{"name", "shows", "minutes": {"quick", "full"}}], "total"}.
    """
    from intarsia.reproduce import Scale, chosen, reproduce

    chosen_scale = Scale(scale)
    if not names:
        _list(json)
        return
    items = chosen(names)
    teller = _teller()
    try:
        with teller:
            made = reproduce(
                items, chosen_scale, out, runs, threads=threads, weights=weights, teller=teller
            )
    except KeyboardInterrupt:
        stderr_console(markup=False).print("Stopped. The same command goes on from here.")
        raise
    if json:
        emit({"items": [one.as_dict() for one in made]})


def _list(json: bool) -> None:
    """Say what there is, and how long it takes."""
    from rich.table import Table

    from intarsia.reproduce import catalogue
    from intarsia.reproduce.book import duration

    items = catalogue()
    minutes = [{scale: _minutes([item], scale) for scale in ("quick", "full")} for item in items]
    total = {scale: _minutes(items, scale) for scale in ("quick", "full")}
    if json:
        listed = [
            {"name": item.full_name, "shows": item.shows, "minutes": taken}
            for item, taken in zip(items, minutes, strict=True)
        ]
        emit({"items": listed, "total": total})
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("shows")
    for heading in ("quick", "full"):
        table.add_column(heading, justify="right", no_wrap=True)
    for item, taken in zip(items, minutes, strict=True):
        times = (duration(60 * taken[scale]) for scale in ("quick", "full"))
        table.add_row(item.full_name, item.shows, *times)
    table.add_row("all together", "runs and features in common count once",
                  *(duration(60 * total[scale]) for scale in ("quick", "full")))  # fmt: skip
    console = stderr_console()
    console.print(table)
    console.print("Times are for two cores, with nothing drawn or trained before.")


def _minutes(items: list[Item], scale: str) -> float:
    from intarsia.reproduce import Scale
    from intarsia.reproduce.estimate import seconds_of_all

    return round(seconds_of_all(items, Scale(scale)) / 60, 1)


def _teller() -> Any:
    """Return a teller that shows lines and bars on standard error."""
    from intarsia.reproduce.telling import Teller

    class Bars(Teller):
        def __init__(self) -> None:
            self.console = stderr_console(markup=False)
            self._bars: AbstractContextManager[Any] | None = None
            self._open: dict[str, Callable[[int, int], None]] = {}
            self._start: Callable[[str], Callable[[int, int], None]] | None = None

        def __enter__(self) -> Bars:
            return self

        def __exit__(self, *error: object) -> None:
            self._stop()

        def say(self, words: str) -> None:
            self._stop()
            self.console.print(words)

        def drawing(self, what: str) -> AbstractContextManager[Callable[[Progress], None]]:
            self._stop()  # two live displays cannot stand on one terminal
            return drawing_progress(what)

        def measuring(self, what: str, done: int, total: int) -> None:
            if self._bars is None:
                self._bars = decoding_progress()
                self._start, self._open = self._bars.__enter__(), {}
            assert self._start is not None
            if what not in self._open:
                self._open[what] = self._start(what)
            self._open[what](done, total)

        def _stop(self) -> None:
            if self._bars is not None:
                self._bars.__exit__(None, None, None)
                self._bars = None

    return Bars()
