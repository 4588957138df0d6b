"""An attribution as a picture: what was asked, the mosaic, where it came from, what is nearest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from intarsia.provenance import draw
from intarsia.provenance.colours import class_colours, hex_of, id_colours
from intarsia.provenance.maps import AMBER

if TYPE_CHECKING:
    from PIL.Image import Image

    from intarsia.corpus import Corpus
    from intarsia.provenance.attribution import Attribution

_TILE = 192
_NAMES = {"psnr": "nearest, PSNR", "ssim": "nearest, SSIM", "phi": "nearest, phi"}

Panel = tuple[str, str, UInt8[np.ndarray, "y x 3"]]
"""Title, a quiet line below, picture."""


def draw_attribution(found: Attribution, corpus: Corpus) -> Image:
    """Draw the picture, its mosaic, the image-ID and class maps, and the nearest training images.

    Parameters
    ----------
    found : the attribution.
    corpus : what it was attributed to.

    Returns
    -------
    PIL.Image.Image
        RGB. The copied region is outlined in the picture and in its training image.
    """
    panels = _panels(found, corpus)
    cell = max(max(picture.shape[1] for _, _, picture in panels), 150)
    columns = 4 if len(panels) != 5 else 5
    gap, title, below = 14, 26, 24
    rows = [panels[at : at + columns] for at in range(0, len(panels), columns)]
    parts = []
    for row in rows:
        tall = max(picture.shape[0] for _, _, picture in row)
        sheet, pen = draw.blank(columns * (cell + gap) - gap, title + tall + below)
        for number, (name, words, picture) in enumerate(row):
            x = number * (cell + gap)
            pen.text((x, 0), draw.fitted(name, cell), fill=draw.INK, font=draw.font())
            draw.paste(sheet, picture, x, title)
            line = draw.fitted(words, cell, 13)
            where = (x, title + picture.shape[0] + 4)
            pen.text(where, line, fill=draw.QUIET, font=draw.font(13))
        parts.append(sheet)
    labels = np.unique(found.label[..., 0])
    if (labels >= 0).any():
        entries = [
            (hex_of(class_colours(np.array([k]))[0]), _class(found.class_names, int(k)))
            for k in labels[labels >= 0][:24]
        ]
        parts.append(draw.legend(entries, parts[0].width))
    return draw.stack(parts)


def _panels(found: Attribution, corpus: Corpus) -> list[Panel]:
    height, width = found.picture.shape[:2]
    scale = draw.scale_for(height, width, _TILE)

    def big(picture: np.ndarray) -> UInt8[np.ndarray, "y x 3"]:
        return draw.enlarge(draw.to_rgb(picture), scale)

    region = found.region
    picture = big(found.picture)
    if region.pixels:
        picture = draw.outlined(picture, region.mask, colour=AMBER)
    r = "" if found.correlation is None else f"correlation {found.correlation:.3f}"
    panels: list[Panel] = [
        ("Picture", f"copied region {region.share:.0%}", picture),
        ("Mosaic of sources", r, big(found.mosaic)),
        (
            "Source image",
            f"{len(found.images_named):,} images",
            big(id_colours(found.image[..., 0])),
        ),
    ]
    if (found.label >= 0).any():
        panels.append(("Source class", "", big(class_colours(found.label[..., 0]))))
    if region.pixels:
        source = big(corpus[region.image])
        mask = np.zeros(corpus[region.image].shape[:2], bool)
        rows, cols = np.nonzero(region.mask)
        mask[rows + region.shift[0], cols + region.shift[1]] = True
        words = f"image {region.image:,}, shift {region.shift[0]:+d},{region.shift[1]:+d}"
        panels.append(("Copied from", words, draw.outlined(source, mask, colour=AMBER)))
    for one in found.nearest:
        value = {"psnr": "equal" if one.value == np.inf else f"{one.value:.1f} dB"}.get(
            one.measure, f"{one.value:.3g}"
        )
        panels.append(
            (_NAMES[one.measure], f"image {one.image:,}, {value}", big(corpus[one.image]))
        )
    return panels


def _class(names: Sequence[str], label: int) -> str:
    return names[label] if label < len(names) else str(label)
