"""What every command shares: where words go, how JSON leaves, how errors end."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from intarsia.errors import IntarsiaError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from intarsia.models import Progress as Progress_

MOVIES = ("gif", "mp4")
OTHER_MOVIES = ("avi", "mov", "mkv", "webm", "webp", "mpeg", "mpg", "apng", "png")
"""Words after ``--movie`` that are meant as its value, to be refused by name."""


def stderr_console(*, markup: bool = True) -> Console:
    """Return the console that all words for people go to (standard error).

    Parameters
    ----------
    markup : whether [bold] is a style; not where a path may hold brackets.
    """
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, markup=markup)


def emit(obj: dict[str, Any]) -> None:
    """Print the one JSON object of a ``--json`` command on standard output."""
    sys.stdout.write(json.dumps(obj, indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()


def run_app(app: typer.Typer, arguments: list[str]) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 wrong use, 130 interrupted.

    A bare ``--movie`` means ``--movie gif``; ``--debug`` may stand anywhere.
    """
    _listen()
    debug = "--debug" in arguments
    arguments = [a for a in _with_movie_kind(arguments) if a != "--debug"]
    command = typer.main.get_command(app)
    try:
        code = command.main(args=arguments, prog_name="intarsia", standalone_mode=False)
    except Exception as error:
        if debug:
            raise
        return _explain(error)
    except KeyboardInterrupt:
        stderr_console().print("Stopped.")
        return 130
    return code if isinstance(code, int) else 0  # newer typer returns 130 after Ctrl-C


class _Words(logging.Handler):
    """Writes the package's log on whatever standard error is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{record.getMessage()}\n")


def _listen() -> None:
    """Let the package's log speak."""
    log = logging.getLogger("intarsia")
    if not any(isinstance(handler, _Words) for handler in log.handlers):
        log.addHandler(_Words())
        log.setLevel(logging.INFO)


def _explain(error: Exception) -> int:
    """Say in one line what went wrong, and return the exit code."""
    # Newer typer carries a click of its own, whose errors are not those of the package click.
    click: Any = sys.modules[typer.BadParameter.__module__]

    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, typer.Abort):
        _complain("Stopped.")
        return 130
    if isinstance(error, click.NoArgsIsHelpError):
        error.show()
        return 2
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx is not None else "intarsia"
        _complain(f"{error.format_message().rstrip('.')}. See '{path} --help'.")
        return 2
    if isinstance(error, click.ClickException):
        _complain(error.format_message())
        return error.exit_code
    if isinstance(error, IntarsiaError):
        _complain(str(error))
        return error.exit_code
    if isinstance(error, MemoryError):
        _complain("Out of memory. Use a smaller --batch or --limit.")
        return 1
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        _complain(f"The system refused: {error.strerror or error}{where}.")
        return 1
    _complain(
        f"Something unexpected happened: {type(error).__name__}: {error}. "
        "This is a fault of intarsia; run again with --debug and report what it prints."
    )
    return 1


def _complain(message: str) -> None:
    sys.stderr.write(f"intarsia: {message}\n")


def _with_movie_kind(arguments: list[str]) -> list[str]:
    given = []
    for at, argument in enumerate(arguments):
        following = arguments[at + 1] if at + 1 < len(arguments) else ""
        bare = argument == "--movie" and following not in (*MOVIES, *OTHER_MOVIES)
        given.append("--movie=gif" if bare else argument)
    return given


def said(context: typer.Context, name: str) -> bool:
    """Whether an option was given on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def parse_size(text: str | None, name: str = "--size") -> tuple[int, int] | None:
    """Read "HxW", or one number for a square.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) in (1, 2) and all(part.isdecimal() for part in parts):
        return int(parts[0]), int(parts[-1])
    raise UsageError(f"{name} is {text!r}; give HxW in pixels, such as 64x64.")


@contextmanager
def drawing_progress(what: str) -> Iterator[Callable[[Progress_], None]]:
    """Show a bar on standard error: pixels drawn, pixels a second, time left."""
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f} pixels/s")

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        Speed(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    console = stderr_console()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("getting ready (the first run compiles the engine)", total=None)

        def update(state: Progress_) -> None:
            if bar.tasks[0].total is None and state.done > state.resumed:
                # Pixels of an earlier session count as done, not as speed.
                bar.reset(task, total=state.pixels, completed=state.resumed, description=what)
            bar.update(task, completed=state.done)

        yield update


@contextmanager
def decoding_progress() -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """Show progress with the time left; bars appear once something is decoded."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = stderr_console()
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )

    def progress(description: str) -> Callable[[int, int], None]:
        task = None

        def update(done: int, total: int) -> None:
            nonlocal task
            if task is None:
                bar.start()
                task = bar.add_task(description, total=total)
            bar.update(task, completed=done, total=total)

        return update

    try:
        yield progress
    finally:
        if bar.tasks:
            bar.stop()
