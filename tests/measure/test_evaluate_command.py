"""The command: one JSON object, one table, and errors that write nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from intarsia import Corpus, NonparametricSampler, Samples
from intarsia.cli.common import run_app
from intarsia.cli.evaluate import evaluate_command
from intarsia.measure import Features
from tests.cli.command import Outcome, contents

app = typer.Typer()
app.command("evaluate")(evaluate_command)


@app.callback()
def _root() -> None:
    pass


Command = Callable[..., Outcome]


@pytest.fixture
def evaluate(capsys: Any) -> Command:
    def run(*words: str | Path) -> Outcome:
        arguments: list[str] = []
        for word in words:
            arguments += [str(word)] if isinstance(word, Path) else word.split()
        capsys.readouterr()
        code = run_app(app, ["evaluate", *arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def folders(run: Path, samples: Samples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that are whole, small, of another corpus, without sources, without labels."""
    folder = tmp_path_factory.mktemp("many")
    shutil.copytree(run, folder / "whole")
    samples[:66].save(folder / "66")
    samples[:8].save(folder / "8")
    shutil.copytree(run, folder / "sourceless")
    (folder / "sourceless" / "sources.npz").unlink()
    other = Corpus.open("digits", limit=500)
    NonparametricSampler(other).sample(4, seed=0).save(folder / "other")
    np.savez(folder / "unlabelled.npz", images=np.array(Corpus.open("digits").images[:200]))
    (folder / "junk.safetensors").write_bytes(b"junk")
    return folder


def test_json_is_one_object_in_which_every_result_names_what_it_saw(
    evaluate: Command, folders: Path, features: Features, digits: Corpus
) -> None:
    before = contents(folders)
    done = evaluate(
        folders / "whole",
        folders / "66",
        "--reference digits --metrics fid,kid,is,precision,recall,entropy,nearest --json",
    )
    assert done.code == 0, done.err
    assert contents(folders) == before
    report = done.report
    assert set(report) == {"features", "reference", "runs"}
    assert report["features"]["fingerprint"] == features.card.fingerprint
    assert report["reference"] == {
        "data": "digits",
        "split": "train",
        "fingerprint": digits.fingerprint,
        "images": 1797,
    }
    assert [run["images"] for run in report["runs"]] == [80, 66]
    for run in report["runs"]:
        assert run["corpus"]["fingerprint"] == digits.fingerprint
        for name in ("fid", "kid", "is", "precision", "recall"):
            result = run["metrics"][name]
            assert result["features"] == report["features"]
            assert result["images"] == run["images"]
            assert (result["reference"] is None) == (name == "is")
        assert run["metrics"]["fid"]["reference"] == report["reference"]
        assert run["metrics"]["nearest"]["reference"] == report["reference"]
        assert run["metrics"]["entropy"]["image_map"] > 0
        assert "class_map" in run["metrics"]["entropy"]
        assert "fewer than 2,048" in " ".join(run["warnings"])
    json.dumps(report, allow_nan=False)


def test_limit_cuts_the_reference_and_not_what_the_features_learn_from(
    evaluate: Command, folders: Path, features: Features
) -> None:
    done = evaluate(folders / "whole", "--reference digits --limit 200 --metrics fid --json")
    assert done.report["reference"]["images"] == 200
    assert done.report["features"]["fingerprint"] == features.card.fingerprint


def test_table_has_a_row_a_run_and_stays_off_standard_output(
    evaluate: Command, folders: Path
) -> None:
    done = evaluate(
        folders / "whole", folders / "66", "--reference digits --metrics fid,is,nearest"
    )
    assert done.code == 0
    assert done.out == ""
    for words in ("whole", "66", "fid", "PSNR", "features", "% right", "reference", "warning"):
        assert words in done.err, words


def test_entropies_need_no_reference(evaluate: Command, folders: Path, samples: Samples) -> None:
    from intarsia.provenance import map_entropies, top_share

    done = evaluate(folders / "whole", "--json")
    assert done.code == 0
    assert done.report["features"] is None and done.report["reference"] is None
    result = done.report["runs"][0]["metrics"]["entropy"]
    direct = map_entropies(samples.sources)
    assert result["class_map"] == pytest.approx(direct.class_map)
    assert result["image_map"] == pytest.approx(direct.image_map)
    assert result["class_map_drawn"] is None  # every window touches the seed
    assert result["top_source_share"] == pytest.approx(np.nanmean(top_share(samples.sources)))


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("sourceless", 1, "sources.npz is missing"),
        ("nowhere", 1, "does not exist, so this is not a run folder"),
        ("whole other --reference digits", 2, "Runs of different corpora"),
        ("8 --reference digits --metrics fid", 2, "fid with 64 features needs at least 65 samples"),
        ("8 --reference digits --metrics is", 2, "is needs at least 10 samples, and 8 has 8"),
        ("66 --reference digits --limit 30 --metrics fid", 2, "a reference of at least 65"),
        ("whole --metrics fid,nearest", 2, "fid, nearest compare with a reference"),
        ("whole --metrics is", 2, "need the training split"),
        ("whole --reference unlabelled.npz --metrics is", 2, "has none. Use --features inception"),
        ("whole --metrics entropy,beauty", 2, "There is no metric 'beauty'; choose from fid"),
        ("whole --metrics ,", 2, "No metric was named"),
        ("whole --features vgg", 2, "no features 'vgg'"),
        ("whole --reference digits --resize 16", 2, "8x8x1, and the pictures .* are 16x16x1"),
        ("whole --reference digits --split validation", 2, "no split 'validation'"),
        (
            "whole --reference digits --metrics fid --weights junk.safetensors",
            1,
            "junk.safetensors is damaged",
        ),
        (
            "whole --reference digits --metrics is --features inception --weights junk.safetensors",
            1,
            "junk.safetensors is damaged",
        ),
    ],
)
def test_mistakes_end_in_one_line_and_write_nothing(
    evaluate: Command,
    folders: Path,
    cache: Path,
    features: Features,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    code: int,
    message: str,
) -> None:
    import re

    monkeypatch.chdir(folders)
    # Decoding fills the cache of corpora; nothing else may appear.
    weights = cache / "classifiers"
    before = contents(folders), contents(weights)
    done = evaluate(words)
    assert done.code == code, done.err
    assert done.out == ""
    lines = [line for line in done.err.splitlines() if line.startswith("intarsia: ")]
    assert len(lines) == 1 and "Traceback" not in done.err
    assert re.search(message, lines[0]), lines[0]
    assert (contents(folders), contents(weights)) == before
