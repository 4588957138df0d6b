"""Photographs that come with libraries, cut to pictures of 64x64 that do not overlap.

They stand in for the high-resolution data sets of paper B's table 3, which nobody has at hand; any
folder of pictures does as well (``intarsia train blae --data FOLDER --resize 64``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from intarsia.files import make_folder, save_png

NAME = "photographs"
SIDE = 64


def cut(runs: Path) -> Path:
    """Return the folder of crops, written if it is not there yet."""
    folder = runs / NAME
    done = folder / ".complete"
    if done.exists():
        return folder
    make_folder(folder)
    for number, crop in enumerate(_crops()):
        save_png(folder / f"{number:04d}.png", crop)
    done.touch()
    return folder


def _crops() -> list[np.ndarray]:
    """Cut all photographs, and mix them so that the first few are of all."""
    from skimage import data
    from sklearn.datasets import load_sample_images

    own = (data.astronaut, data.coffee, data.chelsea, data.rocket, data.hubble_deep_field,
           data.immunohistochemistry, data.retina)  # fmt: skip
    pictures = [np.asarray(one()) for one in own] + list(load_sample_images().images)
    crops = [
        np.ascontiguousarray(picture[row : row + SIDE, col : col + SIDE, :3])
        for picture in pictures
        for row in range(0, picture.shape[0] - SIDE + 1, SIDE)
        for col in range(0, picture.shape[1] - SIDE + 1, SIDE)
    ]
    return [crops[i] for i in np.random.default_rng(0).permutation(len(crops))]
