"""A reading, decoded and laid down as one flat stream with its fingerprint."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import IO

import numpy as np

from intarsia.corpus import transform
from intarsia.corpus.fingerprint import combine
from intarsia.corpus.options import PixelOptions
from intarsia.corpus.readers.base import Block, Reading
from intarsia.corpus.registry import Card
from intarsia.corpus.source import Source
from intarsia.errors import DataError

Progress = Callable[[int, int], None]
_CHUNK = 1 << 22
_REPEATED = "of grey repeated in three channels, since others have colour"
_SPILL = 1 << 26  # a mask larger than this waits on disk


@dataclass(frozen=True)
class Assembled:
    """A decoded corpus whose pixels, then mask, have been written to a stream.

    Attributes
    ----------
    shapes : int64 [n, 3]
    labels : int16 [n] or None
    class_names : position is number
    notes : what happened to the pictures
    masked : whether a mask of one byte a pixel follows the pixels
    pixels_sha256, valid_sha256 : of the two parts of the stream
    """

    shapes: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    notes: tuple[str, ...]
    masked: bool
    pixels_sha256: str
    valid_sha256: str | None

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 that names the content."""
        return combine(self.shapes, self.pixels_sha256, self.labels, self.valid_sha256)[0]


class _MixedChannels(Exception):
    """Grey and colour in one corpus: start again with all of it in colour."""


class WriteFailed(Exception):
    """The stream could not be written: not the fault of the data."""


def assemble(
    source: Source, options: PixelOptions, stream: IO[bytes], progress: Progress | None = None
) -> Assembled:
    """Decode a source into a stream: pixels in order, then the mask if there is one.

    Raises
    ------
    DataError
        If the data is damaged, or is not what it claims to be.
    WriteFailed
        If the stream cannot be written.
    """
    start = stream.tell()
    try:
        return _attempt(source, options, stream, progress, colour=False)
    except _MixedChannels:
        stream.seek(start)
        stream.truncate()
        return _attempt(source, options, stream, progress, colour=True)


def _attempt(
    source: Source,
    options: PixelOptions,
    stream: IO[bytes],
    progress: Progress | None,
    colour: bool,
) -> Assembled:
    reading = source.read()
    if source.card:
        _check_counts(source, source.card, reading)
    with closing(_Writer(stream)) as writer:
        done = 0
        for block in reading.blocks():
            if colour and block.pixels.shape[3] == 1:
                reading.notes.add(_REPEATED, len(block.pixels))
            if source.card:
                _check_shape(source, source.card, block)
            writer.add(transform.apply(block, options, colour))
            done += len(block.pixels)
            if progress:
                progress(done, reading.count)
        if done != reading.count:
            raise DataError(
                f"{source.where}: {done:,} pictures, but it promises {reading.count:,}."
            )
        valid_sha256 = writer.finish()
        return Assembled(
            shapes=writer.shapes(),
            labels=reading.labels,
            class_names=source.card.classes if source.card else reading.class_names,
            notes=reading.notes.lines(),
            masked=valid_sha256 is not None,
            pixels_sha256=writer.digest.hexdigest(),
            valid_sha256=valid_sha256,
        )


def in_memory(
    source: Source, options: PixelOptions, progress: Progress | None = None
) -> tuple[Assembled, np.ndarray]:
    """Decode a source into memory; return what was decoded and the bytes of the stream."""
    stream = io.BytesIO()
    assembled = assemble(source, options, stream, progress)
    return assembled, np.frombuffer(stream.getbuffer(), np.uint8)


class _Writer:
    """Writes blocks one after the other, keeping shapes, hashes and the mask."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._runs: list[tuple[int, tuple[int, ...]]] = []
        self._places = 0
        self._mask: IO[bytes] | None = None
        self.digest = hashlib.sha256()

    def add(self, block: Block) -> None:
        pixels = np.ascontiguousarray(block.pixels)
        shape = pixels.shape[1:]
        if self._runs and self._runs[0][1][2] != shape[2]:
            raise _MixedChannels
        if block.valid is not None and self._mask is None:
            self._mask = tempfile.SpooledTemporaryFile(_SPILL)  # noqa: SIM115 (closed by close)
            self._write(self._mask, _ones(self._places))
        places = pixels.size // shape[2]
        if self._mask is not None:
            valid = _ones(places) if block.valid is None else iter((block.valid.tobytes(),))
            self._write(self._mask, valid)
        data = pixels.reshape(-1).data
        self.digest.update(data)
        self._write(self._stream, iter((data,)))
        self._places += places
        if self._runs and self._runs[-1][1] == shape:
            self._runs[-1] = (self._runs[-1][0] + len(pixels), shape)
        else:
            self._runs.append((len(pixels), shape))

    def shapes(self) -> np.ndarray:
        counts = [count for count, _ in self._runs]
        return np.repeat(np.array([shape for _, shape in self._runs], np.int64), counts, axis=0)

    def finish(self) -> str | None:
        """Write the mask after the pixels; return its SHA-256, or None if all is valid."""
        if self._mask is None:
            return None
        digest, whole = hashlib.sha256(), True
        self._mask.seek(0)
        while piece := self._mask.read(_CHUNK):
            digest.update(piece)
            whole = whole and 0 not in piece
            self._write(self._stream, iter((piece,)))
        if whole:
            self._stream.seek(-self._places, io.SEEK_CUR)
            self._stream.truncate()
            return None
        return digest.hexdigest()

    def close(self) -> None:
        if self._mask is not None:
            self._mask.close()

    @staticmethod
    def _write(stream: IO[bytes], pieces: Iterator[bytes | memoryview]) -> None:
        try:
            for piece in pieces:
                stream.write(piece)
        except OSError as error:
            raise WriteFailed(str(error)) from error


def _ones(count: int) -> Iterator[bytes]:
    for start in range(0, count, _CHUNK):
        yield b"\1" * min(_CHUNK, count - start)


def _check_counts(source: Source, card: Card, reading: Reading) -> None:
    expected = card.counts[source.split]
    if reading.count != expected:
        raise DataError(
            f"{source.where}: {reading.count:,} pictures, but {card.title} {source.split} has "
            f"{expected:,}. Open the file by its path if it is another set."
        )
    if reading.labels is None:
        raise DataError(f"{source.where}: no labels, but {card.title} has them.")
    if _plain(reading.class_names) != _plain(card.classes):
        raise DataError(
            f"{source.where}: its classes are {', '.join(reading.class_names)}, but those of "
            f"{card.title} are {', '.join(card.classes)}."
        )


def _plain(names: Sequence[str]) -> list[str]:
    """Return names as letters and digits only: copies differ in spaces and hyphens."""
    return ["".join(filter(str.isalnum, name.casefold())) for name in names]


def _check_shape(source: Source, card: Card, block: Block) -> None:
    if block.pixels.shape[1:] != card.shape:
        found = " x ".join(map(str, block.pixels.shape[1:]))
        raise DataError(
            f"{source.where}: a picture of {found}, but those of {card.title} are "
            f"{' x '.join(map(str, card.shape))}."
        )
