"""A run's kept steps in Weights & Biases: pictures and beliefs, a point a step.

Logged from steps.npz once the run is written, so a resumed run is logged whole, and what cannot be
logged costs no drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from intarsia.errors import IntarsiaError, UsageError

SHOWN = 8
"""Samples whose pictures are logged."""


def check_wandb() -> None:
    """Refuse to begin what could not be logged.

    Raises
    ------
    UsageError
        If wandb is not installed.
    """
    if find_spec("wandb") is None:
        raise UsageError(
            "--wandb needs Weights & Biases, which is not installed. pip install 'intarsia[wandb]'."
        )


def log_steps(folder: Path, project: str, settings: Mapping[str, Any]) -> int:
    """Log every step of a run that was drawn with ``--keep-steps``.

    A step has ``t``, ``alpha_bar``, ``weight`` (median over samples and pixels of the heaviest
    patch's share of the belief), ``collapsed`` (share of pixels where it is over 0.99), and the
    pictures ``x`` and ``clean`` of the first samples. wandb's own environment decides where it
    goes: ``WANDB_MODE=offline`` sends nothing.

    Parameters
    ----------
    folder : the finished run folder; it names the run.
    project : of Weights & Biases.
    settings : the run's configuration.

    Returns
    -------
    int
        How many steps were logged.

    Raises
    ------
    IntarsiaError
        If wandb refuses. The run folder is whole then.
    """
    import wandb

    from intarsia.dictionary.whole import to_pixels

    with np.load(folder / "steps.npz") as steps:
        kept = {name: steps[name] for name in ("t", "alpha_bar", "weight", "x", "clean")}
    try:
        with wandb.init(project=project, name=folder.name, config=dict(settings)) as logged:
            for at, t in enumerate(kept["t"]):
                weight = kept["weight"][:, at]
                pictures = {
                    name: [wandb.Image(one) for one in to_pixels(kept[name][:SHOWN, at])]
                    for name in ("x", "clean")
                }
                figures = {
                    "t": float(t),
                    "alpha_bar": float(kept["alpha_bar"][at]),
                    "weight": float(np.median(weight)),
                    "collapsed": float(np.mean(weight > 0.99)),
                }
                logged.log(figures | pictures)
    except Exception as error:  # wandb raises errors of many families
        raise IntarsiaError(
            f"{folder} is whole, but wandb could not log it ({error}). Set WANDB_MODE=offline to "
            "log without the network."
        ) from error
    return len(kept["t"])
