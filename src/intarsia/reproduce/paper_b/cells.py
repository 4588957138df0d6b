"""BL-AEs and networks over their tokens: each trained once, and resumed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.corpus import Corpus
from intarsia.models.tokens import TokenGrid
from intarsia.networks.blae import shape_for
from intarsia.networks.saved_blae import RECIPE, SavedBlae, open_blae, train_blae
from intarsia.networks.saved_tokens import RECIPES, SavedTokens, open_tokens, train_tokens
from intarsia.networks.token_network import TokenSettings
from intarsia.networks.weights import CONFIG
from intarsia.reproduce.paper_b import photographs

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

DATA = "cifar10"


@dataclass(frozen=True)
class Tokens:
    """Binary tokens of the first pictures of a data set on a 4x4 grid.

    Attributes
    ----------
    limit : pictures.
    bits : NoD.
    epochs : of the BL-AE.
    data : the data set, or `photographs.NAME`.
    """

    limit: int
    bits: int
    epochs: int
    data: str = DATA

    @property
    def name(self) -> str:
        """Name of its folder under the runs."""
        return f"blae-{self.data}-{self.limit}-{self.bits}"

    def command(self, book: Book) -> str:
        """Return the command that trains the BL-AE."""
        opened = self._opened(book)
        if self.data == photographs.NAME:
            opened["data"] = f"runs/{photographs.NAME}"
        options = " ".join(f"--{name} {value}" for name, value in opened.items())
        return (
            f"intarsia train blae {options} --bits {self.bits} --epochs {self.epochs} "
            f"--out runs/{self.name}"
        )

    def _opened(self, book: Book) -> dict[str, Any]:
        if self.data == photographs.NAME:
            return {"data": str(photographs.cut(book.runs.folder)), "limit": self.limit}
        opened = book.scale.corpus(self.data, self.limit)
        return {name: value for name, value in opened.items() if value is not None}

    def blae(self, book: Book) -> tuple[Corpus, SavedBlae]:
        """Open the pictures and their BL-AE; train it if it is not there yet."""
        opened = self._opened(book)
        options = {name: value for name, value in opened.items() if name != "data"}
        corpus = Corpus.open(opened["data"], **options)
        folder = book.runs.folder / self.name
        if not (folder / CONFIG).exists():
            book.teller.say(f"  training {self.name}, {self.epochs} epochs")
            train_blae(
                corpus,
                folder,
                opened=opened,
                settings=shape_for(corpus.size, corpus.channels, bits=self.bits),
                recipe=replace(RECIPE, epochs=self.epochs),
                resume=True,
                command=self.command(book),
                on_step=lambda state: book.teller.measuring("training", state.done, state.steps),
            )
        return corpus, open_blae(folder)

    def grid(self, book: Book, least_binary: float = 0.0) -> TokenGrid:
        """Encode the pictures."""
        corpus, blae = self.blae(book)
        return TokenGrid.of(corpus, blae, least_binary)

    def network(
        self, book: Book, kind: str, *, epochs: int, gamma: int = 7, width: int | None = None
    ) -> SavedTokens:
        """Open a network over the tokens; train it if it is not there yet."""
        tokens = self.grid(book)
        shape: dict[str, Any] = {"gamma": gamma} if kind == "arvm" else {"layers": 6}
        shape["width"] = width or (1024 if kind == "arvm" else 128)
        which = f"-gamma{gamma}" if kind == "arvm" else f"-{shape['width']}"
        folder: Path = book.runs.folder / f"{kind}{which}-{self.data}-{self.limit}-{self.bits}"
        if not (folder / CONFIG).exists():
            book.teller.say(f"  training {folder.name}, {epochs} epochs")
            train_tokens(
                tokens,
                folder,
                TokenSettings(kind, self.bits, tokens.shape, **shape),
                recipe=replace(RECIPES[kind], epochs=epochs),
                resume=True,
                on_step=lambda state: book.teller.measuring("training", state.done, state.steps),
            )
        return open_tokens(folder)
