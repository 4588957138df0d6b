"""All runs behind one page: opened when asked for, closed when others need the room."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from intarsia.errors import IntarsiaError
from intarsia.explorer import sample, summary, training
from intarsia.explorer.bounded import Bounded
from intarsia.explorer.corpora import Corpora, Opening
from intarsia.explorer.discover import discover, identifier
from intarsia.explorer.run import InMemory, RunFolder, Shown, archives

OPEN = 48
"""Runs held open; the arrays of a run stay on disk."""
ANSWERS = 96 << 20
"""Bytes of answers kept."""
ATTRIBUTED = 16
"""Attributed pictures kept."""


class Library:
    """Runs by identifier.

    Parameters
    ----------
    runs : run folders by identifier, as `discover` returns.
    data : what ``--data`` said, or None.
    """

    def __init__(self, runs: Mapping[str, Path], data: str | None = None) -> None:
        self._folders = dict(runs)
        self._attributed: dict[str, InMemory] = {}
        self._lock = threading.Lock()
        self._archives = archives()
        self._open: Bounded[RunFolder] = Bounded(OPEN, size=lambda run: 1)
        self._answers: Bounded[bytes | dict[str, Any]] = Bounded(ANSWERS, size=_bytes)
        self.corpora = Corpora(data)

    def titles(self) -> list[dict[str, str]]:
        """Return identifier and title of each run, attributed pictures first, newest first."""
        with self._lock:
            made = [{"id": run.id, "title": run.title} for run in self._attributed.values()]
            runs = [
                {"id": key, "title": folder.resolve().name} for key, folder in self._folders.items()
            ]
        return [*reversed(made), *runs]

    def run(self, identifier: str) -> Shown:
        """Return a run by its identifier; no path is made of what was asked for.

        Raises
        ------
        LookupError
            If there is no such run.
        DataError
            If its files are damaged.
        """
        with self._lock:
            attributed = self._attributed.get(identifier)
            folder = self._folders.get(identifier)
        if attributed is not None:
            return attributed
        if folder is None:
            raise LookupError(f"There is no run called {identifier!r} here.")
        return self._open.get(identifier, lambda: self._opened(identifier, folder))

    def summary(self, run: str) -> dict[str, Any]:
        """Return run.json of a run."""
        answer = self._answer((run, "summary"), lambda: summary.summary(self.run(run)))
        assert isinstance(answer, dict)
        return answer

    def sheet(self, run: str, page: int) -> bytes:
        """Return a sheet of samples as PNG."""
        return self._block((run, "sheet", page), lambda: summary.sheet(self.run(run), page))

    def uses(self, run: str) -> bytes:
        """Return which sample used which training picture."""
        return self._block((run, "uses"), lambda: summary.uses(self.run(run)))

    def block(self, run: str, index: int, kind: str) -> bytes:
        """Return a block of one sample: ``sample``, ``sources``, ``pools`` or ``steps``."""
        make: dict[str, Callable[[Shown, int], bytes]] = {
            "sample": sample.sample_block,
            "sources": sample.sources_block,
            "pools": sample.pools_block,
            "steps": sample.steps_block,
        }
        return self._block((run, index, kind), lambda: make[kind](self.run(run), index))

    def training(self, run: str, numbers: list[int]) -> bytes:
        """Return training pictures of a run's corpus; read from disk each time.

        Raises
        ------
        LookupError
            If they are not open.
        """
        found = self.run(run)
        if found.corpus is None:
            raise LookupError(found.why_no_corpus)
        return training.training_block(found.corpus, numbers)

    def openings(self) -> dict[str, Opening]:
        """Return the corpora that pictures can be drawn from or attributed to, by key.

        ``--data`` comes first, then those of the first few runs.
        """
        found: list[Opening] = []
        if self.corpora.data is not None:
            found.append(self._given())
        with self._lock:
            some = list(self._folders)[:OPEN]
        for key in some:
            try:
                opening = self.corpora.opening(self.run(key).config)
            except IntarsiaError:
                continue
            if opening is not None:
                found.append(replace(opening, fingerprint=""))
        if not found:
            found.append(Opening("digits", (("split", "train"),)))
        return {opening.words: opening for opening in found}

    def check_data(self) -> None:
        """Open what ``--data`` named, so that a wrong name is said at the start.

        Raises
        ------
        IntarsiaError
            If it cannot be opened.
        """
        if self.corpora.data is not None:
            self.corpora.open(self._given())

    def add_folder(self, folder: Path) -> str:
        """Show one more run, and return its identifier."""
        with self._lock:
            ((_, path),) = discover([folder]).items()
            key = identifier(folder.name, {*self._folders, *self._attributed})
            self._folders[key] = path
        return key

    def add_attributed(self, make: Callable[[str], InMemory]) -> str:
        """Show an attributed picture, and return its identifier; the oldest is forgotten."""
        with self._lock:
            key = identifier("picture", {*self._folders, *self._attributed})
            self._attributed[key] = make(key)
            while len(self._attributed) > ATTRIBUTED:
                self._attributed.pop(next(iter(self._attributed)))
        return key

    def close(self) -> None:
        """Remove what was unpacked."""
        self._archives.clear()

    def _given(self) -> Opening:
        return Opening(str(self.corpora.data), (("split", "train"),))

    def _opened(self, identifier: str, folder: Path) -> RunFolder:
        run = RunFolder(identifier, folder, self._archives)
        opening = self.corpora.opening(run.config)
        if opening is None:
            run.why_no_corpus = self.corpora.why_not(run.config)
            return run
        try:
            run.corpus = self.corpora.open(opening)
        except IntarsiaError as error:
            run.why_no_corpus = str(error)
        return run

    def _block(self, key: Any, make: Callable[[], bytes]) -> bytes:
        answer = self._answer(key, make)
        assert isinstance(answer, bytes)
        return answer

    def _answer(self, key: Any, make: Callable[[], Any]) -> bytes | dict[str, Any]:
        # An attributed picture's identifier may come back for another picture: never kept.
        if key[0] in self._attributed:
            return make()
        return self._answers.get(key, make)


def library(folders: Iterable[Path], data: str | None = None) -> Library:
    """Open a library over the runs found in some folders."""
    return Library(discover(folders), data)


def _bytes(answer: bytes | dict[str, Any]) -> int:
    return len(answer) if isinstance(answer, bytes) else 200 * 64 * len(answer)
