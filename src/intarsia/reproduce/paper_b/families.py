"""VAEs and GANs of paper B's appendix: each trained once, and resumed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from intarsia.corpus import Corpus
from intarsia.networks.gan import GanSettings
from intarsia.networks.saved_generator import (
    RECIPES,
    SavedGenerator,
    open_generator,
    train_generator,
)
from intarsia.networks.vae import VaeSettings
from intarsia.networks.weights import CONFIG

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

_SHAPES = {"vae": VaeSettings, "gan": GanSettings}


def opened(
    book: Book, data: str, limit: int | None = None, **options: Any
) -> tuple[Corpus, dict[str, Any]]:
    """Open training pictures, and say how."""
    given = book.scale.corpus(data, limit) | options
    how = {name: value for name, value in given.items() if value is not None}
    options = {name: value for name, value in how.items() if name != "data"}
    return Corpus.open(how["data"], **options), how


def trained(
    book: Book,
    kind: str,
    corpus: Corpus,
    how: dict[str, Any],
    name: str,
    epochs: int,
    **shape: Any,
) -> tuple[SavedGenerator, str]:
    """Train a VAE or a GAN if it is not there yet, and return the command that does.

    Parameters
    ----------
    kind : ``vae`` or ``gan``.
    how : the corpus was opened.
    name : of its folder under the runs.
    shape : settings, as on the command line.
    """
    folder = book.runs.folder / name
    options = " ".join(f"--{key} {value}" for key, value in {**how, **shape}.items())
    recipe = replace(RECIPES[kind], epochs=epochs, batch=min(RECIPES[kind].batch, len(corpus)))
    command = (
        f"intarsia train {kind} {options} --epochs {epochs} --batch {recipe.batch} "
        f"--out runs/{name}"
    )
    if not (folder / CONFIG).exists():
        book.teller.say(f"  training {name}, {epochs} epochs")
        settings = _SHAPES[kind]((corpus.channels, *corpus.size), **shape)
        train_generator(
            corpus, folder, opened=how, settings=settings, resume=True, command=command,
            recipe=recipe,
            on_step=lambda state: book.teller.measuring("training", state.done, state.steps),
        )  # fmt: skip
    return open_generator(folder), command
