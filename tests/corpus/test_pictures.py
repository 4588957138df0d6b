from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intarsia.corpus import Corpus
from intarsia.errors import DataError
from tests.corpus.files import pictures, save

RGB = pictures(1, 6, 8, 3)[0]


def open_one(path: Path) -> Corpus:
    corpus = Corpus.open(path)
    assert len(corpus) == 1 and corpus.labels is None
    return corpus


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm"])
@pytest.mark.parametrize("c", [1, 3])
def test_a_lossless_picture_is_read_as_it_is(tmp_path: Path, suffix: str, c: int) -> None:
    corpus = open_one(save(tmp_path / f"a{suffix}", RGB[..., :c]))
    np.testing.assert_array_equal(corpus[0], RGB[..., :c])
    assert corpus.notes == () and corpus.valid is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_respected(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = {
        1: RGB,
        2: RGB[:, ::-1],
        3: RGB[::-1, ::-1],
        4: RGB[::-1],
        5: RGB.transpose(1, 0, 2),
        6: RGB.transpose(1, 0, 2)[:, ::-1],
        7: RGB.transpose(1, 0, 2)[::-1, ::-1],
        8: RGB.transpose(1, 0, 2)[::-1],
    }[orientation]
    corpus = open_one(save(tmp_path / "a.png", RGB, exif=exif))
    np.testing.assert_array_equal(corpus[0], upright)
    assert bool(corpus.notes) == (orientation != 1)


def test_a_palette_becomes_rgb_and_is_noted(tmp_path: Path) -> None:
    image = Image.fromarray(RGB).quantize(7)
    image.save(tmp_path / "a.png")
    corpus = open_one(tmp_path / "a.png")
    np.testing.assert_array_equal(corpus[0], np.asarray(image.convert("RGB")))
    assert corpus.notes == ("1 picture with a palette turned to RGB",)


def test_one_bit_becomes_black_and_white(tmp_path: Path) -> None:
    bits = RGB[..., 0] > 128
    Image.fromarray(bits).save(tmp_path / "a.png")
    np.testing.assert_array_equal(open_one(tmp_path / "a.png")[0][..., 0], bits * 255)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_opaque_alpha_is_dropped_and_noted(tmp_path: Path, mode: str) -> None:
    Image.fromarray(RGB).convert(mode).save(tmp_path / "a.png")
    corpus = open_one(tmp_path / "a.png")
    assert corpus.channels == (3 if mode == "RGBA" else 1) and corpus.valid is None
    assert "alpha" in corpus.notes[0]


def test_fully_transparent_pixels_are_holes(tmp_path: Path) -> None:
    alpha = np.where(np.arange(48).reshape(6, 8) % 5 == 0, 0, 255).astype(np.uint8)
    Image.fromarray(np.dstack([RGB, alpha])).save(tmp_path / "a.png")
    corpus = open_one(tmp_path / "a.png")
    assert corpus.valid is not None
    np.testing.assert_array_equal(corpus.valid[0], alpha == 255)
    np.testing.assert_array_equal(corpus[0], RGB * (alpha == 255)[..., None])


def test_a_transparent_palette_colour_is_a_hole(tmp_path: Path) -> None:
    index = np.arange(12, dtype=np.uint8).reshape(3, 4) % 3
    image = Image.fromarray(index).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "a.png", transparency=1)
    corpus = open_one(tmp_path / "a.png")
    assert corpus.valid is not None
    np.testing.assert_array_equal(corpus.valid[0], np.asarray(image) != 1)


def test_sixteen_bits_that_hold_eight_are_read(tmp_path: Path) -> None:
    Image.fromarray(RGB[..., 0].astype(np.uint16) * 257).save(tmp_path / "a.png")
    corpus = open_one(tmp_path / "a.png")
    np.testing.assert_array_equal(corpus[0], RGB[..., :1])
    assert "16 bits that held 8" in corpus.notes[0]


def rgb_of_sixteen_bits() -> bytes:
    """PNG of 2x2 RGB, 16 bits a channel, which Pillow cannot write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    lines = b"".join(b"\0" + bytes(range(12)) for _ in range(2))
    head = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def animation(kind: str) -> bytes:
    stream = io.BytesIO()
    frames = [Image.fromarray(frame[..., 0]) for frame in pictures(3)]
    frames[0].save(stream, kind, save_all=True, append_images=frames[1:])
    return stream.getvalue()


def cmyk() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(RGB).convert("CMYK").save(stream, "JPEG")
    return stream.getvalue()


def half_transparent(value: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.dstack([RGB, np.full((6, 8), value, np.uint8)])).save(stream, "PNG")
    return stream.getvalue()


def sixteen() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (rgb_of_sixteen_bits(), "16 bits a channel"),
        (b"P6 2 1 65535\n" + bytes(12), "16 bits a channel"),
        (b"P6 2 1 1023\n" + bytes(12), "16 bits a channel"),
        (sixteen(), "more than 8 bits a pixel"),
        (animation("GIF"), "3 frames"),
        (animation("PNG"), "3 frames"),
        (animation("WEBP"), "3 frames"),
        (animation("TIFF"), "3 frames"),
        (cmyk(), "stored as CMYK"),
        (half_transparent(128), "partly transparent"),
        (half_transparent(0), "every pixel is transparent"),
        (b"", "starts with nothing"),
        (b"not a picture", "starts with 6e6f7420"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "starts with 25215053"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_lose_something_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(DataError, match=message) as caught:
        Corpus.open(path)
    assert str(path) in str(caught.value)


def test_a_photograph_with_a_preview_behind_it_is_the_photograph(tmp_path: Path) -> None:
    frames = [Image.fromarray(frame) for frame in pictures(2, 16, 16, 3)]
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.format == "MPO"
        first = np.asarray(image)
    np.testing.assert_array_equal(open_one(tmp_path / "a.jpg")[0], first)


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg", ".bmp", ".gif", ".tif", ".webp", ".ppm"):
        path = save(tmp_path / f"a{suffix}", pictures(1, 40, 40, 3)[0])
        path.write_bytes(path.read_bytes()[:-300])
        with pytest.raises(DataError):
            Corpus.open(path)


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.png", RGB)
    for limit in (47, 20):  # Pillow warns above the limit and refuses above twice the limit
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(DataError, match=f"more than {limit} pixels"):
            Corpus.open(path)
