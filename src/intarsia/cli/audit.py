"""``intarsia audit``: which samples of any model are copies of training images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, emit, stderr_console
from intarsia.errors import DataError, UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.provenance.audit import Audit

AUDIT = "Audit"
GATE = 3
"""Exit code where --fail-above trips."""


def audit_command(
    samples: Annotated[
        Path,
        typer.Argument(
            metavar="SAMPLES", help="Folder of pictures, run folder, .npz, .parquet or picture."
        ),
    ],
    data: o.Data = "digits",
    holdout: Annotated[
        str | None,
        typer.Option(
            help="Genuine pictures the model has not seen, as --data names them; by default the "
            "data set's test split.",
            show_default=False,
            rich_help_panel=AUDIT,
        ),
    ] = None,
    calibrate: Annotated[
        int,
        typer.Option(
            help="Held-out pictures scored; no p-value is below 1 / (this + 1).",
            rich_help_panel=AUDIT,
        ),
    ] = 1000,
    fail_above: Annotated[
        float | None,
        typer.Option(
            help="Exit with code 3 if the rate is above this, 0 to 1.", rich_help_panel=AUDIT
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report.", rich_help_panel=o.RUN)
    ] = None,
    split: o.Split = "train",
    limit: o.Limit = None,
    classes: o.Classes = None,
    resize: o.Resize = None,
    fit: o.Fit = "resize",
    grey: o.Grey = False,
    threads: o.Threads = None,
    json: o.Json = False,
) -> None:
    """Audit samples of any model for copies of training images.

    --out writes report.html, cases.png and audit.json. --json prints {"rate": share declared
    copies at a false-discovery rate of 5 %, "rate_interval": [lo, hi], "rate_by_psnr",
    "false_discovery_rate", "held_out", "corpus", "least_copies" (fewer cannot be declared),
    "notes", "samples": [{"name", "p_value", "source_image", "psnr" (100 stands for
    equal pictures), "copied_fraction", "copy", "copy_by_psnr", "score", "sources": [{"image",
    "region", "shift", "residual"}]}]}. docs/attribution.md explains.
    """
    from intarsia.corpus import Corpus
    from intarsia.provenance.audit import audit
    from intarsia.provenance.audit_report import write_audit
    from intarsia.provenance.sample_set import read_samples

    if fail_above is not None and not 0 <= fail_above <= 1:
        raise UsageError(f"--fail-above is {fail_above}; a rate lies between 0 and 1.")
    if calibrate < 19:
        raise UsageError(
            f"--calibrate is {calibrate}; with fewer than 19 held-out pictures no p-value "
            "reaches 0.05."
        )
    pixels: dict[str, Any] = {"resize": resize, "fit": fit, "grey": grey}
    with decoding_progress() as progress:
        bars: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress(what)
            bars[what](done, total)

        corpus = Corpus.open(
            data, split=split, limit=limit, classes=classes,
            progress=progress(f"reading {data}"), **pixels,
        )  # fmt: skip
        genuine = _held_out(holdout, data, split, classes, pixels)
        read = read_samples(
            samples, corpus.size, corpus.channels, progress(f"reading {samples.name}")
        )
        found = audit(read, corpus, genuine, count=calibrate, threads=threads, tell=tell)
    if out is not None:
        write_audit(found, out)
    if json:
        emit(found.to_json())
    else:
        _show(found, out)
    if fail_above is not None and found.rate > fail_above:
        stderr_console(markup=False).print(
            f"The rate {found.rate:.2%} is above --fail-above {fail_above:.2%}."
        )
        raise typer.Exit(GATE)


def _held_out(
    holdout: str | None, data: str, split: str, classes: str | None, pixels: dict[str, Any]
) -> Corpus:
    """Open what --holdout names, or the test split of the data; say so and stop without either."""
    from intarsia.corpus import Corpus

    if holdout is not None:
        # A named set would otherwise open as what the model was trained on.
        part = "test" if holdout == data and split == "train" else "train"
        return Corpus.open(holdout, split=part, **pixels)
    other = "test" if split == "train" else "train"
    try:
        return Corpus.open(data, split=other, classes=classes, **pixels)
    except (UsageError, DataError) as error:
        raise UsageError(
            f"{data} has no {other} split to calibrate on ({error}) An audit compares samples with "
            "genuine pictures the model has not seen: name some with --holdout."
        ) from error


def _show(found: Audit, out: Path | None) -> None:
    from intarsia.provenance.audit_drawing import verdict
    from intarsia.provenance.audit_report import least_words

    console = stderr_console(markup=False)
    for note in found.samples.notes:
        console.print(note)
    low, high = found.rate_interval
    console.print(
        f"{found.copies:,} of {len(found.findings):,} samples declared copies: {found.rate:.2%} "
        f"(95 % interval {low:.2%} to {high:.2%}), false-discovery rate 5 %, against "
        f"{len(found.held_out):,} pictures of {found.held_out_name}"
    )
    if least_words(found):
        console.print(least_words(found))
    for index in found.ranked[:10]:
        one = found.findings[index]
        sources = " and ".join(f"{match.image:,}" for match in one.scored.sources)
        console.print(f"  {one.name}: image {sources}; {verdict(one)}")
    if out is not None:
        console.print(f"  {out / 'report.html'}")
