"""Encoders phi, trained and training-free."""

from intarsia.represent.encoder import Codes, Encoder
from intarsia.represent.low_resolution import LowResolution
from intarsia.represent.patch_level import PatchLevel
from intarsia.represent.registry import encoder

__all__ = ["Codes", "Encoder", "LowResolution", "PatchLevel", "encoder"]
