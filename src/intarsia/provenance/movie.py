"""The growth of samples as a movie, made afterwards from the order of filling."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int64, UInt8

from intarsia.errors import IntarsiaError, UsageError
from intarsia.files import replacing, write_bytes
from intarsia.provenance import draw

if TYPE_CHECKING:
    from intarsia.samples import Samples

KINDS = ("gif", "mp4")
_UNFILLED = (92, 98, 112)  # bluish, so that it is no grey of a digit
_FRAMES, _PER_SECOND, _HOLD = 300, 25, 2.0
_SHOWN = 16


class _Sheet:
    """Samples side by side at their own size, the step of each pixel, and the enlargement."""

    def __init__(self, samples: Samples, limit: int) -> None:
        shown = samples[:limit]
        n, height, width = shown.sources.shape
        columns = _columns(n, height, width)
        self.scale = max(1, min(draw.scale_for(height, width, 224), 1000 // (columns * width)))
        steps = np.repeat(shown.sources.step[..., None], 3, axis=-1)
        self.step = _tiled(steps, columns, fill=-1)[..., 0]
        self.picture = _tiled(draw.to_rgb(shown.images), columns, fill=255)
        self.last = int(shown.sources.step.max(initial=-1))

    def shown_steps(self, frames: int) -> Int64[np.ndarray, " f"]:
        """Return the last step visible in each frame: -1 (given pixels alone) to the end."""
        count = min(frames, self.last + 2)
        return np.rint(np.linspace(-1, self.last, count)).astype(np.int64)


def growth_frames(
    samples: Samples, *, frames: int = _FRAMES, limit: int = _SHOWN
) -> Iterator[UInt8[np.ndarray, "y x 3"]]:
    """Draw how samples were filled, pixel by pixel.

    Parameters
    ----------
    samples : of a model whose sources hold the order of filling.
    frames : at most so many; several steps share a frame if there are more.
    limit : only the first so many samples.

    Yields
    ------
    uint8 [y, x, 3]
        The given pixels first, the rest a neutral tone; the last frame is the finished samples.
    """
    sheet = _Sheet(samples, limit)
    unfilled = np.array(_UNFILLED, dtype=np.uint8)
    for last in sheet.shown_steps(frames):
        frame = np.where((sheet.step <= last)[..., None], sheet.picture, unfilled)
        yield draw.enlarge(frame, sheet.scale)


def write_movie(
    samples: Samples, path: str | Path, *, frames: int = _FRAMES, limit: int = _SHOWN
) -> None:
    """Write the growth as a movie that ends with a hold on the finished samples.

    Parameters
    ----------
    samples, frames, limit : see `growth_frames`.
    path : ending in ``.gif`` or ``.mp4``. A GIF has at most 256 colours.

    Raises
    ------
    UsageError
        If the path ends in something else.
    IntarsiaError
        If MP4 is asked for and ffmpeg is not there or fails, or the file cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind == "gif":
        write_bytes(path, _gif(_Sheet(samples, limit), frames))
    elif kind == "mp4":
        _write_mp4(samples, path, frames, limit)
    else:
        raise UsageError(f"{path} does not say which movie it is. End it in .gif or .mp4.")


def _gif(sheet: _Sheet, frames: int) -> bytes:
    from PIL import Image

    # One palette for all frames: every colour ever shown is in the finished picture. Entry 0 is
    # the unfilled tone, so that index arithmetic does what a quantizer would do 300 times; the
    # last is kept for "as before", which makes the file several times smaller.
    finished = Image.fromarray(sheet.picture).quantize(
        254, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
    )
    flat = finished.getpalette() or []
    palette = [*_UNFILLED, *flat[: 254 * 3]]
    index = np.asarray(finished).astype(np.uint8) + np.uint8(1)
    stills = []
    for last in sheet.shown_steps(frames):
        still = Image.fromarray(draw.enlarge(np.where(sheet.step <= last, index, 0), sheet.scale))
        still.putpalette(palette)
        stills.append(still)
    each = 1000 // _PER_SECOND
    durations = [each] * (len(stills) - 1) + [int(1000 * _HOLD)]
    stream = io.BytesIO()
    stills[0].save(
        stream,
        format="GIF",
        save_all=True,
        append_images=stills[1:],
        duration=durations,
        loop=0,
        disposal=1,
        transparency=255,
        optimize=True,
    )
    return stream.getvalue()


def _write_mp4(samples: Samples, path: Path, frames: int, limit: int) -> None:
    ffmpeg = _ffmpeg()
    with replacing(path) as temporary:
        writer: Any = None
        try:
            frame = None
            for frame in growth_frames(samples, frames=frames, limit=limit):
                frame = _even(frame)
                if writer is None:
                    writer = ffmpeg.write_frames(
                        str(temporary),
                        (frame.shape[1], frame.shape[0]),
                        fps=_PER_SECOND,
                        codec="libx264",
                        macro_block_size=2,
                        output_params=["-crf", "14", "-f", "mp4", "-movflags", "+faststart"],
                    )
                    writer.send(None)
                writer.send(np.ascontiguousarray(frame).tobytes())
            for _ in range(int(_HOLD * _PER_SECOND)):
                writer.send(np.ascontiguousarray(frame).tobytes())
        except OSError as error:
            if error.errno is not None:
                raise
            said = str(error).strip().splitlines()[-1:] or ["no reason given"]
            raise IntarsiaError(f"ffmpeg could not write {path}: {said[0]}") from error
        finally:
            if writer is not None:
                writer.close()


def _ffmpeg() -> Any:
    try:
        import imageio_ffmpeg

        imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise IntarsiaError(
            "An MP4 needs ffmpeg, which is not here. Run: pip install 'intarsia[movie]', or ask "
            "for a GIF."
        ) from error
    return imageio_ffmpeg


def _columns(n: int, height: int, width: int) -> int:
    """How many side by side: wider than tall, as screens are, with few places left empty."""
    ideal = min(n, math.sqrt(3 * n * height / width))
    return min(range(1, n + 1), key=lambda columns: abs(columns - ideal) + 2 * (-n % columns))


def _even(frame: UInt8[np.ndarray, "y x 3"]) -> UInt8[np.ndarray, "y x 3"]:
    """Pad to even sides, which H.264 asks for."""
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _tiled(pictures: np.ndarray, columns: int, *, fill: int) -> np.ndarray:
    """Tile arrays [n, H, W, 3] of any type with one pixel between."""
    n, height, width = pictures.shape[:3]
    columns = min(columns, n)
    rows = -(-n // columns)
    shape = (rows * (height + 1) - 1, columns * (width + 1) - 1, pictures.shape[-1])
    sheet = np.full(shape, fill, dtype=pictures.dtype)
    for index, picture in enumerate(pictures):
        y, x = (index // columns) * (height + 1), (index % columns) * (width + 1)
        sheet[y : y + height, x : x + width] = picture
    return sheet
