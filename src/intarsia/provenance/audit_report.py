"""The folder an audit writes: report.html (self-contained), cases.png, audit.json."""

from __future__ import annotations

import base64
import html
import json
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from intarsia.files import make_folder, png_bytes, save_png, write_text
from intarsia.provenance.audit_drawing import CASES, case_tiles, draw_cases, score_plot, verdict

if TYPE_CHECKING:
    from intarsia.provenance.audit import Audit

ROWS = 1000
"""Samples in the table; audit.json has all."""


def write_audit(audit: Audit, folder: str | Path) -> Path:
    """Write report.html, cases.png and audit.json into a folder, and return it.

    Raises
    ------
    IntarsiaError
        If a file cannot be written.
    """
    folder = make_folder(folder)
    save_png(folder / "cases.png", draw_cases(audit))
    write_text(folder / "report.html", audit_html(audit))
    text = json.dumps(audit.to_json(), indent=2, allow_nan=False)
    write_text(folder / "audit.json", text + "\n")
    return folder


def least_words(audit: Audit) -> str:
    """Say how many copies there must be before any can be declared; nothing if one is enough."""
    if audit.least_copies <= 1:
        return ""
    return (
        f"Fewer than {audit.least_copies:,} copies among so many samples cannot be declared; more "
        "held-out pictures (--calibrate) lower that number."
    )


def audit_html(audit: Audit) -> str:
    """Write the report: one page, pictures inside, no script, nothing loaded from elsewhere."""
    total = len(audit.findings)
    low, high = audit.rate_interval
    by_psnr = sum(one.is_copy_by_psnr for one in audit.findings)
    fill = {
        "title": f"{audit.copies:,} of {total:,} samples are declared copies",
        "rate": f"{audit.rate:.2%}",
        "interval": f"{low:.2%} to {high:.2%}",
        "psnr_rule": f"{by_psnr:,} of {total:,} ({by_psnr / total:.2%})",
        "corpus": _escape(f"{audit.corpus.name} ({len(audit.corpus):,} images)"),
        "held_out": _escape(f"{len(audit.held_out):,} of {audit.held_out_name}"),
        "floor": f"{1 / (1 + len(audit.held_out)):.2g}",
        "least": _escape(least_words(audit)),
        "plot": "data:image/svg+xml;base64," + base64.b64encode(score_plot(audit)).decode("ascii"),
        "cases": "\n".join(_case(audit, index) for index in audit.ranked[:CASES]),
        "which": f"The {min(CASES, total)} highest scores of {total:,}.",
        "rows": "\n".join(_row(audit, rank, i) for rank, i in enumerate(audit.ranked[:ROWS], 1)),
        "cut": f"<p>The first {ROWS:,}; audit.json has all.</p>" if total > ROWS else "",
        "notes": "".join(f"<li>{_escape(note)}</li>" for note in audit.samples.notes),
    }
    page = files("intarsia.provenance").joinpath("audit.html").read_text(encoding="utf-8")
    return Template(page).substitute(fill)


def _case(audit: Audit, index: int) -> str:
    finding = audit.findings[index]
    figures = "".join(
        f'<figure><img src="{_png(picture)}" alt="{_escape(caption)}">'
        f"<figcaption>{_escape(caption)}</figcaption></figure>"
        for caption, picture in case_tiles(audit, index)
    )
    kind = "case copy" if finding.is_copy else "case"
    return (
        f'<article class="{kind}"><div>{figures}</div><p>{_escape(verdict(finding))}</p></article>'
    )


def _row(audit: Audit, rank: int, index: int) -> str:
    one = audit.findings[index]
    psnr = "equal" if one.is_equal else f"{one.psnr:.1f}"
    sources = ", ".join(f"{match.image:,}" for match in one.scored.sources)
    cells = (
        f"{one.scored.score:.2f}",
        f"{one.p_value:.2g}",
        "yes" if one.is_copy else "",
        sources,
        f"{one.copied_fraction:.0%}",
        psnr,
        "yes" if one.is_copy_by_psnr else "",
    )
    body = "".join(f"<td>{_escape(cell)}</td>" for cell in cells)
    return f'<tr><td>{rank}</td><th scope="row">{_escape(one.name)}</th>{body}</tr>'


def _png(picture: object) -> str:
    return "data:image/png;base64," + base64.b64encode(png_bytes(picture)).decode("ascii")  # type: ignore[arg-type]


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
