"""The covariance of a training set, factorised once and kept."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from intarsia.corpus.locate import cache_folder
from intarsia.dictionary import Pictures
from intarsia.dictionary.whole import to_unit
from intarsia.errors import IntarsiaError, UsageError
from intarsia.files import make_folder, replacing

log = logging.getLogger("intarsia")

_KEPT_FROM = 1000
"""Dimensions from which on a factorisation takes seconds and is kept on disk."""


@dataclass(frozen=True, eq=False)
class Covariance:
    """Mean and covariance of flattened [C, H, W] pictures in [-1, 1], over N - 1.

    Attributes
    ----------
    mean : float64 [D].
    directions : float64 [D, R], orthonormal eigenvectors.
    variances : float64 [R], their eigenvalues, 0 or more. R is at most N and D.
    """

    mean: Float64[np.ndarray, " d"]
    directions: Float64[np.ndarray, "d r"]
    variances: Float64[np.ndarray, " r"]

    @classmethod
    def of(cls, pictures: Pictures, fingerprint: str, label: int | None) -> Covariance:
        """Factorise the covariance of some pictures, or read it from the cache.

        Parameters
        ----------
        pictures : at least two.
        fingerprint, label : of the corpus and class they are, which name the cache's file.
        """
        if len(pictures) < 2:
            raise UsageError(
                "A covariance needs at least 2 pictures, and there is 1. Use a larger corpus."
            )
        length = pictures.pixels[0].size
        if min(length, len(pictures)) < _KEPT_FROM:
            return cls.factorised(pictures)
        path = cache_folder() / "covariance" / f"{fingerprint[:32]}-{label}.npz"
        found = cls._read(path, length)
        if found is None:
            found = cls.factorised(pictures)
            found._write(path)
        return found

    @classmethod
    def factorised(cls, pictures: Pictures) -> Covariance:
        """Compute eigenvectors of the smaller of the two products of the data with itself."""
        rows = to_unit(pictures.pixels, np.float64).reshape(len(pictures), -1)
        mean = rows.mean(axis=0)
        centred = (rows - mean) / np.sqrt(len(rows) - 1)
        if len(centred) >= centred.shape[1]:
            variances, directions = np.linalg.eigh(centred.T @ centred)
            return cls(mean, directions, np.maximum(variances, 0))
        _, values, directions = np.linalg.svd(centred, full_matrices=False)
        return cls(mean, directions.T, values**2)

    def shrinkage(self, alpha_bar: float) -> Float64[np.ndarray, " r"]:
        """Return how much of each direction is signal: ab v / (ab v + 1 - ab)."""
        signal = alpha_bar * self.variances
        return signal / (signal + 1 - alpha_bar)

    def wiener_matrix(self, alpha_bar: float) -> Float64[np.ndarray, "d d"]:
        """Return M, which takes x / sqrt(ab) - mean to the clean estimate less the mean."""
        return (self.directions * self.shrinkage(alpha_bar)) @ self.directions.T

    @classmethod
    def _read(cls, path: Path, length: int) -> Covariance | None:
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as archive:
                found = cls(archive["mean"], archive["directions"], archive["variances"])
        except (OSError, ValueError, EOFError, KeyError) as error:
            log.warning("factorising again: %s cannot be used (%s).", path, error)
            return None
        return found if found.mean.shape == (length,) else None

    def _write(self, path: Path) -> None:
        try:
            make_folder(path.parent)
            with replacing(path) as temporary, temporary.open("wb") as stream:
                np.savez(
                    stream, mean=self.mean, directions=self.directions, variances=self.variances
                )
        except IntarsiaError as error:
            log.warning("the covariance is not kept: %s", error)
