"""Time and memory against the size of the corpus."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia.errors import IntarsiaError
from intarsia.files import make_folder, write_text
from intarsia.reproduce.commands import generate, in_words
from intarsia.reproduce.item import Item, Needs
from intarsia.reproduce.measures import number
from intarsia.reproduce.page import Page, Picture, Row
from intarsia.reproduce.paper_a import common as c
from intarsia.reproduce.pictures import Rgb, figure, plain_log, rendered
from intarsia.reproduce.runs import Draw
from intarsia.reproduce.scales import Scale

if TYPE_CHECKING:
    from intarsia.reproduce.book import Book

DATA = "mnist"
COLOURS = {c.ABLATED: "#0C5BB2", c.FULL: "#0E9C73"}
_START = 9.0  # seconds that a process of its own takes before it draws


@dataclass(frozen=True)
class Point:
    """What one process measured.

    Attributes
    ----------
    images : pictures in the corpus.
    seconds : a sample, compiled loops warm.
    opening : seconds to open the corpus and build the model.
    memory : peak of the process in MB, torch's own included.
    """

    images: int
    seconds: float
    opening: float
    memory: float


def sizes(scale: Scale) -> tuple[int, ...]:
    """Sizes of corpora; the last is all of MNIST."""
    return scale.pick((100, 300), (1000, 4000, 16_000, 60_000), (1000, 4000, 16_000, 60_000))


def samples(scale: Scale) -> int:
    """Samples that are timed, as one batch."""
    return scale.pick(2, 16, 64)


def needs(scale: Scale) -> Needs:
    """Only time: these runs are not kept."""
    count = len(sizes(scale)) * len(models(scale))
    drawing = samples(scale) * scale.pick(0.02, 0.33, 0.33) * 1.4
    return Needs({}, (), count * _START + drawing)


def models(scale: Scale) -> tuple[str, ...]:
    """Models that are timed."""
    return scale.pick((c.FULL,), (c.ABLATED, c.FULL), (c.ABLATED, c.FULL))


def make(book: Book, needs: Needs) -> Page:
    """Time each model on each size in a process of its own, and fit exponents."""
    rows, found = [], {}
    n = samples(book.scale)
    for name in models(book.scale):
        points = []
        for size in sizes(book.scale):
            one = c.ablated(DATA, n, name, limit=size)
            point, resolved = _measured(book, one)
            points.append(point)
            here = (
                f"{number(point.seconds)} s a sample, {point.memory:,.0f} MB; ready after "
                f"{number(point.opening)} s"
            )
            rows.append(
                Row(f"{name}, {point.images:,} images", "none", here,
                    in_words(resolved, point.images, [one]), (generate([one], book.scale),))
            )  # fmt: skip
        found[name] = points
    fitted = {name: exponent(points) for name, points in found.items()}
    for name, (slope, kilobytes) in fitted.items():
        here = f"time grows as size^{slope:.2f}, memory by {kilobytes:.2f} kB an image"
        rows.append(Row(f"{name}, fitted", "none", here))
    agreement = [
        f"Time of {name} goes as the size of the corpus to the power {slope:.2f}, and memory grows "
        f"by {kilobytes:.2f} kB an image (a picture has 0.78 kB)."
        for name, (slope, kilobytes) in fitted.items()
    ]
    agreement.append(
        "The paper names neither times nor machine. 1 would be a search of everything; less "
        "shows what does not depend on the size: the steps themselves, and look-ups under phi that "
        "leave a fixed number of pictures."
    )
    picture = Picture(
        _plot(found, fitted),
        "Seconds a sample and peak memory against the number of images, on logarithmic axes",
        f"MNIST, the first images; {n} samples as one batch, seed 0, compiled loops warm, each "
        "point in a process of its own.",
    )
    threads = book.runs.threads or "torch's own number"
    notes = [
        f"Threads: {threads}. Look at times of one machine only among each other. Peak memory is "
        "that of the whole process, torch's own half gigabyte included.",
        "Points are kept beside the runs, and measured again if their files are deleted.",
    ]
    return Page(rows, agreement, [picture], notes, [book.runs.corpus(DATA)])


def _measured(book: Book, one: Draw) -> tuple[Point, dict[str, Any]]:
    """Measure a point, or read what an earlier session measured."""
    from intarsia.provenance.folder import package_version

    asked = {
        "recipe": [one.model, book.scale.settings(one.settings)],
        "corpus": book.scale.corpus(one.data, one.limit),
        "n": one.n,
        "threads": book.runs.threads,
    }
    key = hashlib.sha256(json.dumps([asked, package_version()]).encode()).hexdigest()
    path = book.runs.folder / "scaling" / f"{one.slug}~{key[:12]}.json"
    if not path.exists():
        book.teller.say(f"  timing {one.slug}")
        make_folder(path.parent)
        command = [sys.executable, "-m", "intarsia.reproduce.paper_a.scaling", json.dumps(asked)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise IntarsiaError(f"Timing {one.slug} failed: {lines[-1]}")
        write_text(path, done.stdout)
    known = json.loads(path.read_text(encoding="utf-8"))
    return Point(**known["point"]), known["settings"]


def time_one(asked: dict[str, Any]) -> dict[str, Any]:
    """Measure one point in this process."""
    import time

    from intarsia.corpus import Corpus
    from intarsia.models.recipe import Recipe

    started = time.perf_counter()
    model_name, settings = asked["recipe"]
    how = {name: value for name, value in asked["corpus"].items() if name != "data"}
    corpus = Corpus.open(asked["corpus"]["data"], **how)
    recipe = Recipe(model_name, asked["n"], 0, asked["corpus"], settings)
    model = recipe.build(corpus, threads=asked["threads"])
    opening = time.perf_counter() - started
    warm = model.grow(next(model.batches(asked["n"], 1)), 1)
    for _ in range(3):
        next(warm)
    started = time.perf_counter()
    model.sample(asked["n"], seed=0, batch=asked["n"])
    seconds = (time.perf_counter() - started) / asked["n"]
    memory = _peak_memory()
    point = {"images": len(corpus), "seconds": seconds, "opening": opening, "memory": memory}
    return {"point": point, "settings": model.resolved_settings(asked["n"], 0)}


def _peak_memory() -> float:
    """Return the peak memory of this process in MB.

    The kernel's own figure where it can be read: that of `resource` starts from the peak of the
    process that started this one.
    """
    try:
        with open("/proc/self/status") as lines:
            (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
        return int(kilobytes) / 1024
    except (OSError, ValueError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes


def exponent(points: list[Point]) -> tuple[float, float]:
    """Fit time = a size^b and memory = a + b size; return b of the first, kB of the second."""
    images = np.array([point.images for point in points], float)
    seconds = np.array([point.seconds for point in points])
    memory = np.array([point.memory for point in points])
    slope = np.polyfit(np.log(images), np.log(seconds), 1)[0]
    return float(slope), float(np.polyfit(images, memory, 1)[0] * 1024)


def _plot(found: dict[str, list[Point]], fitted: dict[str, tuple[float, float]]) -> Rgb:
    plot = figure(9.6, 3.8)
    time_axes, memory_axes = plot.subplots(1, 2)
    for name, points in found.items():
        images = [point.images for point in points]
        label = f"{name}: size^{fitted[name][0]:.2f}"
        time_axes.loglog(
            images, [p.seconds for p in points], "o-", color=COLOURS[name], label=label
        )
        memory_axes.loglog(images, [p.memory for p in points], "o-", color=COLOURS[name],
                           label=name)  # fmt: skip
    time_axes.set_ylabel("seconds a sample")
    memory_axes.set_ylabel("peak memory (MB)")
    for axes in (time_axes, memory_axes):
        axes.set_xticks(images, [f"{count:,}" for count in images])
        axes.minorticks_off()
        plain_log(axes.yaxis)
        axes.set_xlabel("images in the corpus")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    return rendered(plot)


ITEMS = [
    Item(
        "scaling",
        "Time and memory against corpus size",
        "seconds a sample and peak memory on MNIST, fitted exponents",
        needs,
        make,
    )
]

if __name__ == "__main__":
    json.dump(time_one(json.loads(sys.argv[1])), sys.stdout)
