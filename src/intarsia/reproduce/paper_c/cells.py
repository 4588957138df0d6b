"""Networks of paper C's table: each trained, calibrated and compared once, and resumed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intarsia.corpus import Corpus
from intarsia.files import write_text
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

SIDE = 32
"""Sides of the pictures that the paper's networks work on."""


CALIBRATION_SEED = 1000
"""Noises of the calibration; those of the comparison come from seed 0."""


@dataclass(frozen=True)
class Size:
    """How much of a cell is done.

    Attributes
    ----------
    limit : first pictures of the training set, seen by network and machine alike.
    widths : of the network.
    epochs, batch, rate, halve_every : of its training.
    samples : noises that are compared.
    trajectories, seen : the calibration follows so many and weighs the first so many pictures.
    sides : that it tries.
    """

    limit: int
    widths: tuple[int, ...]
    epochs: int
    batch: int
    rate: float
    halve_every: float
    samples: int
    trajectories: int
    seen: int
    sides: tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    """A network of the table of correlations.

    Attributes
    ----------
    kind, data, padding, conditional : what is trained on what.
    published : the paper's median r^2, which its released code computes as Pearson's r.
    size : how much of it.
    """

    kind: str
    data: str
    padding: str
    conditional: bool
    published: str
    size: Size

    @property
    def machine(self) -> str:
        """The machine that predicts it: a border breaks the equivariance of ELS."""
        return "els" if self.padding == "circular" else "bbels"

    @property
    def name(self) -> str:
        """A readable name for folders."""
        parts = [self.kind, self.data, str(self.size.limit)]
        parts += ["circular"] if self.padding == "circular" else []
        parts += ["conditional"] if self.conditional else []
        return "-".join(parts)

    @property
    def title(self) -> str:
        """What it is, in words."""
        told = "class-conditional" if self.conditional else "unconditional"
        return f"{self.kind} on {self.data}, {self.padding} padding, {told}"

    def opened(self, scale: Scale) -> dict[str, Any]:
        """Return how its pictures are opened."""
        return {"resize": SIDE} | scale.corpus(self.data, self.size.limit)

    def commands(self, scale: Scale) -> tuple[str, str, str]:
        """Return the commands that train, calibrate and compare."""
        size, net = self.size, f"runs/{self.name}"
        how = " ".join(f"--{name} {value}" for name, value in self.opened(scale).items())
        train = (
            f"intarsia train {self.kind} {how} --width {_listed(size.widths)} --epochs "
            f"{size.epochs} --batch {size.batch} --rate {size.rate:g} --halve-every "
            f"{size.halve_every:g}"
        )
        if self.padding == "circular":
            train += " --padding circular"
        if self.conditional:
            train += " --conditional"
        machine = "" if self.machine == "bbels" else f" --machine {self.machine}"
        return (
            f"{train} --out {net}",
            f"intarsia calibrate --network {net}{machine} --sides {_listed(size.sides)} "
            f"--n {size.trajectories} --limit {size.seen}",
            f"intarsia compare --network {net}{machine} --scales-from {net}/scales.json "
            f"--n {size.samples} --out {net}-compared",
        )


def compared(book: Book, cell: Cell) -> tuple[Path, dict[str, Any]]:
    """Train, calibrate and compare what is not there yet.

    Returns
    -------
    the folder of the comparison, and what its compare.json holds.

    Raises
    ------
    UsageError, DataError
        If a folder holds something else.
    """
    network, folder = (book.runs.folder / f"{cell.name}{end}" for end in ("", "-compared"))
    figures = folder / "compare.json"
    if not figures.exists():
        corpus, scales = calibrated(book, cell)
        _compared(book, cell, network, corpus, scales, folder)
    found: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8"))
    return folder, found


def calibrated(book: Book, cell: Cell) -> tuple[Corpus, Path]:
    """Train and calibrate what is not there yet.

    Returns
    -------
    the training pictures, and the file of window sides in the network's folder.
    """
    network = book.runs.folder / cell.name
    corpus = _trained(book, cell, network)
    return corpus, _calibrated(book, cell, network, corpus)


def corpus_of(book: Book, cell: Cell) -> Corpus:
    """Open the training pictures of a cell."""
    options = cell.opened(book.scale)
    data = options.pop("data")
    return Corpus.open(
        data,
        progress=lambda done, total: book.teller.measuring(f"reading {cell.data}", done, total),
        **options,
    )


def _trained(book: Book, cell: Cell, folder: Path) -> Corpus:
    from intarsia.networks.train import RECIPE, train_denoiser

    size = cell.size
    corpus = corpus_of(book, cell)
    if not (folder / "config.json").exists():
        book.teller.say(f"  training {cell.title}, {len(corpus):,} pictures")
        recipe = replace(
            RECIPE,
            epochs=size.epochs,
            batch=size.batch,
            rate=size.rate,
            halve_every=size.halve_every,
        )
        train_denoiser(
            cell.kind,
            corpus,
            folder,
            opened=cell.opened(book.scale),
            widths=size.widths,
            padding=cell.padding,
            conditional=cell.conditional,
            recipe=recipe,
            resume=True,
            command=cell.commands(book.scale)[0],
            on_step=lambda state: book.teller.measuring("training", state.done, state.steps),
        )
    return corpus


def _calibrated(book: Book, cell: Cell, network: Path, corpus: Corpus) -> Path:
    from intarsia.models.calibration import calibrate
    from intarsia.models.comparison import labels_in_turn
    from intarsia.models.machines import MACHINES
    from intarsia.models.network import TrainedNetwork

    size, file = cell.size, network / "scales.json"
    if file.exists():
        return file
    few = corpus if size.seen >= len(corpus) else _first(book, cell)
    drawn = TrainedNetwork(few, network=network)
    kind = MACHINES[cell.machine]
    machines = {side: kind(few, threads=book.runs.threads, scales=str(side)) for side in size.sides}
    with book.teller.drawing(f"calibrating {cell.title}") as on_progress:
        found = calibrate(
            drawn, machines, size.trajectories, CALIBRATION_SEED, on_progress=on_progress,
            labels=labels_in_turn(drawn, few, size.trajectories),
        )  # fmt: skip
    told = found.summary() | {
        "n": size.trajectories,
        "seed": CALIBRATION_SEED,
        "machine": cell.machine,
        "pictures": len(few),
    }
    write_text(file, json.dumps(told, indent=2) + "\n")
    return file


def _first(book: Book, cell: Cell) -> Corpus:
    options = cell.opened(book.scale) | {"limit": cell.size.seen}
    return Corpus.open(options.pop("data"), **options)


def _compared(
    book: Book, cell: Cell, network: Path, corpus: Corpus, scales: Path, folder: Path
) -> None:
    from intarsia.models.comparison import compare
    from intarsia.models.comparison_folder import summary, write_comparison
    from intarsia.models.machines import MACHINES
    from intarsia.models.network import TrainedNetwork

    threads = book.runs.threads
    drawn = TrainedNetwork(corpus, network=network)
    machine = MACHINES[cell.machine](corpus, threads=threads, scales_from=str(scales))
    ideal = MACHINES["is"](corpus, threads=threads)
    with book.teller.drawing(f"comparing {cell.title}") as on_progress:
        found = compare(drawn, [machine, ideal], cell.size.samples, 0, on_progress=on_progress)
    told = {
        "machine": cell.machine,
        "n": cell.size.samples,
        "seed": 0,
        "scales": list(machine.settings.scales or ()),
        "pictures": len(corpus),
        **summary(found),
    }
    write_comparison(folder, found, told)


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))
