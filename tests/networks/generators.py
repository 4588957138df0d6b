"""What both kinds of generators must do when their training is cut short."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from intarsia.corpus import Corpus
from intarsia.networks.gan import GanSettings
from intarsia.networks.saved_generator import (
    RECIPES,
    SavedGenerator,
    open_generator,
    train_generator,
)
from intarsia.networks.training import History
from intarsia.networks.vae import VaeSettings


def resumed_to_the_same(
    kind: str, settings: VaeSettings | GanSettings, corpus: Corpus, folder: Path
) -> tuple[SavedGenerator, History]:
    """Train at once, and once more with an interruption; compare weights, and what is read back."""
    recipe = replace(RECIPES[kind], epochs=4, batch=50)
    how = {"opened": {"data": "digits"}, "settings": settings, "recipe": recipe, "n": 4}
    whole, history = train_generator(corpus, folder / "whole", **how)

    def stop(state):
        if state.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_generator(corpus, folder / "cut", on_step=stop, **how)
    again, _ = train_generator(corpus, folder / "cut", resume=True, **how)
    read = open_generator(folder / "whole")
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name
        assert torch.equal(value, read.network.state_dict()[name]), name
    return read, history
