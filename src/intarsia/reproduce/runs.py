"""Runs of the book: each is drawn once, taken up again after any interruption, and shared.

A run's folder is named after what decides its pixels: a readable beginning, a hash of model,
corpus and resolved settings, the seed and the number of samples. A sample depends on its own
number and not on how many there are (`Samples.seeds`), so a run of more samples serves whoever
asks for fewer.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.reproduce.scales import Scale
from intarsia.reproduce.telling import Teller

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.models.recipe import Recipe
    from intarsia.models.run import Sampler
    from intarsia.samples import Samples

_KEPT = 6
"""Runs held in memory; the others are read again when they are asked for."""


@dataclass(frozen=True)
class Draw:
    """Samples that an item wants.

    Attributes
    ----------
    data : the data set's name.
    n, seed : how many samples, from which seed.
    model : as ``intarsia generate`` names it.
    limit : only the first so many pictures of the corpus.
    asked : settings that differ from the defaults; ``preset`` may be among them.
    """

    data: str
    n: int
    seed: int = 0
    model: str = "nps"
    limit: int | None = None
    asked: tuple[tuple[str, Any], ...] = ()

    @property
    def settings(self) -> dict[str, Any]:
        """The settings asked for, by name."""
        return dict(self.asked)

    @property
    def slug(self) -> str:
        """A readable name for a folder: corpus, then what differs from the defaults."""
        parts = [self.data, "" if self.limit is None else str(self.limit)]
        parts.append("" if self.model == "nps" else self.model)
        for name, value in self.asked:
            text = "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
            plain = name in ("principles", "preset", "condition", "threshold")
            parts.append(text if plain else name if value is True else f"{name}-{text}")
        words = re.sub(r"[^a-z0-9.]+", "-", "-".join(filter(None, parts)).lower())
        return words.strip("-")[:80]


def draw(
    data: str,
    n: int,
    *,
    seed: int = 0,
    model: str = "nps",
    limit: int | None = None,
    **settings: Any,
) -> Draw:
    """Ask for samples.

    Examples
    --------
    >>> draw("mnist", 36, principles="NS+L").slug
    'mnist-ns-l'
    """
    asked = tuple((name, value) for name, value in settings.items() if value is not None)
    return Draw(data, n, seed, model, limit, asked)


class Runs:
    """Draws what items ask for, into one folder.

    Parameters
    ----------
    folder : holds a run folder for each run.
    scale : decides the corpora.
    threads : CPU threads; torch's number by default.
    teller : is told of progress.
    """

    def __init__(
        self, folder: Path, scale: Scale, threads: int | None = None, teller: Teller | None = None
    ) -> None:
        self.folder = folder
        self.scale = scale
        self.threads = threads
        self.teller = teller or Teller()
        self._most: dict[Draw, int] = {}
        self._corpora: dict[tuple[str, int | None, str], Corpus] = {}
        self._resolved: dict[Draw, dict[str, Any]] = {}
        self._samples: OrderedDict[Path, Samples] = OrderedDict()

    def plan(self, draws: Iterable[Draw]) -> None:
        """Hear what will be asked for, so that the largest run of a kind is drawn for all."""
        for one in draws:
            self._most[_kind(one)] = max(one.n, self._most.get(_kind(one), 0))

    def corpus(self, data: str, limit: int | None = None, split: str = "train") -> Corpus:
        """Open a corpus as this scale has it; the same object each time.

        Raises
        ------
        DataError, UsageError
            If the data set is not there.
        """
        from intarsia.corpus import Corpus

        key = (data, limit, split)
        if key not in self._corpora:
            how = self.scale.corpus(data, limit)
            self._corpora[key] = Corpus.open(
                how["data"],
                split=split,
                limit=how["limit"] if split == "train" else None,
                resize=how.get("resize"),
                progress=lambda done, total: self.teller.measuring(f"reading {data}", done, total),
            )
        return self._corpora[key]

    def recipe(self, draw: Draw) -> Recipe:
        """Return the draw as the command line would have it, for config.yaml."""
        from intarsia.models.recipe import Recipe

        how: dict[str, Any] = {"split": "train", "classes": None, "resize": None}
        how |= {"fit": "resize", "grey": False}
        corpus = how | self.scale.corpus(draw.data, draw.limit)
        return Recipe(draw.model, draw.n, draw.seed, corpus, self.scale.settings(draw.settings))

    def resolved(self, draw: Draw) -> dict[str, Any]:
        """Return every setting of a draw, resolved by the model itself, without n and seed."""
        kind = replace(_kind(draw), seed=0)
        if kind not in self._resolved:
            self._model(draw)
        return self._resolved[kind]

    def samples(self, draw: Draw) -> Samples:
        """Draw, or read, exactly ``draw.n`` samples, and check that every pixel is a copy.

        Raises
        ------
        DataError
            If the data is not there, or a finished run is damaged.
        IntarsiaError
            If nothing can be drawn, or a pixel is not the one its source names.
        """
        path = self._finished(draw)
        if path is None:
            path = self._drawn(replace(draw, n=max(draw.n, self._most.get(_kind(draw), 0))))
        return self._read(path, draw)[: draw.n]

    def metrics(self, draw: Draw) -> dict[str, Any]:
        """Return metrics.json of the run that holds the samples of a draw."""
        self.samples(draw)
        path = self._finished(draw)
        assert path is not None
        found: dict[str, Any] = json.loads((path / "metrics.json").read_text(encoding="utf-8"))
        return found

    def is_finished(self, draw: Draw) -> bool:
        """Whether a draw that was resolved before needs no drawing."""
        known = replace(_kind(draw), seed=0) in self._resolved
        return known and self._finished(draw) is not None

    def _drawn(self, draw: Draw) -> Path:
        from intarsia.models import run

        path = self.folder / f"{self._name(draw)}-n{draw.n}"
        recipe = self.recipe(draw)
        what = f"{draw.n:,} of {draw.slug}, seed {draw.seed}"
        self.teller.say(f"  drawing {what}")
        with self.teller.drawing(what) as on_progress:
            run(
                self._model(draw),
                draw.n,
                draw.seed,
                path,
                resume=True,
                notes=recipe.notes(),
                on_progress=on_progress,
            )
        return path

    def _read(self, path: Path, draw: Draw) -> Samples:
        from intarsia.samples import Samples

        if path not in self._samples:
            corpus = self.corpus(draw.data, draw.limit)
            samples = Samples.load(path, corpus=corpus)
            samples.check_pixel_law()
            self._samples[path] = samples
        self._samples.move_to_end(path)
        while len(self._samples) > _KEPT:
            self._samples.popitem(last=False)
        return self._samples[path]

    def _finished(self, draw: Draw) -> Path | None:
        """Return the smallest finished run that holds the samples of a draw."""
        beginning = self._name(draw).split("~", 1)[1]
        found = []
        for path in self.folder.glob(f"*~{beginning}-n*"):
            count = path.name.rsplit("-n", 1)[1]
            finished = (path / "metrics.json").exists() and not (path / "partial").exists()
            if count.isdecimal() and int(count) >= draw.n and finished:
                found.append((int(count), path))
        return min(found)[1] if found else None

    def _name(self, draw: Draw) -> str:
        """Name a run folder, all but the number of samples."""
        from intarsia.provenance.folder import package_version

        what = {
            "package": package_version(),
            "corpus": self.corpus(draw.data, draw.limit).fingerprint,
            "opened": self.recipe(draw).corpus,
            "settings": self.resolved(draw),
        }
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        return f"{draw.slug}~{digest[:12]}-s{draw.seed}"

    def _model(self, draw: Draw) -> Sampler:
        recipe = self.recipe(draw)
        model = recipe.build(self.corpus(draw.data, draw.limit), threads=self.threads)
        settings = model.resolved_settings(draw.n, draw.seed)
        del settings["n"], settings["seed"]
        self._resolved[replace(_kind(draw), seed=0)] = settings
        return model


def _kind(draw: Draw) -> Draw:
    """Return the draw without its number."""
    return replace(draw, n=0)
