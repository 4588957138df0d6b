"""Groups that act on pictures, and a training set's orbit under them (paper C, eqs. 5 and 6)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int64

from intarsia.errors import DataError, UsageError

_UNITARY = 1e-4
"""How far from unitary a given matrix may be, entry by entry."""


class Group(ABC):
    """A finite (or sampled) group of unitary maps of pictures.

    Every element counts, also two that act alike on some picture: the orbit is a multiset
    (paper C, theorem 5), so a blank picture weighs as much as any other. Element 0 is the
    identity.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of elements."""

    @abstractmethod
    def apply(
        self, first: int, pictures: Float[np.ndarray, "g c h w"], inverse: bool = False
    ) -> Float[np.ndarray, "g c h w"]:
        """Apply element ``first + k`` (or its inverse) to picture k."""

    def sources(
        self, element: Int64[np.ndarray, " k"], size: tuple[int, int]
    ) -> tuple[Int64[np.ndarray, "k h w"], Int64[np.ndarray, "k h w"]]:
        """Return (row, column) of the training picture's pixel that elements move to each place.

        A map that is no permutation of pixels names the place itself.
        """
        rows, cols = np.indices(size)
        shape = (len(element), *size)
        return np.broadcast_to(rows, shape), np.broadcast_to(cols, shape)


@dataclass(frozen=True)
class Permutations(Group):
    """Maps that move pixels about, all channels alike.

    Attributes
    ----------
    moves : int64 [g, H * W]: pixel p of the moved picture is pixel moves[k, p] of the picture.
    """

    moves: Int64[np.ndarray, "g p"]

    def __len__(self) -> int:
        return len(self.moves)

    def apply(
        self, first: int, pictures: Float[np.ndarray, "g c h w"], inverse: bool = False
    ) -> Float[np.ndarray, "g c h w"]:
        """Move pixels."""
        moves = self.moves[first : first + len(pictures)]
        if inverse:
            moves = np.argsort(moves, axis=1)
        flat = pictures.reshape(*pictures.shape[:2], -1)
        return np.take_along_axis(flat, moves[:, None], axis=2).reshape(pictures.shape)

    def sources(
        self, element: Int64[np.ndarray, " k"], size: tuple[int, int]
    ) -> tuple[Int64[np.ndarray, "k h w"], Int64[np.ndarray, "k h w"]]:
        """Follow the pixels back."""
        origin = self.moves[element].reshape(-1, *size)
        return origin // size[1], origin % size[1]


@dataclass(frozen=True)
class Unitary(Group):
    """Any unitary maps, as real orthogonal matrices over flattened [C, H, W] pictures.

    Attributes
    ----------
    matrices : float [g, C * H * W, C * H * W]; the first is the identity for a group. A sample of
        an infinite group may leave it out.

    Raises
    ------
    UsageError
        If a matrix is not orthogonal, so that distances would change under it (theorem 5 needs
        a unitary group).
    """

    matrices: Float[np.ndarray, "g d d"]

    def __post_init__(self) -> None:
        for k, matrix in enumerate(self.matrices):
            off = float(np.abs(matrix @ matrix.T - np.eye(len(matrix))).max())
            if not off <= _UNITARY:
                raise UsageError(
                    f"Element {k} of the group is not unitary: U U^T differs from the identity by "
                    f"{off:.3g}. Only maps that keep distances have an equivariant score machine."
                )

    def __len__(self) -> int:
        return len(self.matrices)

    def apply(
        self, first: int, pictures: Float[np.ndarray, "g c h w"], inverse: bool = False
    ) -> Float[np.ndarray, "g c h w"]:
        """Multiply."""
        matrices = self.matrices[first : first + len(pictures)]
        if inverse:
            matrices = matrices.transpose(0, 2, 1)
        flat = pictures.reshape(len(pictures), -1, 1)
        return (matrices @ flat).reshape(pictures.shape).astype(pictures.dtype)


@dataclass(frozen=True)
class Orbit:
    """The stage of IS and ES: whole pictures, under every element of a group."""

    group: Group


def trivial(size: tuple[int, int]) -> Permutations:
    """Return the identity alone: the orbit of IS."""
    return Permutations(_grid(size)[None])


def translations(size: tuple[int, int]) -> Permutations:
    """Return all circular shifts; element dy * W + dx moves down by dy and right by dx."""
    height, width = size
    grid = _grid(size).reshape(size)
    moves = [np.roll(grid, (dy, dx), (0, 1)).ravel() for dy in range(height) for dx in range(width)]
    return Permutations(np.stack(moves))


def flips(size: tuple[int, int]) -> Permutations:
    """Return the identity and the left-right mirror."""
    grid = _grid(size).reshape(size)
    return Permutations(np.stack([grid.ravel(), grid[:, ::-1].ravel()]))


def turns(size: tuple[int, int]) -> Permutations:
    """Return the four quarter turns, anticlockwise.

    Raises
    ------
    UsageError
        If pictures are not square.
    """
    if size[0] != size[1]:
        raise UsageError(
            f"--group turns needs square pictures, and these are {size[0]}x{size[1]}. "
            "Use --resize, or another --group."
        )
    grid = _grid(size).reshape(size)
    return Permutations(np.stack([np.rot90(grid, k).ravel() for k in range(4)]))


def product(groups: Sequence[Permutations]) -> Permutations:
    """Return every product of one element of each; the first group's is applied last."""
    moves = groups[0].moves
    for other in groups[1:]:
        moves = np.stack([later[earlier] for earlier in moves for later in other.moves])
    return Permutations(moves)


GROUPS = {"translations": translations, "flips": flips, "turns": turns}


def named_group(name: str, size: tuple[int, int], channels: int) -> Group:
    """Return a group by name.

    Parameters
    ----------
    name : ``translations``, ``flips``, ``turns``, several of them joined by ``+``, or the path of
        a ``.npy`` file: integers [g, H * W] that say where each pixel comes from, or orthogonal
        matrices [g, C * H * W, C * H * W].
    size, channels : of the pictures.

    Raises
    ------
    UsageError
        If there is no such group, or it does not fit the pictures.
    """
    if name.endswith(".npy"):
        return _read(Path(name), size, channels)
    parts = name.split("+")
    unknown = [part for part in parts if part not in GROUPS]
    if unknown:
        raise UsageError(
            f"--group is {name!r}; it must be {', '.join(GROUPS)}, several joined by +, or a .npy "
            "file."
        )
    return product([GROUPS[part](size) for part in parts])


def _read(path: Path, size: tuple[int, int], channels: int) -> Group:
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UsageError(f"--group {path} does not exist.") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"--group {path} cannot be read as .npy: {error}") from error
    pixels = size[0] * size[1]
    values = channels * pixels
    if array.ndim == 2 and array.shape[1] == pixels and np.issubdtype(array.dtype, np.integer):
        if not len(array) or (np.sort(array, axis=1) != np.arange(pixels)).any():
            raise UsageError(f"--group {path}: every row must be a permutation of the pixels.")
        return Permutations(array.astype(np.int64))
    floating = np.issubdtype(array.dtype, np.floating)
    if array.ndim == 3 and len(array) and array.shape[1:] == (values, values) and floating:
        return Unitary(array)
    raise UsageError(
        f"--group {path} is {array.dtype} of shape {array.shape}; give integers [g, {pixels}] or "
        f"matrices [g, {values}, {values}]."
    )


def _grid(size: tuple[int, int]) -> Int64[np.ndarray, " p"]:
    return np.arange(size[0] * size[1], dtype=np.int64)
