"""Paper A's sampler: each pixel is drawn from training patches that agree with the canvas.

"Scaling Non-Parametric Sampling with Representation", arXiv 2510.22196, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Int64, UInt8
from scipy.ndimage import maximum_filter

from intarsia.corpus import Corpus
from intarsia.dictionary import (
    Candidates,
    Dictionary,
    Everywhere,
    FillOrder,
    Near,
    NotSource,
    Query,
    SameLabel,
    Similar,
    Stack,
    Stage,
    Window,
)
from intarsia.dictionary.room import Room
from intarsia.errors import DataError, IntarsiaError, UsageError
from intarsia.models.batch import Batch
from intarsia.models.device import torch_device
from intarsia.models.seeds import Seeds, plan
from intarsia.models.settings import Settings
from intarsia.reduce import Drawn, PoolRule, exact_fraction, keys, least_distance, pool
from intarsia.reduce.similar import Lookup, lay_out, look_up
from intarsia.represent import Encoder, PatchLevel, open_encoder
from intarsia.samples import Samples, Sources

if TYPE_CHECKING:
    from intarsia.reduce.workers import Workers


@dataclass(frozen=True)
class Step:
    """What a step callback gets.

    Attributes
    ----------
    batch : the canvases, just after the step; ``batch.step`` counts from 1.
    place : (row, column) that was filled.
    query : what was compared.
    drawn : what was drawn, with ``members`` where pools are kept.
    """

    batch: Batch
    place: tuple[int, int]
    query: Query
    drawn: Drawn


class NonparametricSampler:
    """A training-free generator that knows where each pixel came from.

    Parameters
    ----------
    corpus : training pictures.
    device : "cpu", "cuda" or "mps".
    threads : CPU threads; torch's number by default.
    preset : named settings to start from (`models.settings.PRESETS`).
    allow_torchscript : let the encoder be TorchScript, which may run code of its own. It is a
        permission, not a setting: no config.yaml can give it.
    memory : bytes that pictures may take, laid out and as they are read; no bound by default. No
        result depends on it.
    **settings : any field of `models.settings.Settings`, such as ``principles="NS+L"``.

    Raises
    ------
    UsageError
        If a setting is wrong, or the corpus cannot serve it.

    References
    ----------
    Paper A (arXiv 2510.22196), section 2; A. Efros, T. Leung, ICCV 1999.

    Examples
    --------
    >>> from intarsia import Corpus, NonparametricSampler
    >>> samples = NonparametricSampler(Corpus.open("digits")).sample(2, seed=0)
    >>> samples.images.shape
    (2, 8, 8, 1)
    """

    name = "nps"

    def __init__(
        self,
        corpus: Corpus,
        *,
        device: str = "cpu",
        threads: int | None = None,
        preset: str | None = None,
        allow_torchscript: bool = False,
        memory: int | None = None,
        **settings: Any,
    ) -> None:
        if threads is not None and not 1 <= threads <= 256:
            raise UsageError(f"--threads is {threads}; at least 1 is needed, and at most 256.")
        self.corpus = corpus
        self.threads = threads
        asked = Settings.of(preset, **settings)
        heights, widths = zip(*(plane.shape[:2] for plane in _some_planes(corpus)), strict=True)
        smallest = min(heights), min(widths)
        self.settings = asked.resolved(smallest, corpus.channels, len(corpus))
        self.canvas_size = self._canvas_size()
        assert self.settings.window is not None
        self.window = Window(self.settings.window, self.settings.sigma)
        self.rule = PoolRule(exact_fraction(self.settings.epsilon), self.settings.min_pool)
        where = torch_device(device)
        self.rule.check(corpus.channels * int(self.window.weights.sum()))
        self._check(smallest)
        self._phi = self._open_phi(str(where), allow_torchscript) if self._has_phi else None
        border = self.settings.border
        if memory is not None and not (self.settings.by_place or self.settings.by_meaning):
            raise UsageError(
                "--memory bounds models that match places or meaning; L reads every pixel of every "
                "picture at each step. Use --principles NS+L, or leave --memory out."
            )
        room = None if memory is None or where.type != "cpu" else Room(memory)
        self.dictionary = Dictionary(corpus, self.window, border, self.stages(), where, room=room)

    def stages(self) -> list[Stage]:
        """Return the principles as stages: paper A's ablation is a shorter list."""
        s = self.settings
        stages: list[Stage] = [] if s.allow_seed_source else [NotSource()]
        if self._by_label:
            stages.append(SameLabel())
        elif self._phi is not None:
            assert s.keep is not None
            stages.append(Similar(self._phi, s.keep, None, s.refresh, s.radius or 0))
        stages.append(Near(s.radius) if s.by_place and s.radius is not None else Everywhere())
        return stages

    def share_with(self, workers: Workers) -> None:
        """Let workers hold the training pictures between them, and reduce each its shard.

        Raises
        ------
        UsageError
            If pictures live on another device.
        """
        from intarsia.reduce.shards import ShardedDictionary

        if self.dictionary.device.type != "cpu":
            raise UsageError("--spread shards works on the CPU; use --device cpu.")
        self.dictionary = ShardedDictionary(self.dictionary, workers)

    @property
    def pictures(self) -> Corpus:
        """The training pictures that samples speak of."""
        return self.corpus

    @property
    def _has_phi(self) -> bool:
        return self.settings.by_meaning and self.settings.condition == "representation"

    @property
    def _by_label(self) -> bool:
        return self.settings.by_meaning and self.settings.condition == "class"

    def _open_phi(self, device: str, allow_torchscript: bool) -> Encoder | PatchLevel:
        """Open the encoder; one of patches sees at least the window, so what it finds fits."""
        phi = open_encoder(
            self.settings.encoder,
            self.corpus,
            allow_torchscript=allow_torchscript,
            device=device,
            patch_side=max(PatchLevel.side, self.window.side),
        )
        wanted = self.settings.encoder_fingerprint
        if wanted is not None and phi.fingerprint != wanted:
            raise DataError(
                f"The encoder {self.settings.encoder!r} is not the one of that run: its "
                f"fingerprint is {(phi.fingerprint or 'none')[:12]}, not {wanted[:12]}. Put the "
                "same weights there, or draw anew without --config."
            )
        self.settings = self.settings.model_copy(update={"encoder_fingerprint": phi.fingerprint})
        return phi

    def sample(
        self,
        n: int,
        seed: int = 0,
        *,
        batch: int | None = None,
        callback_on_step_end: Callable[[Step], None] | None = None,
        keep_members: bool = False,
    ) -> Samples:
        """Draw pictures.

        Parameters
        ----------
        n : how many.
        seed : 0 <= seed < 2^63. Together with the settings and the corpus it decides every pixel.
        batch : canvases grown side by side. No result depends on it.
        callback_on_step_end : called after every step of every batch.
        keep_members : hand whole pools to the callback.

        Returns
        -------
        Samples
            With ``sources`` for every pixel.

        Examples
        --------
        >>> from intarsia import Corpus, NonparametricSampler
        >>> NonparametricSampler(Corpus.open("digits"), principles="NS+L").sample(1, seed=3)
        <Samples: 1 of 8x8x1 by nps from digits>
        """
        finished = []
        for started in self.batches(n, seed, batch):
            for step in self.grow(started, seed, keep_members=keep_members):
                if callback_on_step_end is not None:
                    callback_on_step_end(step)
            finished.append(started)
        return self.gather(finished, n, seed)

    def batches(
        self,
        n: int,
        seed: int,
        size: int | None = None,
        skip: Int64[np.ndarray, " m"] | None = None,
    ) -> Iterator[Batch]:
        """Plant the seeds of samples 0 to n - 1, less those to ``skip``, batch by batch."""
        for group in self._plan(numbers_to_draw(n, seed, size, skip), seed):
            for seeds in group.split(size or self.default_batch):
                yield self._plant(seeds)

    def pixels(self, n: int, seed: int) -> int:
        """Return how many pixels a run draws."""
        assert self.settings.seed_size is not None
        height, width = self.canvas_size
        return n * (height * width - self.settings.seed_size**2)

    def grow(self, batch: Batch, seed: int, *, keep_members: bool = False) -> Iterator[Step]:
        """Fill every pixel of a batch: paper A's algorithm (section 2.3).

        Yields a `Step` after each pixel; the batch is a checkpoint between any two of them.
        """
        known, order = batch.known(), list(batch.order)
        similar = self._lay_out(batch, order, [])
        for place in order[batch.step :]:
            if self._is_due(batch.step):
                batch.lookups = self._look_up(batch, known, place)
                similar = self._lay_out(batch, order, similar)
            salts = keys.salts(seed, batch.samples, batch.step)
            query = Query.at(place, batch.canvas, known, self.window, self.settings.border, salts)
            if not self.settings.by_appearance:
                query = query.without_appearance()
            drawn = self._draw(batch, query, similar, keep_members)
            batch.write(self.corpus, place, drawn)
            known[place] = True
            self.dictionary.make_room(similar)
            yield Step(batch, place, query, drawn)

    def gather(self, batches: list[Batch], n: int, seed: int) -> Samples:
        """Put finished batches in order of sample."""
        order = np.argsort(np.concatenate([batch.samples for batch in batches]))
        sources = {
            name: np.concatenate([batch.sources[name] for batch in batches])[order]
            for name in batches[0].sources
        }
        labels = np.concatenate(
            [np.full(len(b.samples), -1 if b.label is None else b.label) for b in batches]
        )[order]
        if self.settings.label is not None:
            labels[:] = self.settings.label
        return Samples(
            images=np.concatenate([batch.canvas for batch in batches])[order],
            sources=Sources(**sources, evidence="exact", grid=None),
            settings=self.resolved_settings(n, seed),
            labels=labels.astype(np.int16) if (labels >= 0).all() else None,
            corpus=self.corpus,
        )

    def resolved_settings(self, n: int, seed: int) -> dict[str, Any]:
        """Return everything that decides the result, in plain values."""
        own = self.settings.model_dump(mode="json")
        if own["encoder_fingerprint"] is None:
            del own["encoder_fingerprint"]
        return {"model": self.name, "n": n, "seed": seed, **own, "size": list(self.canvas_size)}

    def figures(self, batches: list[Batch]) -> dict[str, Any]:
        """Return what metrics.json says of a run beside its maps."""
        if self.settings.threshold != "intersection":
            return {}
        empty = int(sum(batch.fell_back.sum() for batch in batches))
        drawn = sum(len(batch.samples) * len(batch.order) for batch in batches)
        return {"empty_pools": empty, "empty_pool_share": empty / max(1, drawn)}

    @property
    def default_batch(self) -> int:
        """Canvases side by side: 64, or fewer where lists of pictures of their own are large."""
        if not self.settings.by_meaning or self.settings.condition == "class":
            return 64
        if self.settings.threshold == "intersection":
            return 8
        height, width = self.canvas_size
        own = height * width * self.corpus.channels * (self.settings.keep or 1)
        return int(np.clip(2**28 // own, 1, 64))

    def _draw(self, batch: Batch, query: Query, similar: list[Stack], keep_members: bool) -> Drawn:
        """Draw one pixel for each canvas from its pool."""
        candidates = self.dictionary.candidates(
            query.place, batch.origins, batch.label, similar[0] if similar else None
        )
        if self.settings.threshold == "cascade":
            return self._cascade(candidates, query, keep_members)
        # Paper A's letter: the threshold comes from the least distance over the whole corpus.
        least = least_distance(
            self.dictionary.everything(batch.origins), query, threads=self.threads
        )
        limit = np.array(
            [self.rule.threshold(int(d), 0, query.known_weight) for d in least], np.int64
        )
        both = self.dictionary.candidates(
            query.place, batch.origins, batch.label, similar[-1] if similar else None
        )
        drawn = pool(
            both, query, self.rule, limit=limit, keep_members=keep_members, threads=self.threads
        )
        empty = drawn.pool == 0
        batch.fell_back[:, query.place[0], query.place[1]] = empty
        if not empty.any():
            return drawn
        return drawn.filled_in(empty, self._cascade(candidates, query, keep_members))

    def _cascade(self, candidates: list[Candidates], query: Query, keep_members: bool) -> Drawn:
        """Draw from what the stages left; where no patch fits, drop the window's outer ring."""

        def among(asked: Query) -> Drawn:
            return pool(
                candidates, asked, self.rule, keep_members=keep_members, threads=self.threads,
                may_be_empty=True,
            )  # fmt: skip

        drawn, asked = among(query), query.narrowed()
        while (empty := drawn.pool == 0).any():
            if asked is None:
                raise IntarsiaError(
                    f"No training pixel can stand at row {query.place[0]}, column "
                    f"{query.place[1]}: wherever the corpus has one, a hole, padding or an edge "
                    "is too near. Use more pictures or a smaller hole; --fit crop, not --fit pad."
                )
            drawn, asked = drawn.filled_in(empty, among(asked)), asked.narrowed()
        return drawn

    def _is_due(self, step: int) -> bool:
        stage = self.dictionary.similar
        return stage is not None and step % stage.refresh == 0

    def _look_up(
        self, batch: Batch, known: Bool[np.ndarray, "h w"], place: tuple[int, int]
    ) -> list[Lookup]:
        """Ask phi; under ``intersection`` once more, by its threshold instead of by number."""
        stage = self.dictionary.similar
        assert stage is not None
        asked = [stage]
        if self.settings.threshold == "intersection":
            places = (2 * stage.radius + 1) ** 2 if isinstance(stage.phi, PatchLevel) else 1
            everything = len(self.corpus) * places
            asked.append(
                Similar(stage.phi, everything, self.rule.epsilon, stage.refresh, stage.radius)
            )
        return [
            look_up(
                self.dictionary, one, batch.canvas, known, place, batch.origins, batch.label,
                self.threads,
            )
            for one in asked
        ]  # fmt: skip

    def _lay_out(
        self, batch: Batch, order: list[tuple[int, int]], before: list[Stack]
    ) -> list[Stack]:
        """Lay out what was looked up, over what was ``before``, as far as it is asked about."""
        stage = self.dictionary.similar
        if stage is None:
            return []
        until = (batch.step // stage.refresh + 1) * stage.refresh
        places = order[batch.step : until]
        return [
            lay_out(self.dictionary, lookup, self.threads, places, over)
            for lookup, over in zip_longest(batch.lookups, before[: len(batch.lookups)])
        ]

    def _plan(self, samples: Int64[np.ndarray, " n"], seed: int) -> list[Seeds]:
        s = self.settings
        assert s.seed_size is not None
        return plan(
            self.corpus, samples, seed, self.canvas_size, s.seed_size, s.seed_at, s.label,
            self.dictionary.by_label, from_anywhere=False,
        )  # fmt: skip

    def _plant(self, seeds: Seeds) -> Batch:
        side = self.settings.seed_size
        assert side is not None
        batch = Batch.blank(
            seeds.samples, self.order_from(seeds.place), self.corpus.channels, seeds.label
        )
        batch.plant(self.corpus, seeds.images, seeds.source, seeds.place, side)
        return batch

    def order_from(self, place: tuple[int, int]) -> FillOrder:
        """Return the fill order of a seed whose top left pixel is at ``place``."""
        side = self.settings.seed_size
        assert side is not None
        known = np.zeros(self.canvas_size, bool)
        known[place[0] : place[0] + side, place[1] : place[1] + side] = True
        centre = place[0] + (side - 1) / 2, place[1] + (side - 1) / 2
        return FillOrder.grow(known, self.window, self.settings.border, centre)

    def _canvas_size(self) -> tuple[int, int]:
        if self.settings.size is not None:
            return self.settings.size
        return self.corpus.size

    def _check(self, smallest: tuple[int, int]) -> None:
        """Refuse combinations of settings and corpus that cannot work."""
        s, corpus = self.settings, self.corpus
        if s.by_place or s.by_meaning:
            size = corpus.size  # raises for pictures of mixed size
            if self.canvas_size != size:
                raise UsageError(
                    f"--size {self.canvas_size[0]}x{self.canvas_size[1]} differs from the "
                    f"corpus's {size[0]}x{size[1]}, but --principles {s.principles} matches "
                    "places. Use --principles L, or leave --size out."
                )
        if self.window.side > min(*smallest, *self.canvas_size):
            raise UsageError(
                f"--window is {self.window.side}, larger than the "
                f"{min(*smallest, *self.canvas_size)} pixels of the smallest side. "
                f"Use a smaller odd number."
            )
        if len(corpus) == 1 and not s.allow_seed_source:
            raise UsageError(
                "The corpus has one picture and the seed's own picture is excluded, so nothing "
                "is left to draw from. Add --allow-seed-source, or use more pictures."
            )
        if s.label is not None or self._by_label:
            self._check_label()
        if s.by_place:
            self._check_coverage()

    def _check_coverage(self) -> None:
        """Refuse a corpus that is padding at some place in every picture."""
        valid, radius = self.corpus.valid, self.settings.radius or 0
        if valid is None:
            return
        covered = np.zeros(self.canvas_size, bool)
        for i in range(len(self.corpus)):
            covered |= valid[i]
        if not maximum_filter(covered, 2 * radius + 1).all():
            raise UsageError(
                "Some places are padding or holes in every picture, so nothing can be drawn there. "
                "Use --fit crop or --fit resize instead of --fit pad, or add pictures of other "
                "shapes."
            )

    def _check_label(self) -> None:
        s, labels = self.settings, self.corpus.labels
        if labels is None:
            asked = "--label" if s.label is not None else "--condition class"
            raise UsageError(f"{self.corpus.name!r} has no labels; drop {asked}.")
        known, counts = np.unique(labels, return_counts=True)
        if s.label is not None and s.label not in known:
            raise UsageError(
                f"--label is {s.label}, but the corpus has {', '.join(map(str, known))}."
            )
        if self._by_label and not s.allow_seed_source:
            alone = known[counts == 1]
            if (alone == s.label).any() if s.label is not None else len(alone):
                only = alone[0] if s.label is None else s.label
                raise UsageError(
                    f"Class {only} has one picture and the seed's own is excluded. Add "
                    "--allow-seed-source, or use more pictures."
                )


def numbers_to_draw(
    n: int, seed: int, size: int | None, skip: Int64[np.ndarray, " m"] | None
) -> Int64[np.ndarray, " samples"]:
    """Return the numbers of the samples that are left to draw.

    Raises
    ------
    UsageError
        For a number, a seed or a batch that no run can have.
    """
    if n < 1:
        raise UsageError(f"--n is {n}; ask for at least 1 picture.")
    if n > 10**6:
        raise UsageError(f"--n is {n}; one run draws at most 1,000,000. Use several --seed.")
    if not 0 <= seed < 2**63:
        raise UsageError(f"--seed is {seed}; it must be a whole number from 0 to 2^63 - 1.")
    if size is not None and size < 1:
        raise UsageError(f"--batch is {size}; at least 1 canvas is grown at a time.")
    samples = np.arange(n)
    return samples if skip is None else np.setdiff1d(samples, skip)


def _some_planes(corpus: Corpus) -> list[UInt8[np.ndarray, "h w c"]]:
    """Return pictures that show every size there is."""
    return [corpus[0]] if not corpus.is_ragged else [corpus[i] for i in range(len(corpus))]
