"""Attribution: for each pixel of any picture, the training patches nearest to what surrounds it.

The picture may come from anywhere. Nothing is asked of the model that made it: the patch
dictionary is compared with the picture alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float32, Int16, Int32, Int64, UInt8

from intarsia.dictionary import Query, Stack, Window
from intarsia.errors import UsageError
from intarsia.provenance.coherence import coherent
from intarsia.provenance.copied_region import CopiedRegion, largest_region
from intarsia.provenance.whole_neighbours import (
    FINALISTS,
    Neighbour,
    nearest_by_difference,
    whole_neighbours,
)

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.reduce.nearest_patches import Nearest, Progress

_SEEDS = 4
"""Whole pictures, nearest by squared difference, that are tried for ties at their own place."""


@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """Where every pixel of a picture may have come from.

    Attributes
    ----------
    picture : uint8 [H, W, C], what was attributed.
    image, row, col : [H, W, top], the nearest patches' centres, nearest first; -1 for none.
        Among equally near ones the first is that which continues its neighbours' piece
        (`intarsia.provenance.coherence`); the others follow by image, row and column.
    label : int16 [H, W, top], class of the image, -1 for none.
    squared : int64 [H, W, top], weighted squared distance, exact; -1 for none.
    distance : float32 [H, W, top], the same as a weighted mean in units of 255^2, 0 to 1; NaN
        for none.
    mosaic : uint8 [H, W, C], each pixel replaced by the centre of its nearest patch.
    region : the largest connected region from one training image at a constant shift.
    nearest : the nearest whole pictures; empty where the corpus has other sizes.
    window : what was compared.
    radius : how far from its place a patch was allowed to lie; None for anywhere.
    """

    picture: UInt8[np.ndarray, "h w c"]
    image: Int32[np.ndarray, "h w top"]
    row: Int16[np.ndarray, "h w top"]
    col: Int16[np.ndarray, "h w top"]
    label: Int16[np.ndarray, "h w top"]
    squared: Int64[np.ndarray, "h w top"]
    distance: Float32[np.ndarray, "h w top"]
    mosaic: UInt8[np.ndarray, "h w c"]
    region: CopiedRegion
    nearest: list[Neighbour]
    window: Window
    radius: int | None = None
    class_names: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        height, width, channels = self.picture.shape
        return (
            f"<Attribution of {height}x{width}x{channels}: {len(self.images_named)} images, "
            f"largest region {self.region.share:.0%} from image {self.region.image}>"
        )

    @property
    def images_named(self) -> list[tuple[int, float]]:
        """Images and their shares of the pixels, most first."""
        numbers, counts = np.unique(self.image[..., 0], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        total = self.image[..., 0].size
        return [(int(numbers[i]), float(counts[i] / total)) for i in order if numbers[i] >= 0]

    @cached_property
    def correlation(self) -> float | None:
        """Pearson's r of mosaic and picture over all pixels and channels; None if one is flat."""
        pair = self.mosaic.ravel().astype(np.float64), self.picture.ravel().astype(np.float64)
        if min(part.std() for part in pair) == 0:
            return None
        return float(np.corrcoef(*pair)[0, 1])

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain lists and numbers, ready for `json.dumps`."""
        distance = self.distance.astype(np.float64)
        known = distance.round(9).astype(object)
        known[np.isnan(distance)] = None  # JSON knows no NaN
        return {
            "size": list(self.picture.shape),
            "window": self.window.side,
            "radius": self.radius,
            "top": self.image.shape[2],
            "image": self.image.tolist(),
            "row": self.row.tolist(),
            "col": self.col.tolist(),
            "label": self.label.tolist(),
            "distance": known.tolist(),
            "mosaic": self.mosaic.tolist(),
            **self.summary(),
        }

    def summary(self) -> dict[str, Any]:
        """Return the figures without the maps."""
        return {
            "correlation": self.correlation,
            "region": self.region.as_dict(),
            "images": [{"image": i, "share": share} for i, share in self.images_named[:10]],
            "nearest": [one.as_dict() for one in self.nearest],
        }


class Attributor:
    """A corpus laid out to attribute many pictures to it.

    Parameters
    ----------
    corpus : training pictures of one size or of several.
    window : side of the compared window, odd, in pixels.
    sigma : width of its Gaussian; side / 6.4 by default, as the sampler has it.

    Raises
    ------
    UsageError
        If the window is even or below 3.
    """

    def __init__(self, corpus: Corpus, window: int = 7, sigma: float | None = None) -> None:
        self.corpus = corpus
        self.window = Window(window, sigma)

    @cached_property
    def stacks(self) -> list[Stack]:
        """The corpus, one stack for each size of picture."""
        return stacks_of(self.corpus)

    def attribute(
        self,
        picture: UInt8[np.ndarray, "h w c"] | UInt8[np.ndarray, "h w"],
        *,
        radius: int | None = None,
        top: int = 1,
        threads: int | None = None,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Attribution:
        """Attribute one picture; see `attribute`."""
        picture = self._checked(picture)
        height, width = picture.shape[:2]
        known = np.ones((height, width), bool)
        places = [(y, x) for y in range(height) for x in range(width)]
        queries = [query_at(picture, known, place, self.window) for place in places]
        from intarsia.reduce.nearest_filtered import limits_of, nearest_filtered

        whole = limits = None
        if not self.corpus.is_ragged and (height, width) == self.corpus.size:
            whole = nearest_by_difference(picture, self.stacks[0], FINALISTS, threads)
            if self.corpus.valid is None:
                near = np.stack([self.corpus[int(i)] for i in whole[0]])
                limits = limits_of(picture, near, self.window, top)
        found = nearest_filtered(
            self.stacks,
            queries,
            top,
            radius=radius,
            limits=limits,
            threads=threads,
            progress=progress,
            should_stop=should_stop,
        )
        weights = np.array([query.known_weight for query in queries], np.int64)
        return self._finished(picture, found, weights, whole, radius, threads)

    def _checked(self, picture: np.ndarray) -> UInt8[np.ndarray, "h w c"]:
        if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or not picture.size:
            raise UsageError(
                f"the picture is {picture.dtype} of shape {picture.shape}; uint8 [H, W] or "
                "[H, W, C] is needed."
            )
        picture = picture.reshape(*picture.shape[:2], -1)
        if picture.shape[2] != self.corpus.channels:
            raise UsageError(
                f"the picture has {picture.shape[2]} channels and the pictures of "
                f"{self.corpus.name!r} have {self.corpus.channels}. Convert one of them, or open "
                "the corpus with --grey."
            )
        if min(picture.shape[:2]) < self.window.side:
            raise UsageError(
                f"the picture is {picture.shape[0]}x{picture.shape[1]}, smaller than the "
                f"{self.window.side}x{self.window.side} window. Use a smaller --window."
            )
        return np.ascontiguousarray(picture)

    def _finished(
        self,
        picture: UInt8[np.ndarray, "h w c"],
        found: Nearest,
        weights: Int64[np.ndarray, " q"],
        whole: tuple[np.ndarray, np.ndarray] | None,
        radius: int | None,
        threads: int | None,
    ) -> Attribution:
        height, width = picture.shape[:2]

        def maps(values: np.ndarray) -> np.ndarray:
            return values.reshape(height, width, -1)

        image, row, col = (maps(part) for part in found.names())
        squared = maps(found.distance)
        also = () if whole is None else whole[0][:_SEEDS].tolist()
        firsts = coherent(
            picture, self.corpus, self.window, image[..., 0], row[..., 0], col[..., 0],
            squared[..., 0], also, radius,
        )  # fmt: skip
        image, row, col = (_promoted((image, row, col), firsts, part) for part in range(3))
        label = np.full(image.shape, -1, np.int16)
        if self.corpus.labels is not None:
            label = np.where(image >= 0, self.corpus.labels[image], -1).astype(np.int16)
        mean = squared / (maps(weights) * 255.0**2)
        mosaic = picture.copy()
        there = image[..., 0] >= 0
        mosaic[there] = self.corpus[image[there, 0], row[there, 0], col[there, 0]]
        return Attribution(
            picture=picture,
            image=image.astype(np.int32),
            row=row.astype(np.int16),
            col=col.astype(np.int16),
            label=label,
            squared=squared,
            distance=np.where(squared < 0, np.nan, mean).astype(np.float32),
            mosaic=mosaic,
            region=largest_region(image[..., 0], row[..., 0], col[..., 0]),
            nearest=[] if whole is None else self._whole(picture, whole, threads),
            window=self.window,
            radius=radius,
            class_names=self.corpus.class_names,
        )

    def _whole(
        self,
        picture: UInt8[np.ndarray, "h w c"],
        nearest: tuple[np.ndarray, np.ndarray],
        threads: int | None,
    ) -> list[Neighbour]:
        from intarsia.represent import LowResolution

        return whole_neighbours(
            picture, self.corpus, self.stacks[0], LowResolution(), threads, nearest
        )


_kept: WeakKeyDictionary[Corpus, list[Stack]] = WeakKeyDictionary()
_keeping = threading.Lock()


def stacks_of(corpus: Corpus) -> list[Stack]:
    """Lay out a corpus without padding, once for as long as it lives."""
    import torch

    with _keeping:
        if corpus not in _kept:
            _kept[corpus] = Stack.of(corpus, "ignore", 0, torch.device("cpu"))
        return _kept[corpus]


def attribute(
    picture: UInt8[np.ndarray, "h w c"] | UInt8[np.ndarray, "h w"],
    corpus: Corpus,
    *,
    window: int = 7,
    sigma: float | None = None,
    radius: int | None = None,
    top: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Attribution:
    """Name the training patches nearest to the surroundings of each pixel of a picture.

    A window is compared where it lies inside the picture, and a training patch is a candidate
    where it has a pixel for each of those compared: as the sampler does it
    (`intarsia.reduce.fit`). Distances are exact integers.

    Parameters
    ----------
    picture : uint8 [H, W] or [H, W, C], of the corpus's channels; the size may differ.
    corpus : the training pictures.
    window : side of the compared window, odd, in pixels.
    sigma : width of its Gaussian; side / 6.4 by default.
    radius : only patches at most so far from the pixel's own place; None for anywhere.
    top : how many patches are named for each pixel.
    threads : CPU threads. No result depends on it.
    progress : called with (work done, work in all).
    should_stop : asked now and then; True raises `intarsia.reduce.nearest_patches.Stopped`.

    Returns
    -------
    Attribution

    Raises
    ------
    UsageError
        If the picture has another number of channels than the corpus, is smaller than the
        window, or a number makes no sense.
    """
    return Attributor(corpus, window, sigma).attribute(
        picture,
        radius=radius,
        top=top,
        threads=threads,
        progress=progress,
        should_stop=should_stop,
    )


def query_at(
    picture: UInt8[np.ndarray, "h w c"],
    known: np.ndarray,
    place: tuple[int, int],
    window: Window,
) -> Query:
    """Read what a picture shows around a place, as the sampler would; nothing beyond its edge."""
    return Query.at(place, picture[None], known, window, "ignore", np.zeros(1, np.int64))


def _promoted(
    named: tuple[np.ndarray, np.ndarray, np.ndarray],
    firsts: tuple[np.ndarray, np.ndarray, np.ndarray],
    part: int,
) -> Int64[np.ndarray, "h w top"]:
    """Put the chosen first name in front; what it displaces moves up to its old rank, or off."""
    top = named[0].shape[-1]
    same = np.stack([named[p] == firsts[p][..., None] for p in range(3)]).all(
        axis=0
    )  # where the chosen one stood
    old = np.where(same.any(axis=-1), same.argmax(axis=-1), top - 1)
    ranks = np.arange(top)
    shifted = np.concatenate([firsts[part][..., None], named[part][..., :-1]], axis=-1)
    return np.where(ranks <= old[..., None], shifted, named[part])
