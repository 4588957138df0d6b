"""Attribution of a run's own samples, each pixel as the sampler saw it when it drew it.

A pixel is then compared by what was known at its step, not by its whole window: the recorded
source is among the nearest wherever the sampler drew at its pool's minimum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Int64

from intarsia.dictionary import (
    Candidates,
    Dictionary,
    Everywhere,
    Near,
    NotSource,
    Query,
    SameLabel,
    Stage,
    Window,
)
from intarsia.errors import UsageError
from intarsia.provenance.law import require_same_corpus

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.reduce.nearest_patches import Nearest, Progress
    from intarsia.samples import Samples

MODELS = ("nps", "efros-leung")


@dataclass(frozen=True, eq=False)
class OwnAttribution:
    """The nearest patches of one sample's pixels, given what was known when each was drawn.

    Attributes
    ----------
    image, row, col : int64 [H, W, top], -1 for none. Given pixels carry their recorded source.
    squared : int64 [H, W, top], weighted squared distance over the known pixels; 0 where given.
    recorded : int64 [H, W], the same distance to the recorded source; -1 where that is none of
        the candidates.
    drawn : bool [H, W], False for given pixels.
    """

    image: Int64[np.ndarray, "h w top"]
    row: Int64[np.ndarray, "h w top"]
    col: Int64[np.ndarray, "h w top"]
    squared: Int64[np.ndarray, "h w top"]
    recorded: Int64[np.ndarray, "h w"]
    drawn: Bool[np.ndarray, "h w"]

    @property
    def at_minimum(self) -> Bool[np.ndarray, "h w"]:
        """Where the recorded source is one of the nearest candidates."""
        return self.drawn & (self.recorded == self.squared[..., 0])


def attribute_own(
    samples: Samples,
    index: int,
    corpus: Corpus,
    *,
    top: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> OwnAttribution:
    """Attribute one sample of a run by its recorded causal mask.

    Window, weights, border, radius and label are those of the run's settings. Candidates are not
    narrowed by phi: under principle H the recorded source may be farther than the nearest.

    Parameters
    ----------
    samples : a run of the non-parametric sampler.
    index : which of its samples.
    corpus : the run's own.
    top, threads, progress, should_stop : as for `intarsia.provenance.attribution.attribute`.

    Raises
    ------
    DataError
        If the corpus is another one.
    UsageError
        If the run is of another model.
    """
    from intarsia.reduce.nearest_patches import nearest_patches

    require_same_corpus(samples, corpus)
    dictionary = _dictionary(samples.settings, corpus)
    step = samples.sources.step[index]
    picture = samples.images[index]
    origin = _origin(samples, index)
    label = None if samples.labels is None else int(samples.labels[index])
    places = [(int(y), int(x)) for y, x in np.argwhere(step >= 0)]
    pairs = [_asked(dictionary, picture, step, place, origin, label) for place in places]
    found = nearest_patches(
        [candidates for candidates, _ in pairs],
        [query for _, query in pairs],
        top,
        threads=threads,
        progress=progress,
        should_stop=should_stop,
    )
    recorded = np.full(step.shape, -1, np.int64)
    for place, (_, query) in zip(places, pairs, strict=True):
        source = tuple(
            int(getattr(samples.sources, n)[index][place]) for n in ("image", "row", "col")
        )
        recorded[place] = distance_to(query, corpus, source, dictionary.border)
    return _mapped(samples, index, found, recorded, top)


def distance_to(query: Query, corpus: Corpus, source: tuple[int, ...], border: str) -> int:
    """Return the weighted squared distance of one query to the patch around one training pixel.

    Returns -1 if, with the border ``ignore``, the patch lacks a pixel that is compared.
    """
    image = corpus[source[0]]
    height, width = image.shape[:2]
    at = query.offsets + np.array(source[1:])
    if border == "wrap":
        at %= (height, width)
    inside = ((at >= 0) & (at < (height, width))).all(axis=1)
    if not inside.all() and border == "ignore":
        return -1
    at = np.where(inside[:, None], at, 0)
    theirs = image[at[:, 0], at[:, 1]].astype(np.int64) * inside[:, None]
    mine = query.values[0].astype(np.int64).T + 128
    return int((query.weights[:, None] * (mine - theirs) ** 2).sum())


def _dictionary(settings: dict[str, Any], corpus: Corpus) -> Dictionary:
    import torch

    if settings.get("model") not in MODELS:
        raise UsageError(
            f"The run is of {settings.get('model', 'no named model')!r}; the order of filling is "
            f"only asked of {' and '.join(MODELS)}. Drop --order from-run."
        )
    principles = str(settings["principles"])
    stages: list[Stage] = [] if settings["allow_seed_source"] else [NotSource()]
    if settings["condition"] == "class" and "H" in principles:
        stages.append(SameLabel())
    stages.append(Near(settings["radius"]) if "NS" in principles else Everywhere())
    window = Window(settings["window"], settings["sigma"])
    return Dictionary(corpus, window, settings["border"], stages, torch.device("cpu"))


def _origin(samples: Samples, index: int) -> Int64[np.ndarray, " b"]:
    """The picture the seed was cut from; -1 without one."""
    given = samples.sources.image[index][samples.sources.step[index] < 0]
    return np.array([given[0] if given.size else -1], np.int64)


def _asked(
    dictionary: Dictionary,
    picture: np.ndarray,
    step: np.ndarray,
    place: tuple[int, int],
    origin: Int64[np.ndarray, " b"],
    label: int | None,
) -> tuple[list[Candidates], Query]:
    """Return candidates and query of one pixel, narrowed as the sampler does where none fits."""
    from intarsia.reduce.fit import fitting

    candidates = dictionary.candidates(place, origin, label)
    known = step < step[place]
    zero = np.zeros(1, np.int64)
    query = Query.at(place, picture[None], known, dictionary.window, dictionary.border, zero)
    while all(fitting(one, query) is None for one in candidates):
        smaller = query.narrowed()
        if smaller is None:
            break
        query = smaller
    return candidates, query


def _mapped(
    samples: Samples, index: int, found: Nearest, recorded: np.ndarray, top: int
) -> OwnAttribution:
    drawn = samples.sources.step[index] >= 0
    maps = {}
    for name, values in zip(("image", "row", "col"), found.names(), strict=True):
        given = getattr(samples.sources, name)[index].astype(np.int64)
        maps[name] = np.repeat(given[..., None], top, axis=2)
        maps[name][drawn] = values
    squared = np.zeros((*drawn.shape, top), np.int64)
    squared[drawn] = found.distance
    return OwnAttribution(**maps, squared=squared, recorded=recorded, drawn=drawn)
