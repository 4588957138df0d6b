"""Encoders phi: what a half-known canvas and a whole picture are compared by (paper A, d_SSL)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Bool, Int8, UInt8

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

Progress = Callable[[int, int], None]
"""Called with (pictures done, pictures in all)."""

_STEP = 4096


@dataclass(frozen=True)
class Codes:
    """What an encoder makes of a batch of canvases that know the same pixels.

    Attributes
    ----------
    values : int8 [B, D].
    known : bool [D], the coordinates that mean something for these canvases. Distances are taken
        over them alone, so that a half-known canvas can lie near the pictures that complete it.
    """

    values: Int8[np.ndarray, "b d"]
    known: Bool[np.ndarray, " d"]


class Encoder(ABC):
    """An encoder phi of canvases.

    Codes are int8, so that distances between them are exact integers (law 1).
    """

    name: ClassVar[str]

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 of all that decides the codes, such as weights.

        None where the encoder is nothing but its name. Codes of a corpus are kept on disk under
        it; None says that they cost less than reading them back.
        """
        return None

    @abstractmethod
    def codes(self, images: UInt8[np.ndarray, "b h w c"], known: Bool[np.ndarray, "h w"]) -> Codes:
        """Encode canvases.

        Parameters
        ----------
        images : uint8 [B, H, W, C].
        known : bool [H, W], pixels that are there; what the others hold must not matter.
        """

    def corpus_codes(
        self, images: UInt8[np.ndarray, "n h w c"], progress: Progress | None = None
    ) -> Int8[np.ndarray, "n d"]:
        """Encode whole pictures, a few thousand at a time."""
        everything = np.ones(images.shape[1:3], bool)
        parts = []
        for at in range(0, len(images), _STEP):
            parts.append(self.codes(np.asarray(images[at : at + _STEP]), everything).values)
            if progress is not None:
                progress(min(at + _STEP, len(images)), len(images))
        return np.concatenate(parts)


class FittedEncoder(Encoder):
    """An encoder that must be fitted to a corpus before it can encode.

    `intarsia.represent.fitting.fitted` keeps what `fit` found in the user's cache folder, as the
    arrays of `state`.

    Attributes
    ----------
    recipe : version of `fit` and `codes`: what another version found is not used.
    """

    recipe: ClassVar[int] = 1

    @property
    @abstractmethod
    def key(self) -> str:
        """The encoder and its parameters in a few letters, as ``pca64``: part of a file name."""

    @abstractmethod
    def fit(self, corpus: Corpus, progress: Progress | None = None) -> FittedEncoder:
        """Return an encoder fitted to a corpus, the same for the same corpus.

        Raises
        ------
        UsageError
            If the corpus cannot serve: pictures of several sizes, or too few.
        """

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """Return what `fit` found."""

    @abstractmethod
    def with_state(self, state: Mapping[str, np.ndarray]) -> FittedEncoder:
        """Return the encoder that `fit` returned.

        Raises
        ------
        KeyError, ValueError
            If arrays are missing or do not fit each other.
        """

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 of the recipe and of what `fit` found."""
        from intarsia.represent.fitting import state_fingerprint

        return state_fingerprint(f"{self.key} {self.recipe}", self.state())
