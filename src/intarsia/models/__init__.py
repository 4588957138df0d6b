"""The models: one a file, each a list of stages and a reduction."""

from intarsia.models.nonparametric import NonparametricSampler, Step
from intarsia.models.settings import PRESETS, Settings

__all__ = ["PRESETS", "NonparametricSampler", "Settings", "Step"]
