"""Encoders by name, as ``--encoder`` takes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intarsia.errors import UsageError
from intarsia.represent.encoder import Encoder, FittedEncoder, Progress
from intarsia.represent.low_resolution import LowResolution
from intarsia.represent.patch_level import PatchLevel, neighbourhoods_of
from intarsia.represent.spec import SHIPPED, Spec

if TYPE_CHECKING:
    from intarsia.corpus import Corpus


def check_encoder(spec: str) -> None:
    """Refuse what names no encoder, without loading anything.

    Parameters
    ----------
    spec : what ``--encoder`` takes, such as ``lowres``, ``patch:pca``, ``timm:resnet18@layer2``.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    Spec.parse(spec)


def open_encoder(
    spec: str,
    corpus: Corpus | None = None,
    *,
    allow_torchscript: bool = False,
    device: str = "cpu",
    patch_side: int | None = None,
    progress: Progress | None = None,
) -> Encoder | PatchLevel:
    """Return the encoder that ``spec`` names, ready to encode a corpus.

    Weights are read, and downloaded if they are not on this machine; what must be fitted to the
    corpus is fitted, or read from the cache.

    Parameters
    ----------
    spec : what ``--encoder`` takes. ``patch:`` in front shows it the neighbourhood of the place to
        be filled, as paper A writes it, instead of the canvas.
    corpus : the pictures it will encode; ``lowres`` alone can do without.
    allow_torchscript : read TorchScript, which may run code of its own.
    device : where networks run.
    patch_side : pixels across a neighbourhood, odd.
    progress : called with (pictures done, pictures in all) while one is fitted.

    Raises
    ------
    UsageError
        If there is none of that name, it does not fit the corpus, or a package is missing.
    DataError
        If weights are missing, damaged, or cannot be downloaded.

    Examples
    --------
    >>> from intarsia import Corpus
    >>> phi = open_encoder("lowres4", Corpus.open("digits"))
    """
    parsed = Spec.parse(spec)
    side = patch_side or PatchLevel.side
    phi = _open(parsed, corpus, allow_torchscript, device)
    if isinstance(phi, FittedEncoder):
        if corpus is None:
            raise UsageError(f"The encoder {spec!r} is fitted to a corpus: open it with one.")
        from intarsia.represent.fitting import fitted

        phi = fitted(phi, neighbourhoods_of(corpus, side) if parsed.patch else corpus, progress)
    if corpus is not None and parsed.kind != "lowres":
        # What does not fit is refused now, before anything is written.
        size = (side, side) if parsed.patch else corpus.size
        phi.codes(np.zeros((1, *size, corpus.channels), np.uint8), np.ones(size, bool))
    return PatchLevel(phi, side) if parsed.patch else phi


def _open(parsed: Spec, corpus: Corpus | None, allow_torchscript: bool, device: str) -> Encoder:
    """Open an encoder; those that are fitted are not yet. Each family is imported when needed."""
    if parsed.kind == "lowres":
        return LowResolution(int(parsed.argument or 2))
    if parsed.kind == "pca":
        from intarsia.represent.pca import PCA

        return PCA(int(parsed.argument or 64))
    if parsed.kind == "kmeans":
        from intarsia.represent.patch_features import PatchFeatures

        return PatchFeatures()
    if parsed.kind == "spectral":
        from intarsia.represent.spectral import SpectralPatches

        return SpectralPatches()
    if parsed.kind == "simclr":
        shipped = parsed.argument or _weights_for(corpus)
        from intarsia.represent.simclr import SimCLREncoder

        return SimCLREncoder.shipped(shipped, device)
    from intarsia.represent import pretrained

    if parsed.kind == "timm":
        return pretrained.from_timm(parsed.argument, parsed.layer, device)
    if parsed.kind == "hf":
        return pretrained.from_hub(parsed.argument, parsed.layer, device)
    return pretrained.from_path(Path(parsed.argument), parsed.layer, device, allow_torchscript)


def _weights_for(corpus: Corpus | None) -> str:
    """Return the name of the SimCLR weights that were trained on a corpus, or on its kind."""
    from intarsia.represent.pretrained_files import read_config

    if corpus is None:
        raise UsageError(
            f"--encoder simclr takes the weights of the corpus: open it with one, or name "
            f"simclr-{SHIPPED[0]}."
        )
    if corpus.name in SHIPPED:
        return corpus.name
    for name in SHIPPED:
        folder = Path(__file__).parent / "weights" / name
        if folder.is_dir():
            about = read_config(folder).get("training") or {}
            if about.get("fingerprint") == corpus.fingerprint:
                return name
    raise UsageError(
        f"No SimCLR weights are shipped for {corpus.name!r}. Name those of another corpus with "
        f"--encoder simclr-DATA, DATA one of {', '.join(SHIPPED)}; train your own with 'intarsia "
        "train encoder'; or use --encoder pca or kmeans, which need no weights."
    )
