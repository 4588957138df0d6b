"""Decoded corpora on disk, one file each, to be memory-mapped.

A file is: magic, pixels, mask (if any), labels (if any), shapes (if they differ), a JSON header,
and a tail that says how long the header is and what its SHA-256 is. The header comes last since
the content is known last. Whatever does not fit exactly is not used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from intarsia.corpus.assemble import Assembled, Progress, WriteFailed, assemble, in_memory
from intarsia.corpus.corpus import Corpus
from intarsia.corpus.fingerprint import combine, hash_flat
from intarsia.corpus.locate import cache_folder
from intarsia.corpus.options import PixelOptions
from intarsia.corpus.planes import Planes
from intarsia.corpus.source import Source
from intarsia.errors import DataError, IntarsiaError, UsageError
from intarsia.files import make_folder, replacing

log = logging.getLogger("intarsia.corpus")

FORMAT = 1
_MAGIC = b"intarsia corpus\0"
_PAD = 64  # pixels start here, aligned for any reader
_TAIL = struct.Struct("<Q32s16s")
_PATIENCE = 900.0  # seconds to wait for another process that decodes the same data


class Damaged(Exception):
    """A cache file that is not whole, or not the one its name says."""


class Stale(Exception):
    """A cache file of a source that has changed since."""


def path_of(source: Source, options: PixelOptions) -> Path:
    """Return the file in which this source with these options is cached."""
    text = json.dumps(_identity(source, options), sort_keys=True)
    slug = re.sub(r"[^A-Za-z0-9]+", "-", source.name).strip("-")[-40:] or "data"
    key = hashlib.sha256(text.encode()).hexdigest()[:20]
    return cache_folder() / "corpora" / f"{key}-{slug}-{source.split}.corpus"


def cached(source: Source, options: PixelOptions) -> Corpus | None:
    """Return the corpus from its cache file, or None if there is none that is whole and fresh.

    A damaged file is reported as a warning and will be rebuilt.
    """
    path = path_of(source, options)
    try:
        return _read(path, source, options)
    except FileNotFoundError:
        return None
    except Stale:
        log.info("%s has changed: decoding it again", source.where)
    except (Damaged, OSError) as error:
        log.warning("%s: the cache file is not usable (%s): decoding again", path, error)
    return None


def load(
    source: Source,
    options: PixelOptions,
    *,
    cache: bool = True,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> Corpus:
    """Return the decoded corpus: mapped from the cache, which is built if need be.

    Without a cache, or where the cache cannot be written, the corpus is decoded into memory.

    Raises
    ------
    DataError
        If the source is damaged.
    """
    if not (cache and source.cacheable):
        return _from_memory(source, options, progress)
    if not rebuild and (hit := cached(source, options)):
        return hit
    path = path_of(source, options)
    try:
        make_folder(path.parent)
        with _only_one(path):
            if not rebuild and (hit := cached(source, options)):
                return hit  # another process has built it meanwhile
            _build(path, source, options, progress)
            return _read(path, source, options)
    except (DataError, UsageError):
        raise
    except (IntarsiaError, OSError, WriteFailed, Damaged, Stale) as error:
        log.warning(
            "%s is kept in memory, not in the cache: %s Set INTARSIA_CACHE to a folder with room.",
            source.name,
            str(error) if str(error).endswith(".") else f"{path.parent}: {error}.",
        )
    return _from_memory(source, options, progress)


def verify(corpus_file: Path, source: Source, options: PixelOptions) -> None:
    """Read every byte of a cache file and compare it with the hashes in its header.

    Raises
    ------
    Damaged
        If they differ.
    """
    header = _header(corpus_file)
    corpus = _read(corpus_file, source, options)
    if hash_flat(corpus.planes.flat) != header["pixels_sha256"]:
        raise Damaged("its pixels do not match their SHA-256")
    if corpus.valid is not None and hash_flat(corpus.valid.flat) != header["valid_sha256"]:
        raise Damaged("its mask does not match its SHA-256")


def _identity(source: Source, options: PixelOptions) -> dict[str, Any]:
    return {"format": FORMAT, "source": source.identity(), "options": options.key()}


def _from_memory(source: Source, options: PixelOptions, progress: Progress | None) -> Corpus:
    assembled, flat = in_memory(source, options, progress)
    pixels = int(assembled.shapes.prod(axis=1).sum())
    return _corpus(source, assembled, flat[:pixels], flat[pixels:])


def _corpus(source: Source, assembled: Assembled, pixels: np.ndarray, valid: np.ndarray) -> Corpus:
    mask = None
    if assembled.masked:
        mask = Planes(valid.view(np.bool_), assembled.shapes[:, :2])
    return Corpus(
        planes=Planes(pixels, assembled.shapes),
        valid=mask,
        labels=assembled.labels,
        class_names=assembled.class_names,
        name=source.name,
        split=source.split,
        fingerprint=assembled.fingerprint,
        notes=assembled.notes,
    )


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Let one process at a time build a file.

    Where locks do not work, all may: the rename keeps the result whole.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=1)
    except Timeout:
        log.info("another process is decoding %s: waiting for it", path.name)
        try:
            lock.acquire(timeout=_PATIENCE)
        except Timeout as error:
            raise OSError(f"another process has held its lock for {_PATIENCE:.0f} s") from error
    except NotImplementedError:
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _build(path: Path, source: Source, options: PixelOptions, progress: Progress | None) -> None:
    # A process that was killed leaves its temporary file; under the lock nobody uses one.
    for left in path.parent.glob(f".{path.name[:40]}.*.tmp"):
        left.unlink(missing_ok=True)
    state, sha256 = source.state(), source.sha256()
    with replacing(path) as temporary, temporary.open("r+b") as stream:
        stream.write(_MAGIC.ljust(_PAD, b"\0"))
        assembled = assemble(source, options, stream, progress)
        _finish(stream, source, options, assembled, state, sha256)
    if source.state() != state:
        path.unlink(missing_ok=True)
        raise OSError(f"{source.where} changed while it was read")


def _finish(
    stream: Any,
    source: Source,
    options: PixelOptions,
    assembled: Assembled,
    state: list[Any],
    sha256: list[str] | None,
) -> None:
    shapes, labels = assembled.shapes, assembled.labels
    _, shapes_sha256, labels_sha256 = combine(shapes, assembled.pixels_sha256, labels, None)
    uniform = bool((shapes == shapes[0]).all())
    header = {
        **_identity(source, options),
        "name": source.name,
        "count": len(shapes),
        "dtype": "uint8",
        "shape": shapes[0].tolist() if uniform else None,
        "masked": assembled.masked,
        "labelled": labels is not None,
        "class_names": list(assembled.class_names),
        "notes": list(assembled.notes),
        "fingerprint": assembled.fingerprint,
        "pixels_sha256": assembled.pixels_sha256,
        "valid_sha256": assembled.valid_sha256,
        "shapes_sha256": shapes_sha256,
        "labels_sha256": labels_sha256,
        "pixel_bytes": int(shapes.prod(axis=1).sum()),
        "state": state,
        "files_sha256": sha256,
    }
    text = json.dumps(header).encode()
    try:
        if labels is not None:
            stream.write(labels.astype("<i2").tobytes())
        if not uniform:
            stream.write(shapes.astype("<i4").tobytes())
        stream.write(text)
        stream.write(_TAIL.pack(len(text), hashlib.sha256(text).digest(), _MAGIC))
    except OSError as error:
        raise WriteFailed(str(error)) from error


def _header(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        total = os.fstat(stream.fileno()).st_size
        if stream.read(len(_MAGIC)) != _MAGIC or total < _PAD + _TAIL.size:
            raise Damaged(f"{total:,} bytes that do not start as a corpus file does")
        stream.seek(total - _TAIL.size)
        length, sha256, magic = _TAIL.unpack(stream.read(_TAIL.size))
        if magic != _MAGIC or length > total - _PAD - _TAIL.size:
            raise Damaged(f"{total:,} bytes that do not end as a corpus file does")
        stream.seek(total - _TAIL.size - length)
        text = stream.read(length)
    if hashlib.sha256(text).digest() != sha256:
        raise Damaged("its header does not match its SHA-256")
    header: dict[str, Any] = json.loads(text)
    header["body"] = total - _TAIL.size - length - _PAD
    return header


def _read(path: Path, source: Source, options: PixelOptions) -> Corpus:
    header = _header(path)
    if {key: header.get(key) for key in ("format", "source", "options")} != _identity(
        source, options
    ):
        raise Damaged(f"it holds {header.get('name')} with other options")
    _check_fresh(header, source)
    count, shape, pixel_bytes = header["count"], header["shape"], header["pixel_bytes"]
    depth_of = 12 * count if shape is None else 0
    label_bytes = 2 * count if header["labelled"] else 0
    valid_bytes = header["body"] - pixel_bytes - label_bytes - depth_of
    with path.open("rb") as stream:
        stream.seek(_PAD + pixel_bytes + valid_bytes)
        labels = np.frombuffer(stream.read(label_bytes), "<i2") if header["labelled"] else None
        if shape is None:
            shapes = np.frombuffer(stream.read(depth_of), "<i4").reshape(count, 3)
        else:
            shapes = np.tile(np.array(shape, np.int64), (count, 1))
    places = int(shapes[:, :2].astype(np.int64).prod(axis=1).sum())
    fingerprint, shapes_sha256, labels_sha256 = combine(
        shapes, header["pixels_sha256"], labels, header["valid_sha256"]
    )
    if (
        valid_bytes != (places if header["masked"] else 0)
        or (shape is not None and pixel_bytes != count * math.prod(shape))
        or shapes_sha256 != header["shapes_sha256"]
        or labels_sha256 != header["labels_sha256"]
        or fingerprint != header["fingerprint"]
    ):
        raise Damaged("its parts do not match its header")
    # np.memmap would be carried along by every slice; a plain view of it behaves as an array.
    body = np.asarray(np.memmap(path, np.uint8, "r", _PAD, (pixel_bytes + valid_bytes,)))
    assembled = Assembled(
        shapes=np.asarray(shapes, np.int64),
        labels=labels,
        class_names=tuple(header["class_names"]),
        notes=tuple(header["notes"]),
        masked=header["masked"],
        pixels_sha256=header["pixels_sha256"],
        valid_sha256=header["valid_sha256"],
    )
    return _corpus(source, assembled, body[:pixel_bytes], body[pixel_bytes:])


def _check_fresh(header: dict[str, Any], source: Source) -> None:
    before, now = header["state"], source.state()
    if before == now:
        return
    # A copy of the same files has other times: their content decides.
    same_sizes = [entry[:2] for entry in before] == [entry[:2] for entry in now]
    if not (same_sizes and header["files_sha256"] and header["files_sha256"] == source.sha256()):
        raise Stale
