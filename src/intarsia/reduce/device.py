"""The pool reduction in plain torch, for CUDA and every other device that is not the CPU.

The same pools as `reduce.cpu`, block by block: distances are exact sums of int8 limbs in float32
(each below 2^24), everything after them is int64.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int8, Int64
from torch import Tensor

from intarsia.dictionary import Query
from intarsia.reduce.fit import View
from intarsia.reduce.kernels import compact
from intarsia.reduce.state import Pool

_DEPTH = 1024
"""Summands whose int8 x int8 products stay below 2^24, where float32 is exact."""

_FAR = 2**62


def reduce(view: View, query: Query, pool: Pool, block: int | None) -> Pool:
    """Reduce one view on the device its stack lives on.

    Parameters
    ----------
    view, query : candidates and what they are compared with.
    pool : an empty pool, filled and returned.
    block : candidates taken at a time.
    """
    groups = view.stack.pixels.shape[0]
    device = view.stack.pixels.device
    size = block or max(1024, min(view.run, 2**24 // max(1, len(query))))
    codes = torch.from_numpy(view.codes).to(device)
    words = torch.from_numpy(view.words).to(device)
    salts = torch.from_numpy(query.salts).to(device)[:, None]
    tally = _Tally(pool, device)
    for row in range(view.rows[0], view.rows[1] + 1):
        starts = torch.from_numpy(view.starts(query, row)).to(device)
        base = view.row_code(row)
        base_word = _word(base)
        for at in range(0, view.run, size):
            n = min(size, view.run - at)
            where = starts[:, None] + torch.arange(at, at + n, device=device)
            pixels = view.stack.pixels.reshape(groups, -1)[:, where]
            dist = _distances(pixels, query, device)
            _shut_out(dist, view, row, at, n)
            # One row a query, even where queries share their candidates.
            names = (codes[:, at : at + n] + base).expand(len(query), n)
            word = (words[:, at : at + n] + base_word).expand(len(query), n)
            tally.take(dist, names, _key(salts + word))
    return tally.finish()


def code_distances(
    book: Int8[Tensor, "d n"], query: Int8[np.ndarray, "b d"], rows: Int64[np.ndarray, " known"]
) -> Int64[np.ndarray, "b n"]:
    """Squared distances between codes over the given coordinates, exact."""
    device = book.device
    some = book[torch.from_numpy(rows).to(device)]
    values = torch.from_numpy(np.ascontiguousarray(query[:, rows])).to(device)
    norms = (some.to(torch.int64) ** 2).sum(dim=0)
    own = (values.to(torch.int64) ** 2).sum(dim=1)
    return (own[:, None] + norms - 2 * _product(values, some[None])).cpu().numpy()


def _distances(
    pixels: Int8[Tensor, "g k n"], query: Query, device: torch.device
) -> Int64[Tensor, "b n"]:
    """Weighted squared distances |q|^2 + |c|^2 - 2 q.c in exact integers."""
    batch, channels = query.values.shape[:2]
    values = torch.from_numpy(query.values.reshape(batch, -1)).to(device).to(torch.int64)
    weights = torch.from_numpy(np.tile(query.weights, channels)).to(device).to(torch.int64)
    weighted = values * weights
    high = (weighted + 64) >> 7
    low = weighted - (high << 7)
    cross = 128 * _product(high, pixels) + _product(low, pixels)
    norms = (weights[None, :, None] * pixels.to(torch.int64) ** 2).sum(dim=1)
    return (values * weighted).sum(dim=1)[:, None] + norms - 2 * cross


def _product(limb: Tensor, pixels: Int8[Tensor, "g k n"]) -> Int64[Tensor, "b n"]:
    """Exact sums of products of int8 values: in float32, a thousand summands at a time."""
    total = torch.zeros((len(limb), pixels.shape[2]), dtype=torch.int64, device=pixels.device)
    for at in range(0, limb.shape[1], _DEPTH):
        left = limb[:, at : at + _DEPTH].to(torch.float32)
        right = pixels[:, at : at + _DEPTH].to(torch.float32)
        part = left @ right[0] if len(right) == 1 else torch.bmm(left[:, None], right)[:, 0]
        total += part.to(torch.int64)
    return total


def _shut_out(dist: Int64[Tensor, "b n"], view: View, row: int, at: int, n: int) -> None:
    """Put the barred picture, and what touches a hole, out of reach."""
    first, stride = torch.from_numpy(view.barred.T.copy()).to(dist.device)
    place = torch.arange(at, at + n, device=dist.device)
    hit = (place - first[:, None]) % stride.clamp(min=1)[:, None] == 0
    dist[hit & (first >= 0)[:, None]] = _FAR
    if view.usable is not None:
        open_ = view.usable[:, row - view.rows[0], at : at + n]
        dist.masked_fill_(~open_, _FAR)


def _word(code: int) -> int:
    """Code times the golden constant, as the signed 64-bit word torch computes with."""
    word = code * 0x9E3779B97F4A7C15 % 2**64
    return word - 2**64 if word >= 2**63 else word


def _shift(x: Tensor, bits: int) -> Tensor:
    """Shift right, filling with zeros: torch's own shift copies the sign."""
    return (x >> bits) & (2 ** (64 - bits) - 1)


def _key(x: Int64[Tensor, "b n"]) -> Int64[Tensor, "b n"]:
    x = (x ^ _shift(x, 30)) * (0xBF58476D1CE4E5B9 - 2**64)
    x = (x ^ _shift(x, 27)) * (0x94D049BB133111EB - 2**64)
    return _shift(x ^ _shift(x, 31), 1)


class _Tally:
    """Blocks on the device, gathered into a `Pool` at the end."""

    def __init__(self, pool: Pool, device: torch.device) -> None:
        self.pool = pool
        self.device = device
        state = pool.state
        self.least = torch.full_like(torch.from_numpy(state.least), _FAR).to(device)
        self.limit = torch.from_numpy(state.limit).to(device)
        if not state.fixed:
            self.limit.fill_(_FAR - 1)
        self.band: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []

    def take(self, dist: Tensor, code: Tensor, key: Tensor) -> None:
        """Take one block of candidates in."""
        state, rule = self.pool.state, self.pool.rule
        if not state.fixed:
            m = self.least.shape[1]
            both = torch.cat([self.least, dist], dim=1)
            self.least = both.topk(m, dim=1, largest=False).values
            self.limit = self._thresholds()
        sure = dist <= rule.floor
        if bool(sure.any()):
            self._take_sure(sure, dist, code, key)
        inside = (dist <= self.limit[:, None]) & ~sure
        b, j = inside.nonzero(as_tuple=True)
        self.band.append((b, dist[b, j], code[b, j], key[b, j]))

    def _thresholds(self) -> Tensor:
        rule = self.pool.rule
        least, mth = self.least[:, 0], self.least[:, -1]
        known = mth < _FAR
        least = torch.where(known, least, 0)
        whole = least * (rule.eps_num // rule.eps_den)
        part = 400 * (rule.eps_num % rule.eps_den) * least + rule.floor_num * rule.eps_den
        limit = torch.maximum(least + whole + part // (400 * rule.eps_den), mth)
        return torch.where(known, limit, _FAR - 1)

    def _take_sure(self, sure: Tensor, dist: Tensor, code: Tensor, key: Tensor) -> None:
        state = self.pool.state
        state.sure_count[:] += sure.sum(dim=1).cpu().numpy()
        no_key = torch.iinfo(torch.int64).max
        keys_ = torch.where(sure, key, no_key)
        best = keys_.min(dim=1).values
        codes = torch.where(sure & (key == best[:, None]), code, no_key)
        winner = codes.min(dim=1)
        found = [t.cpu().numpy() for t in (best, winner.values)]
        distance = dist.gather(1, winner.indices[:, None])[:, 0].cpu().numpy()
        better = (found[0] < state.sure_key) | (
            (found[0] == state.sure_key) & (found[1] < state.sure_code)
        )
        state.sure_key[better] = found[0][better]
        state.sure_code[better] = found[1][better]
        state.sure_dist[better] = distance[better]

    def finish(self) -> Pool:
        """Hand what is left to the pool."""
        state = self.pool.state
        if not state.fixed:
            # The state's own word for "no distance yet" may be smaller than ours.
            state.least[:] = np.minimum(self.least.cpu().numpy(), self.pool.rule.far)
            state.limit[:] = np.minimum(self.limit.cpu().numpy(), self.pool.rule.far - 1)
        parts = [torch.cat(column).cpu().numpy() for column in zip(*self.band, strict=True)]
        query, dist, code, key = parts if parts else [np.empty(0, np.int64)] * 4
        self.pool.reserve(len(query))
        state = self.pool.state
        state.band_n[0] = len(query)
        columns = {"query": query, "dist": dist, "key": key, "code": code}
        for name, column in columns.items():
            getattr(state, f"band_{name}")[: len(query)] = column
        compact(state)
        return self.pool
