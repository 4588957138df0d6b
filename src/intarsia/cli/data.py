"""``intarsia data``: which pictures there are, and where."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from intarsia.cli.common import decoding_progress, emit, stderr_console

data_app = typer.Typer(
    name="data",
    help="List, describe and prepare the pictures that samples are made of.",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Name = Annotated[str, typer.Argument(metavar="DATA", help="What --data takes: a name or a path.")]


@data_app.command("list")
def list_command(json: Json = False) -> None:
    """List the data sets that have a name, and where they are.

    --json prints {"command", "cache": folder, "sets": [{"name", "title", "shape", "classes",
    "splits": {split: {"count", "found", "where", "bytes"}}}]}.
    """
    from intarsia.corpus.report import list_sets

    report = list_sets()
    if json:
        emit(report)
    else:
        _show_list(report)


@data_app.command("info")
def info_command(
    name: Name,
    split: Annotated[str, typer.Option(help="train or test.")] = "train",
    json: Json = False,
) -> None:
    """Describe a data set: size, classes, fingerprint, where it is.

    --json prints {"command", "name", "split", "card": {...}, "found", "where", "format", "files",
    "count", "shape", "channels", "holes", "fingerprint", "class_counts", "original", "notes",
    "cache"}; where "found" is false, "advice" stands for the rest.
    """
    from intarsia.corpus.report import describe

    with decoding_progress() as progress:
        report = describe(name, split, progress(f"{name} {split}"))
    if json:
        emit(report)
    else:
        _show_info(report)


@data_app.command("prepare")
def prepare_command(
    name: Name,
    split: Annotated[str | None, typer.Option(help="One split; all of them by default.")] = None,
    resize: Annotated[int | None, typer.Option(help="Make every picture S x S.")] = None,
    fit: Annotated[str, typer.Option(help="resize, pad or crop.")] = "resize",
    grey: Annotated[bool, typer.Option("--grey", help="One channel of luma.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Decode again.")] = False,
    json: Json = False,
) -> None:
    """Download and decode a data set into the cache, so that later runs start at once.

    --json prints {"command", "name", "prepared": [{"split", "count", "shape", "channels",
    "holes", "fingerprint", "notes", "cache", "seconds"}]}.
    """
    from intarsia.corpus.options import PixelOptions
    from intarsia.corpus.report import prepare

    options = PixelOptions.checked(resize, fit, grey)
    with decoding_progress() as progress:
        report = prepare(
            name, split, options, force=force, progress=lambda part: progress(f"{name} {part}")
        )
    if json:
        emit(report)
        return
    console = stderr_console(markup=False)
    for part in report["prepared"]:
        where = part["cache"] or "nothing to keep: it is read anew each time"
        console.print(
            f"{name} {part['split']}: {part['count']:,} pictures, {part['seconds']:.1f} s, {where}"
        )


def _show_list(report: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("name", "split", "pictures", "size", "classes", "where"):
        right = heading == "pictures"
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for item in report["sets"]:
        size = "x".join(map(str, item["shape"]))
        for split, status in item["splits"].items():
            where = status.get("where") or status.get("problem") or "not here"
            cells = (item["name"], split, f"{status['count']:,}", size, str(item["classes"]), where)
            table.add_row(*cells)
    console = stderr_console(markup=False)
    console.print(table)
    console.print("Fetch one with: intarsia data prepare NAME")


def _show_info(report: dict[str, Any]) -> None:
    from rich.markup import escape

    lines: list[tuple[str, Any]] = [("name", f"{report['name']} ({report['split']})")]
    if card := report["card"]:
        lines += [(key, card[key]) for key in ("title", "about", "home", "licence")]
    if not report["found"]:
        lines += [("where", "not here"), ("fetch", f"intarsia data prepare {report['name']}")]
        lines += [("or", report["advice"])]
    else:
        shape = report["shape"]
        size = "x".join(map(str, shape)) if shape else "mixed sizes"
        lines += [
            ("pictures", f"{report['count']:,} of {size}"),
            ("where", report["where"]),
            ("cache", report["cache"] or "none"),
            ("fingerprint", report["fingerprint"]),
        ]
        if report["original"] is not None:
            lines.append(("original", "yes" if report["original"] else "no, the content differs"))
        lines += [("note", note) for note in report["notes"]]
        if counts := report["class_counts"]:
            listed = ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:30])
            lines.append(("classes", listed + (", ..." if len(counts) > 30 else "")))
    console = stderr_console()
    for key, value in lines:
        console.print(f"[bold]{key:<12}[/bold] {escape(str(value))}")
