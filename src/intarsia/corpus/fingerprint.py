"""The name of a corpus by its content."""

from __future__ import annotations

import hashlib

import numpy as np

from intarsia.corpus.planes import Planes

_CHUNK = 1 << 24


def combine(
    shapes: np.ndarray, pixels: str, labels: np.ndarray | None, valid: str | None
) -> tuple[str, str, str | None]:
    """Return the fingerprint made of the parts, and the hashes of the two small parts.

    The pixels and the mask come in as hashes, so that a corpus can be hashed while it is
    decoded and never has to be read again.

    Parameters
    ----------
    shapes : int [n, 3]
        Height, width and channels of each picture.
    pixels : hex SHA-256 of all pixels, picture after picture in raster order
    labels : int16 [n] or None
    valid : hex SHA-256 of the mask (one byte a pixel, 1 = valid), or None without a mask

    Returns
    -------
    tuple of str
        Fingerprint, SHA-256 of the shapes, SHA-256 of the labels (None without labels).
    """
    of_shapes = hashlib.sha256(np.ascontiguousarray(shapes, dtype="<i4").tobytes()).hexdigest()
    of_labels = None
    if labels is not None:
        of_labels = hashlib.sha256(np.ascontiguousarray(labels, dtype="<i2").tobytes()).hexdigest()
    text = "\n".join(
        (
            "intarsia corpus 1",
            f"shapes {of_shapes}",
            f"pixels {pixels}",
            f"labels {of_labels or 'none'}",
            f"valid {valid or 'none'}",
        )
    )
    return hashlib.sha256(text.encode()).hexdigest(), of_shapes, of_labels


def hash_flat(flat: np.ndarray) -> str:
    """Return the hex SHA-256 of a flat array of bytes or booleans, read in chunks."""
    digest = hashlib.sha256()
    for start in range(0, flat.size, _CHUNK):
        digest.update(np.ascontiguousarray(flat[start : start + _CHUNK]).view(np.uint8).data)
    return digest.hexdigest()


def of_content(planes: Planes, labels: np.ndarray | None, valid: Planes | None) -> str:
    """Return the hex SHA-256 that names this content: shapes, pixels, labels, mask."""
    mask = None if valid is None else hash_flat(valid.flat)
    return combine(planes.shapes, hash_flat(planes.flat), labels, mask)[0]
