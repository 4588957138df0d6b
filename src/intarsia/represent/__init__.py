"""Encoders phi, trained and training-free."""

from intarsia.represent.encoder import Codes, Encoder, FittedEncoder
from intarsia.represent.low_resolution import LowResolution
from intarsia.represent.patch_level import PatchLevel
from intarsia.represent.registry import check_encoder, open_encoder

__all__ = [
    "Codes",
    "Encoder",
    "FittedEncoder",
    "LowResolution",
    "PatchLevel",
    "check_encoder",
    "open_encoder",
]
