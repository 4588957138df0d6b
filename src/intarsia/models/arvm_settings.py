"""Settings of gamma-ARVM as a recipe has them, and the model they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.models.arvm import ArvmSampler
    from intarsia.models.token_network import TokenNetworkSampler
    from intarsia.models.tokens import TokenGrid

OPTIONS = ("gamma", "blae", "network")

_RESOLVED = (
    "bits",
    "grid",
    "binary_rate",
    "blae_fingerprint",
    "network_fingerprint",
    "kind",
    "asked",
)
"""What config.yaml adds; a run that repeats it finds the same."""


def build_arvm(
    corpus: Corpus, settings: Mapping[str, Any], device: str, threads: int | None
) -> ArvmSampler | TokenNetworkSampler:
    """Build gamma-ARVM over its opened corpus: exact, or a network of it.

    Raises
    ------
    UsageError
        If there is no BL-AE, it is another one than a config was made with, or a setting has no
        use here.
    """
    from intarsia.models.arvm import ArvmSampler, check_gamma
    from intarsia.models.tokens import TokenGrid
    from intarsia.networks.saved_blae import open_blae

    if strange := sorted(set(settings) - {*OPTIONS, *_RESOLVED}):
        raise UsageError(
            f"arvm has no option --{strange[0].replace('_', '-')}; it has --gamma, --blae and "
            "--network."
        )
    folder = settings.get("blae")
    if folder is None:
        raise UsageError(
            "arvm draws tokens of a BL-AE. Name its folder with --blae; this makes one: intarsia "
            f"train blae --data {corpus.name} --out FOLDER"
        )
    gamma = int(settings.get("gamma", 3))
    check_gamma(gamma)
    blae = open_blae(folder, device)
    wanted = settings.get("blae_fingerprint")
    if wanted is not None and blae.weights_fingerprint != wanted:
        raise UsageError(
            f"--blae {folder} is not the BL-AE of that run: its fingerprint is "
            f"{blae.weights_fingerprint[:12]}, not {wanted[:12]}."
        )
    tokens = TokenGrid.of(corpus, blae)
    if settings.get("network") is not None:
        return _network(tokens, settings, device)
    sampler = ArvmSampler(tokens, gamma, device=device, threads=threads)
    sampler.folders = {"blae": str(folder)}
    return sampler


def _network(tokens: TokenGrid, settings: Mapping[str, Any], device: str) -> TokenNetworkSampler:
    """Build the sampler of a trained network over the same tokens."""
    from intarsia.models.token_network import TokenNetworkSampler
    from intarsia.networks.saved_tokens import open_tokens

    saved = open_tokens(settings["network"], device)
    if settings.get("gamma") not in (None, saved.settings.gamma):
        raise UsageError(
            f"--gamma is {settings['gamma']}, but --network {settings['network']} was trained with "
            f"{saved.settings.gamma}. Leave --gamma out."
        )
    sampler = TokenNetworkSampler(tokens, saved)
    sampler.folders = {"network": str(settings["network"]), "blae": str(settings["blae"])}
    return sampler
