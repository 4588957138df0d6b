"""Pictures sent to be attributed: read as PNG, JPEG or WebP, or refused in words."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.explorer.conftest import Answer, Site

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is as large as this."""
    out = b"\x89PNG\r\n\x1a\n"
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
        (b"IEND", b""),
    ):
        out += struct.pack(">I", len(data)) + kind + data
        out += struct.pack(">I", zlib.crc32(kind + data))
    return out


def colour() -> Image.Image:
    return Image.fromarray(np.stack([GREY, 255 - GREY, GREY], axis=-1))


def animated() -> bytes:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    return encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])


def transparent() -> bytes:
    picture = colour().convert("RGBA")
    picture.putalpha(100)
    return encoded(picture)


REFUSED: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "text": lambda: b"no picture",
    "cut short": lambda: encoded(Image.fromarray(GREY))[:40],
    "GIF": lambda: encoded(Image.fromarray(GREY), "GIF"),
    "TIFF": lambda: encoded(Image.fromarray(GREY), "TIFF"),
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "20,000 x 20,000": lambda: bomb(20_000, 20_000),
    "a billion pixels": lambda: bomb(2**16, 2**16),
    "too many pixels": lambda: encoded(Image.new("L", (257, 256))),
    "animated": animated,
    "16 bits": lambda: encoded(Image.fromarray(GREY.astype(np.uint16) * 255)),
    "transparent": transparent,
    "CMYK": lambda: encoded(colour().convert("CMYK"), "JPEG"),
    "colour, for grey": lambda: encoded(colour()),
}


def send(site: Site, body: bytes, query: str = "data=digits&window=3") -> Answer:
    return site.ask(f"/api/attribute?{query}", "POST", body, content_type="image/png")


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_such_picture_is_refused_with_the_reason(kind: str, site: Site) -> None:
    answer = send(site, REFUSED[kind]())
    assert answer.status == 400, answer
    assert len(answer.json["detail"]) > 10 and "Traceback" not in answer.json["detail"]


@pytest.mark.parametrize("side", [1, 2])
def test_a_picture_smaller_than_the_window_says_so(side: int, site: Site) -> None:
    answer = send(site, encoded(Image.new("L", (side, side))))
    if answer.status == 202:
        ended = site.until_over(answer.json["id"])
        assert ended["state"] == "failed" and "smaller than the 3x3 window" in ended["error"]
    else:
        assert answer.status == 400


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 95})]
)
def test_each_of_the_three_formats_is_attributed(kind: str, options: dict, site: Site) -> None:
    answer = send(site, encoded(Image.fromarray(GREY), kind, **options))
    assert answer.status == 202, answer
    ended = site.until_over(answer.json["id"])
    assert ended["state"] == "done", ended
    run = site.ask(f"/data/{ended['run']}/run.json").json
    assert run["model"] == "attribution" and run["n"] == 1


def test_grey_stored_as_colour_is_converted_and_said(site: Site) -> None:
    from intarsia.explorer.pack import unpack

    answer = send(site, encoded(Image.fromarray(GREY).convert("RGB")))
    ended = site.until_over(answer.json["id"])
    meta, _ = unpack(site.ask(f"/data/{ended['run']}/0/sample.bin").body)
    assert any("turned to grey" in line for line in meta["notes"])


def test_a_search_is_cancelled_and_leaves_no_picture(site: Site) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)
    answer = send(site, encoded(Image.fromarray(noise)), "data=digits&window=7")
    site.ask(f"/api/jobs/{answer.json['id']}", "DELETE")
    ended = site.until_over(answer.json["id"])
    assert ended["state"] in ("cancelled", "done")
    assert (ended["run"] is None) == (ended["state"] == "cancelled")
