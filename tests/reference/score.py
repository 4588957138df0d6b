"""Paper C's score machines, one pixel at a time, in float64, straight from the equations.

"An analytic theory of creativity in convolutional diffusion models". Pictures and canvases are
float64 [C, H, W] in [-1, 1]; nothing here is fast, and nothing is shared with the package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Belief:
    """A posterior over candidates, as the equations have it.

    ``mean`` [V] is the weighted mean of the values, ``weights`` [K] sum to one, ``names`` say what
    each candidate is.
    """

    mean: np.ndarray
    weights: np.ndarray
    names: list[tuple[int, ...]]

    @property
    def heaviest(self) -> tuple[int, ...]:
        return self.names[int(np.argmax(self.weights))]


def unit(images: np.ndarray) -> np.ndarray:
    """Return uint8 [N, H, W, C] as float64 [N, C, H, W] in [-1, 1]."""
    return images.astype(np.float64).transpose(0, 3, 1, 2) / 127.5 - 1.0


def posterior(
    query: np.ndarray,
    keys: Sequence[np.ndarray],
    values: Sequence[np.ndarray],
    names: list[tuple[int, ...]],
    alpha_bar: float,
) -> Belief:
    """Eqs. 4, 6, 8 and 10: weights are normal densities N(query | sqrt(ab) key, (1 - ab) I)."""
    logits = [
        -float(((query - math.sqrt(alpha_bar) * key) ** 2).sum()) / (2 * (1 - alpha_bar))
        for key in keys
    ]
    most = max(logits)
    weights = np.array([math.exp(logit - most) for logit in logits])
    weights /= weights.sum()
    mean = sum(w * np.asarray(v, np.float64) for w, v in zip(weights, values, strict=True))
    return Belief(np.asarray(mean), weights, names)


def score(clean: np.ndarray, x: np.ndarray, alpha_bar: float) -> np.ndarray:
    """Every machine's last line: (sqrt(ab) E[phi | x] - x) / (1 - ab)."""
    return (math.sqrt(alpha_bar) * clean - x) / (1 - alpha_bar)


def ideal(pictures: np.ndarray, x: np.ndarray, alpha_bar: float) -> np.ndarray:
    """IS, eqs. 3 and 4: the posterior mean over whole training pictures, [C, H, W]."""
    return equivariant(pictures, x, alpha_bar, [lambda picture: picture])


def equivariant(
    pictures: np.ndarray,
    x: np.ndarray,
    alpha_bar: float,
    elements: Sequence[Callable[[np.ndarray], np.ndarray]],
) -> np.ndarray:
    """ES, eqs. 5 and 6: the same over the orbit, every group element counted (theorem 5)."""
    orbit = [element(picture) for picture in pictures for element in elements]
    names = [(n, g) for n in range(len(pictures)) for g in range(len(elements))]
    return posterior(x, orbit, orbit, names, alpha_bar).mean


def translations(height: int, width: int) -> list[Callable[[np.ndarray], np.ndarray]]:
    """All circular shifts, down and right."""
    return [
        lambda picture, dy=dy, dx=dx: np.roll(picture, (dy, dx), (-2, -1))
        for dy in range(height)
        for dx in range(width)
    ]


def local_belief(
    pictures: np.ndarray, x: np.ndarray, alpha_bar: float, side: int, place: tuple[int, int]
) -> Belief:
    """LS at one pixel, eqs. 7 and 8: same place; zeros beyond the edge of both."""
    query = window_zeros(x, side, place)
    keys = [window_zeros(picture, side, place) for picture in pictures]
    values = [picture[:, place[0], place[1]] for picture in pictures]
    return posterior(query, keys, values, [(n, *place) for n in range(len(pictures))], alpha_bar)


def equivariant_local_belief(
    pictures: np.ndarray,
    x: np.ndarray,
    alpha_bar: float,
    side: int,
    place: tuple[int, int],
    dictionary: str,
) -> Belief:
    """ELS at one pixel, eqs. 9 and 10: any place; the canvas wraps.

    ``wrapped`` patches wrap too; ``interior`` ones lie inside their picture.
    """
    height, width = x.shape[1:]
    half = side // 2
    query = window_wrapped(x, side, place)
    keys, values, names = [], [], []
    for n, picture in enumerate(pictures):
        for row in range(height):
            for col in range(width):
                inside = half <= row < height - half and half <= col < width - half
                if dictionary == "interior" and not inside:
                    continue
                keys.append(window_wrapped(picture, side, (row, col)))
                values.append(picture[:, row, col])
                names.append((n, row, col))
    return posterior(query, keys, values, names, alpha_bar)


def boundary_broken_belief(
    pictures: np.ndarray, x: np.ndarray, alpha_bar: float, side: int, place: tuple[int, int]
) -> Belief:
    """Boundary-broken ELS at one pixel: places that lose the same rows and columns."""
    size = x.shape[1:]
    query = window_zeros(x, side, place)
    lost = lost_to_border(place, side, size)
    keys, values, names = [], [], []
    for n, picture in enumerate(pictures):
        for row in range(size[0]):
            for col in range(size[1]):
                if lost_to_border((row, col), side, size) != lost:
                    continue
                keys.append(window_zeros(picture, side, (row, col)))
                values.append(picture[:, row, col])
                names.append((n, row, col))
    return posterior(query, keys, values, names, alpha_bar)


def lost_to_border(
    place: tuple[int, int], side: int, size: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Rows and columns of the window that lie above, below, left and right of the picture."""
    half = side // 2
    (row, col), (height, width) = place, size
    return (
        max(0, half - row),
        max(0, row + half - (height - 1)),
        max(0, half - col),
        max(0, col + half - (width - 1)),
    )


def window_zeros(picture: np.ndarray, side: int, place: tuple[int, int]) -> np.ndarray:
    """The side x side window around a place, zeros beyond the edge: [C, side, side]."""
    half = side // 2
    out = np.zeros((picture.shape[0], side, side))
    for dy in range(-half, half + 1):
        for dx in range(-half, half + 1):
            row, col = place[0] + dy, place[1] + dx
            if 0 <= row < picture.shape[1] and 0 <= col < picture.shape[2]:
                out[:, dy + half, dx + half] = picture[:, row, col]
    return out


def window_wrapped(picture: np.ndarray, side: int, place: tuple[int, int]) -> np.ndarray:
    """The same, taken from the opposite edge."""
    half = side // 2
    out = np.zeros((picture.shape[0], side, side))
    for dy in range(-half, half + 1):
        for dx in range(-half, half + 1):
            row, col = (place[0] + dy) % picture.shape[1], (place[1] + dx) % picture.shape[2]
            out[:, dy + half, dx + half] = picture[:, row, col]
    return out


def every_pixel(
    belief_at: Callable[[tuple[int, int]], Belief], x: np.ndarray
) -> tuple[np.ndarray, list[list[Belief]]]:
    """Return the clean estimate [C, H, W] of a local machine, and the beliefs behind it."""
    clean = np.zeros_like(x)
    beliefs: list[list[Belief]] = []
    for row in range(x.shape[1]):
        beliefs.append([])
        for col in range(x.shape[2]):
            belief = belief_at((row, col))
            clean[:, row, col] = belief.mean
            beliefs[-1].append(belief)
    return clean, beliefs


def cosine_alpha_bar(t: float) -> float:
    """1 - beta(t), with beta(t) = 1 - cos^2(pi t / (2 * 1.008))."""
    return math.cos(math.pi * t / (2 * 1.008)) ** 2


def ddim_step(
    x: np.ndarray, clean: np.ndarray, alpha_bar: float, alpha_bar_next: float
) -> np.ndarray:
    """One deterministic step from noise level ab to ab'."""
    eps = (x - math.sqrt(alpha_bar) * clean) / math.sqrt(1 - alpha_bar)
    ratio = math.sqrt(alpha_bar_next / alpha_bar)
    return x * ratio + (math.sqrt(1 - alpha_bar_next) - ratio * math.sqrt(1 - alpha_bar)) * eps


def reverse(
    estimate: Callable[[np.ndarray, float, int], np.ndarray], noise: np.ndarray, sides: list[int]
) -> np.ndarray:
    """The released loop: i = T-1, ..., 1 at t = i / T with window side sides[i].

    ``estimate(x, alpha_bar, side)`` is the clean picture a machine expects.
    """
    steps = len(sides)
    x = noise
    for i in range(steps - 1, 0, -1):
        now, after = cosine_alpha_bar(i / steps), cosine_alpha_bar((i - 1) / steps)
        x = ddim_step(x, estimate(x, now, sides[i]), now, after)
    return x
