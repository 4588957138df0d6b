"""Window sides, one a step: given, published, or growing with the noise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from intarsia.errors import DataError, UsageError


@cache
def published() -> dict[str, tuple[int, ...]]:
    """Return the sides that paper C's authors calibrated, by DATASET_NETWORK_PADDING."""
    text = files("intarsia.models").joinpath("presets/published-scales.json").read_text("utf-8")
    return {name: tuple(sides) for name, sides in json.loads(text)["scales"].items()}


def named_scales(name: str, steps: int) -> tuple[int, ...]:
    """Return published sides, or those of a file of ``intarsia calibrate``.

    Raises
    ------
    UsageError
        If there are none of that name, or they are made for another number of steps.
    DataError
        If the file holds something else.
    """
    if name.endswith(".json"):
        return _fitting(calibrated_scales(Path(name)), name, steps)
    found = _published_name(name)
    return _fitting(published()[found], found, steps)


def calibrated_scales(path: Path) -> tuple[int, ...]:
    """Read the sides that ``intarsia calibrate`` wrote.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        If it holds something else.
    """
    try:
        found = json.loads(path.read_text("utf-8"))["scales"]
        if not found or not all(type(side) is int for side in found):
            raise ValueError("its scales are no whole numbers")
    except FileNotFoundError:
        raise UsageError(
            f"--scales-from {path} does not exist. Make it with intarsia calibrate."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"--scales-from {path} is no file of intarsia calibrate: {error}"
        ) from error
    return tuple(found)


def _published_name(name: str) -> str:
    folded = {known.casefold(): known for known in published()}
    found = folded.get(name.casefold())
    if found is None:
        close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.4)
        hint = f" Did you mean {folded[close[0]]}?" if close else ""
        raise UsageError(f"--scales-from is {name!r}; known are {', '.join(published())}.{hint}")
    return found


def _fitting(sides: tuple[int, ...], found: str, steps: int) -> tuple[int, ...]:
    if len(sides) != steps:
        raise UsageError(
            f"--scales-from {found} has {len(sides)} sides, one a step, but --steps is {steps}. "
            f"Use --steps {len(sides)}, or give --scales."
        )
    return sides


def parse(value: Any) -> tuple[int, ...]:
    """Read "3,3,5", one number for all steps, or a list.

    Raises
    ------
    UsageError
        If it is neither.
    """
    parts: Sequence[Any] = value.split(",") if isinstance(value, str) else value
    if isinstance(value, int):
        parts = [value]
    try:
        if not parts or any(float(part) != int(part) for part in parts):
            raise ValueError
        return tuple(int(part) for part in parts)
    except (TypeError, ValueError):
        raise UsageError(
            f"--scales is {value!r}; give one odd window side, or one a step: 3,3,5,..."
        ) from None


def a_step(sides: tuple[int, ...], steps: int) -> tuple[int, ...]:
    """Return one side a step; a single one serves all.

    Raises
    ------
    UsageError
        If there are neither one nor as many as steps, or one is no window's side.
    """
    if len(sides) == 1:
        sides = sides * steps
    if len(sides) != steps:
        raise UsageError(
            f"--scales has {len(sides)} entries, but --steps is {steps}. Give one side a step "
            "(entry i is for t = i / steps), or one side for all."
        )
    wrong = next((side for side in sides if side < 1 or side % 2 == 0), None)
    if wrong is not None:
        raise UsageError(
            f"--scales has {wrong}; a window has a centre pixel, so its side must be odd and "
            f"positive. Try {max(1, wrong) + (max(1, wrong) + 1) % 2}."
        )
    return sides


def growing(size: tuple[int, int], steps: int) -> tuple[int, ...]:
    """Return sides from 3 at no noise to about half the picture at pure noise (paper C, app. C).

    Trained networks look further while there is more noise; calibrated sides are better.
    """
    most = max(1, (min(size) // 2) | 1)
    least = min(3, most)
    return tuple(
        least + 2 * round((most - least) / 2 * i / max(1, steps - 1)) for i in range(steps)
    )
