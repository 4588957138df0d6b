"""The noise that samples start from: given, read from a file, or drawn from a seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from intarsia.errors import DataError, UsageError


def starting_noise(
    shape: tuple[int, int, int, int],
    seed: int,
    given: np.ndarray | None = None,
    path: str | Path | None = None,
    fingerprint: str | None = None,
) -> Float32[np.ndarray, "n c h w"]:
    """Return noise of a shape.

    Parameters
    ----------
    shape : (n, C, H, W).
    seed : with its number it decides a sample's noise, where none is given.
    given, path : an array, or a .npy file of one.
    fingerprint : what the file's noise must be, where a config says so.

    Raises
    ------
    UsageError
        If noise has another shape or is not finite.
    DataError
        If the file cannot be read, or its noise has changed.
    """
    if given is None and path is None:
        return drawn(shape, seed)
    noise = read(path) if given is None and path is not None else np.asarray(given)
    what = "noise" if path is None else f"--noise {path}"
    if noise.shape != shape:
        raise UsageError(
            f"{what} has shape {list(noise.shape)}, but must be [n, C, H, W] = {list(shape)}. "
            "Check --n, the corpus and --resize."
        )
    if not np.issubdtype(noise.dtype, np.floating):
        raise UsageError(f"{what} is {noise.dtype}; it must be float32.")
    if not np.isfinite(noise).all():
        raise UsageError(f"{what} is not finite: it holds NaN or infinity.")
    noise = np.ascontiguousarray(noise, np.float32)
    if fingerprint is not None and fingerprint_of(noise) != fingerprint:
        raise DataError(
            f"{what} is not the noise of that run. Put the same file there, or drop --config."
        )
    return noise


def read(path: str | Path) -> np.ndarray:
    """Read a .npy file.

    Raises
    ------
    UsageError
        If there is none.
    DataError
        If it is something else.
    """
    try:
        noise = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UsageError(f"--noise {path} does not exist.") from None
    except (OSError, ValueError, EOFError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"--noise {path} cannot be read as .npy: {first}") from error
    if not isinstance(noise, np.ndarray):
        raise DataError(f"--noise {path} is an archive; give one array in a .npy file.")
    return noise


def drawn(shape: tuple[int, int, int, int], seed: int) -> Float32[np.ndarray, "n c h w"]:
    """Draw unit Gaussian noise; a sample's depends on the seed and its number alone."""
    return np.stack(
        [
            np.random.default_rng([seed, sample]).standard_normal(shape[1:], np.float32)
            for sample in range(shape[0])
        ]
    )


def fingerprint_of(noise: Float32[np.ndarray, "n c h w"]) -> str:
    """Return the SHA-256 of noise, in hex."""
    return hashlib.sha256(np.ascontiguousarray(noise, "<f4").tobytes()).hexdigest()
