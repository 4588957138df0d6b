"""Codes of a whole corpus, encoded once and kept on disk."""

from __future__ import annotations

import hashlib
import logging
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Int8

from intarsia.corpus.locate import cache_folder
from intarsia.errors import IntarsiaError
from intarsia.files import make_folder, replacing
from intarsia.represent.encoder import Encoder, Progress

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

log = logging.getLogger("intarsia.represent")


def corpus_codes(
    encoder: Encoder, corpus: Corpus, progress: Progress | None = None
) -> Int8[np.ndarray, "n d"]:
    """Return the codes of all pictures of a corpus: from the cache, or encoded now.

    Encoders without a `fingerprint` are quick, and never cached. What is read back is mapped from
    its file.

    Parameters
    ----------
    encoder : fitted or trained.
    corpus : pictures of one size.
    progress : called with (pictures done, pictures in all).
    """
    corpus.size  # noqa: B018  (raises if the pictures differ in size)
    assert corpus.images is not None
    if encoder.fingerprint is None:
        return encoder.corpus_codes(corpus.images, progress)
    path = codes_path(encoder, corpus)
    if (found := _cached(path, len(corpus))) is not None:
        return found
    from filelock import FileLock

    try:
        make_folder(path.parent)
        lock = FileLock(path.with_suffix(".lock"))
        lock.acquire()
    except (IntarsiaError, OSError, NotImplementedError) as error:
        log.warning("the codes of the corpus are not kept: %s", error)
        return encoder.corpus_codes(corpus.images, progress)
    try:
        if (found := _cached(path, len(corpus))) is not None:
            return found  # another process has encoded it meanwhile
        codes = encoder.corpus_codes(corpus.images, progress)
        try:
            with replacing(path) as temporary, temporary.open("wb") as stream:
                np.save(stream, codes)
                stream.write(_digest(codes))  # readers of .npy stop before it
        except IntarsiaError as error:
            log.warning("the codes of the corpus are not kept: %s", error)
        return codes
    finally:
        lock.release()


def codes_path(encoder: Encoder, corpus: Corpus) -> Path:
    """Return the file that codes are kept in.

    Floats are promised to be the same on one machine, device and version of torch alone, so these
    are part of the name.
    """
    device = getattr(encoder, "device", "cpu")
    text = f"{encoder.fingerprint} {torch.__version__} {platform.machine()} {device}"
    code = hashlib.sha256(text.encode()).hexdigest()
    return cache_folder() / "codes" / f"{code[:24]}-{corpus.fingerprint[:24]}.npy"


def _cached(path: Path, count: int) -> Int8[np.ndarray, "n d"] | None:
    """Map codes from their file; None if there are none, or none that can be trusted."""
    if not path.exists():
        return None
    try:
        # Copy on write: torch wants arrays it could write to.
        codes = np.load(path, mmap_mode="c", allow_pickle=False)
        with path.open("rb") as stream:
            stream.seek(-32, 2)
            whole = stream.read() == _digest(codes)
        if whole and codes.dtype == np.int8 and codes.ndim == 2 and len(codes) == count:
            return codes
        reason = "it is damaged"
    except (OSError, ValueError, EOFError) as error:
        reason = str(error)
    log.warning("encoding the corpus again: %s cannot be used (%s).", path, reason)
    return None


def _digest(codes: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(codes).data).digest()
