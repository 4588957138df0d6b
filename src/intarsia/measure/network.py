"""The small network whose features measure pictures that Inception was not made for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

WIDTHS = (16, 32, 64)


class SmallResNet(nn.Module):
    """A residual network of three stages, one block each (He et al., 2016, arXiv 1512.03385).

    Parameters
    ----------
    channels : of the pictures, 1 or 3.
    classes : number of logits.
    widths : channels of the three stages; the last is the number of features.

    Notes
    -----
    Pictures are normalised by ``mean`` and ``scale``, buffers of one value a channel, so that the
    weights alone say what the features are.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int, classes: int, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.stem = _conv(channels, widths[0])
        self.stages = nn.Sequential(
            *(
                Block(before, after, stride=1 if at == 0 else 2)
                for at, (before, after) in enumerate(
                    zip((widths[0], *widths[:-1]), widths, strict=True)
                )
            )
        )
        self.head = nn.Linear(widths[-1], classes)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))

    def features(self, images: UInt8[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
        """Return the activations under the last layer, averaged over places."""
        x = (images.float() - self.mean[:, None, None]) / self.scale[:, None, None]
        x = x.contiguous(memory_format=torch.channels_last)
        return self.stages(self.stem(x)).float().mean(dim=(2, 3))

    def forward(self, images: UInt8[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """Return logits."""
        return self.head(self.features(images))


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = _conv(before, after, stride)
        self.second = _conv(after, after, act=False)
        plain = stride == 1 and before == after
        self.shortcut = nn.Identity() if plain else _conv(before, after, stride, side=1, act=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(shortcut + residual)."""
        return torch.relu(self.shortcut(x) + self.second(self.first(x)))


def _conv(
    before: int, after: int, stride: int = 1, *, side: int = 3, act: bool = True
) -> nn.Sequential:
    layers = [
        nn.Conv2d(before, after, side, stride, padding=side // 2, bias=False),
        nn.BatchNorm2d(after),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if act else []))


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold torch to one thread.

    Layers this small leave threads waiting for each other: on a busy machine two were ten times
    slower than one. And sums no longer depend on how many there are.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
