"""Score machines by name, as ``intarsia generate`` takes them."""

from __future__ import annotations

from intarsia.models.boundary_broken import BoundaryBrokenScore
from intarsia.models.catalogue import NETWORK
from intarsia.models.equivariant import EquivariantScore
from intarsia.models.equivariant_local import EquivariantLocalScore
from intarsia.models.ideal import IdealScore
from intarsia.models.local import LocalScore
from intarsia.models.machine import ScoreMachine
from intarsia.models.nearest import Nearest
from intarsia.models.pca_locality import PCALocality
from intarsia.models.scfdm import SmoothedClosedForm
from intarsia.models.wiener import Wiener

MACHINES: dict[str, type[ScoreMachine]] = {
    kind.name: kind
    for kind in (
        IdealScore,
        EquivariantScore,
        LocalScore,
        EquivariantLocalScore,
        BoundaryBrokenScore,
        Wiener,
        PCALocality,
        SmoothedClosedForm,
        Nearest,
    )
}
"""Paper C's machines, then the Studio's methods."""


def machine_kind(name: str) -> type[ScoreMachine]:
    """Return a machine by name, or a trained network in its place."""
    if name == NETWORK:
        from intarsia.models.network import TrainedNetwork

        return TrainedNetwork
    return MACHINES[name]
