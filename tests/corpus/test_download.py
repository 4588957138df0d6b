"""Downloads, against a small hub of our own on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.corpus.files import encoded, pictures, write_parquet

FILE = "/datasets/user/set/resolve/main/data/train-00000-of-00001.parquet"
CODE = """
import json, sys
from intarsia.corpus.locate import fetch, on_this_machine
from intarsia.corpus.registry import Card
from intarsia.errors import IntarsiaError
card = Card(
    name="set", title="Set", home="", licence="", about="", shape=(5, 4, 1),
    counts={"train": 6}, classes=(), files={"train": ("a.gz",)},
    parquet={"train": "data/train-00000-of-00001.parquet"}, repository="user/set",
)
assert on_this_machine(card, "train") is None
try:
    place = fetch(card, "train")
    again = on_this_machine(card, "train")
    print(json.dumps([str(place.found.files[0]), place.sha256, again == place]))
except IntarsiaError as error:
    print(json.dumps(str(error)))
"""


class Hub:
    def __init__(self, data: bytes, announced: str) -> None:
        self.data, self.announced = data, announced
        self.requests: list[str] = []
        self.ranges: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub.requests.append(f"HEAD {self.path}")
                self.answer()

            def do_GET(self) -> None:
                hub.requests.append(f"GET {self.path}")
                self.answer()

            def answer(self) -> None:
                path = self.path.split("?")[0]
                if "/resolve/" not in path:
                    self.send_error(404)
                    return
                start = 0
                if asked := self.headers.get("Range"):
                    hub.ranges.append(asked)
                    start = int(asked.removeprefix("bytes=").split("-")[0])
                body = hub.data[start:]
                self.send_response(206 if start else 200)
                self.send_header("X-Repo-Commit", "0" * 40)
                self.send_header("ETag", f'"{hub.announced}"')
                self.send_header("X-Linked-Etag", f'"{hub.announced}"')
                self.send_header("X-Linked-Size", str(len(hub.data)))
                self.send_header("Content-Length", str(len(body)))
                if start:
                    end = len(hub.data)
                    self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    rows: list[bytes | None] = [encoded(picture) for picture in pictures()]
    return write_parquet(tmp_path / "a.parquet", rows, [0] * 6).read_bytes()


@pytest.fixture
def hubs() -> Iterator[list[Hub]]:
    started: list[Hub] = []
    yield started
    for hub in started:
        hub.server.shutdown()
        hub.server.server_close()


def run(tmp_path: Path, url: str, **extra: str) -> object:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "HOME": str(tmp_path),
        "HF_HOME": str(tmp_path / "hf"),
        "HF_ENDPOINT": url,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "INTARSIA_CACHE": str(tmp_path / "cache"),
        **extra,
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_download_is_checked_and_found_again(
    tmp_path: Path, data: bytes, hubs: list[Hub]
) -> None:
    sha256 = hashlib.sha256(data).hexdigest()
    hubs.append(Hub(data, sha256))
    found = run(tmp_path, hubs[0].url)
    assert isinstance(found, list)
    path, announced, again = found
    assert Path(path).read_bytes() == data and announced == [sha256] and again


def test_a_download_that_is_not_what_was_announced_is_refused(
    tmp_path: Path, data: bytes, hubs: list[Hub]
) -> None:
    hubs.append(Hub(data, hashlib.sha256(b"something else").hexdigest()))
    message = run(tmp_path, hubs[0].url)
    assert isinstance(message, str)
    assert "damaged download" in message and "Delete the file" in message


def test_a_hub_that_is_not_there_fails_at_once(tmp_path: Path) -> None:
    message = run(tmp_path, "http://127.0.0.1:9")
    assert isinstance(message, str)
    assert "could not be downloaded" in message and "Put a.gz, or train-00000" in message


def test_offline_asks_nobody(tmp_path: Path, data: bytes, hubs: list[Hub]) -> None:
    hubs.append(Hub(data, hashlib.sha256(data).hexdigest()))
    message = run(tmp_path, hubs[0].url, HF_HUB_OFFLINE="1")
    assert isinstance(message, str) and "HF_HUB_OFFLINE is set" in message
    assert not hubs[0].requests
