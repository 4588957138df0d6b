"""What ``--encoder`` says, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from intarsia.errors import UsageError

SHIPPED = ("mnist", "fashion-mnist", "cifar10")
"""Corpora that SimCLR weights are shipped for."""

KNOWN = (
    "lowres, lowresF (cells of F pixels, such as lowres4), pca, pcaD (D numbers, such as pca32), "
    "kmeans, spectral, simclr, simclr-DATA, timm:NAME, hf:OWNER/NAME, a folder, a .safetensors or "
    ".onnx file (these four also with @LAYER), patch:NAME"
)

Kind = Literal["lowres", "pca", "kmeans", "spectral", "simclr", "timm", "hf", "path"]

FILES = (".safetensors", ".onnx", ".pt")
"""Kinds of files that encoders are read from; .pt is TorchScript."""

_PICKLES = (".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".h5", ".msgpack")


@dataclass(frozen=True)
class Spec:
    """An encoder by name.

    Attributes
    ----------
    text : as it was typed.
    kind : the family.
    argument : what follows the family: a number, a data set, a model's name, a path.
    layer : where a network is to stop.
    patch : whether it sees the neighbourhood of a place instead of the canvas.
    """

    text: str
    kind: Kind
    argument: str = ""
    layer: str | None = None
    patch: bool = False

    @property
    def inner(self) -> str:
        """The text without ``patch:``."""
        return self.text.removeprefix("patch:") if self.patch else self.text

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Take a name apart. Names of our own go first, then paths that exist, then prefixes.

        Raises
        ------
        UsageError
            If it names nothing, or a file of a kind that is not read.
        """
        if (found := _built_in(text) or _existing(text)) is not None:
            return found
        if text.startswith("patch:"):
            inner = text.removeprefix("patch:")
            if inner.startswith("patch:"):
                raise UsageError(f"--encoder {text!r} names patch: twice.")
            try:
                found = cls.parse(inner)
            except UsageError as error:
                raise UsageError(str(error).replace(repr(inner), repr(text), 1)) from error
            return cls(text, found.kind, found.argument, found.layer, True)
        prefix, colon, name = text.partition(":")
        if colon and prefix in ("timm", "hf"):
            return _named(text, prefix, name)
        if "/" in text or text.partition("@")[0].endswith((*FILES, *_PICKLES)):
            raise UsageError(
                f"--encoder is {text!r}: no such file or folder. Give a path that exists, or one "
                f"of {KNOWN}."
            )
        raise UsageError(f"There is no encoder called {text!r}. Known: {KNOWN}.")


def _built_in(text: str) -> Spec | None:
    if match := re.fullmatch(r"(lowres)(\d{0,2})|(pca)(\d{0,4})", text):
        kind, number = (match[1], match[2]) if match[1] else (match[3], match[4])
        if number and int(number) == 0:
            what = "its cells have side 0" if kind == "lowres" else "it keeps 0 numbers"
            raise UsageError(f"--encoder is {text!r}: {what}; 1 is the least.")
        return Spec(text, kind, number)  # type: ignore[arg-type]
    if text in ("kmeans", "spectral", "simclr"):
        return Spec(text, text)  # type: ignore[arg-type]
    if text.startswith("simclr-"):
        data = text.removeprefix("simclr-")
        if data not in SHIPPED:
            raise UsageError(
                f"There is no encoder called {text!r}: SimCLR weights are shipped for "
                f"{', '.join(SHIPPED)}. Use simclr-{SHIPPED[0]}, or the folder of your own."
            )
        return Spec(text, "simclr", data)
    return None


def _existing(text: str) -> Spec | None:
    """Read a path that is there; a path may hold '@' and ':' itself."""
    if not text or text.startswith(("timm:", "hf:")):
        return None
    path, layer = text, None
    if not Path(path).exists():
        path, at, layer = text.rpartition("@")
        if not at or not path or not Path(path).exists():
            return None
        _check_layer(text, layer)
    if not Path(path).is_dir():
        _check_suffix(text, path)
    elif not (Path(path) / "config.json").exists():
        raise UsageError(
            f"--encoder is {text!r}: that folder has no config.json. Name one that save_pretrained "
            "wrote, or put config.json beside model.safetensors."
        )
    return Spec(text, "path", path, layer)


def _check_suffix(text: str, path: str) -> None:
    suffix = Path(path).suffix.lower()
    if suffix in _PICKLES:
        raise UsageError(
            f"--encoder is {text!r}: files of that kind can run code when they are read. Save the "
            "weights as .safetensors with config.json beside, or export .onnx."
        )
    if suffix not in FILES:
        raise UsageError(
            f"--encoder is {text!r}: encoders are read from folders and from files that end in "
            f"{', '.join(FILES)}."
        )


def _check_layer(text: str, layer: str | None) -> None:
    if not layer:
        raise UsageError(f"--encoder is {text!r}: name a layer after '@', or leave '@' out.")


def _named(text: str, prefix: str, name: str) -> Spec:
    name, at, layer = name.partition("@")
    if at:
        _check_layer(text, layer)
    pattern = r"\w[\w.-]*" if prefix == "timm" else r"\w[\w.-]*(/\w[\w.-]*)?"
    if not re.fullmatch(pattern, name):
        example = "timm:resnet18" if prefix == "timm" else "hf:facebook/dinov2-small"
        raise UsageError(f"--encoder is {text!r}; name a model, such as {example}.")
    return Spec(text, prefix, name, layer if at else None)  # type: ignore[arg-type]
