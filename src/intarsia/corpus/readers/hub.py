"""``hf:NAME``: any data set of pictures that the package ``datasets`` can load."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from intarsia.corpus.readers.base import Block, Notes, Reading
from intarsia.corpus.readers.parquet import IMAGE_COLUMNS, LABEL_COLUMNS, encoded, labels_of
from intarsia.errors import DataError, IntarsiaError, UsageError

# The hub answers a look-up in well under a second, or the network is not there.
_PATIENCE = 5.0


def read(name: str, split: str) -> Reading:
    """Return the reading of a data set on the hub, or of one kept in a local folder or file.

    Parameters
    ----------
    name : what follows ``hf:``: ``user/name``, ``user/name:config`` or a local path
    split : a split of it

    Raises
    ------
    UsageError
        If there is no such split or configuration, or ``datasets`` is not installed.
    DataError
        If it cannot be loaded, or holds no pictures.
    """
    try:
        import datasets
    except ImportError as error:
        raise UsageError(
            f"hf:{name} needs the package datasets: pip install 'intarsia[hub]'."
        ) from error
    data = _load(datasets, name, split)
    kinds = {column: _kind(feature) for column, feature in dict(data.features or {}).items()}
    image = _first(kinds, IMAGE_COLUMNS, ("Image",))
    if image is None:
        raise DataError(f"hf:{name}: no column of pictures, only {kinds}.")
    label = _first(kinds, LABEL_COLUMNS, ("ClassLabel", "Value"))
    if isinstance(data.features[image], datasets.Image):
        data = data.cast_column(image, datasets.Image(decode=False))
    labels = None
    names: tuple[str, ...] = ()
    if label is not None:
        names = tuple(getattr(data.features[label], "names", ()))
        labels, names = labels_of(list(data[label]), names, len(data), f"hf:{name}, {label!r}")
    notes = Notes()

    def blocks() -> Iterator[Block]:
        for row, item in enumerate(data.select_columns([image])):
            yield encoded(_bytes(item[image]), f"hf:{name}, row {row}", notes)

    if not len(data):
        raise DataError(f"hf:{name}: split {split!r} holds no rows.")
    return Reading(len(data), blocks, labels, names, notes)


def _load(datasets: Any, name: str, split: str) -> Any:
    local = Path(name).expanduser()
    try:
        if local.is_file():
            return datasets.load_dataset("parquet", data_files=str(local), split=split)
        if (local / "dataset_dict.json").is_file() or (local / "state.json").is_file():
            saved = datasets.load_from_disk(str(local))
            if not isinstance(saved, datasets.DatasetDict):
                return saved
            if split not in saved:
                raise UsageError(f"hf:{name} has no split {split!r}, only {', '.join(saved)}.")
            return saved[split]
        if local.is_dir():
            return datasets.load_dataset(str(local), split=split)
        repository, _, config = name.partition(":")
        _reachable(repository)
        return datasets.load_dataset(repository, config or None, split=split)
    except IntarsiaError:
        raise
    # A loader runs on top of many libraries, each with errors of its own.
    except Exception as error:
        text = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if "Unknown split" in text or "Config name is missing" in text or "not found. Av" in text:
            raise UsageError(f"hf:{name}, split {split!r}: {text}") from error
        raise DataError(f"hf:{name} could not be loaded: {text}") from error


def _reachable(repository: str) -> None:
    """Ask the hub once, since ``datasets`` itself would try for half a minute."""
    from huggingface_hub import HfApi, constants, errors

    if constants.HF_HUB_OFFLINE or os.environ.get("HF_DATASETS_OFFLINE"):
        return
    try:
        HfApi().dataset_info(repository, timeout=_PATIENCE)
    except errors.RepositoryNotFoundError as error:
        raise UsageError(
            f"hf:{repository}: the hub has no such data set, or it is private. "
            "Look it up at https://huggingface.co/datasets."
        ) from error
    except errors.HfHubHTTPError as error:
        raise DataError(f"hf:{repository}: the hub answered: {error}") from error
    except errors.HFValidationError as error:
        raise UsageError(f"hf:{repository}: no name of a data set on the hub: {error}") from error
    except Exception as error:
        raise DataError(
            f"hf:{repository}: the hub cannot be reached ({error}). Connect to the network, set "
            "HF_HUB_OFFLINE=1 to use a copy that `datasets` has already loaded, or name a local "
            "folder: hf:PATH."
        ) from error


def _kind(feature: Any) -> str:
    """Name the kind of a column; a file without the hub's notes has pictures as plain structs."""
    if isinstance(feature, dict) and "bytes" in feature:
        return "Image"
    return type(feature).__name__


def _first(kinds: dict[str, str], usual: tuple[str, ...], allowed: tuple[str, ...]) -> str | None:
    for name in usual:
        if kinds.get(name) in allowed:
            return name
    # Only the first kind is certain enough to be taken under any name.
    return next((name for name, kind in kinds.items() if kind == allowed[0]), None)


def _bytes(item: Any) -> Any:
    """Return the bytes of a row: inside it, or in the file it points to."""
    if isinstance(item, dict):
        if item.get("bytes") is not None:
            return item["bytes"]
        path = item.get("path")
        if path and Path(path).is_file():
            return Path(path).read_bytes()
    return None
