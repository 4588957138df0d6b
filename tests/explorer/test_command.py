"""``intarsia explore``: the port, the export, and what is said when it cannot be."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from intarsia import Samples
from intarsia.errors import IntarsiaError
from intarsia.explorer.library import Library, library
from intarsia.explorer.pack import unpack
from intarsia.explorer.serve import bound
from tests.cli.command import in_this_process
from tests.explorer.conftest import Site


def test_a_port_in_use_is_said_to_be(capsys: pytest.CaptureFixture[str], runs: Path) -> None:
    pytest.importorskip("fastapi")
    with bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        outcome = in_this_process(capsys, ["explore", str(runs), "--port", str(port)])
    assert outcome.code == 1
    assert f"Port {port} of 127.0.0.1 is in use" in outcome.err and "--port 0" in outcome.err


def test_without_a_port_another_is_taken_where_the_usual_one_is_in_use() -> None:
    with bound("127.0.0.1", None) as first, bound("127.0.0.1", None) as second:
        assert first.getsockname()[1] != second.getsockname()[1]


def test_it_listens_on_this_machine_alone_unless_told_otherwise(site: Site) -> None:
    with bound("127.0.0.1", 0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
    with pytest.raises(OSError), socket.socket(socket.AF_INET6) as other:  # not on ::1 either
        other.settimeout(1)
        other.connect(("::1", site.port))


@pytest.mark.parametrize("host", ["256.1.1.1", "nobody.invalid"])
def test_a_host_that_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(IntarsiaError, match="no address"):
        bound(host, 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "is not a folder"),
        (["--export", "site"], "Name the runs to export"),
        (["--port", "70000"], "65535"),
        (["--data", "no-such-data"], "no-such-data"),
    ],
)
def test_wrong_use_is_explained(
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = in_this_process(capsys, ["explore", *words])
    assert outcome.code == 2 and said in outcome.err and "Traceback" not in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_an_export_holds_the_answers_of_the_server(
    capsys: pytest.CaptureFixture[str], runs: Path, shelf: Library, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    outcome = in_this_process(capsys, ["explore", str(runs), "--export", str(out), "--json"])
    assert outcome.code == 0, outcome.err
    found = [path for path in out.rglob("*") if path.is_file()]
    assert outcome.report == {
        "folder": str(out),
        "runs": ["full", "near", "plain", "scores"],
        "files": len(found),
        "bytes": sum(path.stat().st_size for path in found),
    }
    assert (out / "data/near/3/sample.bin").read_bytes() == shelf.block("near", 3, "sample")
    assert (out / "data/scores/1/steps.bin").read_bytes() == shelf.block("scores", 1, "steps")
    assert (out / "data/near/sheet-0.png").read_bytes() == shelf.sheet("near", 0)
    assert json.loads((out / "data/near/run.json").read_text()) == json.loads(
        json.dumps(shelf.summary("near"))
    )
    assert json.loads((out / "data/index.json").read_text())["live"] is False
    meta, pools = unpack((out / "data/near/0/pools.bin").read_bytes())
    assert pools["count"].max() <= meta["trimmed"]
    near = unpack((out / "data/near/0/pool-sources.bin").read_bytes())[1]
    assert set(pools["image"]) == set(near["number"])
    again = in_this_process(capsys, ["explore", str(runs), "--export", str(out)])
    assert again.code == 0, "an earlier export is replaced"


def test_an_export_leaves_a_folder_of_something_else_alone(
    capsys: pytest.CaptureFixture[str], runs: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    outcome = in_this_process(capsys, ["explore", str(runs), "--export", str(tmp_path)])
    assert outcome.code == 2 and "is not empty" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_notebook_gets_one_page_that_loads_nothing(runs: Path) -> None:
    inline = Samples.load(runs / "near").explore(limit=2)
    page = inline.page
    assert "import {" not in page and "src=" not in page.split("<script")[0]
    for outside in ("http://", "https://"):
        assert outside not in page.replace("http://www.w3.org/2000/svg", "")
    assert inline._repr_html_().startswith("<iframe")
    assert 'sandbox="allow-scripts"' in inline._repr_html_()


def test_a_run_is_shown_once_under_a_name_of_its_own(runs: Path, tmp_path: Path) -> None:
    import shutil

    for place in ("a", "b"):
        shutil.copytree(runs / "plain", tmp_path / place / "Same Name!")
    opened = library([tmp_path, tmp_path / "a"])
    assert [entry["id"] for entry in opened.titles()] == ["same-name", "same-name-2"]
