"""The command ``intarsia``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from intarsia.cli.attribute import attribute_command
from intarsia.cli.audit import audit_command
from intarsia.cli.bench import bench_command
from intarsia.cli.calibrate import calibrate_command
from intarsia.cli.common import run_app
from intarsia.cli.compare import compare_command
from intarsia.cli.data import data_app
from intarsia.cli.demo import demo_command
from intarsia.cli.evaluate import evaluate_command
from intarsia.cli.explore import explore_command
from intarsia.cli.generate import generate_command
from intarsia.cli.pictures import inpaint_command, texture_command
from intarsia.cli.reproduce import reproduce_command
from intarsia.cli.train_commands import train_app

app = typer.Typer(
    name="intarsia",
    help="White-box image generation: every generated pixel names the training pixel it came from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo_command)
app.command("generate")(generate_command)
app.command("texture")(texture_command)
app.command("inpaint")(inpaint_command)
app.add_typer(data_app)
app.command("evaluate")(evaluate_command)
app.command("explore")(explore_command)
app.add_typer(train_app)
app.command("compare")(compare_command)
app.command("calibrate")(calibrate_command)
app.command("attribute")(attribute_command)
app.command("audit")(audit_command)
app.command("reproduce")(reproduce_command)
app.command("bench")(bench_command)


def _version(wanted: bool) -> None:
    if wanted:
        from intarsia import __version__

        typer.echo(f"intarsia {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks. Stands before the command.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; errors made on purpose end as one line and an exit code."""
    sys.exit(run_app(app, sys.argv[1:]))
