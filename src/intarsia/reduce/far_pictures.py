"""Training pictures that lie with workers, each of whom weighs its share of the patches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from intarsia.dictionary import Pictures, Sharing
from intarsia.reduce.posterior import needed, needed_whole
from intarsia.reduce.posterior_state import Share, Sums
from intarsia.reduce.workers import Workers


class FarPictures:
    """Pictures shared out between workers, for `posterior` and `orbit_posterior`.

    Spans of the dictionary and the tree in which they merge are fixed by its size alone; a worker
    does whole branches of that tree, so the bytes are those of one process.

    Parameters
    ----------
    pictures : all of them.
    workers : who weighs them.
    sharings : every sharing that will be asked about; none where whole pictures are compared.
    """

    def __init__(
        self, pictures: Pictures, workers: Workers, sharings: Sequence[Sharing] = ()
    ) -> None:
        self.workers = workers
        self._shares = [Share(number, len(workers)) for number in range(len(workers))]
        self._held = []
        for share in self._shares:
            edges = [needed(pictures, sharing, share) for sharing in sharings]
            edges = edges or [needed_whole(pictures, share)]
            firsts, stops = zip(*[edge for edge in edges if edge[1]] or [(0, 0)], strict=True)
            self._held.append(workers.hold(pictures.held(min(firsts), max(stops))))

    def sums(self, function: Callable[..., list[Sums]], *args: Any) -> list[Sums]:
        """Let every worker do its share; return what one process would."""
        promises = [
            self.workers.start(number, function, held, share, *args)
            for number, (held, share) in enumerate(zip(self._held, self._shares, strict=True))
        ]
        return [Sums.joined(one) for one in zip(*self.workers.results(promises), strict=True)]
