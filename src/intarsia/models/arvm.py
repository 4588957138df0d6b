"""Paper B's gamma-ARVM in its exact form: a table of counts over binary tokens (eq. 9).

"Exploring image generation via mutually exclusive probability spaces and local dependence
hypothesis", section 4.2. At a place p, the candidates are the training token grids whose tokens in
the causal window of side gamma around p equal the canvas; one is drawn, and its token at p is
written. Drawing a training image from that pool is drawing a token from the histogram of eq. 9, and
the image drawn is the token's source.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int16, Int64, UInt8

from intarsia.dictionary import Dictionary, FillOrder, Near, Query, Window
from intarsia.errors import UsageError
from intarsia.models.batch import Batch
from intarsia.models.device import torch_device
from intarsia.models.nonparametric import Step
from intarsia.models.token_sampler import TokenSampler, in_order
from intarsia.models.tokens import TokenGrid, numbers_of
from intarsia.reduce import Drawn, PoolRule, keys, pool
from intarsia.samples import Samples, Sources

SMALLEST = 3
"""Side of the least window that compares anything."""

CROSS, NOTHING = 2, 1
"""Sides that stand for what a context backs off to below 3: the two edge neighbours; nothing."""


class ArvmSampler(TokenSampler):
    """gamma-ARVM as an exact pool over the tokens of training pictures.

    Parameters
    ----------
    tokens : training pictures as bits.
    gamma : side of the causal window, odd; 1 compares nothing. The paper's ARVM 1, 2 and 3 are
        gamma 7, 5 and 3. On a 4x4 grid 7 covers all that came before.
    device : "cpu", "cuda" or "mps", for the reduction.
    threads : CPU threads; torch's number by default.

    Raises
    ------
    UsageError
        If gamma is even or below 1.

    Notes
    -----
    A context that no training image has backs off: to windows of side gamma - 2, gamma - 4, ...,
    3, then to the edge neighbours above and to the left, then to nothing, which draws from all
    tokens at the place. `windows` says what each token was drawn with.
    """

    name = "arvm"

    def __init__(
        self, tokens: TokenGrid, gamma: int = 3, *, device: str = "cpu", threads: int | None = None
    ) -> None:
        check_gamma(gamma)
        super().__init__(tokens)
        self.gamma = gamma
        self.threads = threads
        self.window = Window(max(SMALLEST, gamma))
        self.rule = PoolRule(Fraction(0))
        self.dictionary = Dictionary(
            self.tokens.as_corpus, self.window, "ignore", [Near(0)], torch_device(device)
        )

    def grow(self, batch: Batch, seed: int, *, keep_members: bool = False) -> Iterator[Step]:
        """Draw every token of a batch in raster order; yields a `Step` after each."""
        known = batch.known()
        for place in list(batch.order)[batch.step :]:
            salts = keys.salts(seed, batch.samples, batch.step)
            query = self.query(place, batch.canvas, known, salts)
            drawn = self._draw(batch, query, keep_members)
            batch.write(self.tokens.as_corpus, place, drawn)
            known[place] = True
            yield Step(batch, place, query, drawn)

    def query(
        self,
        place: tuple[int, int],
        canvas: UInt8[np.ndarray, "b gh gw k"],
        known: Bool[np.ndarray, "gh gw"],
        salts: Int64[np.ndarray, " b"],
    ) -> Query:
        """Read the causal window around a place."""
        query = Query.at(place, canvas, known, self.window, "ignore", salts)
        return query.without_appearance() if self.gamma < SMALLEST else query

    def _draw(self, batch: Batch, query: Query, keep_members: bool) -> Drawn:
        """Draw from the images that share the context; drop its outermost tokens if none does."""
        candidates = self.dictionary.candidates(query.place, batch.origins)
        equal = np.zeros(len(query), np.int64)

        def among(asked: Query) -> Drawn:
            return pool(
                candidates, asked, self.rule, limit=equal, keep_members=keep_members,
                threads=self.threads, may_be_empty=True,
            )  # fmt: skip

        drawn, asked = among(query), query.narrowed()
        while (empty := drawn.pool == 0).any():
            assert asked is not None  # the last query compares nothing, so every image fits
            drawn, asked = drawn.filled_in(empty, among(asked)), asked.narrowed()
        return drawn

    def gather(self, batches: list[Batch], n: int, seed: int) -> Samples:
        """Decode finished batches, in order of sample."""
        bits, sources = in_order(batches)
        return Samples(
            images=self.tokens.decode(bits),
            sources=Sources.of_tokens(sources, self.pictures.size),
            settings=self.resolved_settings(n, seed),
            corpus=self.pictures,
            extra={"tokens": numbers_of(bits), "window": self.windows(bits, sources["image"])},
        )

    def windows(
        self, bits: UInt8[np.ndarray, "n gh gw k"], image: Int64[np.ndarray, "n gh gw"]
    ) -> Int16[np.ndarray, "n gh gw"]:
        """Return the window that each token was drawn with.

        It is the largest one in which the canvas equals the image drawn: had another image agreed
        in a larger one, it would have been drawn from there.

        Returns
        -------
        int16 [n, gh, gw]
            The side; below 3, `CROSS` for the neighbours above and to the left, `NOTHING`.
        """
        rows, cols = self.tokens.shape
        out = np.zeros(image.shape, np.int16)
        known = np.zeros((rows, cols), bool)
        nobody = np.zeros(len(bits), np.int64)
        for row, col in np.ndindex(rows, cols):
            asked: Query | None = self.query((row, col), bits, known, nobody)
            reached = np.zeros(len(bits), bool)
            theirs = self.tokens.bits[image[:, row, col]]
            first = True
            while asked is not None:
                at = asked.offsets + (row, col)
                same = theirs[:, at[:, 0], at[:, 1]] == bits[:, at[:, 0], at[:, 1]]
                here = same.all(axis=(1, 2)) & ~reached
                out[here, row, col] = self.gamma if first else _side(asked)
                reached |= here
                asked, first = asked.narrowed(), False
            known[row, col] = True
        return out

    def histogram(
        self, place: tuple[int, int], context: UInt8[np.ndarray, "gh gw k"]
    ) -> dict[int, float]:
        """Return eq. 9 at a place: the probability of each token that follows a context.

        Parameters
        ----------
        place : (row, column).
        context : bits of a grid; only those before the place, in its window, are read.

        Returns
        -------
        dict
            Token number to probability, over all tokens that can be drawn; they sum to 1. Where no
            training image has the context, that of the window it backs off to.
        """
        row, col = place
        known = np.zeros(self.tokens.shape, bool)
        known.reshape(-1)[: row * self.tokens.shape[1] + col] = True
        batch = Batch.blank(np.zeros(1, np.int64), FillOrder(known, np.zeros((0, 2), np.int64)), 1)
        query = self.query(place, context[None], known, np.zeros(1, np.int64))
        members = self._draw(batch, query, keep_members=True).members
        assert members is not None
        images, _, _ = keys.decode(members[0][0])
        tokens, counts = np.unique(self.tokens.numbers[images, row, col], return_counts=True)
        share: Float64[np.ndarray, " t"] = counts / counts.sum()
        return dict(zip(tokens.tolist(), share.tolist(), strict=True))

    def resolved_settings(self, n: int, seed: int) -> dict[str, Any]:
        """Return everything that decides the result, in plain values."""
        settings = self.tokens.blae.settings
        return {
            "model": self.name,
            "n": n,
            "seed": seed,
            "gamma": self.gamma,
            **self.folders,
            "bits": settings.bits,
            "grid": list(self.tokens.shape),
            "binary_rate": round(self.tokens.binary_rate, 6),
            "blae_fingerprint": self.tokens.blae.weights_fingerprint,
        }

    def figures(self, batches: list[Batch]) -> dict[str, Any]:
        """Return what metrics.json says of the run beside its maps."""
        bits, sources = in_order(batches)
        windows = self.windows(bits, sources["image"])
        return {"backed_off_share": float((windows < self.gamma).mean())}


def check_gamma(gamma: int) -> None:
    """Raise UsageError for a window that has no centre."""
    if gamma < 1 or gamma % 2 == 0:
        near = max(1, gamma + 1 - gamma % 2)
        raise UsageError(
            f"--gamma is {gamma}; the causal window has a centre, so gamma is odd and at least 1. "
            f"Try {near}."
        )


def covers(gamma: int, grid: tuple[int, int]) -> bool:
    """Whether the window sees all that came before, at every place of a grid."""
    return gamma // 2 >= max(grid) - 1


def _side(query: Query) -> int:
    """Side of the window that a narrowed query stands for."""
    if not len(query.offsets):
        return NOTHING
    reach = np.abs(query.offsets)
    only_cross = reach.max() == 1 and (reach.sum(axis=1) == 1).all()
    return CROSS if only_cross else 2 * int(reach.max()) + 1
