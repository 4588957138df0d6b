"""``intarsia attribute`` and ``intarsia audit`` on whatever a person may hand them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from intarsia.corpus import Corpus
from intarsia.files import png_bytes
from tests.cli.conftest import Command

MNIST = "--data mnist --limit 300"
AUDIT = f"{MNIST} --calibrate 99"


@pytest.fixture(scope="module")
def digit() -> np.ndarray:
    """A digit that the corpus does not hold, [28, 28]."""
    return np.array(Corpus.open("mnist", split="test", limit=1)[0][..., 0])


def write(path: Path, kind: str, digit: np.ndarray) -> Path:
    """Write the digit as one of the things that people have."""
    picture = Image.fromarray(digit)
    colour = Image.fromarray(np.stack([digit, digit // 2, digit // 3], axis=-1))
    if kind == "no picture":
        path.write_text("a shopping list")
    elif kind == "zero bytes":
        path.write_bytes(b"")
    elif kind == "animated":
        path = path.with_suffix(".gif")
        picture.save(path, save_all=True, append_images=[picture.rotate(90)])
    elif kind == "16-bit":
        Image.fromarray(digit.astype(np.uint16) * 257).save(path)
    elif kind == "16-bit with more than 8":
        Image.fromarray(digit.astype(np.uint16) * 256 + 7).save(path)
    elif kind == "CMYK":
        path = path.with_suffix(".jpg")
        colour.convert("CMYK").save(path)
    elif kind == "opaque alpha":
        Image.merge("LA", [picture, Image.new("L", picture.size, 255)]).save(path)
    elif kind == "see-through alpha":
        Image.merge("LA", [picture, Image.new("L", picture.size, 99)]).save(path)
    elif kind == "colour":
        colour.save(path)
    elif kind == "grey as colour":
        picture.convert("RGB").save(path)
    elif kind == "1x1":
        Image.new("L", (1, 1)).save(path)
    elif kind == "20,000x20,000":
        Image.new("1", (20_000, 20_000)).save(path)
    else:
        picture.save(path)
    return path


REFUSED = {
    "no picture": "none of png",
    "zero bytes": "",
    "animated": "2 frames",
    "16-bit with more than 8": "8 bits",
    "CMYK": "",
    "see-through alpha": "transparent",
    "colour": "colour",
    "1x1": "1x1",
    "20,000x20,000": "pixels, the most that is read",
}
"""What is refused, and a word of the reason."""


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("command", ["attribute", "audit"])
def test_what_cannot_be_taken_is_refused_in_a_line(
    command: str, kind: str, intarsia: Command, digit: np.ndarray, tmp_path: Path
) -> None:
    path = write(tmp_path / "it.png", kind, digit)
    more = AUDIT if command == "audit" else MNIST
    outcome = intarsia(f"{command} {path.name} {more} --out new --json")
    assert outcome.code in (1, 2), outcome
    assert path.stem in outcome.err and REFUSED[kind] in outcome.err.lower(), outcome.err
    assert "Traceback" not in outcome.err and outcome.out == ""
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("kind", "words"), [
    ("16-bit", "16"), ("opaque alpha", "alpha"), ("grey as colour", "grey"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["attribute", "audit"])
def test_what_loses_nothing_is_converted_and_said(
    command: str, kind: str, words: str, intarsia: Command, digit: np.ndarray, tmp_path: Path
) -> None:
    write(tmp_path / "it.png", kind, digit)
    more = AUDIT if command == "audit" else MNIST
    outcome = intarsia(f"{command} it.png {more} --json")
    assert outcome.code == 0, outcome.err
    said = outcome.report["notes"] if command == "audit" else outcome.report["pictures"][0]["notes"]
    assert any(words in note for note in said), said


def test_a_picture_smaller_than_the_window_and_an_empty_folder(
    intarsia: Command, digit: np.ndarray, tmp_path: Path
) -> None:
    Image.fromarray(digit[:5, :5]).save(tmp_path / "small.png")
    outcome = intarsia(f"attribute small.png {MNIST} --window 7")
    assert outcome.code == 2 and "5x5" in outcome.err and "7" in outcome.err
    (tmp_path / "empty").mkdir()
    outcome = intarsia(f"audit empty {AUDIT}")
    assert outcome.code != 0 and "no pictures in this folder" in outcome.err


@pytest.fixture(scope="module")
def planted() -> np.ndarray:
    """Six copies, then three digits that are none, [9, 28, 28]."""
    known, unseen = Corpus.open("mnist", limit=300), Corpus.open("mnist", split="test", limit=3)
    assert known.images is not None and unseen.images is not None
    return np.concatenate([known.images[:6], unseen.images])[..., 0]


KEYS = {
    "rate", "rate_interval", "rate_by_psnr", "false_discovery_rate", "held_out", "corpus",
    "least_copies", "notes", "samples",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["folder", "npz", "parquet"])
def test_sets_of_samples_are_read_and_copies_named(
    kind: str, intarsia: Command, planted: np.ndarray, tmp_path: Path
) -> None:
    if kind == "folder":
        (tmp_path / "set").mkdir()
        for number, picture in enumerate(planted):
            Image.fromarray(picture).save(tmp_path / "set" / f"{number}.png")
    elif kind == "npz":
        np.savez(tmp_path / "set.npz", images=planted)
    else:
        cells = [{"bytes": png_bytes(picture), "path": ""} for picture in planted]
        pq.write_table(pa.table({"image": cells}), tmp_path / "set.parquet")
    name = "set" if kind == "folder" else f"set.{kind}"
    outcome = intarsia(f"audit {name} {AUDIT} --out report --json")
    assert outcome.code == 0, outcome.err
    report = outcome.report
    assert set(report) == KEYS
    assert report["rate"] == pytest.approx(6 / 9) and report["rate_by_psnr"] >= 6 / 9
    low, high = report["rate_interval"]
    assert 0 < low < 6 / 9 < high < 1
    for number, one in enumerate(report["samples"][:6]):
        assert one["source_image"] == number and one["p_value"] == pytest.approx(0.01)
        assert one["copied_fraction"] > 0.9 and one["psnr"] == 100
        assert one["name"] == (f"{number}.png" if kind == "folder" else f"{name}[{number}]")
    assert {"report.html", "cases.png", "audit.json"} <= {
        path.name for path in (tmp_path / "report").iterdir()
    }


def test_a_pipeline_is_stopped_above_a_rate(
    intarsia: Command, planted: np.ndarray, tmp_path: Path
) -> None:
    np.savez(tmp_path / "set.npz", images=planted)
    assert intarsia(f"audit set.npz {AUDIT} --fail-above 0.5").code == 3
    assert intarsia(f"audit set.npz {AUDIT} --fail-above 0.7").code == 0
    assert intarsia(f"audit set.npz {AUDIT} --fail-above 2").code == 2


def test_without_genuine_pictures_it_says_so_and_stops(
    intarsia: Command, planted: np.ndarray, tmp_path: Path
) -> None:
    np.savez(tmp_path / "set.npz", images=planted)
    known = Corpus.open("mnist", limit=60).images
    assert known is not None
    np.savez(tmp_path / "own.npz", images=known[..., 0])
    outcome = intarsia("audit set.npz --data own.npz --calibrate 19 --json")
    assert outcome.code == 2 and "--holdout" in outcome.err and outcome.out == ""
    unseen = Corpus.open("mnist", split="test", limit=60).images
    assert unseen is not None
    np.savez(tmp_path / "unseen.npz", images=unseen[3:, ..., 0])
    outcome = intarsia("audit set.npz --data own.npz --holdout unseen.npz --calibrate 40 --json")
    assert outcome.code == 0 and outcome.report["held_out"], outcome.err


def test_auditing_an_own_run_says_nothing_of_its_other_arrays(
    intarsia: Command, tmp_path: Path
) -> None:
    drawn = intarsia(f"generate nps {MNIST} --n 2 --principles NS+L --out run")
    assert drawn.code == 0, drawn.err
    report = intarsia(f"audit run {AUDIT} --json").report
    assert len(report["samples"]) == 2
    assert not any("ignored" in note for note in report["notes"]), report["notes"]
