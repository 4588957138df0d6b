"""Settings of gamma-ARVM as a recipe has them, and the model they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from intarsia.errors import UsageError

if TYPE_CHECKING:
    from intarsia.corpus import Corpus
    from intarsia.models.arvm import ArvmSampler

OPTIONS = ("gamma", "blae")

_RESOLVED = ("bits", "grid", "binary_rate", "blae_fingerprint", "asked")
"""What config.yaml adds; a run that repeats it finds the same."""


def build_arvm(
    corpus: Corpus, settings: Mapping[str, Any], device: str, threads: int | None
) -> ArvmSampler:
    """Build gamma-ARVM over its opened corpus.

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
            f"arvm has no option --{strange[0].replace('_', '-')}; it has --gamma and --blae."
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
    if wanted is not None and blae.weights != wanted:
        raise UsageError(
            f"--blae {folder} is not the BL-AE of that run: its fingerprint is "
            f"{blae.weights[:12]}, not {wanted[:12]}."
        )
    sampler = ArvmSampler(TokenGrid.of(corpus, blae), gamma, device=device, threads=threads)
    sampler.blae_folder = str(folder)
    return sampler
