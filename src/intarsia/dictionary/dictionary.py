"""A corpus laid out for one model: its pictures, its codes, and the stages that narrow them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Int64

from intarsia.dictionary.stack import CodeBook, Stack, padding
from intarsia.dictionary.stages import (
    Candidates,
    Near,
    NotSource,
    SameLabel,
    Similar,
    Stage,
    Surroundings,
)
from intarsia.dictionary.window import Border, Window
from intarsia.errors import UsageError
from intarsia.represent import Encoder
from intarsia.represent.codes_cache import corpus_codes

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.dictionary.room import Room


class Dictionary:
    """The training patches of one model.

    Parameters
    ----------
    corpus : where patches come from.
    window : what is compared.
    border : what a window finds beyond an edge.
    stages : which patches a query may use, in order.
    device : where pictures and codes live.
    room : where pictures are laid out that do not fit memory.
    first : the number of the first picture, where the corpus is a part of a larger one.

    Raises
    ------
    UsageError
        If the corpus lacks what a stage needs: labels, or one size of picture.
    """

    def __init__(
        self,
        corpus: Corpus,
        window: Window,
        border: Border,
        stages: Sequence[Stage],
        device: torch.device,
        *,
        first: int = 0,
        room: Room | None = None,
    ) -> None:
        self.corpus = corpus
        self.window = window
        self.border = border
        self.stages = tuple(stages)
        self.device = device
        self.first = first
        self.room = room
        if room is not None:
            room.watch(corpus.planes.flat)
        self._by_label: dict[int, Stack] = {}
        kinds = [type(stage) for stage in self.stages]
        self.similar = next((s for s in self.stages if isinstance(s, Similar)), None)
        self.bars_source = NotSource in kinds
        self.by_label = SameLabel in kinds
        if self.by_label and corpus.labels is None:
            raise UsageError(
                f"{corpus.name!r} has no labels, so no class can be asked for. Drop --condition "
                "class, or use a corpus with labels."
            )
        if (
            self.similar is not None
            and self.by_label
            and kinds.index(Similar) < kinds.index(SameLabel)
        ):
            raise UsageError("Put SameLabel before Similar: it looks up within the class.")

    @property
    def pad(self) -> int:
        """Pixels that stacks have beyond every edge of a picture."""
        return padding(self.border, self.window.half)

    @property
    def radius(self) -> int | None:
        """How far from its own place a query looks; None for everywhere."""
        return min((s.radius for s in self.stages if isinstance(s, Near)), default=None)

    @cached_property
    def stacks(self) -> list[Stack]:
        """The whole corpus, one stack for each size of picture."""
        return self._laid_out(None)

    @cached_property
    def codes(self) -> CodeBook:
        """The codes of all pictures, encoded once, whole."""
        assert self.similar is not None and isinstance(self.similar.phi, Encoder)
        done = 0

        def touched(now: int, _: int) -> None:
            nonlocal done
            if self.room is not None:
                self.room.touch(1, (now - done) * self.corpus.planes.flat.size // len(self.corpus))
            done = now

        return CodeBook.of(corpus_codes(self.similar.phi, self.corpus, touched), self.device)

    def of_label(self, label: int) -> Stack:
        """Return the pictures of one class (all of one size)."""
        if label not in self._by_label:
            assert self.corpus.labels is not None
            members = np.flatnonzero(self.corpus.labels == label)
            (self._by_label[label],) = self._laid_out(members)
        return self._by_label[label]

    def everything(self, origins: Int64[np.ndarray, " b"]) -> list[Candidates]:
        """Return every place of every picture, less barred ones if a stage bars them."""
        barred = origins if self.bars_source else np.full_like(origins, -1)
        return [_all_places(stack, barred) for stack in self.stacks]

    def candidates(
        self,
        place: tuple[int, int],
        origins: Int64[np.ndarray, " b"],
        label: int | None = None,
        similar: Stack | None = None,
    ) -> list[Candidates]:
        """Return what the stages leave for a batch of samples about to fill ``place``."""
        around = Surroundings(self.of_label, place, origins, label, similar)
        stacks = [similar] if similar is not None else self._stacks_for(label)
        start = [_all_places(stack, np.full_like(origins, -1)) for stack in stacks]
        narrowed = []
        for candidates in start:
            for stage in self.stages:
                candidates = stage.narrow(candidates, around)
            narrowed.append(candidates)
        return narrowed

    def make_room(self, similar: Sequence[Stack] = ()) -> None:
        """Count what one place's candidates may have touched of mapped pictures, from above.

        Parameters
        ----------
        similar : the pictures that phi left, which were read where the corpus has them.
        """
        if self.room is None:
            return
        height, width = self.corpus.size
        if self.radius is not None:
            reach = 2 * (self.window.half + self.radius) + 1
            height, width = min(reach, height), min(reach, width)
        planes = self.corpus.channels * height * width
        if similar:
            self.room.touch(sum(stack.pictures.size for stack in similar), planes)
        else:
            self.room.touch(planes, len(self.corpus))

    def _laid_out(self, members: Int64[np.ndarray, " n"] | None) -> list[Stack]:
        stacks = Stack.of(
            self.corpus, self.border, self.window.half, self.device, members, self.room
        )
        return [replace(stack, pictures=stack.pictures + self.first) for stack in stacks]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is laid out: it is larger than the corpus, and quickly made again."""
        kept = {k: v for k, v in self.__dict__.items() if k not in ("stacks", "codes")}
        return kept | {"_by_label": {}, "room": None}

    def _stacks_for(self, label: int | None) -> list[Stack]:
        return [self.of_label(label)] if self.by_label and label is not None else self.stacks


def _all_places(stack: Stack, barred: Int64[np.ndarray, " b"]) -> Candidates:
    return Candidates(stack, (0, stack.size[0] - 1), (0, stack.size[1] - 1), barred)
