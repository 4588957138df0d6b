"""Small files of every format, written the obvious way."""

from __future__ import annotations

import gzip
import io
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def pictures(n: int = 6, h: int = 5, w: int = 4, c: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, h, w, c), dtype=np.uint8)


def idx_bytes(array: np.ndarray) -> bytes:
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return head + array.astype(np.uint8).tobytes()


def write_idx(
    folder: Path, images: np.ndarray, labels: np.ndarray | None, prefix: str = "train", gz: str = ""
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pack = gzip.compress if gz else bytes
    path = folder / f"{prefix}-images-idx3-ubyte{gz}"
    path.write_bytes(pack(idx_bytes(images[..., 0])))
    if labels is not None:
        (folder / f"{prefix}-labels-idx1-ubyte{gz}").write_bytes(pack(idx_bytes(labels)))
    return path


def encoded(array: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    picture = array[..., 0] if array.shape[-1] == 1 else array
    Image.fromarray(picture).save(stream, kind, **options)
    return stream.getvalue()


def write_parquet(
    path: Path,
    rows: Sequence[bytes | None],
    labels: list[Any] | None = None,
    names: list[str] | None = None,
    image: str = "image",
    label: str = "label",
) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    struct_type = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {image: pa.array([{"bytes": row, "path": None} for row in rows], struct_type)}
    if labels is not None:
        columns[label] = pa.array(labels)
    table = pa.table(columns)
    if names is not None:
        features = {
            image: {"_type": "Image"},
            label: {"names": names, "_type": "ClassLabel"},
        }
        text = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": text})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def save(path: Path, array: np.ndarray, **options: Any) -> Path:
    """Save uint8 [H, W, C] in the format its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array).save(path, **options)
    return path
