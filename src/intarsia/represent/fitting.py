"""Encoders fitted to a corpus, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intarsia.corpus.locate import cache_folder
from intarsia.errors import DataError, IntarsiaError
from intarsia.files import make_folder, write_bytes
from intarsia.represent.encoder import FittedEncoder, Progress

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

log = logging.getLogger("intarsia.represent")

FORMAT = 1
"""Version of the files: those of another version are not used."""


def fitted(
    encoder: FittedEncoder, corpus: Corpus, progress: Progress | None = None
) -> FittedEncoder:
    """Return an encoder fitted to a corpus: from the cache, or fitted now.

    Parameters
    ----------
    encoder : says how to fit.
    corpus : pictures of one size.
    progress : called with (pictures done, pictures in all).

    Raises
    ------
    UsageError
        If the corpus cannot serve.
    """
    corpus.size  # noqa: B018  (raises if the pictures differ in size)
    path = state_path(encoder, corpus)
    if (found := _cached(path, encoder)) is not None:
        return found
    from filelock import FileLock

    try:
        make_folder(path.parent)
        lock = FileLock(path.with_suffix(".lock"))
        lock.acquire()
    except (IntarsiaError, OSError, NotImplementedError) as error:
        log.warning("the fitted encoder is not kept: %s", error)
        return encoder.fit(corpus, progress)
    try:
        if (found := _cached(path, encoder)) is not None:
            return found  # another process has fitted it meanwhile
        fresh = encoder.fit(corpus, progress)
        try:
            _save(path, fresh)
        except IntarsiaError as error:
            log.warning("the fitted encoder is not kept: %s", error)
        return fresh
    finally:
        lock.release()


def state_path(encoder: FittedEncoder, corpus: Corpus) -> Path:
    """Return the file an encoder fitted to a corpus is kept in."""
    name = f"{encoder.key}-r{encoder.recipe}-{corpus.fingerprint[:24]}.safetensors"
    return cache_folder() / "encoders" / name


def state_fingerprint(text: str, state: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over a text and over names, shapes, types and values of arrays, in order of name."""
    digest = hashlib.sha256(f"{text}\n".encode())
    for name in sorted(state):
        value = np.ascontiguousarray(state[name])
        digest.update(f"{name} {value.dtype.str} {value.shape}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def _save(path: Path, encoder: FittedEncoder) -> None:
    from safetensors.numpy import save

    header = {"kind": encoder.key, "format": FORMAT, "fingerprint": encoder.fingerprint}
    state = {name: np.ascontiguousarray(value) for name, value in encoder.state().items()}
    write_bytes(path, save(state, {"intarsia": json.dumps(header)}))


def _load(path: Path, encoder: FittedEncoder) -> FittedEncoder:
    """Read what `_save` wrote.

    Raises
    ------
    DataError
        If the file is damaged, or not such an encoder.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as stream:
            header = json.loads((stream.metadata() or {}).get("intarsia", "{}"))
            state = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        if header.get("kind") != encoder.key or header.get("format") != FORMAT:
            raise DataError(f"{path} holds no {encoder.key} of this version of intarsia.")
        found = encoder.with_state(state)
        if found.fingerprint != header["fingerprint"]:
            raise DataError(f"{path} is damaged: its content does not match its fingerprint.")
    # A header that lies can break any line above in its own way.
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{path} is damaged ({reason}).") from error
    return found


def _cached(path: Path, encoder: FittedEncoder) -> FittedEncoder | None:
    if not path.exists():
        return None
    try:
        return _load(path, encoder)
    except DataError as error:
        log.warning("fitting the encoder again: %s", error)
        return None
