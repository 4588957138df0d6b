"""``intarsia explore``: look at runs in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from intarsia.cli import options as o
from intarsia.cli.common import emit, stderr_console
from intarsia.errors import IntarsiaError, UsageError

RUNS = Path("runs")


def explore_command(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUN]...", help="Run folders, or folders of runs; by default those in runs."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Training pictures, where runs were not drawn from a data set known by name.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="8765 or, if taken, a free one; 0: any free one."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where pictures drawn from the page go.")] = RUNS
    / "explorer",
    export: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the page as static files, and end."),
    ] = None,
    json: o.Json = False,
) -> None:
    """Show runs in a page: hover over a pixel to see what it is made of.

    --json prints {"url", "runs": [...]} when the page is ready; with --export {"folder", "runs":
    [...], "files", "bytes"}.
    """
    from intarsia.explorer.library import library

    named = list(runs or ([RUNS] if RUNS.is_dir() else []))
    shown = library(named, data)
    shown.check_data()
    console = stderr_console(markup=False)
    if export is not None:
        from intarsia.explorer.export import export_static

        if not named:
            raise UsageError("Name the runs to export, such as: intarsia explore RUN --export site")
        try:
            report = export_static(shown, export, say=console.print)
        finally:
            shown.close()
        if json:
            emit(report)
        else:
            console.print(f"{report['files']} files, {report['bytes'] / 1e6:.1f} MB: {export}")
            console.print(f"  look at them with: python -m http.server -d {export}")
        return
    _need("fastapi", "uvicorn")
    from intarsia.explorer.app import explorer_app
    from intarsia.explorer.serve import bound, serve

    listening = bound(host, port)
    titles = [run["id"] for run in shown.titles()]

    def ready(url: str) -> None:
        if json:
            emit({"url": url, "runs": titles})
        console.print(f"{len(titles)} run{'' if len(titles) == 1 else 's'} at {url}")
        console.print("Ctrl-C ends it.")

    serve(explorer_app(shown, out=out, host=host), listening, ready)


def _need(*packages: str) -> None:
    from importlib.util import find_spec

    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise IntarsiaError(
            f"The explorer needs {' and '.join(missing)}: pip install 'intarsia[explorer]'."
        )
