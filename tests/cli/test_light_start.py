"""Help and import are quick because they load nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.command import environment

HEAVY = {
    "torch",
    "numba",
    "matplotlib",
    "sklearn",
    "scipy",
    "pyarrow",
    "datasets",
    "huggingface_hub",
    "pandas",
    "skimage",
    "imageio",
    "PIL",
}

LOADED = "import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
COMMAND = """
from intarsia.cli.app import app
from intarsia.cli.common import run_app
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as out:
    assert run_app(app, {arguments}) == 0
assert {word!r} in out.getvalue()
"""


@pytest.mark.parametrize(
    "code",
    [
        "import intarsia",
        COMMAND.format(arguments=["--help"], word="generate"),
        COMMAND.format(arguments=["--version"], word="intarsia"),
        COMMAND.format(arguments=["generate", "--help"], word="--principles"),
        COMMAND.format(arguments=["data", "--help"], word="prepare"),
    ],
    ids=["import", "help", "version", "generate help", "data help"],
)
def test_nothing_heavy_is_loaded_by(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code + "\n" + LOADED],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    assert HEAVY & set(json.loads(done.stdout)) == set()


def test_every_name_that_intarsia_exports_is_there() -> None:
    import intarsia

    for name in intarsia.__all__:
        assert getattr(intarsia, name) is not None
