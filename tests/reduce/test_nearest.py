"""The nearest-k reduction over codes equals brute force, ties and thresholds included."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from intarsia.dictionary import CodeBook
from intarsia.reduce import device
from intarsia.reduce.nearest import (
    OUT_OF_REACH,
    code_distances,
    nearest,
    nearest_codes,
    put_out_of_reach,
)
from intarsia.represent import LowResolution
from tests.pictures import colour_patches, digits

CPU = torch.device("cpu")


def brute_force(row: list[int], keep: int, epsilon: Fraction | None) -> list[int]:
    """Indices of the ``keep`` least (distance, index) in reach, ascending in index."""
    reachable = [(d, j) for j, d in enumerate(row) if d < OUT_OF_REACH]
    chosen = sorted(reachable)[:keep]
    if epsilon is not None and chosen:
        # Distances are roots of what is compared: sqrt(d) <= (1 + eps) sqrt(least).
        chosen = [(d, j) for d, j in chosen if d <= (1 + epsilon) ** 2 * chosen[0][0]]
    return sorted(j for _, j in chosen)


def as_lists(found: np.ndarray) -> list[list[int]]:
    for row in found:
        count = int((row >= 0).sum())
        assert (row[count:] == -1).all()
    return [row[row >= 0].tolist() for row in found]


@settings(max_examples=150)
@given(
    data=st.data(),
    rows=st.integers(1, 4),
    columns=st.integers(1, 40),
    highest=st.sampled_from([0, 3, 50, 2**40]),
    keep=st.integers(1, 45),
    epsilon=st.sampled_from(
        [None, Fraction(0), Fraction("0.1"), Fraction("0.123457"), Fraction(1)]
    ),
    out=st.sampled_from([0.0, 0.3, 1.0]),
    threads=st.sampled_from([1, 2, 3]),
)
def test_nearest_equals_brute_force(data, rows, columns, highest, keep, epsilon, out, threads):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    dist = rng.integers(0, highest + 1, (rows, columns))
    dist[rng.random(dist.shape) < out] = OUT_OF_REACH
    before = dist.copy()
    found = nearest(dist, keep, epsilon, threads)
    assert (dist == before).all()
    assert as_lists(found) == [brute_force(row, keep, epsilon) for row in dist.tolist()]
    assert found.shape[1] == max(1, *(len(row) for row in as_lists(found)))


@pytest.mark.parametrize("keep", [511, 512, 513, 700, 1500])
def test_long_lists_equal_brute_force(keep):
    rng = np.random.default_rng(keep)
    dist = rng.integers(0, 40, (3, 1200))
    dist[:, rng.permutation(1200)[:50]] = OUT_OF_REACH
    dist[1, 600:] = OUT_OF_REACH
    for epsilon in (None, Fraction("0.5")):
        expected = [brute_force(row, keep, epsilon) for row in dist.tolist()]
        assert as_lists(nearest(dist, keep, epsilon, 2)) == expected


def test_epsilon_is_of_distances_not_of_their_squares():
    # Distances 10, 11 and 12: within 10 percent of 10 lies 11, whose square is 21 percent more.
    dist = np.array([[144, 121, 122, 100]])
    assert nearest(dist, 4, Fraction("0.1")).tolist() == [[1, 3]]
    assert nearest(dist, 4, Fraction("0.2")).tolist() == [[0, 1, 2, 3]]
    # At most ``keep`` of them, the nearest.
    assert nearest(dist, 1, Fraction("0.2")).tolist() == [[3]]


def test_what_is_out_of_reach_is_never_chosen():
    dist = np.array([[OUT_OF_REACH, 5, OUT_OF_REACH], [OUT_OF_REACH] * 3])
    for epsilon in (None, Fraction(0), Fraction(1000)):
        assert nearest(dist, 3, epsilon).tolist() == [[1], [-1]]


def distances(book: np.ndarray, query: np.ndarray, known: np.ndarray) -> np.ndarray:
    difference = query[:, None, known].astype(np.int64) - book[None][:, :, known]
    return (difference**2).sum(axis=2)


@settings(max_examples=60)
@given(
    colour=st.booleans(),
    batch=st.integers(1, 20),
    share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    threads=st.sampled_from([1, 2, 3]),
    seed=st.integers(0, 2**31),
)
def test_code_distances_equal_brute_force_on_every_device_path(colour, batch, share, threads, seed):
    pictures = colour_patches() if colour else digits().images[:200]
    book = LowResolution(2).corpus_codes(np.array(pictures))
    rng = np.random.default_rng(seed)
    query = book[rng.integers(0, len(book), batch)]
    known = rng.random(book.shape[1]) < share
    expected = distances(book, query, known)
    laid_out = CodeBook.of(book, CPU)
    assert (code_distances(laid_out, query, known, threads) == expected).all()
    plain = device.code_distances(laid_out.values, query, np.flatnonzero(known))
    assert (plain == expected).all()


def test_code_distances_of_many_blocks_and_extreme_codes_are_exact():
    rng = np.random.default_rng(0)
    book = rng.choice([-128, 127], (9001, 1024)).astype(np.int8)
    query = -1 - book[[5, 4097]]  # the exact opposites, as far as codes can be
    known = np.ones(1024, bool)
    found = code_distances(CodeBook.of(book, CPU), query, known)
    assert found[0, 5] == found[1, 4097] == 1024 * 255**2
    some = rng.permutation(9001)[:100]
    assert (found[:, some] == distances(book[some], query, known)).all()
    plain = device.code_distances(CodeBook.of(book[some], CPU).values, query, np.arange(1024))
    assert (plain == found[:, some]).all()


def test_code_distances_of_very_long_codes_are_exact():
    book = np.array([[-128], [127], [0]], np.int8).repeat(200_000, axis=1)
    query = np.array([[127]], np.int8).repeat(200_000, axis=1)
    known = np.ones(200_000, bool)
    expected = distances(book, query, known)
    plain = device.code_distances(CodeBook.of(book, CPU).values, query, np.arange(200_000))
    assert (plain == expected).all()
    assert (code_distances(CodeBook.of(book, CPU), query, known) == expected).all()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("keep", [1, 40, 9000])
def test_look_ups_over_many_blocks_equal_distances_sorted_whole(keep, threads):
    rng = np.random.default_rng(keep)
    codes = rng.integers(-3, 4, (9001, 20)).astype(np.int8)  # three blocks, and ties in plenty
    query = rng.integers(-3, 4, (5, 20)).astype(np.int8)
    book = CodeBook.of(codes, CPU)
    barred = np.array([-1, 0, 4096, 9000, 17])
    for known in (np.arange(20) < 7, np.arange(20) < 15, np.arange(20) > 4):  # grows, then not
        for allowed in (None, rng.random(9001) < 0.4):
            dist = code_distances(book, query, known)
            put_out_of_reach(dist, barred, allowed)
            found = nearest_codes(book, query, known, keep, barred, allowed, threads)
            assert (found == nearest(dist, keep)).all()
