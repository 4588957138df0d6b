"""Models by name, as ``intarsia generate`` takes them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.models.nonparametric import NonparametricSampler

NAMES = ("nps", "efros-leung")
PLANNED = ("is", "es", "ls", "els", "bbels", "arvm", "wiener", "pca-locality", "scfdm", "nearest")


def check_name(name: str) -> str:
    """Return ``name`` if there is a model of that name.

    Raises
    ------
    UsageError
        Naming the models there are.
    """
    if name in NAMES:
        return name
    if name in PLANNED:
        raise UsageError(
            f"{name} is planned but not built yet. This version has {' and '.join(NAMES)}."
        )
    if name in ("texture", "inpaint"):
        raise UsageError(
            f"A run of 'intarsia {name}' is repeated by that command, not by generate; its "
            "config.yaml says with which settings."
        )
    close = get_close_matches(name, NAMES, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise UsageError(f"There is no model called {name!r}. Known: {', '.join(NAMES)}.{hint}")


def build(
    name: str,
    corpus: Corpus,
    settings: Mapping[str, Any],
    device: str = "cpu",
    threads: int | None = None,
) -> NonparametricSampler:
    """Build the model called ``name`` over a corpus."""
    from intarsia.models import EfrosLeung, NonparametricSampler

    kinds = {"nps": NonparametricSampler, "efros-leung": EfrosLeung}
    return kinds[check_name(name)](corpus, device=device, threads=threads, **settings)
