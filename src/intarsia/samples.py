"""What a model returns: pictures, and for every pixel of them the training pixel it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Int16, Int32, Int64, UInt8

from intarsia.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

    from intarsia.corpus import Corpus
    from intarsia.explorer.notebook import Inline

EVIDENCE = ("exact", "posterior", "token", "none")

SOURCE_FIELDS: dict[str, type[np.generic]] = {
    "image": np.int32,
    "row": np.int16,
    "col": np.int16,
    "transform": np.int32,
    "label": np.int16,
    "step": np.int32,
    "pool": np.int32,
    "distance": np.float32,
    "weight": np.float32,
}
"""The arrays of a source map, each [n, H, W], and their types: the contract of sources.npz."""


@dataclass(frozen=True, eq=False)
class Sources:
    """Where each pixel came from: arrays [n, H, W], one entry a generated pixel.

    Parameters
    ----------
    image, row, col : the training pixel, by image number and place; all -1 where there is none
        (a given pixel of an inpainted picture that is not in the corpus).
    transform : group element that was applied to the training image, 0 for none.
    label : class of the training image, -1 for none.
    step : order of filling, from 0; -1 for pixels that were given (a seed, or the known part of
        an inpainted picture) and not drawn.
    pool : candidates within the threshold, one of which was drawn.
    distance : weighted mean squared difference between the context and the training patch, in
        units of 255^2, so from 0 to 1.
    weight : share of this source: 1 / pool, or a posterior's heaviest weight.
    evidence : ``exact``: the pixel is a copy of the training pixel; ``posterior``: the heaviest
        patch of a weighted mean; ``token``: a token model; ``none``: no claim is made.
    grid : (rows, columns) of the tokens of a token model, whose pixels share the source of their
        token; None for models of pixels.

    Raises
    ------
    UsageError
        If shapes differ, a number does not fit the type of its field, or the evidence is
        none of the four.
    """

    image: Int32[np.ndarray, "n h w"]
    row: Int16[np.ndarray, "n h w"]
    col: Int16[np.ndarray, "n h w"]
    transform: Int32[np.ndarray, "n h w"]
    label: Int16[np.ndarray, "n h w"]
    step: Int32[np.ndarray, "n h w"]
    pool: Int32[np.ndarray, "n h w"]
    distance: Float32[np.ndarray, "n h w"]
    weight: Float32[np.ndarray, "n h w"]
    evidence: str = "exact"
    grid: tuple[int, int] | None = None

    @classmethod
    def of_tokens(
        cls, arrays: Mapping[str, np.ndarray], size: tuple[int, int], evidence: str = "token"
    ) -> Sources:
        """Make sources of pixels from those of tokens.

        Parameters
        ----------
        arrays : by name, each [n, gh, gw]; ``row`` and ``col`` count tokens.
        size : (H, W) of the pictures, a multiple of the grid.
        evidence : ``none`` for a network over tokens.

        Raises
        ------
        UsageError
            If it is not.
        """
        rows, cols = arrays["image"].shape[1:]
        if size[0] % rows or size[1] % cols:
            raise UsageError(f"A token grid of {rows}x{cols} does not tile {size[0]}x{size[1]}.")
        down, across = size[0] // rows, size[1] // cols
        spread = {
            name: arrays[name].repeat(down, axis=1).repeat(across, axis=2) for name in SOURCE_FIELDS
        }
        held = spread["image"] >= 0
        y, x = np.arange(size[0])[:, None] % down, np.arange(size[1]) % across
        spread["row"] = np.where(held, spread["row"] * down + y, -1)
        spread["col"] = np.where(held, spread["col"] * across + x, -1)
        return cls(**spread, evidence=evidence, grid=(rows, cols))

    def of_grid(self) -> dict[str, np.ndarray]:
        """Undo `of_tokens`: the nine arrays, each [n, gh, gw]."""
        assert self.grid is not None
        _, height, width = self.shape
        down, across = height // self.grid[0], width // self.grid[1]
        arrays = {name: value[:, ::down, ::across] for name, value in self.arrays().items()}
        held = arrays["image"] >= 0
        arrays["row"] = np.where(held, arrays["row"] // down, -1).astype(np.int16)
        arrays["col"] = np.where(held, arrays["col"] // across, -1).astype(np.int16)
        return arrays

    def __post_init__(self) -> None:
        if self.evidence not in EVIDENCE:
            raise UsageError(
                f"evidence is {self.evidence!r}, but it must be one of {', '.join(EVIDENCE)}."
            )
        for name, kind in SOURCE_FIELDS.items():
            object.__setattr__(self, name, _typed(getattr(self, name), kind, name))
            shape = getattr(self, name).shape
            if len(shape) != 3 or shape != self.image.shape:
                raise UsageError(
                    f"sources.{name} has shape {shape}, but every field must have one shape "
                    f"[n, H, W], and sources.image has {self.image.shape}."
                )

    def __len__(self) -> int:
        return len(self.image)

    def __getitem__(self, which: Any) -> Sources:
        which = _rows(which, len(self))
        taken = {name: getattr(self, name)[which] for name in SOURCE_FIELDS}
        return Sources(**taken, evidence=self.evidence, grid=self.grid)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n, H, W)."""
        n, height, width = self.image.shape
        return n, height, width

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the nine arrays by name, in the order of the contract."""
        return {name: getattr(self, name) for name in SOURCE_FIELDS}


@dataclass(frozen=True)
class Origin:
    """Which corpus the sources speak of: enough to find and check it again later.

    Parameters
    ----------
    data : the string it was opened by, as for ``--data``.
    split : such as ``train``.
    images : how many there were.
    fingerprint : SHA-256 of its content, in hex.
    class_names : names of the labels, may be empty.
    """

    data: str = ""
    split: str = ""
    images: int = 0
    fingerprint: str = ""
    class_names: tuple[str, ...] = ()

    @classmethod
    def of(cls, corpus: Corpus | None) -> Origin:
        """Return the origin of a corpus; an empty one for None."""
        if corpus is None:
            return cls()
        return cls(
            data=str(corpus.name),
            split=str(corpus.split),
            images=len(corpus),
            fingerprint=str(corpus.fingerprint),
            class_names=tuple(str(name) for name in corpus.class_names),
        )

    def class_name(self, label: int) -> str:
        """Name of a label; its number where there is no name, ``none`` for -1."""
        if label < 0:
            return "none"
        return self.class_names[label] if label < len(self.class_names) else str(label)

    def class_words(self, label: int) -> str:
        """Name of a label for running text: ``class 7`` where the name is only a number."""
        name = self.class_name(label)
        return f"class {name}" if name.isdigit() else name


@dataclass(frozen=True, eq=False, repr=False)
class Samples:
    """Generated pictures with their sources; it saves itself and draws itself in a notebook.

    Parameters
    ----------
    images : uint8 [n, H, W, C].
    sources : the source map of each picture.
    settings : every setting of the run, resolved, in plain YAML types.
    labels : int16 [n], the class each picture was asked to be, or None.
    corpus : the training images, or None (a run that was read back). Some drawings need it.
    seeds : int64 [n]: the number of each sample in its run, which with ``settings["seed"]`` is
        all that its random draws depend on. By default 0 to n - 1.
    origin : which corpus it was; taken from ``corpus`` unless given.
    extra : further arrays, first axis n, that go into samples.npz by name (``raw``, ``noise``).

    Examples
    --------
    >>> samples = NonparametricSampler(corpus).sample(16, seed=0)  # doctest: +SKIP
    >>> samples.check_pixel_law(corpus)  # doctest: +SKIP
    >>> samples.save("run")  # doctest: +SKIP
    """

    images: UInt8[np.ndarray, "n h w c"]
    sources: Sources
    settings: dict[str, Any] = field(default_factory=dict)
    labels: Int16[np.ndarray, " n"] | None = None
    corpus: Corpus | None = None
    seeds: Int64[np.ndarray, " n"] = None  # type: ignore[assignment]
    origin: Origin = None  # type: ignore[assignment]
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        images = np.asarray(self.images)
        if images.ndim != 4 or images.dtype != np.uint8:
            raise UsageError(
                f"images has shape {images.shape} and type {images.dtype}, but must be uint8 "
                "[n, H, W, C]."
            )
        object.__setattr__(self, "images", images)
        if self.sources.shape != images.shape[:3]:
            raise UsageError(
                f"sources have shape {self.sources.shape}, but the images {images.shape[:3]}."
            )
        if self.seeds is None:
            object.__setattr__(self, "seeds", np.arange(len(images)))
        if self.origin is None:
            object.__setattr__(self, "origin", Origin.of(self.corpus))
        object.__setattr__(self, "seeds", _typed(self.seeds, np.int64, "seeds"))
        if self.labels is not None:
            object.__setattr__(self, "labels", _typed(self.labels, np.int16, "labels"))
        lengths = {"seeds": self.seeds, "labels": self.labels, **self.extra}
        for name, value in lengths.items():
            if value is not None and len(value) != len(images):
                raise UsageError(f"{name} has {len(value)} entries for {len(images)} images.")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, which: Any) -> Samples:
        """Return the samples chosen; a single number gives a `Samples` of one."""
        which = _rows(which, len(self))
        return replace(
            self,
            images=self.images[which],
            sources=self.sources[which],
            labels=None if self.labels is None else self.labels[which],
            seeds=self.seeds[which],
            extra={name: value[which] for name, value in self.extra.items()},
        )

    def __iter__(self) -> Iterator[Samples]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        n, height, width, channels = self.images.shape
        model = self.settings.get("model", "an unnamed model")
        data = self.origin.data or "an unnamed corpus"
        return f"<Samples: {n} of {height}x{width}x{channels} by {model} from {data}>"

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the corpus's classes; empty if they have none."""
        return self.origin.class_names

    def grid(self, *, columns: int | None = None) -> Image:
        """Draw all samples in a grid, enlarged without smoothing.

        Parameters
        ----------
        columns : how many side by side; by default about as many as rows.

        Returns
        -------
        PIL.Image.Image
            RGB.
        """
        from intarsia.provenance.maps import draw_grid

        return draw_grid(self, columns=columns)

    def check_pixel_law(self, corpus: Corpus | None = None) -> None:
        """Check that every pixel is the training pixel its source names (law 4).

        Parameters
        ----------
        corpus : the training images; by default the ones the samples carry.

        Raises
        ------
        IntarsiaError
            Naming the first pixel, in order of sample, row and column, that differs from its
            source, names a place outside the corpus or in a hole, or was drawn without one.
        DataError
            If the corpus is another one than the samples were made from.
        UsageError
            If there is no corpus, or the evidence is not ``exact``.
        """
        from intarsia.provenance.law import check_pixel_law

        check_pixel_law(self, corpus)

    def save(
        self,
        folder: str | Path,
        *,
        pools: Mapping[str, np.ndarray] | None = None,
        movie: str | bool | None = None,
        extra: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Write a run folder; every file is written beside its place and renamed into it.

        Parameters
        ----------
        folder : created if missing.
        pools : arrays for pools.npz, or None for no such file.
        movie : ``"gif"`` or ``"mp4"`` (True: gif) to add the growth as a movie.
        extra : figures to add to metrics.json and the report, such as seconds or empty pools.
        overwrite : replace another run in that folder.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        UsageError
            If the folder holds a run of other settings or another corpus, and not ``overwrite``.
        IntarsiaError
            If a file cannot be written. Files already renamed stay; none is half-written.
        """
        from intarsia.provenance.folder import save_run

        return save_run(self, folder, pools=pools, movie=movie, extra=extra, overwrite=overwrite)

    @classmethod
    def load(cls, folder: str | Path, *, corpus: Corpus | None = None) -> Samples:
        """Read a run folder back.

        Parameters
        ----------
        folder : as written by `save`.
        corpus : the training images, for drawings and checks that need them.

        Raises
        ------
        DataError
            If a file is missing, damaged or of another format version, or the corpus is
            another one than the run was made from.
        """
        from intarsia.provenance.folder import load_run

        return load_run(folder, corpus)

    def explore(self, *, limit: int = 16, height: int = 900) -> Inline:
        """Look at the samples in a notebook: point at a pixel to see where it came from.

        Parameters
        ----------
        limit : samples to show: the first.
        height : of the viewer, in pixels.

        Returns
        -------
        Inline
            It shows itself as the last value of a notebook cell. Its ``page`` is one HTML file
            that can be saved as well.

        Raises
        ------
        UsageError
            If there are no samples, or ``limit`` is below 1.
        """
        from intarsia.explorer.notebook import inline

        if limit < 1 or not len(self):
            raise UsageError(f"There are {len(self)} samples, limit is {limit}: nothing to show.")
        return inline(self, limit, height)

    def _repr_png_(self) -> bytes:
        """Samples beside their maps, for notebooks."""
        from intarsia.files import png_bytes
        from intarsia.provenance.maps import draw_overview

        return png_bytes(draw_overview(self))


def _rows(which: Any, n: int) -> Any:
    """An index that keeps the first axis: a number becomes a slice of one."""
    if isinstance(which, (int, np.integer)):
        at = int(which)
        if not -n <= at < n:
            raise IndexError(f"sample {at} of {n}")
        return slice(at % n, at % n + 1)
    return which


def _typed(value: Any, kind: type[np.generic], name: str) -> np.ndarray:
    """Return the value as an array of a type, refusing numbers that would change."""
    array = np.asarray(value)
    if array.dtype == kind:
        return array
    if np.issubdtype(kind, np.integer) and array.size:
        bounds = np.iinfo(np.dtype(kind).name)
        if not np.issubdtype(array.dtype, np.integer) or (
            array.min() < bounds.min or array.max() > bounds.max
        ):
            raise UsageError(
                f"{name} holds {array.dtype} from {array.min()} to {array.max()}, but must be "
                f"{np.dtype(kind).name}, from {bounds.min} to {bounds.max}."
            )
    return array.astype(kind)
