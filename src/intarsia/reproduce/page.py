"""A page of the book: pictures, the table, an honest paragraph, and how to make it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from intarsia.files import make_folder, png_bytes, write_bytes, write_text
from intarsia.reproduce.item import Item
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

LARGEST = 600_000
"""Bytes that a picture of the documentation may have."""

SMOKE = (
    "This is a test of the machinery at the smallest scale: scikit-learn's handwritten digits at "
    "16x16 stand in for every data set, and the classifier behind the features has seen only them. "
    "No number or picture here says anything about the paper."
)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    what : what was measured, of what.
    published : the paper's value, with its table, figure or section.
    here : the value of this run.
    settings : in words.
    commands : command lines that reproduce it.
    """

    what: str
    published: str
    here: str
    settings: str = ""
    commands: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "what": self.what,
            "published": self.published,
            "here": self.here,
            "settings": self.settings,
            "command": "\n".join(self.commands),
        }


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture with its words.

    Attributes
    ----------
    image : uint8 RGB.
    alt : for who cannot see it.
    caption : what is shown, with the sizes of corpora and the numbers of samples.
    suffix : told apart from other pictures of the page by it.
    """

    image: UInt8[np.ndarray, "h w 3"]
    alt: str
    caption: str
    suffix: str = ""


@dataclass(frozen=True)
class Page:
    """What an item found.

    Attributes
    ----------
    rows : of the table.
    agreement : sentences on what agrees and what does not, made from the numbers.
    pictures : in the order of the page.
    notes : further facts: rules by which samples were chosen, features, warnings.
    corpora : what was drawn from besides the corpora of the item's draws.
    first : heading of the table's first column.
    more : further parts in Markdown, after the table.
    """

    rows: Sequence[Row]
    agreement: Sequence[str]
    pictures: Sequence[Picture] = ()
    notes: Sequence[str] = field(default=())
    corpora: Sequence[Corpus] = ()
    first: str = ""
    more: Sequence[str] = ()


@dataclass(frozen=True)
class Written:
    """Files that a page became."""

    page: Path
    pictures: tuple[Path, ...]


def write(item: Item, page: Page, out: Path, scale: Scale, corpora: Sequence[Corpus]) -> Written:
    """Write a page and its pictures; all is composed before the first file is written.

    Parameters
    ----------
    out : such as docs/results; the page goes to ``out/PAPER/NAME.md``.
    corpora : what it was drawn from, to be named with their fingerprints.
    """
    names = [f"{item.name}{picture.suffix}.png" for picture in page.pictures]
    encoded = [png_within(picture.image, LARGEST) for picture in page.pictures]
    text = markdown(item, page, names, scale, corpora)
    folder = make_folder(out / item.paper)
    for name, data in zip(names, encoded, strict=True):
        write_bytes(folder / name, data)
    target = folder / f"{item.name}.md"
    write_text(target, text)
    return Written(target, tuple(folder / name for name in names))


def markdown(
    item: Item, page: Page, names: Sequence[str], scale: Scale, corpora: Sequence[Corpus]
) -> str:
    """Compose the text of a page.

    Parameters
    ----------
    names : files of its pictures.
    """
    again = f"intarsia reproduce {item.full_name} --scale {scale.name}"
    blocks = [f"<!-- made by: {again} -->", f"# {item.title}"]
    if scale.is_smoke:
        blocks.append(f"**{SMOKE}**")
    for name, picture in zip(names, page.pictures, strict=True):
        blocks += [f"![{_inline(picture.alt)}]({name})", f"*{_inline(picture.caption)}*"]
    blocks += ["## Numbers", table(page.rows, page.first), *page.more]
    blocks += ["## What agrees, and what does not", " ".join(page.agreement)]
    if remark := item.remarks.get(scale.name, "").strip():
        blocks.append(remark)
    blocks += ["## How it was made", "\n".join(f"- {note}" for note in page.notes)]
    blocks += [f"```sh\n{again}\n```", _colophon(scale, corpora)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def table(rows: Sequence[Row], first: str = "") -> str:
    """Write the table "published | here | settings | command" in Markdown."""
    lines = [
        f"| {first}{' ' * bool(first)}| published | here | settings | command |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        commands = "<br>".join(f"`{_cell(line)}`" for line in row.commands)
        cells = [_cell(text) for text in (row.what, row.published, row.here, row.settings)]
        lines.append("| " + " | ".join([*cells, commands]) + " |")
    return "\n".join(lines)


def png_within(picture: UInt8[np.ndarray, "h w 3"], largest: int) -> bytes:
    """Encode a picture; a palette of 256 colours if it would be larger, then half the size.

    Parameters
    ----------
    largest : bytes.
    """
    from PIL import Image

    data = png_bytes(picture)
    while len(data) > largest:
        few = Image.fromarray(picture).quantize(256, dither=Image.Dither.NONE)
        data = png_bytes(few)
        picture = np.ascontiguousarray(picture[::2, ::2])
    return data


def _colophon(scale: Scale, corpora: Sequence[Corpus]) -> str:
    """Name scale, version and corpora."""
    from intarsia.provenance.folder import package_version

    named = {
        f"{one.name} ({one.split}, {len(one):,} images, fingerprint `{one.fingerprint[:12]}`)"
        for one in corpora
    }
    return "; ".join([f"Scale `{scale.name}`, intarsia {package_version()}", *sorted(named)]) + "."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


def _inline(text: str) -> str:
    """Keep a caption one paragraph of emphasis."""
    return " ".join(text.replace("*", "\\*").replace("[", "(").replace("]", ")").split())
