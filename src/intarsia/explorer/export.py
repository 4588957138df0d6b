"""The page without a server: as a folder of files, or as one HTML file with everything inside."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from intarsia.errors import IntarsiaError, UsageError
from intarsia.explorer import sample, summary
from intarsia.explorer.library import Library
from intarsia.explorer.page_files import SCRIPTS, page_files
from intarsia.explorer.run import Shown
from intarsia.files import make_folder, write_bytes

EXPORTED = 100
"""Samples of a run that are exported: the first."""


def export_static(library: Library, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Write the page and the data of all runs as files to put on any web server.

    Parameters
    ----------
    library : the runs.
    folder : new, empty, or an earlier export, whose files are replaced.
    say : called with a line a run.

    Returns
    -------
    dict
        ``folder``, ``runs``, ``files`` and ``bytes``, as ``--json`` prints them.

    Raises
    ------
    UsageError
        If the folder holds something else.
    IntarsiaError
        If a file cannot be written; none is half-written.
    """
    if folder.exists() and not _may_replace(folder):
        raise UsageError(
            f"{folder} is not empty and not an earlier export. Choose another folder; nothing was "
            "changed."
        )
    titles = library.titles()
    files = bytes_ = 0

    def write(name: str, data: bytes) -> None:
        nonlocal files, bytes_
        path = folder / name
        make_folder(path.parent)
        write_bytes(path, data)
        files, bytes_ = files + 1, bytes_ + len(data)

    for number, entry in enumerate(titles, 1):
        say(f"run {number} of {len(titles)}: {entry['title']}")
        for name, data in run_files(library.run(entry["id"])):
            write(name, data)
    write("data/index.json", index_json(titles))
    for name, data in page_files().items():
        write(name, data)
    runs = [entry["id"] for entry in titles]
    return {"folder": str(folder), "runs": runs, "files": files, "bytes": bytes_}


def run_files(run: Shown, most: int = EXPORTED) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a run: its first ``most`` samples, and their nearest candidates."""
    n = min(len(run), most)
    yield f"data/{run.id}/run.json", _json(summary.summary(run, most))
    yield f"data/{run.id}/uses.bin", summary.uses(run, most)
    for page in range(-(-n // summary.PAGE)):
        yield f"data/{run.id}/sheet-{page}.png", summary.sheet(run, page, most)
    for index in range(n):
        folder = f"data/{run.id}/{index}"
        yield f"{folder}/sample.bin", sample.sample_block(run, index)
        if run.corpus is not None:
            yield f"{folder}/sources.bin", sample.sources_block(run, index)
        if run.has["pools"]:
            yield f"{folder}/pools.bin", sample.pools_block(run, index, sample.TRIMMED)
            if run.corpus is not None:
                nearest = sample.pool_sources_block(run, index, sample.TRIMMED)
                yield f"{folder}/pool-sources.bin", nearest
        if run.has["steps"]:
            yield f"{folder}/steps.bin", sample.steps_block(run, index)


def index_json(titles: list[dict[str, str]]) -> bytes:
    """Return data/index.json of a page that can start nothing."""
    return _json({"live": False, "runs": titles})


def single_page(run: Shown, most: int) -> str:
    """Write one HTML file that holds the page and the first ``most`` samples of a run."""
    data = dict(run_files(run, most))
    data["data/index.json"] = index_json([{"id": run.id, "title": run.title}])
    embedded = {name: base64.b64encode(content).decode("ascii") for name, content in data.items()}
    files = {name: content.decode("utf-8") for name, content in page_files().items()}
    style = f"<style>\n{files['page/theme.css']}{files['page/explorer.css']}</style>"
    script = (
        f'<script type="application/json" id="embedded">{json.dumps(embedded)}</script>\n'
        f'<script type="module">\n{_joined(files)}</script>\n'
    )
    page = re.sub(r'<link rel="(icon|stylesheet|modulepreload)"[^>]*>\n', "", files["index.html"])
    page = re.sub(r'<script type="module"[^>]*></script>\n', "", page)
    return page.replace("</head>", f"{style}\n</head>").replace("</body>", f"{script}</body>")


def _joined(files: dict[str, str]) -> str:
    """Join the modules into one; no two of them have a name in common."""
    whole = "\n".join(files[f"page/{name}"] for name in SCRIPTS)
    whole = re.sub(r"^import [^;]*;\n", "", whole, flags=re.MULTILINE)
    return re.sub(r"^export ", "", whole, flags=re.MULTILINE)


def _may_replace(folder: Path) -> bool:
    if not folder.is_dir():
        raise IntarsiaError(f"{folder} is a file. Choose another folder.")
    return not any(folder.iterdir()) or (folder / "data" / "index.json").is_file()


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode("utf-8")
