"""A training-free phi: patch features under the linear map that views of a picture agree on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from intarsia.errors import UsageError
from intarsia.networks.patch_net import PooledPatches
from intarsia.represent import metric, patch_stage
from intarsia.represent.encoder import Codes, FittedEncoder, Progress
from intarsia.represent.network_input import Input
from intarsia.represent.torch_encoder import TorchEncoder
from intarsia.represent.views import Augmentation, growing

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

_MOST = 16_000
"""Pictures the linear map is fitted to, at most."""

_AT_ONCE = 100
_AUGMENTED = 2


@dataclass(frozen=True, eq=False)
class SpectralPatches(FittedEncoder):
    """Thresholded patch features, averaged over fields, under a spectral map in closed form.

    Patches are whitened and compared with a k-means dictionary; what they say is averaged over
    fields of the picture that are known. The map solves one eigenvalue problem: it keeps the
    directions in which a picture, augmented views and a half-grown canvas of it agree. No gradient
    is taken and no label is used, in the spirit of the sparse manifold transform.

    Parameters
    ----------
    atoms, width, outputs : of `PooledPatches`.
    seed : decides patches, first atoms and views.
    network : once fitted.

    References
    ----------
    A. Coates, H. Lee, A. Ng, AISTATS 2011; Y. Chen, Z. Yun, Y. Ma, B. Olshausen, Y. LeCun,
    "Minimalistic Unsupervised Representation Learning with the Sparse Manifold Transform", 2022,
    arXiv 2209.15261.
    """

    name: ClassVar[str] = "spectral"
    atoms: int = 2048
    width: int = 192
    outputs: int = 256
    seed: int = 0
    network: PooledPatches | None = None

    @property
    def key(self) -> str:
        """``spectral`` and all its parameters."""
        return f"spectral{self.atoms}-{self.width}-{self.outputs}-{self.seed}"

    def fit(self, corpus: Corpus, progress: Progress | None = None) -> SpectralPatches:
        """Find the dictionary from 4,000 pictures, and the map from views of up to 16,000.

        Raises
        ------
        UsageError
            If the pictures are smaller than 12 pixels.
        """
        if min(corpus.size) < 12:
            raise UsageError(
                f"The pictures are {corpus.size[0]}x{corpus.size[1]}; --encoder spectral needs at "
                "least 12x12. Use --resize 24, or --encoder pca."
            )
        network = PooledPatches(corpus.channels, self.atoms, self.width, self.outputs)
        patch_stage.fit(network.patches, corpus, self.seed)
        metric.fit(network, self._views(network, corpus, progress))
        return replace(self, network=network)

    def _views(
        self, network: PooledPatches, corpus: Corpus, progress: Progress | None
    ) -> Iterator[list[Float[Tensor, "b e"]]]:
        """Yield features of pictures whole, mirrored, augmented and half-grown."""
        assert corpus.images is not None
        rng = np.random.default_rng(self.seed + 1)
        chosen = np.sort(rng.permutation(len(corpus))[:_MOST])
        augment = Augmentation(corpus.size, corpus.channels)
        generator = torch.Generator().manual_seed(self.seed)
        for at in range(0, len(chosen), _AT_ONCE):
            some = np.array(corpus.images[chosen[at : at + _AT_ONCE]])
            whole = torch.from_numpy(some).permute(0, 3, 1, 2).float() / 255
            others = [augment(whole, self.seed * 10**9 + 2 * at + i) for i in range(_AUGMENTED)]
            if corpus.channels == 3:
                others.append(whole.flip(3))
            with torch.inference_mode():
                cells, there = network.patches(whole)
                views = [network.joined(cells, there)]
                views += [network.joined(*network.patches(view)) for view in others]
                shown = growing(len(whole), (cells.shape[2], cells.shape[3]), generator)[
                    :, None
                ].float()
                views.append(network.joined(cells * shown, shown))
            yield views
            if progress is not None:
                progress(min(at + _AT_ONCE, len(chosen)), len(chosen))

    @cached_property
    def _coder(self) -> TorchEncoder:
        if self.network is None:
            raise UsageError("The encoder 'spectral' is fitted to a corpus: open it with one.")
        channels = self.network.channels
        plain = Input(channels, (0.0,) * channels, (1.0,) * channels, mask_channel=True)
        return TorchEncoder(self.network, plain)

    def codes(self, images: UInt8[np.ndarray, "b h w c"], known: Bool[np.ndarray, "h w"]) -> Codes:
        """Encode canvases: int8 [B, outputs], features at length 127."""
        return self._coder.codes(images, known)

    def state(self) -> dict[str, np.ndarray]:
        """Return the arrays of the network."""
        assert self.network is not None
        return {name: value.numpy() for name, value in self.network.state_dict().items()}

    def with_state(self, state: Mapping[str, np.ndarray]) -> SpectralPatches:
        """Return the encoder with this network."""
        side = int(state["patches.whitening"].shape[2])
        channels = int(state["patches.whitening"].shape[1])
        network = PooledPatches(channels, self.atoms, self.width, self.outputs, side)
        try:
            network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in state.items()})
        except RuntimeError as error:
            raise ValueError(str(error)) from error
        return replace(self, network=network)
