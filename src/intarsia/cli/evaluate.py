"""``intarsia evaluate``: what runs are worth, in numbers that name their features."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, emit, stderr_console
from intarsia.errors import DataError, UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.measure import Report

WITHOUT_REFERENCE = "entropy"
WITH_REFERENCE = "entropy,nearest"

# What the table shows of a metric; --json has the rest.
HEADINGS = {
    "value": "",
    "class_map": "class\nentropy",
    "image_map": "image\nentropy",
    "top_source_share": "top\nsource",
    "psnr": "nearest\nPSNR",
    "ssim": "nearest\nSSIM",
    "copies": "copies",
}


def evaluate_command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
    reference: Annotated[
        str | None,
        typer.Option(help="Pictures to compare with, as --data names them.", show_default=False),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            help="Some of fid,kid,is,precision,recall,entropy,nearest; by default entropy and, "
            "with --reference, nearest.",
            show_default=False,
        ),
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            help="What fid to recall see: classifier (trained on the reference) or inception."
        ),
    ] = "classifier",
    weights: Annotated[Path | None, typer.Option(help="A file of weights for --features.")] = None,
    split: Annotated[
        str, typer.Option(help="Of the reference: train or test.", rich_help_panel=o.CORPUS)
    ] = "train",
    limit: o.Limit = None,
    classes: o.Classes = None,
    resize: o.Resize = None,
    fit: o.Fit = "resize",
    grey: o.Grey = False,
    json: o.Json = False,
) -> None:
    """Measure runs. Values of other features or another reference do not compare.

    --json prints {"features": {...} | null, "reference": {...} | null, "runs": [{"run", "images",
    "corpus", "metrics": {NAME: {"value", ..., "images", "features", "reference", "settings"}},
    "warnings"}]}; null stands for what is undefined. docs/measures.md says what each means.
    """
    from intarsia.measure import evaluate_runs
    from intarsia.measure.checks import WITH_FEATURES, check_metrics
    from intarsia.measure.features import check_name

    if metrics is None:
        metrics = WITHOUT_REFERENCE if reference is None else WITH_REFERENCE
    chosen = check_metrics([name.strip() for name in metrics.split(",") if name.strip()])
    check_name(features)
    options: dict[str, Any] = {"classes": classes, "resize": resize, "fit": fit, "grey": grey}
    learned = features == "classifier" and weights is None
    with decoding_progress() as progress:
        bars: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress(what)
            bars[what](done, total)

        def opened(part: str, limit: int | None = None) -> Corpus:
            from intarsia.corpus import Corpus

            assert reference is not None
            bar = progress(f"reading {reference} {part}")
            return Corpus.open(reference, split=part, limit=limit, progress=bar, **options)

        against = training = test = None
        if reference is not None:
            against = opened(split, limit)
            if learned and WITH_FEATURES & set(chosen):
                # The same features whatever part of the reference is compared with.
                training, test = opened("train"), _test_split(opened)
        reports = evaluate_runs(
            runs,
            against,
            chosen,
            features,
            training=training,
            test=test,
            weights=weights,
            progress=tell,
        )
    if json:
        emit(_as_dict(reports))
    else:
        _show(reports)


def _test_split(opened: Any) -> Corpus | None:
    """Return the test split, for the accuracy of a classifier; None if there is none here."""
    try:
        found: Corpus = opened("test")
    except (UsageError, DataError):
        return None
    return found


def _as_dict(reports: list[Report]) -> dict[str, Any]:
    results = [result for report in reports for result in report.results.values()]
    cards = [result.features.as_dict() for result in results if result.features is not None]
    references = [result.reference.as_dict() for result in results if result.reference is not None]
    return {
        "features": cards[0] if cards else None,
        "reference": max(references, key=lambda one: one["images"]) if references else None,
        "runs": [report.as_dict() for report in reports],
    }


def _show(reports: list[Report]) -> None:
    from rich.markup import escape
    from rich.table import Table

    console = stderr_console()
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("run", overflow="fold", min_width=12)
    table.add_column("images", justify="right")
    rows: list[list[str]] = [[escape(report.run), f"{report.images:,}"] for report in reports]
    for metric, first in reports[0].results.items():
        for name in (name for name in first.values if name in HEADINGS):
            table.add_column(HEADINGS[name] or metric, justify="right", no_wrap=True)
            for row, report in zip(rows, reports, strict=True):
                row.append(_cell(report.results[metric].values, name))
    for row in rows:
        table.add_row(*row)
    console.print(table)
    whole = _as_dict(reports)
    if whole["features"] is not None:
        card = whole["features"]
        accuracy = card["about"].get("accuracy")
        tested = "" if accuracy is None else f", {accuracy:.1%} right on {_tested(card['about'])}"
        console.print(
            f"features   {card['name']}, {card['dimension']:,} of them, weights "
            f"{card['fingerprint'][:12]}{tested}"
        )
    if whole["reference"] is not None:
        against = whole["reference"]
        console.print(
            f"reference  {escape(against['data'])} {against['split']}, {against['images']:,} "
            f"pictures, fingerprint {against['fingerprint'][:12]}"
        )
    for warning in dict.fromkeys(line for one in reports for line in one.warnings):
        console.print(f"[yellow]warning[/yellow]    {escape(warning)}")


def _tested(about: dict[str, Any]) -> str:
    return f"{about['tested_images']:,} pictures ({about['tested_on']})"


def _cell(values: dict[str, float], name: str) -> str:
    value = values[name]
    if value != value:
        return "-"
    if name == "copies":
        return f"{value:.0f}"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.4g}"
