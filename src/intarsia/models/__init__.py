"""The models: one a file, each a list of stages and a reduction."""

from intarsia.models.efros_leung import EfrosLeung, Texture
from intarsia.models.inpainting import Inpainting
from intarsia.models.nonparametric import NonparametricSampler, Step
from intarsia.models.run import Progress, run
from intarsia.models.settings import PRESETS, Settings

__all__ = [
    "PRESETS",
    "EfrosLeung",
    "Inpainting",
    "NonparametricSampler",
    "Progress",
    "Settings",
    "Step",
    "Texture",
    "run",
]
