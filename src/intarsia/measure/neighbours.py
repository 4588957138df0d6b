"""Accuracy of nearest neighbours: how well codes of an encoder phi tell classes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Int8, Integer, Shaped
from torch import Tensor
from torch.nn import functional

from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.represent import Encoder

NEIGHBOURS = 20

_BLOCK = 1000


def half_known(size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Return the mask of a canvas half grown: the middle square of half the pixels."""
    known = np.zeros(size, bool)
    rows, cols = (
        slice(round(side * (1 - 0.5**0.5) / 2), side - round(side * (1 - 0.5**0.5) / 2))
        for side in size
    )
    known[rows, cols] = True
    return known


def neighbour_accuracy(
    phi: Encoder,
    corpus: Corpus,
    test: Corpus,
    *,
    known: Bool[np.ndarray, "h w"] | None = None,
    codes: Int8[np.ndarray, "n d"] | None = None,
    neighbours: int = NEIGHBOURS,
    most: int | None = None,
) -> float:
    """Return the share of test pictures whose nearest training pictures vote for their class.

    Cosine similarity of codes over the coordinates that the test canvas knows, one vote each; of
    classes with equally many votes the first in number wins, of equally near pictures the first.

    Parameters
    ----------
    phi : the encoder.
    corpus : training pictures with labels, encoded whole.
    test : test pictures with labels.
    known : the pixels of a test picture that phi is shown; all when None.
    codes : of the corpus, where they are at hand.
    neighbours : k, the number that vote.
    most : use the first so many test pictures.

    Raises
    ------
    UsageError
        If labels are missing.
    """
    if corpus.labels is None or test.labels is None:
        missing = corpus if corpus.labels is None else test
        raise UsageError(
            f"The accuracy of nearest neighbours needs labels, and {missing.name!r} "
            f"({missing.split}) has none."
        )
    assert corpus.images is not None and test.images is not None
    known = np.ones(corpus.size, bool) if known is None else known
    codes = phi.corpus_codes(corpus.images) if codes is None else codes
    asked = phi.codes(np.array(test.images[:most]), known)
    return vote(
        torch.from_numpy(codes[:, asked.known]),
        torch.from_numpy(asked.values[:, asked.known]),
        corpus.labels,
        test.labels[:most],
        neighbours,
    )


def vote(
    codes: Shaped[Tensor, "n d"],
    asked: Shaped[Tensor, "m d"],
    labels: Integer[np.ndarray, " n"],
    wanted: Integer[np.ndarray, " m"],
    neighbours: int = NEIGHBOURS,
) -> float:
    """Return the share of ``asked`` whose nearest ``codes`` by cosine vote for their class.

    Parameters
    ----------
    codes, asked : features, of any scale.
    labels, wanted : of the codes, and of those asked.
    neighbours : how many vote, one vote each.
    """
    values = functional.normalize(codes.float(), dim=1)
    given, right = torch.from_numpy(labels.astype(np.int64)), 0
    goal = torch.from_numpy(wanted.astype(np.int64))
    classes = int(max(given.max(), goal.max())) + 1
    for at in range(0, len(goal), _BLOCK):
        near = (asked[at : at + _BLOCK].float() @ values.T).topk(min(neighbours, len(given)), dim=1)
        votes = torch.zeros(len(near.indices), classes)
        votes.scatter_add_(1, given[near.indices], torch.ones(near.indices.shape))
        right += int((votes.argmax(dim=1) == goal[at : at + _BLOCK]).sum())
    return right / len(goal)
