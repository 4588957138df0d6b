"""The draw: every candidate's key is a hash, and the least key in the pool wins.

A hash needs no order, so the same pixel is drawn whatever the batch, the block,
the thread or the machine (law 2 of ARCHITECTURE.md).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def mix(x: np.ndarray | np.uint64) -> np.ndarray:
    """Scramble 64-bit words (the finaliser of SplitMix64; a bijection).

    Parameters
    ----------
    x : uint64 array of any shape.

    Returns
    -------
    uint64 array of the same shape.

    References
    ----------
    G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014.

    Examples
    --------
    >>> hex(int(mix(GOLDEN)))
    '0xe220a8397b1dcdaf'
    """
    with np.errstate(over="ignore"):
        word = np.asarray(x, np.uint64)
        word = (word ^ (word >> np.uint64(30))) * _MULTIPLIERS[0]
        word = (word ^ (word >> np.uint64(27))) * _MULTIPLIERS[1]
        return np.asarray(word ^ (word >> np.uint64(31)))


def salts(seed: int, samples: Int64[np.ndarray, " b"], step: int) -> Int64[np.ndarray, " b"]:
    """Return the word that tells one draw from another, for each sample of a batch.

    Parameters
    ----------
    seed : the run's seed, 0 <= seed < 2^63.
    samples : the samples' numbers within the run.
    step : the draw's place in the fill order.

    Returns
    -------
    int64 array [b], the bits of an unsigned word.
    """
    with np.errstate(over="ignore"):
        run = mix(np.uint64(seed) + GOLDEN)
        each = mix(run + samples.astype(np.uint64) + GOLDEN)
        return mix(each + np.uint64(step) + GOLDEN).view(np.int64)


def encode(image: np.ndarray, row: np.ndarray, col: np.ndarray) -> np.ndarray:
    """Pack a candidate's name into one int64: image * 2^32 + row * 2^16 + col."""
    return (np.asarray(image, np.int64) << 32) + (np.asarray(row, np.int64) << 16) + col


def decode(code: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Undo `encode`: (image, row, col), each int64 of the shape of ``code``."""
    code = np.asarray(code, np.int64)
    return code >> 32, (code >> 16) & 0xFFFF, code & 0xFFFF


def words(codes: np.ndarray) -> np.ndarray:
    """Return each code times the golden constant, the part of a key that queries share."""
    with np.errstate(over="ignore"):
        return (np.asarray(codes, np.int64).view(np.uint64) * GOLDEN).view(np.int64)


def draw_index(seed: int, samples: Int64[np.ndarray, " b"], purpose: int, count: int) -> np.ndarray:
    """Draw for each sample a whole number below ``count``, uniform to within 2^-32.

    ``purpose`` separates independent draws; it stands where a step stands in `salts`, with
    negative numbers so that it meets no step.
    """
    word = salts(seed, samples, purpose % 2**64).view(np.uint64)
    return ((word >> np.uint64(32)) * np.uint64(count) >> np.uint64(32)).astype(np.int64)
