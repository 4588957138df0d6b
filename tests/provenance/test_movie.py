from __future__ import annotations

import builtins

import numpy as np
import pytest
from PIL import Image

from intarsia import IntarsiaError, UsageError
from intarsia.provenance import growth_frames, write_movie
from intarsia.provenance.draw import enlarge, to_rgb
from intarsia.provenance.movie import _UNFILLED, _columns
from tests.provenance.made import colour_samples, digit_samples, with_sources


def tiles(frame: np.ndarray, samples, columns: int) -> list[np.ndarray]:
    """Cut a frame back into samples at their own size."""
    _, height, width = samples.sources.shape
    scale = next(s for s in range(1, 100) if s * (columns * (width + 1) - 1) == frame.shape[1])
    small = frame[scale // 2 :: scale, scale // 2 :: scale]
    assert (enlarge(small, scale) == frame).all()
    out = []
    for index in range(len(samples)):
        y, x = (index // columns) * (height + 1), (index % columns) * (width + 1)
        out.append(small[y : y + height, x : x + width])
    return out


def test_last_frame_is_the_samples_and_the_first_the_seeds():
    samples = colour_samples()[:3]
    frames = list(growth_frames(samples))
    assert len(frames) == 241  # the seed, and 240 pixels
    for index, tile in enumerate(tiles(frames[-1], samples, 3)):
        assert (tile == samples.images[index]).all()
    for index, tile in enumerate(tiles(frames[0], samples, 3)):
        given = samples.sources.step[index] < 0
        assert (tile[given] == samples.images[index][given]).all()
        assert (tile[~given] == _UNFILLED).all()


def test_each_frame_shows_what_was_filled_by_then():
    samples = colour_samples()[:2]
    for step, frame in enumerate(growth_frames(samples), start=-1):
        for index, tile in enumerate(tiles(frame, samples, 2)):
            filled = samples.sources.step[index] <= step
            expected = np.where(filled[..., None], samples.images[index], _UNFILLED)
            assert (tile == expected).all()


@pytest.mark.parametrize("frames", [1, 2, 50])
def test_few_frames_still_end_with_the_samples(frames):
    samples = colour_samples()[:1]
    drawn = list(growth_frames(samples, frames=frames))
    assert len(drawn) == frames
    if frames > 1:
        assert (tiles(drawn[-1], samples, 1)[0] == samples.images[0]).all()


def test_gif_ends_with_a_hold_on_the_samples(tmp_path):
    samples = digit_samples()[:4]
    write_movie(samples, tmp_path / "a.gif")
    movie = Image.open(tmp_path / "a.gif")
    expected = list(growth_frames(samples))
    assert movie.n_frames == len(expected) and movie.info["loop"] == 0
    for index, frame in enumerate(expected):
        movie.seek(index)
        assert (np.asarray(movie.convert("RGB")) == frame).all()  # at most 254 colours: exact
    assert movie.info["duration"] == 2000
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.gif"]


def test_gif_of_colour_is_close(tmp_path):
    samples = colour_samples()
    write_movie(samples, tmp_path / "a.gif", frames=20)
    movie = Image.open(tmp_path / "a.gif")
    movie.seek(movie.n_frames - 1)
    *_, last = growth_frames(samples, frames=20)
    assert np.abs(np.asarray(movie.convert("RGB")).astype(int) - last).max() < 32


def test_mp4_ends_with_the_samples(tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    samples = colour_samples()[:3]
    write_movie(samples, tmp_path / "a.mp4", frames=30)
    reader = ffmpeg.read_frames(str(tmp_path / "a.mp4"))
    width, height = next(reader)["size"]
    frames = [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader]
    *_, last = growth_frames(samples)
    assert len(frames) == 30 + 50  # two seconds of hold
    got = frames[-1][: last.shape[0], : last.shape[1]].astype(int)
    assert np.abs(got - last).mean() < 4
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mp4"]


def test_mp4_without_ffmpeg_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **keywords):
        if name.startswith("imageio_ffmpeg"):
            raise ImportError(name)
        return real(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(IntarsiaError, match=r"pip install 'intarsia\[movie\]'"):
        write_movie(colour_samples(), tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\.gif or \.mp4"):
        write_movie(colour_samples(), tmp_path / "a.avi")


def test_samples_without_steps_give_one_frame():
    samples = colour_samples()
    given = with_sources(samples, step=np.full_like(samples.sources.step, -1))
    assert len(list(growth_frames(given))) == 1


def test_more_samples_than_shown_are_left_out():
    samples = digit_samples()
    many = samples[[*range(12), *range(12)]]
    (first, *_), (same, *_) = growth_frames(many), growth_frames(many[:16])
    assert (first == same).all()


def test_sheets_are_wider_than_tall_with_few_gaps():
    for n in range(1, 17):
        columns = _columns(n, 28, 28)
        rows = -(-n // columns)
        assert 1 <= columns <= n and columns * rows - n <= 1
        assert n < 3 or columns >= rows


def test_grey_is_shown_as_grey():
    samples = digit_samples()[:1]
    *_, last = growth_frames(samples)
    assert (tiles(last, samples, 1)[0] == to_rgb(samples.images[0])).all()
