"""The report of a run: one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia.files import png_bytes
from intarsia.provenance import draw, maps
from intarsia.provenance.colours import RANK_COLOURS, class_colours, hex_of
from intarsia.provenance.metrics import explained
from intarsia.provenance.timeline import timeline_svg
from intarsia.provenance.top_sources import (
    SourceUse,
    describe,
    top_map,
    top_share,
    top_sources,
    used_pixels,
)

if TYPE_CHECKING:
    from PIL.Image import Image

    from intarsia.samples import Samples

SHOWN = 8
"""Samples shown one by one; the grid shows all."""
_PIXELS = 1 << 18  # of all samples shown one by one: keeps the file to a few megabytes
_TILE = 168

_EVIDENCE = {
    "exact": "Every pixel is a copy of one training pixel, and the maps say which.",
    "posterior": "Every pixel is a weighted mean of training pixels; the maps name the heaviest.",
    "token": "Every token is a copy of a training token, and the maps say which.",
    "none": "This model makes no claim about where its pixels come from.",
}


def report_html(samples: Samples, metrics: Mapping[str, Any]) -> str:
    """Write the report of a run.

    Parameters
    ----------
    samples : at least one. With ``samples.corpus`` the report shows the training images.
    metrics : as `intarsia.provenance.metrics.run_metrics` returns.

    Returns
    -------
    str
        One HTML page: pictures inside, light and dark, no script, nothing loaded from elsewhere.
    """
    n, height, width = samples.sources.shape
    shown = samples[: max(1, min(SHOWN, _PIXELS // (height * width)))]
    title = f"{_count(n, 'picture')} from {_data_name(samples)}"
    grid = maps.draw_grid(samples, target=760)
    pictures = _pictures(shown)
    fill = {
        "theme": files("intarsia.provenance").joinpath("theme.css").read_text(encoding="utf-8"),
        "title": _escape(title),
        "lead": _escape(_EVIDENCE[samples.sources.evidence]),
        "facts": "\n".join(
            f"<div><dt>{_escape(name)}</dt><dd>{_escape(value)}</dd></div>"
            for name, value in _facts(samples)
        ),
        "grid": _data_uri(grid),
        "grid_alt": _escape(f"All {_count(n, 'generated picture')} of the run in a grid"),
        "how": _how(samples),
        "which": f"<p>The first {len(shown)} of {n:,}.</p>" if len(shown) < n else "",
        "sections": "\n".join(_section(shown, index, pictures) for index in range(len(shown))),
        "numbers": "\n".join(
            f'<tr><th scope="row">{_escape(name)}</th><td class="value">{_escape(value)}</td>'
            f'<td class="why">{_escape(why)}</td></tr>'
            for name, value, why in explained(metrics)
        ),
        "count": str(len(samples.settings)),
        "settings": "\n".join(
            f'<tr><th scope="row">{_escape(str(name))}</th>'
            f'<td class="value">{_escape(str(value))}</td></tr>'
            for name, value in samples.settings.items()
        ),
        "footer": _escape(_footer(samples)),
    }
    page = files("intarsia.provenance").joinpath("report.html").read_text(encoding="utf-8")
    return Template(page).substitute(fill)


def _facts(samples: Samples) -> list[tuple[str, str]]:
    n, height, width, channels = samples.images.shape
    settings, origin = samples.settings, samples.origin
    model = str(settings.get("model", "not named"))
    if settings.get("principles"):
        model += f" ({settings['principles']})"
    data = _data_name(samples)
    if origin.split and "/" not in origin.data:
        data += f" {origin.split}"
    kind = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
    facts = [
        ("Model", model),
        ("Data", data),
        ("Training images", f"{origin.images:,}" if origin.images else "not known"),
        ("Pictures", f"{n} of {height} x {width}, {kind}"),
    ]
    if "seed" in settings:
        facts.append(("Seed", str(settings["seed"])))
    if origin.fingerprint:
        facts.append(("Fingerprint of the data", origin.fingerprint[:16]))
    return facts


def _data_name(samples: Samples) -> str:
    """Name the corpus without the folders that files are in."""
    data = samples.origin.data
    if data == "self":
        return "the picture itself"
    return ", ".join(part.rstrip("/").split("/")[-1] for part in data.split(",")) or "a corpus"


def _how(samples: Samples) -> str:
    titles = {title for title, _ in maps.columns_of(samples[:1])}
    points = []
    if maps.has_seed(samples.sources):
        points.append(
            "<b>The outline</b> marks the seed: pixels that were given. All others were drawn."
        )
    elif (samples.sources.step < 0).any():
        points.append("<b>The outline</b> marks the pixels that were drawn. All others were given.")
    if "Source image" in titles:
        points.append(
            "<b>Source image.</b> One colour a training image, the same in every map. A patch of "
            "one colour is a piece that was copied together. Speckle means that so many training "
            "images agreed there (on blank paper, say) that the draw hopped between them."
        )
    if "Source place" in titles:
        points.append(
            "<b>Source place.</b> Hue is the column, lightness the row a pixel was copied from. A "
            "smooth patch is a piece copied together; a hard edge is a seam."
        )
    if "Source class" in titles:
        points.append(
            "<b>Source class.</b> The class of that training image. Patches of one class under a "
            "speckled image map are the mark of part-whole generalization: parts that belong "
            "together, from many pictures."
        )
    points.append(
        "<b>Order, pool, distance.</b> Dark to light: first to last pixel drawn; few to many "
        "candidates to draw from; near to far between the context and the patch it was matched "
        "with. Light spots in the last are the places that fit worst."
    )
    return '<ul class="how">' + "".join(f"<li>{point}</li>" for point in points) + "</ul>"


def _section(samples: Samples, index: int, pictures: list[tuple[str, np.ndarray, str]]) -> str:
    sources = samples.sources
    name = f"sample {int(samples.seeds[index])}"
    uses = top_sources(sources, index)
    drawn = sources.step[index] >= 0
    number = len(np.unique(sources.image[index][sources.image[index] >= 0]))
    parts = [
        f'<section class="sample"><h3>{_escape(name.capitalize())}</h3>',
        f"<p>{_escape(_summary(samples, index, number, uses))}</p>",
        _tiles_open(samples),
        *(
            _figure(_tile(samples, index, picture[index], title), title, note, f"{title}, {name}")
            for title, picture, note in pictures
        ),
        "</div>",
        _legend(samples, index),
    ]
    if uses:
        parts.append(f"<h4>The training {'images' if number > 1 else 'image'} it used most</h4>")
        parts.append(_top(samples, index, uses, name))
    if drawn.any() and number > 1:
        parts.append("<h4>Source images against time</h4>")
        parts.append(
            "<p>One dot a pixel, coloured by class. A line of dots is one training image copied "
            "on and on.</p>"
        )
        parts.append(timeline_svg(samples, index))
    parts.append("</section>")
    return "\n".join(parts)


def _summary(samples: Samples, index: int, number: int, uses: list[SourceUse]) -> str:
    asked = ""
    if samples.labels is not None and samples.labels[index] >= 0:
        asked = f"Asked for: {samples.origin.class_words(int(samples.labels[index]))}. "
    if not uses:
        return asked + "None of its pixels names a training image."
    given = int((samples.sources.step[index] < 0).sum())
    images = _count(number, "training image")
    if given and not maps.has_seed(samples.sources):
        drawn = samples.sources.step[index].size - given
        return f"{asked}{_count(drawn, 'pixel')} drawn into it, from {images}."
    around = f" around {_count(given, 'given pixel')}" if given else ""
    text = f"{asked}Put together from {images}{around}"
    if number == 1:
        return text + "."
    share = float(top_share(samples.sources[index])[0])
    if np.isnan(share):
        return text + "."
    return f"{text}; the one drawn from most gave {share:.0%} of what was drawn."


def _pictures(samples: Samples) -> list[tuple[str, np.ndarray, str]]:
    """Return (title, maps, what its colours range over); one scale for all samples."""
    sources = samples.sources
    drawn = sources.step >= 0
    out = [(title, picture, "") for title, picture in maps.columns_of(samples)]
    if drawn.any():
        pool, step = sources.pool[drawn], sources.step[drawn]
        far = 255 * float(np.sqrt(sources.distance[drawn].max()))
        out += [
            ("Order", maps.step_map(sources), f"0 to {step.max():,}"),
            ("Pool size", maps.pool_map(sources), f"1 to {pool.max():,}, log scale"),
            ("Distance", maps.distance_map(sources), f"0 to {far:.0f} grey levels"),
        ]
    return [(title.replace("Samples", "Sample"), picture, note) for title, picture, note in out]


def _tile(samples: Samples, index: int, picture: np.ndarray, title: str) -> np.ndarray:
    scale = draw.scale_for(picture.shape[0], picture.shape[1], _TILE)
    colour = maps.AMBER if title == "Sample" else "#FFFFFF"
    return maps.outlined_tile(samples, index, picture, scale, colour)


def _legend(samples: Samples, index: int) -> str:
    labels = samples.sources.label[index]
    if not (labels >= 0).any():
        return ""
    numbers, counts = np.unique(labels, return_counts=True)
    items = []
    for at in np.argsort(-counts, kind="stable")[:24]:
        colour = hex_of(class_colours(numbers[at : at + 1])[0])
        name = samples.origin.class_words(int(numbers[at]))
        items.append(
            f'<li><span class="swatch" style="background:{colour}"></span>{_escape(name)} '
            f"{counts[at] / labels.size:.0%}</li>"
        )
    if len(numbers) > 24:
        items.append(f"<li>and {len(numbers) - 24} more classes</li>")
    return f'<ul class="legend" aria-label="Source classes">{"".join(items)}</ul>'


def _top(samples: Samples, index: int, uses: list[SourceUse], name: str) -> str:
    figures = []
    for use, colour in zip(uses, RANK_COLOURS, strict=False):
        first, second = describe(samples, use)
        if samples.corpus is None:
            swatch = f'<span class="swatch" style="background:{colour}"></span>'
            figures.append(
                f"<figure><figcaption>{swatch}{_escape(first)}"
                f'<span class="note">{_escape(second)}</span></figcaption></figure>'
            )
            continue
        picture = used_pixels(samples, samples.corpus, index, use, colour=colour, target=_TILE)
        alt = f"Training image {use.image} with the pixels that {name} took from it"
        figures.append(_figure(picture, first, second, alt, colour))
    if len(uses) == 1:
        return f"{_tiles_open(samples)}{''.join(figures)}</div>"
    title = "Where they went"
    where = _tile(samples, index, top_map(samples.sources, index, uses), title)
    figures.append(
        _figure(where, title, "grey: all other images", f"Pixels of {name} from these images")
    )
    return f"{_tiles_open(samples)}{''.join(figures)}</div>"


def _tiles_open(samples: Samples) -> str:
    """Give large pictures more room."""
    large = max(samples.sources.shape[1:]) > 48
    return f'<div class="tiles{" wide" if large else ""}">'


def _figure(picture: np.ndarray, title: str, note: str, alt: str, colour: str | None = None) -> str:
    swatch = f'<span class="swatch" style="background:{colour}"></span>' if colour else ""
    below = f'<span class="note">{_escape(note)}</span>' if note else ""
    return (
        f'<figure><img src="{_data_uri(picture)}" alt="{_escape(alt)}">'
        f"<figcaption>{swatch}{_escape(title)}{below}</figcaption></figure>"
    )


def _footer(samples: Samples) -> str:
    from intarsia.provenance.folder import package_version

    return (
        f"Written by intarsia {package_version()}. Source maps and entropies follow "
        "“Scaling Non-Parametric Sampling with Representation” (arXiv 2510.22196), section 3."
    )


def _data_uri(picture: np.ndarray | Image) -> str:
    return "data:image/png;base64," + base64.b64encode(png_bytes(picture)).decode("ascii")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
