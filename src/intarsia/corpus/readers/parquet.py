"""Parquet files in the layout of the Hugging Face hub.

A column of pictures (``{bytes, path}`` or plain bytes) named ``image`` or ``img``, and perhaps a
column of labels. Class names come from the hub's own note in the file's metadata, if it is there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from intarsia.corpus.corpus import check_labels
from intarsia.corpus.readers.base import Block, Notes, Reading, explained
from intarsia.corpus.readers.picture import decode
from intarsia.errors import DataError, UsageError

log = logging.getLogger("intarsia.corpus")
IMAGE_COLUMNS = ("image", "img", "picture", "images")
LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "target", "coarse_label")
_WHAT = "a Parquet file"
_ROWS = 256


class _Columns(NamedTuple):
    image: str  # the column of bytes, such as "img.bytes"
    label: str | None
    class_names: tuple[str, ...]


def read(files: Sequence[Path], class_names: Sequence[str] = ()) -> Reading:
    """Return the reading of Parquet files, one after the other.

    Parameters
    ----------
    files : shards, in order
    class_names : used where the files do not name the classes

    Raises
    ------
    DataError
        If a file is damaged, has no column of pictures, or its labels are out of range.
    """
    columns = _columns(files[0])
    count, parts = 0, []
    for path in files:
        with _opened(path) as file:
            if path != files[0] and _columns(path)[:2] != columns[:2]:
                raise DataError(f"{path}: other columns than {files[0].name}. Read it by itself.")
            count += file.metadata.num_rows
            if columns.label is not None:
                parts.append(file.read(columns=[columns.label]).column(0))
    if not count:
        raise DataError(f"{files[0]}: holds no rows, but a corpus needs at least one picture.")
    names = columns.class_names or tuple(class_names)
    labels = None
    if columns.label is not None:
        labels, names = _labels(parts, names, count, f"{files[0]}: column {columns.label!r}")
    notes = Notes()

    def blocks() -> Iterator[Block]:
        for path in files:
            for row, data in _encoded(path, columns.image):
                yield encoded(data, f"{path}, row {row}", notes)

    return Reading(count, blocks, labels, names, notes)


def encoded(data: Any, what: str, notes: Notes) -> Block:
    """Decode the bytes of one row."""
    if not isinstance(data, (bytes, bytearray)):
        raise DataError(
            f"{what}: no bytes of a picture here. Pictures kept in files of their own "
            "are read as a folder."
        )
    return decode(bytes(data), what, notes)


def labels_of(
    values: Sequence[Any], names: tuple[str, ...], count: int, what: str
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Return labels and class names for a column of integers or of strings.

    A hub marks a hidden label as -1 or nothing: a column of only those means no labels.

    Raises
    ------
    DataError
        For a label that is hidden, out of range, or neither an integer nor a string.
    """
    missing = [value is None or value == -1 for value in values]
    if all(missing):
        log.info("%s: every label is hidden, so there are none", what)
        return None, names
    if any(missing):
        raise DataError(f"{what}: row {missing.index(True)} has no label. Drop such rows.")
    if all(isinstance(value, str) for value in values):
        if not names:
            names = tuple(sorted(set(values)))
        numbers = {name: k for k, name in enumerate(names)}
        if unknown := sorted(set(values).difference(numbers)):
            raise DataError(f"{what}: label {unknown[0]!r} is none of {', '.join(names[:20])}.")
        values = [numbers[value] for value in values]
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        raise DataError(f"{what}: labels must be integers or strings.")
    try:
        return check_labels(values, count, names, what), names
    except (UsageError, OverflowError) as error:
        raise DataError(str(error)) from error


def _labels(
    parts: list[Any], names: tuple[str, ...], count: int, what: str
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    values = [value for part in parts for value in part.to_pylist()]
    return labels_of(values, names, count, what)


def _opened(path: Path) -> Any:
    import pyarrow.parquet as pq

    with explained(path, _WHAT):
        size = path.stat().st_size
        with path.open("rb") as raw:
            start = raw.read(4)
            raw.seek(max(0, size - 4))
            end = raw.read(4)
        if start != b"PAR1" or end != b"PAR1":
            raise DataError(
                f"{path}: starts with {start.hex() or 'nothing'} and ends with "
                f"{end.hex() or 'nothing'} after {size:,} bytes, but a Parquet file starts and "
                f"ends with {b'PAR1'.hex()} (PAR1). Fetch it again."
            )
        return pq.ParquetFile(path, page_checksum_verification=True)


def _columns(path: Path) -> _Columns:
    import pyarrow as pa

    with _opened(path) as file, explained(path, _WHAT):
        schema = file.schema_arrow
        features = _features(schema.metadata, path)
        image = _first(schema, IMAGE_COLUMNS, features, "Image", _is_picture)
        if image is None:
            found = ", ".join(f"{field.name}: {field.type}" for field in schema)
            raise DataError(
                f"{path}: no column of pictures ({{bytes, path}} or bytes, such as 'image'), "
                f"only {found[:300]}."
            )
        label = _first(schema, LABEL_COLUMNS, features, "ClassLabel", _is_label)
        for name in LABEL_COLUMNS[:2]:
            if label is None and name in schema.names:
                raise DataError(
                    f"{path}: column {name!r} is {schema.field(name).type}, but labels must be "
                    "integers or strings."
                )
        names = features.get(label, {}).get("names") if label else None
        if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
            names = []
        column = f"{image}.bytes" if pa.types.is_struct(schema.field(image).type) else image
        return _Columns(column, label, tuple(names))


def _first(
    schema: Any, usual: Sequence[str], features: dict[str, Any], kind: str, fits: Any
) -> Any:
    """Return the column of a usual name, else the one the hub calls ``kind``, else the only fit."""
    held = [field.name for field in schema if fits(field.type)]
    for name in usual:
        if name in held:
            return name
    for name in held:
        if features.get(name, {}).get("_type") == kind:
            return name
    return held[0] if kind == "Image" and len(held) == 1 else None


def _is_picture(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return any(kind[i].name == "bytes" and _is_picture(kind[i].type) for i in range(len(kind)))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_label(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    )


def _features(metadata: dict[bytes, bytes] | None, path: Path) -> dict[str, Any]:
    """Return the hub's description of the columns, empty if there is none to be read."""
    text = (metadata or {}).get(b"huggingface")
    if text is None:
        return {}
    try:
        features = json.loads(text)["info"]["features"]
        return {name: feature for name, feature in features.items() if isinstance(feature, dict)}
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("%s: its Hugging Face metadata cannot be read; class names are unknown", path)
        return {}


def _encoded(path: Path, column: str) -> Iterator[tuple[int, Any]]:
    """Yield (row, bytes) of a column, some rows at a time."""
    row = 0
    with _opened(path) as file, explained(path, _WHAT):
        for batch in file.iter_batches(batch_size=_ROWS, columns=[column]):
            values = batch.column(0)
            if "." in column:
                values = values.field("bytes")
            for value in values:
                yield row, value.as_py()
                row += 1
