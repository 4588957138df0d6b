"""A real browser, and what tests ask of a page."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARTIFACTS = Path(os.environ.get("INTARSIA_ARTIFACTS", "artifacts")) / "explorer"
"""Where screenshots go."""


def executable() -> str | None:
    """The browser of this machine; None if there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def screenshot(page: Any, name: str) -> None:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(ARTIFACTS / f"{name}.png"), full_page=True)


def hover(page: Any, row: int, col: int, size: tuple[int, int], which: int = 0) -> None:
    """Move the mouse over a pixel of the large picture."""
    box = page.locator(".pointable").nth(which).bounding_box()
    x = box["x"] + (col + 0.5) * box["width"] / size[1]
    y = box["y"] + (row + 0.5) * box["height"] / size[0]
    page.mouse.move(x, y)


def data_of(locator: Any, *names: str) -> tuple[int, ...]:
    """Numbers that an element carries as data attributes."""
    return tuple(int(locator.get_attribute(f"data-{name}")) for name in names)


def pixels(page: Any, selector: str = ".pointable canvas") -> np.ndarray:
    """What a canvas shows, uint8 [H, W, 3]."""
    height, width, flat = page.evaluate(
        """(selector) => {
          const canvas = document.querySelector(selector);
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return [canvas.height, canvas.width, Array.from(data)];
        }""",
        selector,
    )
    return np.array(flat, np.uint8).reshape(height, width, 4)[..., :3]
