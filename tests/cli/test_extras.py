"""What a run adds when asked: a movie of its growth, and the pools its pixels were drawn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from intarsia.samples import Samples
from tests.cli.command import arrays, assert_tidy
from tests.cli.conftest import Command

RUN = "generate nps --principles NS+L --limit 60 --n 3 --out run"


def frames_of(path: Path) -> list[np.ndarray]:
    with Image.open(path) as movie:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(movie)]


def finished(run: Path) -> np.ndarray:
    """The last frame as `intarsia.provenance` draws it, without a palette or compression."""
    from intarsia.provenance.movie import growth_frames

    *_, last = growth_frames(Samples.load(run))
    return last


@pytest.mark.parametrize("asked", ["--movie", "--movie gif", "--movie=gif"])
def test_a_gif_grows_to_the_finished_samples(asked: str, intarsia: Command, tmp_path: Path) -> None:
    outcome = intarsia(RUN, asked)
    assert outcome.code == 0, outcome.err
    assert_tidy(tmp_path / "run", ["movie.gif"])
    frames = frames_of(tmp_path / "run" / "movie.gif")
    # The seeds, then one frame for each of the 48 pixels drawn.
    assert len(frames) == 49
    assert np.abs(frames[-1].astype(int) - finished(tmp_path / "run")).max() <= 2
    # The three samples stand in the last frame, enlarged without smoothing.
    images = arrays(tmp_path / "run" / "samples.npz")["images"][..., 0]
    scale = (frames[-1].shape[0]) // 8
    first = frames[-1][scale // 2 : 8 * scale : scale, scale // 2 : 8 * scale : scale, 0]
    assert np.abs(first.astype(int) - images[0]).max() <= 2


@pytest.mark.parametrize(
    "asked",
    ["--movie --seed 4", "--seed 4 --movie", "--movie --json --seed 4", "--movie -n 3 --seed 4"],
)
def test_a_bare_movie_takes_no_word_that_follows(
    asked: str, intarsia: Command, tmp_path: Path
) -> None:
    outcome = intarsia(RUN, asked)
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "run" / "movie.gif").exists()
    assert "seed: 4" in (tmp_path / "run" / "config.yaml").read_text()


def test_a_bare_movie_may_stand_before_the_model_or_a_picture(
    intarsia: Command, tmp_path: Path
) -> None:
    assert intarsia("generate --movie nps --limit 60 --n 1 --out run").code == 0
    assert (tmp_path / "run" / "movie.gif").exists()
    plane = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    Image.fromarray(plane).save(tmp_path / "picture.png")
    command = "texture --movie picture.png --size 8x8 --window 5 --out texture"
    assert intarsia(command).code == 0
    assert (tmp_path / "texture" / "movie.gif").exists()


def test_an_mp4_ends_on_the_finished_samples(intarsia: Command, tmp_path: Path) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    outcome = intarsia(RUN, "--movie mp4")
    assert outcome.code == 0, outcome.err
    assert_tidy(tmp_path / "run", ["movie.mp4"])
    reader = ffmpeg.read_frames(str(tmp_path / "run" / "movie.mp4"))
    width, height = next(reader)["size"]
    frames = [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader]
    assert len(frames) >= 49
    last = finished(tmp_path / "run")
    shown = frames[-1][: last.shape[0], : last.shape[1]]
    assert np.abs(shown.astype(int) - last).mean() < 3


def test_every_pool_kept_holds_the_source_and_is_as_large_as_recorded(
    intarsia: Command, tmp_path: Path
) -> None:
    outcome = intarsia("generate nps --principles NS+L --n 5 --batch 2 --keep-pools --out run")
    assert outcome.code == 0, outcome.err
    assert_tidy(tmp_path / "run", ["pools.npz"])
    pools = arrays(tmp_path / "run" / "pools.npz")
    sources = arrays(tmp_path / "run" / "sources.npz")
    drawn = sources["step"] >= 0
    # One entry for each pixel drawn, and none for seeds.
    keys = {name: pools[name] for name in ("sample", "row", "col", "step", "start", "count")}
    where = list(zip(keys["sample"], keys["row"], keys["col"], strict=True))
    assert len(set(where)) == len(where) == drawn.sum()
    for sample, row, col, step, start, count in zip(*keys.values(), strict=True):
        at = (sample, row, col)
        assert drawn[at] and sources["step"][at] == step
        assert count == min(sources["pool"][at], 1000)
        members = slice(start, start + count)
        names = [pools[f"source_{name}"][members] for name in ("image", "row", "col")]
        candidates = set(zip(*names, strict=True))
        assert len(candidates) == count, "no candidate is named twice"
        assert tuple(int(sources[name][at]) for name in ("image", "row", "col")) in candidates
        distances = pools["distance"][members]
        assert distances.min() >= 0
    assert pools["count"].sum() == len(pools["source_image"]) == len(pools["distance"])


def test_a_pool_of_more_than_a_thousand_keeps_the_nearest_thousand(
    intarsia: Command, tmp_path: Path
) -> None:
    run = "generate nps --principles NS+L --min-pool 1200 --n 2 --seed-size 6 --keep-pools"
    assert intarsia(run, "--out run").code == 0
    pools = arrays(tmp_path / "run" / "pools.npz")
    sources = arrays(tmp_path / "run" / "sources.npz")
    assert (sources["pool"][sources["step"] >= 0] >= 1200).all()
    assert (pools["count"] == 1000).all()
    # The same pixels with pools of exactly a thousand: none of those kept is farther.
    smaller = "generate nps --principles NS+L --min-pool 1000 --n 2 --seed-size 6 --keep-pools"
    assert intarsia(smaller, "--out smaller").code == 0
    first = arrays(tmp_path / "smaller" / "pools.npz")
    assert pools["distance"][:1000].max() <= first["distance"][:1000].max()


def test_without_asking_there_is_no_movie_and_no_pool(intarsia: Command, tmp_path: Path) -> None:
    assert intarsia(RUN).code == 0
    assert_tidy(tmp_path / "run")
