"""What a caller may ask of a corpus besides its name, checked once."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from intarsia.corpus.planes import LARGEST_SIDE
from intarsia.errors import UsageError

FITS = ("resize", "pad", "crop")


@dataclass(frozen=True)
class PixelOptions:
    """What is done to each picture: luma first, then one size."""

    resize: int | None = None
    fit: str = "resize"
    grey: bool = False

    @classmethod
    def checked(cls, resize: Any = None, fit: Any = "resize", grey: Any = False) -> PixelOptions:
        """Return the options, or raise UsageError for one that makes no sense."""
        if fit not in FITS:
            raise UsageError(
                f"Unknown fit {fit!r}{suggestion(str(fit), FITS)}: use resize, pad or crop."
            )
        if resize is None:
            return cls(grey=bool(grey))
        return cls(whole("resize", resize, LARGEST_SIDE), fit, bool(grey))

    def key(self) -> dict[str, Any]:
        """Return the options as plain values."""
        return {"resize": self.resize, "fit": self.fit, "grey": self.grey}


@dataclass(frozen=True)
class Selection:
    """Which pictures are kept: some classes, then the first so many."""

    limit: int | None = None
    classes: tuple[str | int, ...] | None = None

    @classmethod
    def checked(
        cls, limit: Any = None, classes: str | int | Sequence[str | int] | None = None
    ) -> Selection:
        """Return the selection, or raise UsageError for one that makes no sense."""
        if limit is not None:
            limit = whole("limit", limit)
        if classes is None:
            return cls(limit)
        items: tuple[str | int, ...] = ()
        if isinstance(classes, str) or not isinstance(classes, Iterable):
            items = (classes,)
        else:
            items = tuple(classes)
        wanted = tuple(
            item.strip() if isinstance(item, str) else whole("a class number", item, least=0)
            for item in items
        )
        if not wanted or "" in wanted:
            raise UsageError(f"classes is {classes!r}: name at least one class, or leave it out.")
        return cls(limit, wanted)

    def __bool__(self) -> bool:
        return self.limit is not None or self.classes is not None


def class_numbers(
    wanted: Sequence[str | int], names: Sequence[str], present: Sequence[int], data: str
) -> list[int]:
    """Return the numbers of the classes asked for.

    Parameters
    ----------
    wanted : class names or numbers; a string may list several with commas
    names : class names, position is number; may be empty
    present : the numbers that occur
    data : the ``--data`` string, for messages

    Raises
    ------
    UsageError
        For a class that does not exist, with the ones that do, or one without a picture.
    """
    known = {name: k for k, name in enumerate(names)}
    folded = {name.casefold(): k for name, k in known.items()}
    numbers = set(range(len(names))) or set(map(int, present))
    found: list[int] = []
    for item in _split(wanted, known):
        text = str(item)
        if isinstance(item, str) and item in known:
            found.append(known[item])
        elif isinstance(item, str) and item.casefold() in folded:
            found.append(folded[item.casefold()])
        elif text.isdecimal() and int(text) in numbers:
            found.append(int(text))
        else:
            listed = [f"{k} {name}" for k, name in enumerate(names)]
            listed = listed or [str(k) for k in sorted(numbers)]
            shown = ", ".join(listed[:30]) + (", ..." if len(listed) > 30 else "")
            close = suggestion(text, list(known))
            raise UsageError(f"{data} has no class {text!r}{close}. Its classes are: {shown}.")
    if not found:
        asked = ",".join(map(str, wanted))
        raise UsageError(f"classes is {asked!r}: name at least one class, or leave it out.")
    missing = sorted(set(found) - set(map(int, present)))
    if missing:
        raise UsageError(f"{data} holds no picture of class {missing[0]} in this split.")
    return sorted(set(found))


def _split(wanted: Sequence[str | int], known: dict[str, int]) -> list[str | int]:
    items: list[str | int] = []
    for item in wanted:
        # A name that itself holds a comma ("tench, Tinca tinca") is taken whole.
        if isinstance(item, str) and item not in known:
            items.extend(part.strip() for part in item.split(",") if part.strip())
        else:
            items.append(item)
    return items


def whole(what: str, value: Any, most: int | None = None, least: int = 1) -> int:
    """Return ``value`` as an int from ``least`` to ``most``, or raise UsageError."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least or (most and number > most):
        upper = f" to {most}" if most else " or more"
        raise UsageError(f"{what} is {value!r}: give a whole number, {least}{upper}.")
    return number


def suggestion(text: str, known: Sequence[str]) -> str:
    """Return ``" (did you mean X?)"``, or nothing if nothing is close."""
    close = get_close_matches(text.casefold(), [name.casefold() for name in known], 1, 0.6)
    if not close:
        return ""
    match = next(name for name in known if name.casefold() == close[0])
    return f" (did you mean {match!r}?)"
