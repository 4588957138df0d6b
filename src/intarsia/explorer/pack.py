"""Arrays as one compact block of bytes that the page reads without copying.

Layout: the four letters ``ITS1``, the length of a JSON header (uint32, little-endian), the header,
blanks up to a multiple of 8, then the arrays, each starting at a multiple of 8. The header holds
``meta`` and, for each array, ``name``, ``dtype`` (such as ``u2``), ``shape`` and ``offset`` counted
from the first array. ``page/pack.js`` is the reader.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

MAGIC = b"ITS1"
_ALIGNED = 8


def pack(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Pack arrays; integers are stored in the narrowest type that holds them.

    Parameters
    ----------
    meta : plain JSON.
    arrays : numbers of any shape; bool becomes uint8.
    """
    entries, blocks, offset = [], [], 0
    for name, value in arrays.items():
        array = narrowest(np.asarray(value, order="C"))
        data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        entries.append(
            {
                "name": name,
                "dtype": f"{array.dtype.kind}{array.dtype.itemsize}",
                "shape": list(array.shape),
                "offset": offset,
            }
        )
        padding = -len(data) % _ALIGNED
        blocks.append(data + b"\0" * padding)
        offset += len(data) + padding
    header = json.dumps({"meta": meta, "arrays": entries}, allow_nan=False).encode("utf-8")
    header += b" " * (-(len(MAGIC) + 4 + len(header)) % _ALIGNED)
    return b"".join([MAGIC, struct.pack("<I", len(header)), header, *blocks])


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what `pack` was given, in the types it chose."""
    assert data[:4] == MAGIC
    (length,) = struct.unpack("<I", data[4:8])
    header = json.loads(data[8 : 8 + length])
    arrays = {}
    for entry in header["arrays"]:
        dtype = np.dtype("<" + entry["dtype"])
        count = int(np.prod(entry["shape"], dtype=np.int64))
        flat = np.frombuffer(data, dtype, count, 8 + length + entry["offset"])
        arrays[entry["name"]] = flat.reshape(entry["shape"])
    return header["meta"], arrays


def narrowest(array: np.ndarray) -> np.ndarray:
    """Return integers in the narrowest type that holds them all; other numbers as they are.

    Integers of more than 32 bits become float64, which is exact up to 2^53: JavaScript's numbers.
    """
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind not in "iu":
        return array
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    kinds = (np.uint8, np.uint16, np.uint32) if low >= 0 else (np.int8, np.int16, np.int32)
    for kind in kinds:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return array.astype(kind)
    return array.astype(np.float64)
