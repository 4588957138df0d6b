"""The list of a paper's pages, made from what is there."""

from __future__ import annotations

import re
from pathlib import Path

from intarsia.files import write_text

TITLES = {
    "paper-a": "Paper A, table by table and figure by figure",
    "paper-b": "Paper B, table by table and figure by figure",
    "paper-c": "Paper C, table by table and figure by figure",
}

SOURCES = {
    "paper-a": (
        '"Scaling Non-Parametric Sampling with Representation"\n'
        "([arXiv 2510.22196](https://arxiv.org/abs/2510.22196))"
    ),
    "paper-b": (
        '"Exploring image generation via mutually exclusive probability spaces and local\n'
        'dependence hypothesis" (anonymous, under review)'
    ),
    "paper-c": (
        '"An analytic theory of creativity in convolutional diffusion models"\n'
        "([arXiv 2412.20292](https://arxiv.org/abs/2412.20292))"
    ),
}

_HEAD = """\
{source}. Every page has its picture, a table
"published | here | settings | command", and a paragraph on what agrees and what does not, whose
numbers the program filled in. `intarsia reproduce {paper}` runs the quick scale; `intarsia
reproduce` lists all items with their times."""


def write_summary(out: Path, paper: str) -> Path:
    """Write ``out/PAPER/index.md``: each item, what it shows, and the scale of its page."""
    from intarsia.reproduce.catalogue import catalogue

    lines = [
        f"# {TITLES.get(paper, paper)}",
        "",
        _HEAD.format(source=SOURCES[paper], paper=paper),
        "",
    ]
    lines += ["| | shows | scale |", "| --- | --- | --- |"]
    for item in catalogue(paper):
        page = out / paper / f"{item.name}.md"
        scale = _scale_of(page)
        name = f"[{item.name}]({item.name}.md)" if page.exists() else item.name
        lines.append(f"| {name} | {item.shows} | {scale} |")
    path = out / paper / "index.md"
    write_text(path, "\n".join(lines) + "\n")
    return path


def _scale_of(page: Path) -> str:
    if not page.exists():
        return "not run"
    first = page.read_text(encoding="utf-8").split("\n", 1)[0]
    found = re.search(r"--scale (\w+)", first)
    return found[1] if found else "not run"
