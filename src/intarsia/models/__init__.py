"""The models: one a file, each a list of stages and a reduction."""

from intarsia.models.efros_leung import EfrosLeung, Texture
from intarsia.models.inpainting import Inpainting
from intarsia.models.machine import Estimate, ScoreMachine
from intarsia.models.machine_run import run_machine
from intarsia.models.machines import (
    MACHINES,
    BoundaryBrokenScore,
    EquivariantLocalScore,
    EquivariantScore,
    IdealScore,
    LocalScore,
)
from intarsia.models.nonparametric import NonparametricSampler, Step
from intarsia.models.run import Progress, run
from intarsia.models.settings import PRESETS, Settings

__all__ = [
    "PRESETS",
    "MACHINES",
    "BoundaryBrokenScore",
    "EfrosLeung",
    "EquivariantLocalScore",
    "EquivariantScore",
    "Estimate",
    "IdealScore",
    "LocalScore",
    "ScoreMachine",
    "run_machine",
    "Inpainting",
    "NonparametricSampler",
    "Progress",
    "Settings",
    "Step",
    "Texture",
    "run",
]
