"""Part-whole generalization: the two criteria of paper A, section 3.3, region by region.

The paper asks that each *coherent region* of a picture (i) be dominated by one source class and
(ii) come from several training images, none with the majority. It does not say what a region is.
Components of the class map will not do: they are pure by construction, so criterion (i) could
not fail. Two kinds of region are offered that look at neither classes nor sources:

- ``windows``: every 7x7 window, the regions the paper's own entropies use. Nothing to tune, one
  size for every model and corpus. The default.
- ``segments``: connected parts of little inner contrast (`picture_segments`): strokes, sky, a
  flank. Closer to the words "coherent region", but with the tuning of a segmentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Bool, Float64, Int64

from intarsia.errors import UsageError
from intarsia.provenance.segments import picture_segments
from intarsia.provenance.windows import SIDE, counted, slide

if TYPE_CHECKING:
    from intarsia.samples import Samples


@dataclass(frozen=True, eq=False)
class PartWhole:
    """The criteria, one entry a region; regions are listed by sample.

    Parameters
    ----------
    sample : which sample the region is in.
    area : pixels that count: those that were drawn and have a source.
    purity : share of the area with the most frequent source class; NaN without classes.
    images : distinct source images.
    majority : share of the area from the most used image.
    blank : the region is of a single colour, so its patches fit anywhere.
    pure : criterion (i), ``purity >= purity_least``.
    multi_image : criterion (ii), ``majority <= 1/2`` and ``images >= images_least``.
    """

    sample: Int64[np.ndarray, " r"]
    area: Int64[np.ndarray, " r"]
    purity: Float64[np.ndarray, " r"]
    images: Int64[np.ndarray, " r"]
    majority: Float64[np.ndarray, " r"]
    blank: Bool[np.ndarray, " r"]
    purity_least: float
    images_least: int

    @property
    def pure(self) -> Bool[np.ndarray, " r"]:
        """Criterion (i)."""
        return np.asarray(self.purity >= self.purity_least)

    @property
    def multi_image(self) -> Bool[np.ndarray, " r"]:
        """Criterion (ii)."""
        return np.asarray((self.majority <= 0.5) & (self.images >= self.images_least))

    @property
    def both(self) -> Bool[np.ndarray, " r"]:
        """The region is part-whole."""
        return self.pure & self.multi_image

    def summary(self, sample: int | None = None) -> dict[str, Any]:
        """Shares of the area of all regions, of one sample or of the run; None where undefined.

        Returns
        -------
        dict
            ``regions``, ``pure``, ``multi_image``, ``part_whole`` (both at once),
            ``part_whole_not_blank`` (the same over regions of more than one colour), ``blank``,
            and the mean ``purity`` and ``majority``.
        """
        here = np.ones(len(self.area), dtype=bool) if sample is None else self.sample == sample
        classes = not np.isnan(self.purity[here]).all() if here.any() else False
        return {
            "regions": int(here.sum()),
            "pure": self._share(self.pure, here) if classes else None,
            "multi_image": self._share(self.multi_image, here),
            "part_whole": self._share(self.both, here) if classes else None,
            "part_whole_not_blank": self._share(self.both, here & ~self.blank) if classes else None,
            "blank": self._share(self.blank, here),
            "purity": self._share(self.purity, here) if classes else None,
            "majority": self._share(self.majority, here),
        }

    def _share(self, value: np.ndarray, where: np.ndarray) -> float | None:
        area = self.area[where]
        return float((area * value[where]).sum() / area.sum()) if area.sum() else None


def part_whole(
    samples: Samples,
    regions: Literal["windows", "segments"] | Int64[np.ndarray, "n h w"] = "windows",
    *,
    side: int = SIDE,
    purity: float = 0.75,
    images: int = 3,
    area: int = 16,
) -> PartWhole:
    """Apply the criteria of part-whole generalization to each region of each sample.

    Parameters
    ----------
    samples : of any model with sources.
    regions : ``windows``, ``segments``, or region numbers of your own, int [n, H, W], -1 for no
        region. Only drawn pixels count: a seed is one piece of one image by construction.
    side : of the windows.
    purity : least share of one class that counts as domination. The paper gives none; three
        quarters is well above a bare majority and leaves room for single stray pixels.
    images : least number of distinct source images that counts as several.
    area : regions with fewer drawn pixels are left out; never more than a window holds.

    Raises
    ------
    UsageError
        If ``regions`` is neither of the names nor an array of the samples' shape.

    References
    ----------
    Paper A (arXiv 2510.22196), section 3.3.
    """
    if isinstance(regions, str):
        if regions == "windows":
            found = _of_windows(samples, side, area)
        elif regions == "segments":
            numbers = np.stack([picture_segments(image) for image in samples.images])
            found = _of_segments(samples, numbers, area)
        else:
            raise UsageError(
                f"regions is {regions!r}, but must be 'windows', 'segments' or an array."
            )
    else:
        numbers = np.asarray(regions)
        if numbers.shape != samples.sources.shape:
            raise UsageError(
                f"regions has shape {numbers.shape}, but the samples {samples.sources.shape}."
            )
        found = _of_segments(samples, numbers, area)
    return PartWhole(**found, purity_least=purity, images_least=images)


def _of_windows(samples: Samples, side: int, least: int) -> dict[str, np.ndarray]:
    sources = samples.sources
    drawn = (sources.step >= 0) & (sources.image >= 0)
    area, distinct, most, same = (
        np.zeros(slide(drawn, side).shape[:3], dtype=np.int64) for _ in range(4)
    )
    for some, runs in counted(np.where(drawn, sources.image, -1), side):
        count = np.where(runs.ordered < 0, 0, runs.count)
        area[some], most[some] = count.sum(axis=-1), count.max(axis=-1)
        distinct[some] = np.count_nonzero(count, axis=-1)
    for some, runs in counted(np.where(drawn, sources.label, -1), side):
        # Pixels without a label count against purity, never as a class of their own.
        same[some] = np.where(runs.ordered < 0, 0, runs.count).max(axis=-1)
    blank = np.ones(area.shape, dtype=bool)
    for channel in range(samples.images.shape[-1]):
        windows = slide(samples.images[..., channel], side)
        blank &= windows.max(axis=(-2, -1)) == windows.min(axis=(-2, -1))
    keep = area >= min(least, side * side)
    return {
        "sample": np.nonzero(keep)[0],
        "area": area[keep],
        "purity": _purity(samples, same[keep] / area[keep]),
        "images": distinct[keep],
        "majority": most[keep] / area[keep],
        "blank": blank[keep],
    }


def _of_segments(samples: Samples, numbers: np.ndarray, least: int) -> dict[str, np.ndarray]:
    sources = samples.sources
    counts = (sources.step >= 0) & (sources.image >= 0) & (numbers >= 0)
    where = np.nonzero(counts)[0]
    pairs = np.stack([where, numbers[counts]], axis=1).astype(np.int64)
    regions, of, areas = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    of, total = of.reshape(-1), len(regions)
    distinct, most = _most_frequent(of, sources.image[counts], total)
    has_label = sources.label[counts] >= 0
    _, same = _most_frequent(of[has_label], sources.label[counts][has_label], total)
    blank = np.ones(total, dtype=bool)
    for channel in range(samples.images.shape[-1]):
        values = samples.images[..., channel][counts]
        high, low = np.zeros(total, dtype=np.int64), np.full(total, 255)
        np.maximum.at(high, of, values)
        np.minimum.at(low, of, values)
        blank &= high == low
    keep = areas >= least
    return {
        "sample": regions[keep, 0],
        "area": areas[keep],
        "purity": _purity(samples, (same / areas)[keep]),
        "images": distinct[keep],
        "majority": (most / areas)[keep],
        "blank": blank[keep],
    }


def _purity(samples: Samples, share: np.ndarray) -> np.ndarray:
    """A corpus without classes has no purity, rather than none."""
    return share if (samples.sources.label >= 0).any() else np.full(share.shape, np.nan)


def _most_frequent(
    group: np.ndarray, value: np.ndarray, groups: int
) -> tuple[np.ndarray, np.ndarray]:
    """Per group: how many different values, and how often the most frequent occurs."""
    pairs, counts = np.unique(
        np.stack([group, value.astype(np.int64)], axis=1), axis=0, return_counts=True
    )
    most = np.zeros(groups, dtype=np.int64)
    np.maximum.at(most, pairs[:, 0], counts)
    return np.bincount(pairs[:, 0], minlength=groups), most
