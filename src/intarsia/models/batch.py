"""A batch of canvases on their way from seeds to pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from intarsia.corpus import Corpus
from intarsia.dictionary import FillOrder
from intarsia.reduce import Drawn
from intarsia.reduce.similar import Lookup
from intarsia.samples import SOURCE_FIELDS

SEED_STEP = -1


@dataclass
class Batch:
    """Canvases that know the same pixels and so share a dictionary at every step.

    Attributes
    ----------
    samples : int64 [B], their numbers within the run.
    order : the places to fill.
    canvas : uint8 [B, H, W, C].
    sources : the arrays of `Sources`, each [B, H, W].
    origins : int64 [B], the corpus index of each seed's picture; -1 for none.
    label : the class asked for, or None.
    step : places filled so far.
    lookups : what phi last found; one entry, or two under ``intersection``.
    fell_back : bool [B, H, W], pixels whose pool ``intersection`` left empty.
    """

    samples: Int64[np.ndarray, " b"]
    order: FillOrder
    canvas: UInt8[np.ndarray, "b h w c"]
    sources: dict[str, np.ndarray]
    origins: Int64[np.ndarray, " b"]
    fell_back: Bool[np.ndarray, "b h w"]
    label: int | None = None
    step: int = 0
    lookups: list[Lookup] = field(default_factory=list)

    @classmethod
    def blank(
        cls,
        samples: Int64[np.ndarray, " b"],
        order: FillOrder,
        channels: int,
        label: int | None = None,
    ) -> Batch:
        """Return empty canvases without sources."""
        shape = (len(samples), *order.known.shape)
        sources = {name: np.zeros(shape, kind) for name, kind in SOURCE_FIELDS.items()}
        for name in ("image", "row", "col", "label", "step"):
            sources[name][:] = -1
        canvas = np.zeros((*shape, channels), np.uint8)
        nobody = np.full(len(samples), -1, np.int64)
        return cls(samples, order, canvas, sources, nobody, np.zeros(shape, bool), label)

    def plant(
        self,
        corpus: Corpus,
        images: Int64[np.ndarray, " b"],
        source: tuple[Int64[np.ndarray, " b"], Int64[np.ndarray, " b"]],
        place: tuple[int, int],
        side: int,
    ) -> None:
        """Cut a seed for each canvas from its training picture, and keep where it came from.

        Parameters
        ----------
        images : the pictures.
        source : (rows, columns) of each seed's top left pixel in its picture.
        place : (row, column) of the seeds' top left pixel on the canvas.
        side : pixels across.
        """
        down, across = np.mgrid[0:side, 0:side]
        rows = source[0][:, None, None] + down
        cols = source[1][:, None, None] + across
        which = np.broadcast_to(images[:, None, None], rows.shape)
        at = (slice(None), slice(place[0], place[0] + side), slice(place[1], place[1] + side))
        self.canvas[at] = corpus[which, rows, cols]
        self.sources["image"][at] = which
        self.sources["row"][at] = rows
        self.sources["col"][at] = cols
        self.sources["pool"][at] = 1
        self.sources["weight"][at] = 1
        if corpus.labels is not None:
            self.sources["label"][at] = corpus.labels[which]
        self.origins = images.copy()

    def write(self, corpus: Corpus, place: tuple[int, int], drawn: Drawn) -> None:
        """Write one drawn pixel on each canvas."""
        row, col = place
        self.canvas[:, row, col] = corpus[drawn.image, drawn.row, drawn.col]
        entries: dict[str, Any] = {
            "image": drawn.image,
            "row": drawn.row,
            "col": drawn.col,
            "step": self.step,
            "pool": drawn.pool,
            "distance": drawn.distance / np.maximum(drawn.weight * 255**2, 1),
            "weight": 1 / drawn.pool,
            "transform": 0,
        }
        if corpus.labels is not None:
            entries["label"] = corpus.labels[drawn.image]
        for name, value in entries.items():
            self.sources[name][:, row, col] = value
        self.step += 1

    @property
    def done(self) -> bool:
        """Whether every pixel is filled."""
        return self.step >= len(self.order)

    def known(self) -> Bool[np.ndarray, "h w"]:
        """Return the mask of pixels known now."""
        return self.order.known_before(self.step)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything a checkpoint needs."""
        arrays = {f"source_{name}": value for name, value in self.sources.items()}
        for i, lookup in enumerate(self.lookups):
            arrays[f"lookup{i}_pictures"] = lookup.pictures
            if lookup.shift is not None:
                arrays[f"lookup{i}_shift"] = lookup.shift
        return arrays | {
            "samples": self.samples,
            "canvas": self.canvas,
            "known": self.order.known,
            "places": self.order.places,
            "origins": self.origins,
            "label": np.array(-1 if self.label is None else self.label),
            "step": np.array(self.step),
            "fell_back": self.fell_back,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Batch:
        """Undo `to_arrays`."""
        label = int(arrays["label"])
        lookups: list[Lookup] = []
        while f"lookup{len(lookups)}_pictures" in arrays:
            name = f"lookup{len(lookups)}"
            lookups.append(Lookup(arrays[f"{name}_pictures"], arrays.get(f"{name}_shift")))
        return cls(
            samples=arrays["samples"],
            order=FillOrder(arrays["known"], arrays["places"]),
            canvas=arrays["canvas"].copy(),
            sources={name: arrays[f"source_{name}"].copy() for name in SOURCE_FIELDS},
            origins=arrays["origins"],
            fell_back=arrays["fell_back"].copy(),
            label=None if label < 0 else label,
            step=int(arrays["step"]),
            lookups=lookups,
        )
