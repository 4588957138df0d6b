"""``intarsia attribute``: the training patches nearest to each pixel of any picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intarsia.cli import options as o
from intarsia.cli.common import decoding_progress, emit, stderr_console
from intarsia.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from intarsia.corpus import Corpus

ATTRIBUTION = "Attribution"
_SAMPLES = 8


def attribute_command(
    pictures: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Pictures, or run folders.")
    ],
    data: o.Data = "digits",
    window: Annotated[
        int, typer.Option(help="Side of the compared window, odd.", rich_help_panel=ATTRIBUTION)
    ] = 7,
    radius: Annotated[
        int | None,
        typer.Option(
            help="Only patches so near a pixel's own place; anywhere by default.",
            rich_help_panel=ATTRIBUTION,
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(help="Patches named for each pixel.", rich_help_panel=ATTRIBUTION)
    ] = 1,
    order: Annotated[
        str,
        typer.Option(
            help="whole: all of each window. from-run: what a run of nps knew at each step.",
            rich_help_panel=ATTRIBUTION,
        ),
    ] = "whole",
    out: Annotated[
        Path | None, typer.Option(help="Folder for pictures and maps.", rich_help_panel=o.RUN)
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
    """Name the training patches nearest to each pixel of a picture, made by whatever model.

    --out writes NAME.png and NAME.npz (image, row, col, label, distance, mosaic) for each.
    --json prints {"corpus": {...}, "window", "radius", "order", "pictures": [{"name", "notes",
    "correlation", "region": {"image", "shift", "pixels", "share", "box"}, "images": [{"image",
    "share"}], "nearest": [{"measure", "image", "value"}], "files"}]}. With --order from-run
    each of "pictures" is {"name", "drawn", "at_minimum", "files"}: pixels drawn, and those whose
    recorded source is one of the nearest. docs/attribution.md explains.
    """
    from intarsia.corpus import Corpus

    if order not in ("whole", "from-run"):
        raise UsageError(f"--order is {order!r}; it must be whole or from-run.")
    if radius is not None and order == "from-run":
        raise UsageError("--radius comes from the run with --order from-run. Drop it.")
    with decoding_progress() as progress:
        corpus = Corpus.open(
            data, split=split, limit=limit, classes=classes, resize=resize, fit=fit, grey=grey,
            progress=progress(f"reading {data}"),
        )  # fmt: skip
        if order == "from-run":
            reports = _own(pictures, corpus, top, out, threads, progress)
        else:
            reports = _any(pictures, corpus, window, radius, top, out, threads, progress)
    if json:
        emit(
            {
                "corpus": {
                    "data": corpus.name,
                    "images": len(corpus),
                    "fingerprint": corpus.fingerprint,
                },
                "window": window if order == "whole" else None,
                "radius": radius,
                "order": order,
                "pictures": reports,
            }
        )
        return
    console = stderr_console(markup=False)
    for report in reports:
        for line in _words(report):
            console.print(line)


Bars = Any
"""Opens a named bar; see `decoding_progress`."""


def _any(
    paths: list[Path],
    corpus: Corpus,
    window: int,
    radius: int | None,
    top: int,
    out: Path | None,
    threads: int | None,
    progress: Bars,
) -> list[dict[str, Any]]:
    from intarsia.files import make_folder, save_npz, save_png
    from intarsia.provenance.attribution import Attributor
    from intarsia.provenance.attribution_drawing import draw_attribution

    attributor = Attributor(corpus, window)
    reports = []
    for name, picture, notes in _read(paths, corpus.channels):
        try:
            found = attributor.attribute(
                picture, radius=radius, top=top, threads=threads, progress=progress(name)
            )
        except UsageError as error:
            raise UsageError(f"{name}: {error}") from error
        report: dict[str, Any] = {"name": name, "notes": list(notes), **found.summary()}
        report["files"] = []
        if out is not None:
            stem = make_folder(out) / name.replace("/", "-")
            save_png(f"{stem}.png", draw_attribution(found, corpus))
            save_npz(
                f"{stem}.npz", image=found.image, row=found.row, col=found.col, label=found.label,
                distance=found.distance, mosaic=found.mosaic,
            )  # fmt: skip
            report["files"] = [f"{stem}.png", f"{stem}.npz"]
        reports.append(report)
    return reports


def _read(paths: list[Path], channels: int) -> list[tuple[str, Any, tuple[str, ...]]]:
    """Read pictures, and the first samples of run folders, with names that differ."""
    from intarsia.corpus.readers.foreign import read_picture
    from intarsia.samples import Samples

    found: list[tuple[str, Any, tuple[str, ...]]] = []
    for path in paths:
        if path.is_dir():
            samples = Samples.load(path)
            shown = samples[:_SAMPLES]
            found += [(f"{path.name}-{i}", image, ()) for i, image in enumerate(shown.images)]
            continue
        picture, notes = read_picture(path, channels)
        found.append((path.stem, picture, notes))
    names = [name for name, _, _ in found]
    return [
        (name if names.count(name) == 1 else f"{name}-{at}", picture, notes)
        for at, (name, picture, notes) in enumerate(found)
    ]


def _own(
    paths: list[Path],
    corpus: Corpus,
    top: int,
    out: Path | None,
    threads: int | None,
    progress: Bars,
) -> list[dict[str, Any]]:
    from intarsia.files import make_folder, save_npz
    from intarsia.provenance.from_run import attribute_own
    from intarsia.samples import Samples

    reports = []
    for path in paths:
        samples = Samples.load(path, corpus=corpus)
        for index in range(min(_SAMPLES, len(samples))):
            name = f"{path.name}-{index}"
            bar: Callable[[int, int], None] = progress(name)
            own = attribute_own(samples, index, corpus, top=top, threads=threads, progress=bar)
            report: dict[str, Any] = {
                "name": name,
                "drawn": int(own.drawn.sum()),
                "at_minimum": int(own.at_minimum.sum()),
                "files": [],
            }
            if out is not None:
                file = make_folder(out) / f"{name}.npz"
                save_npz(
                    file, image=own.image, row=own.row, col=own.col, squared=own.squared,
                    recorded=own.recorded,
                )  # fmt: skip
                report["files"] = [str(file)]
            reports.append(report)
    return reports


def _words(report: dict[str, Any]) -> list[str]:
    lines = [f"{report['name']}: {note}" for note in report.get("notes", ())]
    if "drawn" in report:
        lines.append(
            f"{report['name']}: {report['drawn']:,} pixels drawn, the recorded source of "
            f"{report['at_minimum']:,} is one of the nearest"
        )
    else:
        region, r = report["region"], report["correlation"]
        words = "flat" if r is None else f"correlation of mosaic and picture {r:.3f}"
        nearest = ", ".join(f"{one['image']:,} by {one['measure']}" for one in report["nearest"])
        lines.append(
            f"{report['name']}: {words}; largest region {region['share']:.0%}, from image "
            f"{region['image']:,}" + (f"; nearest whole images {nearest}" if nearest else "")
        )
    return lines + [f"  {file}" for file in report["files"]]
