"""The shipped SimCLR encoders: `PatchNet`, trained by ``intarsia train encoder``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from intarsia.errors import DataError
from intarsia.networks.patch_net import PatchNet
from intarsia.represent.network_input import Input
from intarsia.represent.torch_encoder import TorchEncoder

WEIGHTS = Path(__file__).parent / "weights"


class SimCLREncoder(TorchEncoder):
    """A `PatchNet` trained with SimCLR; see `TorchEncoder` for its methods.

    References
    ----------
    T. Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020,
    arXiv 2002.05709; paper A, section 2.4 uses such an encoder.
    """

    name: ClassVar[str] = "simclr"

    @classmethod
    def around(
        cls, network: PatchNet, *, settings: dict[str, Any] | None = None,
        about: dict[str, Any] | None = None, device: str = "cpu",
    ) -> SimCLREncoder:  # fmt: skip
        """Return the encoder of a network."""
        zeros, ones = (0.0,) * network.channels, (1.0,) * network.channels
        takes = Input(network.channels, zeros, ones, mask_channel=True)
        return cls(
            network,
            takes,
            device=device,
            architecture="patch-net",
            settings=settings,
            about=about,
        )

    @classmethod
    def shipped(cls, name: str, device: str = "cpu") -> SimCLREncoder:
        """Return an encoder that comes with the package: mnist, fashion-mnist or cifar10.

        Raises
        ------
        DataError
            If the package was installed without its weights.
        """
        folder = WEIGHTS / name
        if not folder.is_dir():
            raise DataError(
                f"{folder} is missing: this installation has no SimCLR weights for {name!r}. "
                "Install the package again, or train them: intarsia train encoder --data " + name
            )
        return cls.from_pretrained(folder, device=device)
