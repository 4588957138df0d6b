"""How fast the explorer answers: its first page, and a pixel pointed at."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from intarsia.errors import IntarsiaError
from intarsia.explorer.pack import unpack

NEAREST = 24
"""Candidates that the page shows at once (page/source.js)."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Points at pixels one after another; each counts from the pointer's move until the panel speaks of
# the pixel and every training picture in it is painted.
_HOVER = """async (places) => {
  const box = document.querySelector(".pointable");
  const panel = document.querySelector(".panel");
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const times = [];
  for (const [row, col, height, width] of places) {
    const { left, top, width: across, height: down } = box.getBoundingClientRect();
    const at = { clientX: left + ((col + 0.5) * across) / width,
                 clientY: top + ((row + 0.5) * down) / height };
    const began = performance.now();
    box.dispatchEvent(new PointerEvent("pointermove", { ...at, bubbles: true }));
    while (+panel.dataset.row !== row || +panel.dataset.col !== col
           || panel.querySelector(".missing")) await frame();
    times.push(performance.now() - began);
  }
  return times;
}"""


def measure_hover(
    run: Path | None = None, *, data: str = "mnist", hovers: int = 400, seed: int = 0
) -> dict[str, Any]:
    """Measure the explorer over a run with pools, served by a process of its own.

    Parameters
    ----------
    run : a run folder drawn with ``--keep-pools``; by default one sample of ``nps`` over all of
        ``data`` is drawn first.
    data : a corpus by name, whole.
    hovers : pixels to point at.
    seed : decides which.

    Returns
    -------
    dict
        ``corpus_images``; ``first_page_s``, all that the gallery asks for, from a server just
        started; ``server_ms`` and, where Chromium and Playwright are, ``browser_ms``: median, 95th
        percentile and largest time of a hover; ``browser_first_page_s``, until the gallery stands
        in a browser just started; ``server_memory_mb``, the most the server took.

    Raises
    ------
    IntarsiaError
        If the run has no pools, or the server does not start.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = run or _drawn(data, Path(scratch) / "run")
        with _served(folder) as (url, process):
            began = time.perf_counter()
            name, summary = _first_page(url)
            first = time.perf_counter() - began
            if not summary["has"]["pools"]:
                raise IntarsiaError(f"{folder} has no pools.npz. Draw it with --keep-pools.")
            places = _places(summary["size"], hovers, seed)
            report = {
                "corpus_images": summary["images"],
                "hovers": hovers,
                "first_page_s": round(first, 3),
                "server_ms": _spread(_asked(url, name, places)),
                **_in_browser(url, name, places, summary["size"]),
                "server_memory_mb": _most_memory(process.pid),
            }
    return report


def _drawn(data: str, out: Path) -> Path:
    """Draw one sample with its pools over a whole corpus."""
    from intarsia.corpus import Corpus
    from intarsia.models import NonparametricSampler, run

    run(
        NonparametricSampler(Corpus.open(data), principles="NS+L"),
        1,
        0,
        out,
        keep_pools=True,
        notes={"corpus_data": data, "corpus_split": "train"},
    )
    return out


@contextmanager
def _served(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a run from a process of its own, as a user would; yields the address."""
    command = "from intarsia.cli.app import main; main()"
    words = [sys.executable, "-c", command, "explore", str(folder), "--port", "0", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("}"):
                    break
            if not lines:
                raise IntarsiaError("The explorer did not start; see above.")
            yield json.loads("".join(lines))["url"], process
        finally:
            process.terminate()


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        data: bytes = answer.read()
    return data


def _first_page(url: str) -> tuple[str, dict[str, Any]]:
    """Ask for what the gallery asks for."""
    for name in ("", "page/explorer.css", "page/app.js"):
        _get(url + name)
    name = json.loads(_get(f"{url}data/index.json"))["runs"][0]["id"]
    summary = json.loads(_get(f"{url}data/{name}/run.json"))
    _get(f"{url}data/{name}/sheet-0.png")
    return name, summary


def _places(size: list[int], hovers: int, seed: int) -> list[tuple[int, int]]:
    """Choose pixels; no two in a row are the same, as a pointer that stays asks for nothing."""
    flat = np.random.default_rng(seed).integers(0, size[0] * size[1], hovers)
    flat[1:][flat[1:] == flat[:-1]] ^= 1
    return [divmod(int(place), size[1]) for place in flat]


def _asked(url: str, name: str, places: list[tuple[int, int]]) -> list[float]:
    """Ask for the training pictures of each pixel's candidates, none of them kept before."""
    _, pools = unpack(_get(f"{url}data/{name}/0/pools.bin"))
    times = []
    for place in places:
        start, count = int(pools["start"][place]), int(pools["count"][place])
        numbers = pools["image"][start : start + min(count, NEAREST)].tolist() or [0]
        began = time.perf_counter()
        _get(f"{url}data/{name}/training.bin?numbers={','.join(map(str, numbers))}")
        times.append(1000 * (time.perf_counter() - began))
    return times


def _in_browser(
    url: str, name: str, places: list[tuple[int, int]], size: list[int]
) -> dict[str, Any]:
    """Point at the pixels in Chromium; nothing where there is none."""
    path = next((found for found in map(shutil.which, BROWSERS) if found), None)
    if path is None or find_spec("playwright") is None:
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        page.wait_for_selector(".tile")
        first = page.evaluate("performance.getEntriesByName('shown')[0].startTime") / 1000
        page.goto(f"{url}#/run/{name}/0")
        page.wait_for_selector(".pointable")
        times = page.evaluate(_HOVER, [[*place, *size] for place in places])
        browser.close()
    return {"browser_first_page_s": round(first, 3), "browser_ms": _spread(times)}


def _spread(times: list[float]) -> dict[str, float]:
    return {
        "median": round(float(np.median(times)), 2),
        "p95": round(float(np.percentile(times, 95)), 2),
        "max": round(max(times), 2),
    }


def _most_memory(pid: int) -> float | None:
    """Most memory a process had, in MB; None where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return round(kilobytes / 1024, 1)
