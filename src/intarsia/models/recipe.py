"""What a run was asked to be: from the command line, or from another run's config.yaml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.errors import DataError, UsageError
from intarsia.models.catalogue import check_name

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

CORPUS_OPTIONS = ("data", "split", "limit", "classes", "resize", "fit", "grey")


@dataclass(frozen=True)
class Recipe:
    """Model, corpus, settings, number and seed of a run.

    Attributes
    ----------
    corpus : how the corpus is opened: `CORPUS_OPTIONS` by name.
    settings : the model's settings, as far as they were given.
    fingerprint : what the corpus must be, where a config says so.
    """

    model: str
    n: int
    seed: int
    corpus: dict[str, Any]
    settings: dict[str, Any]
    fingerprint: str | None = None

    @classmethod
    def of(
        cls,
        config: Path | None,
        model: str | None,
        n: int,
        seed: int,
        corpus: Mapping[str, Any],
        settings: Mapping[str, Any],
        preset: str | None,
        given: set[str],
    ) -> Recipe:
        """Take a run from the command line; with ``config``, what was not given comes from there.

        Parameters
        ----------
        given : names of the options that stood on the command line.

        Raises
        ------
        UsageError
            If there is neither a model nor a config.
        DataError
            If the config cannot be read.
        """
        if config is None:
            if model is None:
                raise UsageError("Name a model, such as: intarsia generate nps --data digits.")
            chosen = {k: v for k, v in settings.items() if v is not None}
            if preset is not None:
                chosen["preset"] = preset
            return cls(check_name(model), n, seed, dict(corpus), chosen)
        from intarsia.provenance.folder import read_config

        read = read_config(config)
        old = dict(read.settings)
        missing = [name for name in ("model", "n", "seed") if name not in old]
        if missing or not all(isinstance(old[name], int) for name in ("n", "seed")):
            raise DataError(
                f"{config} lacks {', '.join(missing)}, or has words where n and seed are numbers. "
                "Name the config.yaml of a run as it was written."
            )
        old_corpus = {k: old.get(f"corpus_{k}") for k in CORPUS_OPTIONS}
        if old_corpus["data"] is None:
            raise UsageError(
                f"{config} does not say how its corpus was opened, so the command cannot repeat "
                "it. It was made from Python, where the same call repeats it."
            )
        old_settings = {
            k: v
            for k, v in old.items()
            if k not in ("model", "n", "seed") and not k.startswith("corpus_")
        }
        same_corpus = not given & set(CORPUS_OPTIONS)
        mixed_corpus = old_corpus | {k: v for k, v in corpus.items() if k in given}
        mixed = old_settings | {k: v for k, v in settings.items() if k in given}
        return cls(
            check_name(model if model is not None else old["model"]),
            n if "n" in given else old["n"],
            seed if "seed" in given else old["seed"],
            mixed_corpus,
            {k: v for k, v in mixed.items() if v is not None},
            read.origin.fingerprint if same_corpus else None,
        )

    def open_corpus(self, progress: Callable[[int, int], None] | None = None) -> Corpus:
        """Open the corpus.

        Parameters
        ----------
        progress : called with (pictures done, pictures in all) while they are decoded.

        Raises
        ------
        DataError
            If it is not the corpus that the config was made with.
        """
        from intarsia.corpus import Corpus

        how = {name: value for name, value in self.corpus.items() if value is not None}
        corpus = Corpus.open(how.pop("data"), **how, progress=progress)
        if self.fingerprint is not None and corpus.fingerprint != self.fingerprint:
            raise DataError(
                f"{self.corpus['data']!r} is not the corpus of that config: its fingerprint is "
                f"{corpus.fingerprint[:12]}, not {self.fingerprint[:12]}. Name the same data with "
                "--data, or drop --config."
            )
        return corpus

    def notes(self) -> dict[str, Any]:
        """Return how the corpus was opened, for config.yaml."""
        return {f"corpus_{name}": self.corpus.get(name) for name in CORPUS_OPTIONS}
