"""What a run was asked to be: from the command line, or from another run's config.yaml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.errors import DataError, UsageError
from intarsia.models.catalogue import ARVM, MACHINES, NETWORK, check_name
from intarsia.models.memory import BUDGET

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.models.machine import ScoreMachine
    from intarsia.models.run import Sampler

CORPUS_OPTIONS = ("data", "split", "limit", "classes", "resize", "fit", "grey")
PICTURE_OPTIONS = ("picture", "mask", "extend")


@dataclass(frozen=True)
class Recipe:
    """Model, corpus, settings, number and seed of a run.

    Attributes
    ----------
    corpus : how the corpus is opened: `CORPUS_OPTIONS` by name. For a texture ``data`` is a list of
        pictures; for an inpainting it may be ``self``.
    settings : the model's settings, as far as they were asked for.
    pictures : `PICTURE_OPTIONS` of an inpainting.
    fingerprint : what the corpus must be, where a config says so.
    asked : the settings that were asked for in the first place, where a config is repeated.
    """

    model: str
    n: int
    seed: int
    corpus: dict[str, Any]
    settings: dict[str, Any]
    pictures: dict[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None
    asked: dict[str, Any] | None = None

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
        chosen = {name: value for name, value in settings.items() if value is not None}
        if preset is not None:
            chosen["preset"] = preset
        if config is None:
            if model is None:
                raise UsageError("Name a model, such as: intarsia generate nps --data digits.")
            return cls(check_name(model), n, seed, dict(corpus), chosen)
        return cls._repeating(config, model, n, seed, corpus, chosen, given)

    @classmethod
    def _repeating(
        cls,
        config: Path,
        model: str | None,
        n: int,
        seed: int,
        corpus: Mapping[str, Any],
        chosen: dict[str, Any],
        given: set[str],
    ) -> Recipe:
        from intarsia.provenance.folder import read_config

        read = read_config(config)
        old = dict(read.settings)
        missing = [name for name in ("model", "n", "seed") if name not in old]
        if missing or not all(type(old[name]) is int for name in ("n", "seed")):
            raise DataError(
                f"{config} lacks {', '.join(missing)}, or has words where n and seed are numbers. "
                "Name the config.yaml of a run as it was written."
            )
        asked = old.pop("asked", None)
        old_model = str(old.pop("model", ""))
        if old.get("corpus_data") is None or asked is None:
            raise UsageError(
                f"{config} does not say how its corpus was opened, so the command cannot repeat "
                "it. It was made from Python, where the same call repeats it."
            )
        same_corpus = not given & set(CORPUS_OPTIONS)
        same_model = model is None or model == old_model
        # Unchanged, every resolved value is repeated; changed, what was asked for is asked again,
        # so that values which followed from the corpus or the window follow anew.
        resolved = {
            name: value
            for name, value in old.items()
            if name not in ("n", "seed", "content", *PICTURE_OPTIONS)
            and not name.startswith("corpus_")
        }
        unchanged = same_corpus and same_model and not chosen
        before = dict(resolved if unchanged else asked)
        opened = {name: old.get(f"corpus_{name}") for name in CORPUS_OPTIONS}
        return cls(
            old_model if same_model else check_name(str(model)),
            n if "n" in given else int(old["n"]),
            seed if "seed" in given else int(old["seed"]),
            opened | {name: value for name, value in corpus.items() if name in given},
            {name: value for name, value in (before | chosen).items() if value is not None},
            {name: old.get(name) for name in PICTURE_OPTIONS if old.get(name) is not None},
            read.origin.fingerprint if same_corpus else None,
            asked if unchanged else None,
        )

    def open_corpus(self, progress: Callable[[int, int], None] | None = None) -> Corpus | None:
        """Open the corpus; None where an inpainting draws from its own picture.

        Parameters
        ----------
        progress : called with (pictures done, pictures in all) while they are decoded.

        Raises
        ------
        DataError
            If it is not the corpus that the config was made with.
        """
        from intarsia.corpus import Corpus
        from intarsia.corpus.pictures import pictures

        how = {name: value for name, value in self.corpus.items() if value is not None}
        data = how.pop("data")
        if data == "self":
            return None
        if isinstance(data, list):
            corpus = pictures(data, grey=bool(how.get("grey")))
        else:
            corpus = Corpus.open(data, **how, progress=progress)
        if self.fingerprint is not None and corpus.fingerprint != self.fingerprint:
            raise DataError(
                f"{data!r} is not the corpus of that config: its fingerprint is "
                f"{corpus.fingerprint[:12]}, not {self.fingerprint[:12]}. Name the same data with "
                "--data, or drop --config."
            )
        return corpus

    def build(
        self,
        corpus: Corpus | None,
        device: str = "cpu",
        threads: int | None = None,
        allow_torchscript: bool = False,
        memory: int | None = None,
    ) -> Sampler:
        """Build the model over its opened corpus."""
        from intarsia.models import EfrosLeung, Inpainting, NonparametricSampler, Texture

        if self.model == ARVM:
            from intarsia.models.arvm_settings import build_arvm

            assert corpus is not None
            return build_arvm(corpus, self.settings, device, threads)
        common: dict[str, Any] = {
            "device": device,
            "threads": threads,
            "allow_torchscript": allow_torchscript,
            "memory": memory,
            **self.settings,
        }
        if self.model == "inpaint":
            return Inpainting(*self._picture_and_hole(), corpus, **common)
        assert corpus is not None
        if self.model == "texture":
            return Texture(corpus, **common)
        if isinstance(common.get("label"), str):
            common["label"] = _label_number(common["label"], corpus)
        kinds = {"nps": NonparametricSampler, "efros-leung": EfrosLeung}
        return kinds[check_name(self.model)](corpus, **common)

    def build_machine(
        self,
        corpus: Corpus | None,
        device: str = "cpu",
        threads: int | None = None,
        memory: int = BUDGET,
    ) -> ScoreMachine:
        """Build the score machine, or the network in its place, over its opened corpus."""
        from intarsia.models.machines import machine_kind

        assert corpus is not None
        settings = dict(self.settings)
        if isinstance(settings.get("label"), str):
            settings["label"] = _label_number(settings["label"], corpus)
        kind = machine_kind(self.model)
        return kind(corpus, device=device, threads=threads, memory=memory, **settings)

    @property
    def is_machine(self) -> bool:
        """Whether the model is a score machine, or a network in its place."""
        return self.model in (*MACHINES, NETWORK)

    def _picture_and_hole(self) -> tuple[Any, Any]:
        from intarsia.corpus.pictures import mask, pictures
        from intarsia.models.inpainting import extended

        given = self.pictures
        opened = pictures([given["picture"]], grey=bool(self.corpus.get("grey")))
        if len(opened) != 1:
            raise UsageError(
                f"{given['picture']} holds {len(opened)} pictures; name the one to fill."
            )
        picture = opened[0]
        hole = mask(given.get("mask"), picture.shape[:2])
        if given.get("extend") is not None:
            picture, hole = extended(picture, hole, tuple(given["extend"]))
        return picture, hole

    def notes(self) -> dict[str, Any]:
        """Return what config.yaml needs beside the resolved settings to repeat the run."""
        how = {f"corpus_{name}": self.corpus.get(name) for name in CORPUS_OPTIONS}
        asked = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in (self.settings if self.asked is None else self.asked).items()
        }
        return how | self.pictures | {"asked": asked}


def _label_number(label: str, corpus: Corpus) -> int:
    """Return the number of a class given by number or name."""
    if label.isdecimal():
        return int(label)
    if label in corpus.class_names:
        return corpus.class_names.index(label)
    known = ", ".join(corpus.class_names) or "numbers only"
    raise UsageError(f"--label is {label!r}, but the corpus has {known}.")
