"""One step of paper A, one candidate at a time, in exact arithmetic."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from tests.reference.window import key, salt

# 1e-4 x 255^2: without a floor, a candidate at distance 0 would shut out all others.
FLOOR = Fraction(2601, 400)

Pixel = list[int]


class Candidate(NamedTuple):
    """A corpus patch: its image, its centre, and its integer distance to the query."""

    image: int
    row: int
    col: int
    distance: int


class Known(NamedTuple):
    """A known offset of the query: where it is, what it weighs, the value there."""

    dy: int
    dx: int
    weight: int
    pixel: Pixel


@dataclass(frozen=True)
class ReferencePool:
    """What one step comes to.

    Attributes
    ----------
    least : int or None
        Least distance among the candidates; None if there was no candidate.
    threshold : int or None
        T, the greatest distance that the pool admits; None if there was no candidate.
    pool : list of Candidate
        Everything within the threshold, in order of (image, row, col).
    size : int
        Z, the length of the pool; 0 if it is empty.
    winner : (image, row, col) or None
        The candidate drawn; None if the pool is empty.
    distance : int or None
        Distance of the winner; None if the pool is empty.
    weight : int
        W, the known weight: channels x the sum of the weights of the known offsets.
    """

    least: int | None
    threshold: int | None
    pool: list[Candidate]
    size: int
    winner: tuple[int, int, int] | None
    distance: int | None
    weight: int


def read(picture: list, usable: list, row: int, col: int, border: str) -> Pixel | None:
    """The pixel at a place of a picture, or None where there is nothing to compare.

    The canvas (usable = known) and a corpus image (usable = valid) are read alike.
    """
    height, width = len(picture), len(picture[0])
    if border == "wrap":
        row, col = row % height, col % width
    if not (0 <= row < height and 0 <= col < width):
        return [0] * len(picture[0][0]) if border == "zeros" else None
    return picture[row][col] if usable[row][col] else None


def known_offsets(
    canvas: list, known: list, place: tuple[int, int], weights: np.ndarray, border: str
) -> list[Known]:
    """K: the offsets of the window at `place` where the query has a value."""
    half = len(weights) // 2
    offsets = []
    for dy in range(-half, half + 1):
        for dx in range(-half, half + 1):
            pixel = read(canvas, known, place[0] + dy, place[1] + dx, border)
            if pixel is not None:
                offsets.append(Known(dy, dx, int(weights[dy + half][dx + half]), pixel))
    return offsets


def patch_distance(
    plane: list, valid: list, row: int, col: int, query: list[Known], border: str
) -> int | None:
    """d_SSD (paper A, section 2.4) of one patch, or None if it is not a candidate."""
    if not valid[row][col]:
        return None
    total = 0
    for dy, dx, weight, query_pixel in query:
        pixel = read(plane, valid, row + dy, col + dx, border)
        if pixel is None:
            return None
        for a, b in zip(query_pixel, pixel, strict=True):
            total += weight * (a - b) ** 2
    return total


def is_near(row: int, col: int, place: tuple[int, int], radius: int | None) -> bool:
    """Whether d_loc (paper A, section 2.4) is at most the radius; None means everywhere."""
    return radius is None or max(abs(row - place[0]), abs(col - place[1])) <= radius


def find_candidates(
    planes: Sequence[np.ndarray] | np.ndarray,
    valid: Sequence[np.ndarray] | np.ndarray | None,
    images: list[int],
    place: tuple[int, int],
    radius: int | None,
    query: list[Known],
    border: str,
) -> list[Candidate]:
    """The candidates in these images and within the radius, by (image, row, col)."""
    found = []
    for image in sorted(images):
        plane = np.asarray(planes[image]).tolist()
        height, width = len(plane), len(plane[0])
        usable = [[True] * width] * height if valid is None else np.asarray(valid[image]).tolist()
        for row in range(height):
            for col in range(width):
                if is_near(row, col, place, radius):
                    distance = patch_distance(plane, usable, row, col, query, border)
                    if distance is not None:
                        found.append(Candidate(image, row, col, distance))
    return found


def as_epsilon(epsilon: str | int | Fraction) -> Fraction:
    """The decimal as an exact fraction with a denominator of at most 10^6."""
    exact = Fraction(epsilon)
    if isinstance(epsilon, float) or exact < 0 or exact.denominator > 10**6:
        raise ValueError(f"epsilon must be a decimal string of 0 or more, not {epsilon!r}.")
    return exact


def pool_threshold(
    candidates: list[Candidate], weight: int, epsilon: Fraction, min_pool: int
) -> int:
    """T: R_SSD of paper A, section 2.4, with a floor, and raised until min_pool fit in."""
    if min_pool < 1:
        raise ValueError(f"The pool needs at least 1 member, not {min_pool}.")
    distances = sorted(candidate.distance for candidate in candidates)
    relative = math.floor((1 + epsilon) * distances[0] + FLOOR * weight)
    nth_least = distances[min(min_pool, len(distances)) - 1]
    return max(relative, nth_least)


def draw(pool: list[Candidate], seed: int, sample: int, step: int) -> Candidate:
    """The member with the least key; equal keys go to the least (image, row, col)."""
    salted = salt(seed, sample, step)
    return min(pool, key=lambda c: (key(salted, c.image, c.row, c.col), c.image, c.row, c.col))


def make_query(
    canvas: np.ndarray,
    known: np.ndarray,
    place: tuple[int, int],
    weights: np.ndarray,
    border: str,
    appearance: bool,
) -> tuple[list[Known], int]:
    """K with its values, and the known weight W; nothing and 0 if appearance plays no part."""
    if border not in ("ignore", "zeros", "wrap"):
        raise ValueError(f"The border must be ignore, zeros or wrap, not {border!r}.")
    if np.asarray(known)[tuple(place)]:
        raise ValueError(f"The pixel at {place} is known already; a query's centre is not.")
    if not appearance:
        return [], 0
    query = known_offsets(
        np.asarray(canvas).tolist(), np.asarray(known).tolist(), place, weights, border
    )
    return query, np.asarray(canvas).shape[2] * sum(offset.weight for offset in query)


def reference_pool(
    planes: Sequence[np.ndarray] | np.ndarray,
    valid: Sequence[np.ndarray] | np.ndarray | None,
    canvas: np.ndarray,
    known: np.ndarray,
    place: tuple[int, int],
    window_weights: np.ndarray,
    border: str,
    *,
    radius: int | None = None,
    images_allowed: Collection[int] | None = None,
    barred: int = -1,
    epsilon: str | int | Fraction = "0.1",
    min_pool: int = 1,
    appearance: bool = True,
    seed: int,
    sample: int,
    step: int,
) -> ReferencePool:
    """The pool Omega(p) and the pixel drawn from it, by the cascade of stages.

    Paper A, sections 2.2 (the pool and the draw) and 2.4 (d_SSD, d_loc). The stages narrow the
    candidates first; the threshold is relative to the least distance among what they leave.

    Parameters
    ----------
    planes : sequence of np.ndarray
        Corpus images, uint8 [H_i, W_i, C] each (or one array [N, H, W, C]).
    valid : sequence of np.ndarray, optional
        bool [H_i, W_i] each, False for holes and padding; None if every pixel may be a source.
    canvas : np.ndarray
        uint8 [H, W, C]; what it holds where it is not known is not looked at.
    known : np.ndarray
        bool [H, W], False at `place`.
    place : tuple of int
        Row and column of the pixel to fill.
    window_weights : np.ndarray
        Integer weights [side, side], side odd.
    border : str
        "ignore", "zeros" or "wrap".
    radius : int, optional
        Stage Near: greatest difference of row and of column; None leaves it out.
    images_allowed : collection of int, optional
        Stages SameLabel and Similar: images that may be sources; None admits all.
    barred : int
        Stage NotSource: an image that may not be a source; -1 bars none.
    epsilon : str, int or Fraction
        Exact decimal, 0 or more, with a denominator of at most 10^6.
    min_pool : int
        The threshold rises until the pool has this many members, or all candidates.
    appearance : bool
        False leaves d_SSD out (NS+H): the pool is every candidate.
    seed, sample, step : int
        What the draw depends on, besides the candidates.

    Returns
    -------
    ReferencePool
        With an empty pool, and None for least, threshold, winner and distance, if there is no
        candidate.

    Raises
    ------
    ValueError
        If the border, epsilon or min_pool is out of range, or `place` is known already.
    """
    query, weight = make_query(canvas, known, place, window_weights, border, appearance)
    epsilon = as_epsilon(epsilon)
    images = [
        image
        for image in range(len(planes))
        if image != barred and (images_allowed is None or image in images_allowed)
    ]
    candidates = find_candidates(planes, valid, images, place, radius, query, border)
    if not candidates:
        return ReferencePool(None, None, [], 0, None, None, weight)
    least = min(candidate.distance for candidate in candidates)
    threshold = pool_threshold(candidates, weight, epsilon, min_pool)
    pool = [candidate for candidate in candidates if candidate.distance <= threshold]
    winner = draw(pool, seed, sample, step)
    return ReferencePool(least, threshold, pool, len(pool), winner[:3], winner.distance, weight)


def reference_intersection_pool(
    planes: Sequence[np.ndarray] | np.ndarray,
    valid: Sequence[np.ndarray] | np.ndarray | None,
    canvas: np.ndarray,
    known: np.ndarray,
    place: tuple[int, int],
    window_weights: np.ndarray,
    border: str,
    code_distances: Sequence[int] | None,
    *,
    radius: int | None = None,
    images_allowed: Collection[int] | None = None,
    barred: int = -1,
    epsilon: str | int | Fraction = "0.1",
    code_epsilon: str | int | Fraction | None = None,
    min_pool: int = 1,
    appearance: bool = True,
    seed: int,
    sample: int,
    step: int,
) -> ReferencePool:
    """The pool by the letter of paper A, section 2.4: all conditions at once.

    R_SSD and R_SSL are relative to the least distances over the whole corpus (the barred image
    left out of both), whatever radius and labels leave of it. So the pool may be empty: then
    size is 0 and winner None, and the caller falls back on `reference_pool`.

    Parameters
    ----------
    planes, valid, canvas, known, place, window_weights, border
        As for `reference_pool`.
    code_distances : sequence of int, optional
        Squared L2 distance of phi's code of the canvas to that of each corpus image; None if
        phi plays no part.
    radius, barred, epsilon, appearance, seed, sample, step
        As for `reference_pool`.
    images_allowed : collection of int, optional
        Images that may be sources; it narrows the pool but moves no threshold.
    code_epsilon : str, int or Fraction, optional
        The epsilon of R_SSL, on L2 norms and with no floor; by default that of R_SSD.
    min_pool : int
        Raises R_SSD as in `reference_pool`, counted over the whole corpus.

    Returns
    -------
    ReferencePool
        `least` and `threshold` are those of the whole corpus.

    Raises
    ------
    ValueError
        As for `reference_pool`.
    """
    query, weight = make_query(canvas, known, place, window_weights, border, appearance)
    epsilon = as_epsilon(epsilon)
    code_ratio = 1 + (epsilon if code_epsilon is None else as_epsilon(code_epsilon))
    images = [image for image in range(len(planes)) if image != barred]
    candidates = find_candidates(planes, valid, images, place, None, query, border)
    if not candidates:
        return ReferencePool(None, None, [], 0, None, None, weight)
    least = min(candidate.distance for candidate in candidates)
    threshold = pool_threshold(candidates, weight, epsilon, min_pool)

    if code_distances is not None:
        least_code = min(int(code_distances[image]) for image in images)
        # ||phi - phi'|| <= (1 + eps) least, with both sides squared.
        images = [
            image for image in images if int(code_distances[image]) <= code_ratio**2 * least_code
        ]
    pool = [
        candidate
        for candidate in candidates
        if candidate.distance <= threshold
        and is_near(candidate.row, candidate.col, place, radius)
        and candidate.image in images
        and (images_allowed is None or candidate.image in images_allowed)
    ]
    if not pool:
        return ReferencePool(least, threshold, [], 0, None, None, weight)
    winner = draw(pool, seed, sample, step)
    return ReferencePool(least, threshold, pool, len(pool), winner[:3], winner.distance, weight)
