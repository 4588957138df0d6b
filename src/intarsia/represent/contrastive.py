"""SimCLR for encoders phi: what is trained, on which views (Chen et al., 2020, arXiv 2002.05709).

One view of a picture is masked as a growing canvas is, so that a half-known canvas lands near the
whole pictures that complete it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int8
from torch import Tensor, nn

from intarsia.errors import UsageError
from intarsia.files import write_text
from intarsia.networks.patch_net import CellNet, PatchNet
from intarsia.represent.views import Augmentation, growing, rectangles

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

Progress = Callable[[str, int, int], None]

_AT_ONCE = 64
_AMONG, _TESTED = 10_000, 2000
"""Pictures that `Contrastive.figures` looks among, and asks about."""

_FITTED = 50_000
"""Pictures the last layer is fitted to, at most."""


@dataclass(frozen=True)
class Views:
    """How views of a picture are drawn.

    Attributes
    ----------
    drawn : augmented views of each picture that are drawn once, before training, and kept as
        features of cells; the picture itself and, in colour, its mirror image come on top. 0 draws
        new ones in every step, which only a fast machine can afford.
    least_area : of a random crop, as a share of the picture.
    jitter : strength of changes of brightness, contrast, saturation and hue, as SimCLR's ``s``.
    masked : share of first views that are masked as a growing canvas is; the others, and all
        second views, are random rectangles of cells.
    temperature : of the loss.
    """

    drawn: int = 2
    least_area: float = 0.3
    jitter: float = 0.5
    masked: float = 0.5
    temperature: float = 0.2

    def check(self) -> None:
        """Raise UsageError for values that cannot be."""
        if self.drawn < 0:
            raise UsageError(f"--views is {self.drawn}; 0 or more are drawn beforehand.")
        if not self.temperature > 0:
            raise UsageError(f"--temperature is {self.temperature}; it must be above 0.")


class _Trained(nn.Module):
    """The convolutions, and the projection that only the loss sees."""

    def __init__(self, cells: CellNet) -> None:
        super().__init__()
        from lightly.models.modules.heads import SimCLRProjectionHead

        width = cells.width
        self.cells = cells
        self.projection = SimCLRProjectionHead(width, width, 128)


class Contrastive:
    """The task of `intarsia.networks.training.train`: NT-Xent between two views of a picture.

    Parameters
    ----------
    phi : the network; its first stage is fitted already.
    corpus : training pictures; labels are used for nothing but `figures`.
    test : pictures the accuracy of nearest neighbours is measured on, with labels.
    views : how views are drawn.
    folder : for ``views.npy``, the features of views drawn beforehand.
    seed : of the views drawn beforehand.
    device : where it trains.
    """

    def __init__(
        self,
        phi: PatchNet,
        corpus: Corpus,
        test: Corpus | None,
        views: Views,
        folder: Path,
        *,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        from lightly.loss import NTXentLoss

        views.check()
        assert corpus.images is not None
        self.phi, self.corpus, self.test, self.views = phi, corpus, test, views
        self.folder, self.seed, self.device = folder, seed, device
        self.network = _Trained(phi.cells)
        self._loss = NTXentLoss(temperature=views.temperature)
        self._augment = Augmentation(corpus.size, corpus.channels, views.least_area, views.jitter)
        self._features: Int8[np.ndarray, "v n r gh gw"] | None = None
        self._tested: Int8[Tensor, "b r gh gw"] | None = None

    def describe(self) -> dict[str, Any]:
        """Return what decides the result beside the recipe."""
        return {
            "corpus": self.corpus.fingerprint,
            "views": asdict(self.views),
            "network": {"channels": self.phi.channels, "parameters": _size(self.network)},
        }

    def draw_views(self, progress: Progress | None = None) -> None:
        """Draw views beforehand and keep their features; those of an earlier session are used."""
        if self.views.drawn == 0:
            return
        path, marks = self.folder / "views.npy", self.folder / "views.json"
        kinds = self._kinds()
        sides = self._cells(self._pictures(slice(0, 1))).shape[1:]
        shape = (len(kinds), len(self.corpus), *sides)
        done = self._drawn_before(path, marks)
        store = np.lib.format.open_memmap(
            path, "r+" if done else "w+", None if done else np.int8, None if done else shape
        )
        everything = len(kinds) * len(self.corpus)
        for at, kind in enumerate(kinds):
            if at < done:
                continue
            for first in range(0, len(self.corpus), _AT_ONCE):
                some = slice(first, first + _AT_ONCE)
                seed = ((self.seed + 1) * 1000 + at) * 2**32 + first
                store[at, some] = self._cells(kind(self._pictures(some), seed)).cpu().numpy()
                if progress is not None:
                    shown = at * len(self.corpus) + min(some.stop, len(self.corpus))
                    progress("drawing views", shown, everything)
            store.flush()
            write_text(marks, json.dumps({"seed": self.seed, **self.describe(), "done": at + 1}))
        self._features = store

    def _drawn_before(self, path: Path, marks: Path) -> int:
        """Return how many kinds of views an earlier session of this training has drawn."""
        try:
            found = json.loads(marks.read_text()) if path.exists() else {}
        except (OSError, ValueError):
            return 0
        done = found.pop("done", 0)
        same = found == json.loads(json.dumps({"seed": self.seed, **self.describe()}))
        return int(done) if same else 0

    def forget_views(self) -> None:
        """Delete the features of views, which are large."""
        self._features = None
        for name in ("views.npy", "views.json"):
            (self.folder / name).unlink(missing_ok=True)

    def batch_count(self, size: int) -> int:
        """Return how many batches an epoch has."""
        return len(self.corpus) // size

    def batches(self, size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield cells [2B, R, gh, gw] and which of them are shown; halves are views of the same."""
        order = torch.randperm(len(self.corpus), generator=generator)
        for at in range(self.batch_count(size)):
            which = order[at * size : (at + 1) * size]
            cells = self._two_views(which, generator)
            shown = torch.cat(
                [
                    self._first_masks(size, _sides(cells), generator),
                    rectangles(size, _sides(cells), generator),
                ]
            )
            yield cells, shown.to(self.device)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the NT-Xent loss of a batch."""
        cells, shown = batch
        there = shown[:, None].float()
        features = self.network.projection(self.phi.cells(cells.float() * there, there))
        one, other = features.float().chunk(2)
        value: Tensor = self._loss(one, other)
        return value

    def figures(self) -> dict[str, float]:
        """Measure the accuracy of nearest neighbours by what the loss sees, on a part of all."""
        if self.test is None or self.test.labels is None or self.corpus.labels is None:
            return {}
        from intarsia.measure.neighbours import vote

        assert self.test.images is not None
        training = self._whole(slice(0, _AMONG))
        if self._tested is None:
            tested = [self._cells(some) for some in _pictures(self.test, _TESTED, self.device)]
            self._tested = torch.cat(tested)
        right = vote(
            self._seen_by_loss(training),
            self._seen_by_loss(self._tested),
            self.corpus.labels[:_AMONG],
            self.test.labels[:_TESTED],
        )
        return {"knn_of_10k": right}

    def joined_views(self, seed: int = 0) -> Iterator[list[Float[Tensor, "b e"]]]:
        """Yield what `intarsia.represent.metric.fit` needs: pictures whole, changed, and masked.

        Views drawn beforehand are used where there are any.
        """
        generator = torch.Generator().manual_seed(seed)
        step = 500
        for at in range(0, min(len(self.corpus), _FITTED), step):
            some = slice(at, min(at + step, len(self.corpus)))
            whole = self._whole(some)
            count, sides = len(whole), _sides(whole)
            others = self._others(some, count, generator)
            masks = [torch.ones(count, *sides, dtype=torch.bool)] * (1 + len(others))
            masks.append(growing(count, sides, generator))
            with torch.inference_mode():
                yield [
                    self.phi.joined(cells.float() * there, there).cpu()
                    for cells, shown in zip([whole, *others, whole], masks, strict=True)
                    for there in [shown[:, None].float().to(self.device)]
                ]

    def _whole(self, which: slice) -> Int8[Tensor, "b r gh gw"]:
        """Return the cells of pictures as they are."""
        if self._features is not None:
            return torch.from_numpy(self._features[0, which]).to(self.device)
        parts = _pictures(self.corpus, which.stop, self.device, which.start)
        return torch.cat([self._cells(some) for some in parts])

    def _others(
        self, which: slice, count: int, generator: torch.Generator
    ) -> list[Int8[Tensor, "b r gh gw"]]:
        """Return the cells of the mirror image, in colour, and of two augmented views."""
        if self._features is not None and self.views.drawn > 1:
            chosen = self._features[1 : len(self._kinds()) - self.views.drawn + 2, which]
            return [torch.from_numpy(view).to(self.device) for view in chosen]
        pictures = self._pictures(which)
        mirrored = [self._cells(pictures.flip(3))] if self.corpus.channels == 3 else []
        return mirrored + self._augmented(pictures, generator)

    def _augmented(
        self, pictures: Float[Tensor, "b c h w"], generator: torch.Generator
    ) -> list[Int8[Tensor, "b r gh gw"]]:
        """Return the cells of two new views."""
        seeds = torch.randint(2**62, (2,), generator=generator).tolist()
        return [self._cells(self._augment(pictures, seed)) for seed in seeds]

    def _seen_by_loss(self, cells: Int8[Tensor, "b r gh gw"]) -> Float[Tensor, "b d"]:
        """Return the features of whole pictures that the loss compares, before its projection."""
        parts = (part.float() for part in cells.split(500))
        return torch.cat([self.phi.cells(x, torch.ones_like(x[:, :1])) for x in parts]).cpu()

    def _kinds(self) -> list[Callable[[Float[Tensor, "b c h w"], int], Float[Tensor, "b c h w"]]]:
        """Return what is done to pictures, by a seed, for each view that is drawn beforehand."""
        mirrored = [lambda x, seed: x.flip(3)] if self.corpus.channels == 3 else []
        return [lambda x, seed: x, *mirrored, *[self._augment] * self.views.drawn]

    def _pictures(self, which: slice | Tensor) -> Float[Tensor, "b c h w"]:
        assert self.corpus.images is not None
        chosen = which if isinstance(which, slice) else which.numpy()
        pictures = torch.from_numpy(np.array(self.corpus.images[chosen]))
        return pictures.permute(0, 3, 1, 2).to(self.device).float() / 255

    def _cells(self, pictures: Float[Tensor, "b c h w"]) -> Int8[Tensor, "b r gh gw"]:
        """Return features of cells as they are kept."""
        with torch.inference_mode():
            found, _ = self.phi.patches(pictures)
        return found.round().clamp(-127, 127).to(torch.int8)

    def _two_views(self, which: Tensor, generator: torch.Generator) -> Int8[Tensor, "b2 r gh gw"]:
        """Return two different views of each picture, the first ones first."""
        if self._features is None:
            return torch.cat(self._augmented(self._pictures(which), generator))
        count = len(self._features)
        one = torch.randint(count, (len(which),), generator=generator)
        other = (one + torch.randint(1, count, (len(which),), generator=generator)) % count
        rows = which.numpy()
        pair = [torch.from_numpy(self._features[view.numpy(), rows]) for view in (one, other)]
        return torch.cat(pair).to(self.device)

    def _first_masks(
        self, count: int, cells: tuple[int, int], generator: torch.Generator
    ) -> Bool[Tensor, "b gh gw"]:
        grown = growing(count, cells, generator)
        free = rectangles(count, cells, generator)
        masked = torch.rand(count, generator=generator) < self.views.masked
        return torch.where(masked[:, None, None], grown, free)


def _pictures(
    corpus: Corpus, stop: int, device: str, start: int = 0
) -> Iterator[Float[Tensor, "b c h w"]]:
    """Yield pictures, values from 0 to 1, a few at a time."""
    assert corpus.images is not None
    for at in range(start, min(stop, len(corpus)), _AT_ONCE):
        some = np.array(corpus.images[at : min(at + _AT_ONCE, stop)])
        yield torch.from_numpy(some).permute(0, 3, 1, 2).to(device).float() / 255


def _sides(cells: Tensor) -> tuple[int, int]:
    rows, cols = cells.shape[2:]
    return rows, cols


def _size(network: nn.Module) -> int:
    return sum(value.numel() for value in network.state_dict().values())
