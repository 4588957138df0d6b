"""Runs to look at, drawn once, and a server over them."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from intarsia.explorer.library import Library, library
from tests.cli.command import made

COMMANDS = {
    "near": "generate nps --principles NS+L --n 6 --seed 3 --keep-pools",
    "full": "generate nps --principles NS+L+H --n 6 --seed 3 --keep-pools",
    "plain": "generate nps --principles NS+L --n 2 --limit 200",
    "scores": "generate bbels --limit 60 --n 2 --steps 5 --scales 3 --keep-steps",
}
"""Runs over the digits: 8x8 pixels."""


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the runs of `COMMANDS`."""
    folder = tmp_path_factory.mktemp("runs")
    for name, command in COMMANDS.items():
        made(command, folder / name)
    return folder


@pytest.fixture(scope="session")
def shelf(runs: Path) -> Iterator[Library]:
    """The runs, opened."""
    opened = library([runs])
    yield opened
    opened.close()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    """A server, asked without any client library that would tidy up an address first."""

    port: int
    out: Path
    library: Library
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        read = answer.read()
        connection.close()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, read)

    def until_over(self, job: int) -> dict[str, Any]:
        """Wait for a job to end."""
        for _ in range(3600):  # the first job compiles
            found = self.ask(f"/api/jobs/{job}").json
            if found["state"] not in ("waiting", "running"):
                return found
            time.sleep(0.05)
        raise AssertionError(f"job {job} did not end")


@pytest.fixture(scope="session")
def site(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server over the runs, on a free port."""
    uvicorn = pytest.importorskip("uvicorn")
    pytest.importorskip("fastapi")
    from intarsia.explorer.app import explorer_app
    from intarsia.explorer.serve import bound, configured

    out = tmp_path_factory.mktemp("made")
    opened = library([runs])
    listening = bound("127.0.0.1", 0)
    server = uvicorn.Server(configured(explorer_app(opened, out=out)))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Site(listening.getsockname()[1], out, opened)
    server.should_exit = True
    thread.join(10)
