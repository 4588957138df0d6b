"""Wrong use ends in one line that names the value and the fix, and changes nothing on disk."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intarsia.errors import UsageError
from tests.cli.command import Outcome, contents, in_own_process, in_this_process
from tests.cli.conftest import Command

SMALL_RUN = "generate nps --principles NS+L --limit 40 --n 2"


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything one may hand to the command by mistake."""
    kit = tmp_path_factory.mktemp("kit")
    rng = np.random.default_rng(0)

    def picture(name: str, *shape: int) -> None:
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(kit / name)

    def mask(name: str, height: int, width: int, value: int, hole: slice = slice(0, 0)) -> None:
        plane = np.full((height, width), value, np.uint8)
        plane[hole, hole] = 255
        Image.fromarray(plane).save(kit / name)

    picture("grey.png", 12, 12)
    picture("other.png", 10, 14)
    picture("colour.png", 12, 12, 3)
    mask("mask.png", 12, 12, 0, slice(4, 7))
    mask("no-hole.png", 12, 12, 0)
    mask("all-hole.png", 12, 12, 255)
    mask("small-mask.png", 5, 6, 0, slice(1, 2))
    (kit / "text.png").write_text("hello")
    (kit / "truncated.png").write_bytes((kit / "colour.png").read_bytes()[:200])
    (kit / "a-file").write_text("hello")
    for name in ("text.onnx", "text.safetensors", "text.pt", "text.pth"):
        (kit / name).write_text("hello")
    for folder, names in {"mixed": ("grey.png", "other.png"), "lone": ("grey.png",)}.items():
        (kit / folder).mkdir()
        for name in names:
            shutil.copy(kit / name, kit / folder)
    (kit / "letters").mkdir()
    (kit / "letters" / "letter.txt").write_text("hello")
    (kit / "empty").mkdir()
    labelled = rng.integers(0, 256, (3, 12, 12), dtype=np.uint8)
    np.savez(kit / "unlabelled.npz", images=labelled)
    np.savez(kit / "lonely-class.npz", images=labelled, labels=np.array([0, 0, 1]))

    made = in_own_process([*SMALL_RUN.split(), "--out", "run"], cwd=kit)
    assert made.code == 0, made.err
    shutil.copytree(kit / "run", kit / "unfinished")
    (kit / "unfinished" / "metrics.json").unlink()
    (kit / "unfinished" / "partial").mkdir()
    config = (kit / "run" / "config.yaml").read_text()
    fingerprint = next(line.split()[1] for line in config.splitlines() if "fingerprint" in line)
    for name, text in {
        "no-yaml": "settings: [",
        "bytes": "\0\1",
        "empty": "",
        "no-format": "settings: {}\n",
        "future": "format: 99\nintarsia: 9.9\n",
        "other-corpus": config.replace(fingerprint, "ab" * 32),
        "unknown-setting": config.replace("settings:\n", "settings:\n  colour: blue\n"),
        "wrong-setting": config.replace("window: 5", "window: 4"),
        "no-number": config.replace("  n: 2\n", "  n: two\n"),
        "no-model": config.replace("  model: nps\n", ""),
    }.items():
        (kit / f"{name}.yaml").write_text(text)
    return kit


# What is typed -> exit code, and what the line must say: the value or name, and the way out.
# Everything is run in the folder above, with --out new unless it says otherwise.
TABLE: dict[str, tuple[str, int, list[str]]] = {
    "no model": ("generate", 2, ["nps"]),
    "unknown model": ("generate nsp", 2, ["'nsp'", "nps, efros-leung", "Did you mean nps"]),
    "unknown command": ("genrate nps", 2, ["'genrate'", "intarsia --help"]),
    "unknown option": ("generate nps --colour 3", 2, ["--colour", "generate --help"]),
    "an option without its value": ("generate nps --window", 2, ["--window", "--help"]),
    "two models": ("generate nps efros-leung", 2, ["efros-leung", "generate --help"]),
    "no picture": ("texture", 2, ["IMAGE", "texture --help"]),
    "no data set": ("data info", 2, ["DATA", "data info --help"]),
    # Numbers.
    "even window": ("generate nps --window 4", 2, ["--window is 4", "odd", "Try 5"]),
    "window 0": ("generate nps --window 0", 2, ["--window is 0", "odd"]),
    "negative window": ("generate nps --window -3", 2, ["--window is -3", "odd"]),
    "window larger than the image": (
        "generate nps --window 9",
        2,
        ["--window is 9", "8 pixels", "smaller"],
    ),
    "window no number": ("generate nps --window five", 2, ["--window", "integer"]),
    "negative sigma": ("generate nps --sigma -1", 2, ["--sigma is -1", "positive"]),
    "sigma 0": ("generate nps --sigma 0", 2, ["--sigma is 0", "positive"]),
    "sigma not a number": ("generate nps --sigma nan", 2, ["--sigma is nan", "positive"]),
    "negative radius": ("generate nps --radius -1", 2, ["--radius is -1", "0 or more"]),
    "negative epsilon": ("generate nps --epsilon -0.1", 2, ["--epsilon is -0.1", "0 or more"]),
    "epsilon no number": ("generate nps --epsilon abc", 2, ["--epsilon is 'abc'", "number"]),
    "epsilon nan": ("generate nps --epsilon nan", 2, ["--epsilon is 'nan'", "number"]),
    "epsilon infinite": ("generate nps --epsilon inf", 2, ["--epsilon is 'inf'", "number"]),
    "epsilon too fine": ("generate nps --epsilon 0.1234567", 2, ["0.1234567", "6 decimals"]),
    "min pool 0": ("generate nps --min-pool 0", 2, ["--min-pool is 0", "at least 1"]),
    "keep 0": ("generate nps --keep 0", 2, ["--keep is 0", "at least 1"]),
    "refresh 0": ("generate nps --refresh 0", 2, ["--refresh is 0", "1 or more"]),
    "n 0": ("generate nps --n 0", 2, ["--n is 0", "at least 1"]),
    "negative n": ("generate nps --n -2", 2, ["--n is -2", "at least 1"]),
    "negative seed": ("generate nps --seed -1", 2, ["--seed is -1", "from 0 to 2^63 - 1"]),
    "seed too large": (f"generate nps --seed {2**63}", 2, [str(2**63), "from 0 to 2^63 - 1"]),
    "batch 0": ("generate nps --batch 0", 2, ["--batch is 0", "at least 1"]),
    "threads 0": ("generate nps --threads 0", 2, ["--threads is 0", "1"]),
    "negative threads": ("generate nps --threads -1", 2, ["--threads is -1", "1"]),
    # Words.
    "unknown principles": ("generate nps --principles X", 2, ["--principles is 'X'", "'NS+L+H'"]),
    "unknown condition": ("generate nps --condition x", 2, ["--condition is 'x'", "'class'"]),
    "unknown threshold": ("generate nps --threshold x", 2, ["--threshold is 'x'", "'cascade'"]),
    "unknown border": ("generate nps --border x", 2, ["--border is 'x'", "'wrap'"]),
    "pictures too small to train on": ("train encoder", 2, ["8x8", "--resize"]),
    "no epochs": ("train encoder --resize 24 --epochs 0", 2, ["--epochs is 0"]),
    "a batch of one": ("train encoder --resize 24 --batch 1", 2, ["--batch is 1"]),
    "a batch larger than the corpus": (
        "train encoder --resize 24 --limit 20 --batch 64",
        2,
        ["--batch is 64"],
    ),
    "no rate": ("train encoder --resize 24 --rate 0", 2, ["--rate is 0.0"]),
    "no temperature": ("train encoder --resize 24 --temperature 0", 2, ["--temperature"]),
    "fewer than no views": ("train encoder --resize 24 --views -1", 2, ["--views is -1"]),
    "one width": ("train encoder --resize 24 --widths 32", 2, ["'32'", "three numbers"]),
    "no atoms": ("train encoder --resize 24 --atoms 0", 2, ["--atoms is 0"]),
    "unknown precision": ("train encoder --resize 24 --precision half", 2, ["'half'", "auto"]),
    "training over a run": (
        "train encoder --resize 24 --limit 80 --batch 64 --out run",
        2,
        ["run", "--out"],
    ),
    "unknown encoder": ("generate nps --encoder clip", 2, ["'clip'", "lowres"]),
    "a missing encoder": ("generate nps --encoder x.onnx", 2, ["x.onnx", "no such file"]),
    "an encoder that is none": (
        "generate nps --encoder text.onnx",
        1,
        ["text.onnx", "damaged", "Export it again"],
    ),
    "damaged weights": (
        "generate nps --encoder text.safetensors",
        1,
        ["text.safetensors", "damaged", "Fetch it again"],
    ),
    "an encoder in a pickle": (
        "generate nps --encoder text.pth",
        2,
        ["text.pth", "run code", ".safetensors"],
    ),
    "TorchScript": ("generate nps --encoder text.pt", 2, ["text.pt", "--allow-torchscript"]),
    "TorchScript that is none": (
        "generate nps --encoder text.pt --allow-torchscript",
        1,
        ["text.pt", "no TorchScript", ".safetensors"],
    ),
    "a folder without an encoder": (
        "generate nps --encoder letters",
        2,
        ["letters", "config.json"],
    ),
    "an encoder of no name": ("generate nps --encoder timm:", 2, ["'timm:'", "timm:resnet18"]),
    "an unknown model of timm": (
        "generate nps --encoder timm:resnet19",
        2,
        ["'timm:resnet19'", "resnet18"],
    ),
    "weights that are not shipped": (
        "generate nps --encoder simclr",
        2,
        ["'digits'", "simclr-DATA"],
    ),
    "neighbourhoods larger than the picture": (
        "generate nps --encoder patch:pca",
        2,
        ["15x15", "8x8", "patch:lowres"],
    ),
    "unknown preset": ("generate nps --preset table-9", 2, ["'table-9'", "table-2"]),
    "class without H": (
        "generate nps --principles NS+L --condition class",
        2,
        ["--condition class", "NS+L", "NS+L+H"],
    ),
    # Training pictures.
    "unknown data set": ("generate nps --data mnits", 2, ["'mnits'", "did you mean 'mnist'"]),
    "a missing file": ("generate nps --data nowhere.npz", 2, ["nowhere.npz", "no such file"]),
    "unknown split": ("generate nps --split tset", 2, ["'tset'", "only train"]),
    "unknown class": ("generate nps --classes 3,77", 2, ["'77'", "did you mean '7'"]),
    "an empty list of classes": ("generate nps --classes ,", 2, ["','", "class"]),
    "classes without labels": (
        "generate nps --data unlabelled.npz --classes 1",
        2,
        ["unlabelled.npz", "no labels"],
    ),
    "unknown label": ("generate nps --label 77", 2, ["--label is 77", "0, 1, 2, 3, 4, 5"]),
    "label that was left out": (
        "generate nps --classes 3,4 --label 5",
        2,
        ["--label is 5", "3, 4"],
    ),
    "label without labels": (
        "generate nps --data unlabelled.npz --label 1",
        2,
        ["'unlabelled.npz'", "no labels", "--label"],
    ),
    "condition without labels": (
        "generate nps --data unlabelled.npz --condition class",
        2,
        ["'unlabelled.npz'", "no labels", "--condition"],
    ),
    "a class of one picture": (
        "generate nps --data lonely-class.npz --condition class",
        2,
        ["Class 1 has one picture", "--allow-seed-source"],
    ),
    "limit 0": ("generate nps --limit 0", 2, ["limit is 0", "1 or more"]),
    "negative limit": ("generate nps --limit -4", 2, ["limit is -4", "1 or more"]),
    "resize 0": ("generate nps --resize 0", 2, ["resize is 0", "1 to"]),
    "unknown fit": ("generate nps --resize 8 --fit x", 2, ["'x'", "resize, pad or crop"]),
    "one picture, its seed excluded": (
        "generate nps --data lone",
        2,
        ["one picture", "--allow-seed-source"],
    ),
    "limit 1, the seed's picture excluded": (
        "generate nps --limit 1",
        2,
        ["one picture", "--allow-seed-source"],
    ),
    "mixed sizes where one is needed": (
        "generate nps --data mixed",
        2,
        ["mixed", "10 to 12", "--resize"],
    ),
    "a folder without pictures": ("generate nps --data letters", 1, ["letter.txt", ".png"]),
    "an empty folder": ("generate nps --data empty", 1, ["empty", ".png"]),
    "a file of no known kind": ("generate nps --data a-file", 1, ["a-file", ".npz"]),
    "a picture that is none": ("generate nps --data text.png", 1, ["text.png", "PNG"]),
    # What to draw.
    "size with place": (
        "generate nps --size 16x16",
        2,
        ["--size 16x16", "8x8", "--principles L"],
    ),
    "size of letters": ("generate nps --size axb", 2, ["'axb'", "HxW"]),
    "size of three": ("generate nps --size 8x8x1", 2, ["'8x8x1'", "HxW"]),
    "size 0": ("generate nps --size 0x8", 2, ["0x8", "HxW"]),
    "seed outside": ("generate nps --seed-at 90,90", 2, ["90,90", "8x8", "4,4"]),
    "seed nowhere": ("generate nps --seed-at left", 2, ["'left'", "center, random or ROW,COL"]),
    "seed larger than the picture": ("generate nps --seed-size 20", 2, ["--seed-size is 20"]),
    "seed of 0": ("generate nps --seed-size 0", 2, ["--seed-size is 0", "at least 1"]),
    # The machine.
    "CUDA where there is none": ("generate nps --device cuda", 2, ["cuda", "--device cpu"]),
    "unknown device": ("generate nps --device tpu", 2, ["'tpu'", "cpu, cuda or mps"]),
    # The run.
    "another run in --out": (f"{SMALL_RUN} --seed 1 --out run", 2, ["run", "seed", "--out"]),
    "another run, --resume": (
        f"{SMALL_RUN} --window 3 --out run --resume",
        2,
        ["run", "window", "--out"],
    ),
    "a run over other pictures": (
        f"{SMALL_RUN} --limit 41 --out run --resume",
        2,
        ["run", "corpus", "--out"],
    ),
    "the same run without --resume": (f"{SMALL_RUN} --out run", 2, ["run", "--resume", "--out"]),
    "an unfinished run without --resume": (
        f"{SMALL_RUN} --out unfinished",
        2,
        ["unfinished", "--resume", "--out"],
    ),
    "other files in --out": (
        "generate nps --out letters",
        2,
        ["letters", "not a run", "--out"],
    ),
    "a file as --out": ("generate nps --out a-file", 2, ["a-file", "not a run", "--out"]),
    "--out inside a file": ("generate nps --out a-file/run", 1, ["a-file", "not a folder"]),
    "unknown movie": ("generate nps --movie=avi", 2, ["'avi'", "gif or mp4"]),
    "unknown movie, apart": ("generate nps --movie avi", 2, ["avi"]),
    # Configs.
    "a missing config": ("generate --config nowhere.yaml", 1, ["nowhere.yaml", "--out"]),
    "a config that is no YAML": ("generate --config no-yaml.yaml", 1, ["no-yaml.yaml", "YAML"]),
    "a config of bytes": ("generate --config bytes.yaml", 1, ["bytes.yaml", "YAML"]),
    "an empty config": ("generate --config empty.yaml", 1, ["empty.yaml", "format"]),
    "a config without a format": ("generate --config no-format.yaml", 1, ["'format'"]),
    "a config of another version": ("generate --config future.yaml", 1, ["99", "9.9"]),
    "a config of another corpus": (
        "generate --config other-corpus.yaml",
        1,
        ["'digits'", "abababababab", "--data"],
    ),
    "a config with an unknown setting": (
        "generate --config unknown-setting.yaml",
        2,
        ["'colour'"],
    ),
    "a config with a wrong setting": ("generate --config wrong-setting.yaml", 2, ["4", "odd"]),
    "a config whose n is no number": (
        "generate --config no-number.yaml",
        1,
        ["no-number.yaml", "n and seed"],
    ),
    "a config without a model": ("generate --config no-model.yaml", 1, ["no-model.yaml", "model"]),
    # Textures.
    "texture: a missing picture": ("texture nowhere.png", 2, ["nowhere.png", "no such file"]),
    "texture: a picture that is none": ("texture text.png", 1, ["text.png", "PNG"]),
    "texture: half a picture": ("texture truncated.png", 1, ["truncated.png"]),
    "texture: grey and colour": ("texture grey.png colour.png", 2, ["grey", "--grey"]),
    "texture: bad size": ("texture grey.png --size big", 2, ["--size is 'big'", "HxW"]),
    "texture: size smaller than the window": ("texture grey.png --size 5x5", 2, ["11", "5 pixels"]),
    "texture: window larger than the picture": (
        "texture grey.png --window 13",
        2,
        ["--window is 13", "12 pixels", "smaller"],
    ),
    "texture: even window": ("texture grey.png --window 4", 2, ["--window is 4", "Try 5"]),
    "texture: seed larger than the picture": (
        "texture grey.png --seed-size 13",
        2,
        ["13x13", "--seed-size"],
    ),
    "texture: n 0": ("texture grey.png --n 0", 2, ["--n is 0", "at least 1"]),
    # Holes.
    "inpaint: no mask": ("inpaint grey.png", 2, ["--mask", "--extend"]),
    "inpaint: a mask of another size": (
        "inpaint grey.png --mask small-mask.png",
        2,
        ["5x6", "12x12", "picture's size"],
    ),
    "inpaint: a mask without a hole": (
        "inpaint grey.png --mask no-hole.png",
        2,
        ["nothing to fill", "White"],
    ),
    "inpaint: a mask that is all hole": (
        "inpaint grey.png --mask all-hole.png",
        2,
        ["whole picture", "White"],
    ),
    "inpaint: a missing mask": ("inpaint grey.png --mask nowhere.png", 2, ["nowhere.png"]),
    "inpaint: a mask that is no picture": ("inpaint grey.png --mask text.png", 1, ["text.png"]),
    "inpaint: a picture that is none": (
        "inpaint text.png --mask mask.png",
        1,
        ["text.png", "PNG"],
    ),
    "inpaint: letters as margin": ("inpaint grey.png --extend wide", 2, ["'wide'", "TOP,RIGHT"]),
    "inpaint: a negative margin": ("inpaint grey.png --extend -1", 2, ["-1", "TOP,RIGHT"]),
    "inpaint: two margins": ("inpaint grey.png --extend 1,2", 2, ["'1,2'", "TOP,RIGHT"]),
    "inpaint: no margin": ("inpaint grey.png --extend 0", 2, ["nothing to fill"]),
    "inpaint: even window": ("inpaint grey.png --mask mask.png --window 4", 2, ["4", "Try 5"]),
    "inpaint: window 0": ("inpaint grey.png --mask mask.png --window 0", 2, ["0", "odd"]),
    "inpaint: negative radius": (
        "inpaint grey.png --mask mask.png --radius -1",
        2,
        ["--radius is -1", "0 or more"],
    ),
    "inpaint: n 0": ("inpaint grey.png --mask mask.png --n 0", 2, ["--n is 0", "at least 1"]),
    "inpaint: unknown data": ("inpaint grey.png --mask mask.png --data x", 2, ["'x'", "digits"]),
    "inpaint: a corpus of another size": (
        "inpaint grey.png --mask mask.png --data digits",
        2,
        ["12x12", "8x8", "--principles L"],
    ),
    "inpaint: a corpus of mixed size": (
        "inpaint grey.png --mask mask.png --data mixed",
        2,
        ["mixed", "--resize"],
    ),
    "inpaint: a colour picture, a grey corpus": (
        "inpaint colour.png --mask mask.png --data digits --principles L",
        2,
        ["colour", "grey", "--grey"],
    ),
    # The rest.
    "demo into other files": ("demo --out letters", 2, ["letters", "--out"]),
    "data info: unknown": ("data info mnits", 2, ["'mnits'", "did you mean 'mnist'"]),
    "data info: unknown split": ("data info digits --split tset", 2, ["'tset'", "train"]),
    "data prepare: unknown": ("data prepare mnits", 2, ["'mnits'", "did you mean 'mnist'"]),
    "bench: unknown": ("bench fast", 2, ["'fast'", "nps"]),
    "bench: repeat 0": ("bench --repeat 0", 2, ["--repeat is 0", "at least once"]),
}


def assert_one_line(
    outcome: Outcome, code: int, words: list[str], logged: Sequence[str] = ()
) -> None:
    assert outcome.code == code, outcome.err
    assert outcome.out == ""
    lines = [line for line in outcome.err.splitlines() if line not in logged]
    assert len(lines) == 1, outcome.err
    assert lines[0].startswith("intarsia: ")
    assert "Traceback" not in lines[0] and "unexpected happened" not in lines[0]
    missing = [word for word in words if word not in lines[0]]
    assert not missing, f"{missing} not in: {lines[0]}"


def arguments_of(typed: str) -> list[str]:
    words = typed.split()
    makes_a_run = words[0] in ("generate", "texture", "inpaint")
    # In front, so that an option that lacks its value stays last.
    return words if "--out" in words or not makes_a_run else [words[0], "--out", "new", *words[1:]]


@pytest.mark.parametrize("case", TABLE)
def test_wrong_use_is_one_line_with_the_fix_and_changes_nothing(
    case: str,
    kit: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    typed, code, words = TABLE[case]
    if case == "CUDA where there is none" and _has_cuda():
        pytest.skip("there is a CUDA device here")
    shutil.copytree(kit, tmp_path / "here", copy_function=shutil.copy2)
    monkeypatch.chdir(tmp_path / "here")
    before = contents(tmp_path)
    outcome = in_this_process(capsys, arguments_of(typed))
    after = contents(tmp_path)
    assert_one_line(outcome, code, words, caplog.messages)
    assert after == before


@pytest.mark.parametrize(
    "case",
    [
        "even window",
        "window no number",
        "the same run without --resume",
        "inpaint: a mask of another size",
    ],
)
def test_wrong_use_is_the_same_from_a_shell(case: str, kit: Path, tmp_path: Path) -> None:
    typed, code, words = TABLE[case]
    shutil.copytree(kit, tmp_path / "here", copy_function=shutil.copy2)
    before = contents(tmp_path)
    outcome = in_own_process(arguments_of(typed), cwd=tmp_path / "here")
    assert_one_line(outcome, code, words)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("command", ["", "data"])
def test_no_arguments_show_the_help(command: str, intarsia: Command) -> None:
    outcome = intarsia(command)
    assert outcome.code == 2
    assert "Usage: intarsia" in outcome.out + outcome.err
    assert "unexpected happened" not in outcome.err


def test_debug_gives_the_traceback(intarsia: Command) -> None:
    with pytest.raises(UsageError, match="--window is 4"):
        intarsia("generate nps --window 4 --debug")


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()
