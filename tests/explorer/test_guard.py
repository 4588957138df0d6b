"""What the server refuses: other hosts' pages, paths out of the runs, what is large or slow."""

from __future__ import annotations

import asyncio
import shutil
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from intarsia.errors import DataError, UsageError
from intarsia.explorer.discover import discover, file_of
from tests.explorer.conftest import Site

pytest.importorskip("fastapi")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.1:{port}", "[::1]:{port}"])
def test_its_own_names_are_answered(host: str, site: Site) -> None:
    assert site.ask("/", host=host.format(port=site.port)).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "192.168.1.5", "", "[::",
     "localhost.evil.example:{port}"],
)  # fmt: skip
def test_other_names_are_refused(host: str, site: Site) -> None:
    """A page of evil.example may have its name point here (DNS rebinding): Host gives it away."""
    for path in ("/", "/data/index.json", "/data/near/run.json"):
        assert site.ask(path, host=host.format(port=site.port)).status == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1", "http://localhost:1"]
)
def test_pages_of_other_origins_are_refused(origin: str, site: Site) -> None:
    assert site.ask("/data/index.json", origin=origin).status == 403
    wish = b'{"data": "digits"}'
    kind = "application/json"
    answer = site.ask("/api/jobs", "POST", wish, origin=origin, content_type=kind)
    assert answer.status == 403
    assert site.ask("/api/jobs/1", "DELETE", origin=origin).status == 403


def test_its_own_origin_is_answered(site: Site) -> None:
    assert site.ask("/data/index.json", origin=site.url.rstrip("/")).status == 200


def test_what_another_site_embeds_is_refused_but_a_link_to_the_page_works(site: Site) -> None:
    embed = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}
    assert site.ask("/data/near/sheet-0.png", **embed).status == 403
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert site.ask("/", **link).status == 200


def test_a_form_of_another_page_starts_nothing(site: Site) -> None:
    """Without Origin (an old browser), a form can only send these three types."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = site.ask("/api/jobs", "POST", b'{"data": "digits"}', content_type=kind)
        assert answer.status == 422
        answer = site.ask("/api/attribute?data=digits", "POST", b"x", content_type=kind)
        assert answer.status in (415, 501)


SECRET = "config.yaml"
CLIMBS = (
    "../{}", "..%2f{}", "%2e%2e/{}", "%2e%2e%2f{}", "..%252f{}", "....//{}", "..\\{}", "..%5c{}",
    "/etc/passwd", "%2fetc%2fpasswd", "..;/{}", "..%00/{}", "..%c0%af{}", "%ff%fe", ".%2e/{}",
)  # fmt: skip


@pytest.mark.parametrize("climb", CLIMBS)
def test_no_path_leads_out_of_the_runs(climb: str, site: Site) -> None:
    for levels in (1, 2, 5):
        up = climb.format("/".join([".."] * (levels - 1) + [SECRET]) if "{}" in climb else "")
        for before in ("/", "/page/", "/data/", "/data/near/", "/data/near/0/", "/api/jobs/"):
            answer = site.ask(before + up)
            assert answer.status in (400, 404, 405, 422), (before + up, answer.status)
            assert b"root:" not in answer.body and b"fingerprint" not in answer.body


@pytest.mark.parametrize(
    "path",
    ["/data/near/config.yaml", "/data/near/samples.npz", "/data/near/0/secret.bin",
     "/data/near/0/sample.npz", "/data/near/sheet-x.png", "/data/near/-1/sample.bin",
     "/page/__init__.py", "/page/../app.py", "/openapi", "/docs", "/data/near/6/sample.bin",
     "/data/nobody/run.json", "/data/near/sheet-1.png", "/data/plain/0/pools.bin"],
)  # fmt: skip
def test_only_the_addresses_there_are_exist(path: str, site: Site) -> None:
    assert site.ask(path).status in (404, 422)


def test_a_link_inside_a_run_that_leads_out_is_not_read(runs: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shutil.copytree(runs / "near", outside)
    run = tmp_path / "shown" / "run"
    shutil.copytree(runs / "near", run)
    (run / "sources.npz").unlink()
    (run / "sources.npz").symlink_to(outside / "sources.npz")
    with pytest.raises(DataError, match="leads out"):
        file_of(run, "sources.npz")
    (tmp_path / "shown" / "linked").symlink_to(outside)
    assert list(discover([tmp_path / "shown"])) == ["run"], "a linked run outside is not shown"
    assert list(discover([tmp_path / "shown" / "linked"])) == ["outside"], "unless it is named"


def test_a_damaged_run_is_an_answer_and_not_a_fault_of_the_server(
    runs: Path, tmp_path: Path
) -> None:
    from intarsia.explorer.library import library

    for name, damage in (("pools.npz", b"no archive"), ("sources.npz", b"PK\x03\x04")):
        run = tmp_path / name.split(".")[0]
        shutil.copytree(runs / "near", run)
        (run / name).write_bytes(damage)
        opened = library([run])
        kind = "pools" if name == "pools.npz" else "sample"
        with pytest.raises(DataError, match="damaged"):
            opened.block(run.name, 0, kind)
    with pytest.raises(UsageError, match="holds no finished run"):
        library([Path(__file__).parent])


def test_what_is_too_large_is_refused_before_it_is_read(site: Site) -> None:
    from intarsia.explorer.attributing import MOST_BYTES

    head = f"POST /api/attribute?data=digits HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
    kind = "Content-Type: image/png\r\n"
    with socket.create_connection(("127.0.0.1", site.port), 10) as one:
        one.sendall(f"{head}{kind}Content-Length: {MOST_BYTES + 1}\r\n\r\n".encode())
        assert b" 413 " in one.recv(1000)
    with socket.create_connection(("127.0.0.1", site.port), 20) as one:  # of unknown length
        one.sendall(f"{head}{kind}Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
        try:
            for _ in range(12):
                one.sendall(chunk)
            answer = one.recv(1000)
        except (BrokenPipeError, ConnectionResetError):
            answer = b" 413 "  # it hung up
        assert b" 413 " in answer or b" 501 " in answer


def test_a_request_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from intarsia.explorer import guard

    monkeypatch.setattr(guard, "SECONDS", 0.05)

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(30)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": "GET", "headers": [(b"host", b"127.0.0.1")]}
    asyncio.run(guard.Guard(slow, "127.0.0.1", 10)(scope, receive, send))
    assert sent[0]["status"] == 503


def test_every_answer_forbids_scripts_from_elsewhere(site: Site) -> None:
    for path in ("/", "/page/app.js", "/data/index.json", "/nothing"):
        headers = site.ask(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy
        assert "unsafe" not in policy and headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("text", ["9" * 400, "1," * 300 + "1", "", "a", "1,,2", "-1"])
def test_numbers_of_training_pictures_are_checked(text: str, site: Site) -> None:
    assert site.ask(f"/data/near/training.bin?numbers={quote(text)}").status == 422


def test_training_pictures_outside_the_corpus_are_left_out(site: Site) -> None:
    from intarsia.explorer.pack import unpack

    _, block = unpack(site.ask("/data/near/training.bin?numbers=3,999999999").body)
    assert block["number"].tolist() == [3]
    assert block["pixels"].dtype == np.uint8
