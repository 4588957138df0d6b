"""Files appear whole or not at all: written beside the target, then renamed over it."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia.errors import IntarsiaError

if TYPE_CHECKING:
    from PIL.Image import Image

PathLike = str | os.PathLike[str]

_FIXES = {
    errno.ENOSPC: "the disk is full. Free some space there, or choose a folder on another disk.",
    errno.EDQUOT: "your quota on that disk is used up. Free some space, or choose another disk.",
    errno.EFBIG: "the file would be larger than this system allows. Choose another disk.",
    errno.EACCES: "you may not write there. Choose a folder you own, or change its permissions.",
    errno.EPERM: "you may not write there. Choose a folder you own, or change its permissions.",
    errno.EROFS: "that disk is read-only. Choose a folder on another disk.",
    errno.ENOENT: "its folder does not exist. Create the folder first.",
    errno.ENOTDIR: "a part of that path is a file, not a folder. Choose another path.",
    errno.EISDIR: "a folder of that name is in the way. Choose another path.",
    errno.EEXIST: "a file of that name is in the way. Choose another path.",
}


@contextlib.contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Give a temporary path to write; when the block ends well, it becomes ``path``.

    Parameters
    ----------
    path : file to write or replace; its folder must exist.

    Yields
    ------
    Path
        A fresh, empty file in the same folder, so that the rename is atomic. It ends in
        ``.tmp``: name the format when handing it to a writer that guesses by extension.

    Raises
    ------
    IntarsiaError
        If the operating system refuses (disk full, no permission, read-only disk). ``path`` is
        then what it was before, and the temporary file is gone.
    """
    path = Path(path)
    with _explained(path):
        temporary = _fresh(path)
        try:
            yield temporary
            _sync(temporary)
            os.replace(temporary, path)
        except BaseException:  # Ctrl-C included: nothing half-written stays behind
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        with contextlib.suppress(OSError):  # the rename too must survive a power cut
            _sync(path.parent)


def write_bytes(path: PathLike, data: bytes | bytearray | memoryview) -> None:
    """Write ``data`` to ``path``, whole or not at all.

    Raises
    ------
    IntarsiaError
        As `replacing` does.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: PathLike, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8 with Unix line ends, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def save_npz(path: PathLike, **arrays: Any) -> None:
    """Write arrays to a compressed ``.npz``, whole or not at all.

    The bytes depend on the arrays and the compression library alone: no time stamp is in them.

    Raises
    ------
    TypeError
        If an array holds Python objects, which `numpy.load` refuses without pickle.
    IntarsiaError
        As `replacing` does.
    """
    checked = {name: np.asarray(value) for name, value in arrays.items()}
    for name, value in checked.items():
        if value.dtype.hasobject:
            raise TypeError(f"array {name!r} holds Python objects and cannot be stored.")
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **checked)  # type: ignore[arg-type]


def save_png(path: PathLike, picture: np.ndarray | Image) -> None:
    """Write a picture as PNG, whole or not at all.

    Parameters
    ----------
    path : where to.
    picture : uint8 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], or a Pillow image.
    """
    write_bytes(path, png_bytes(picture))


def png_bytes(picture: np.ndarray | Image) -> bytes:
    """Return a picture encoded as PNG; same parameter as `save_png`."""
    from PIL import Image

    if isinstance(picture, np.ndarray):
        array = picture[..., 0] if picture.ndim == 3 and picture.shape[-1] == 1 else picture
        picture = Image.fromarray(np.ascontiguousarray(array))
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def read_png(path: PathLike) -> np.ndarray:
    """Read a picture that `save_png` wrote, as uint8 [H, W, 3]."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def make_folder(path: PathLike) -> Path:
    """Create a folder and its parents; one that exists is fine.

    Raises
    ------
    IntarsiaError
        If it cannot be created.
    """
    path = Path(path)
    with _explained(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def remove(path: PathLike) -> None:
    """Delete a file; one that is not there is fine.

    Raises
    ------
    IntarsiaError
        If it cannot be deleted.
    """
    with _explained(Path(path)):
        Path(path).unlink(missing_ok=True)


def _fresh(path: Path) -> Path:
    """Create an empty file of an unused, hidden name beside ``path``."""
    while True:
        # Long names are cut: most file systems allow 255 bytes.
        temporary = path.parent / f".{path.name[:40]}.{secrets.token_hex(6)}.tmp"
        with contextlib.suppress(FileExistsError):
            # 0o666 less the umask, as open() does; tempfile would make the result private.
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            return temporary


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the operating system says into one sentence with the fix."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # raised by a library about content, not by the system
            raise
        fix = _FIXES.get(error.errno, f"{error.strerror}. Choose another path.")
        raise IntarsiaError(f"Cannot write {path}: {fix}") from error
