"""Where a named data set is on this machine, and how to fetch one that is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from intarsia.corpus import layout
from intarsia.corpus.readers.base import explained
from intarsia.corpus.registry import Card
from intarsia.corpus.source import file_sha256
from intarsia.errors import DataError, IntarsiaError

# The hub answers a look-up in well under a second, or the network is not there.
_PATIENCE = 5.0


class Place(NamedTuple):
    """Where a split of a named set was found, and the SHA-256 of its files where known."""

    found: layout.Found
    where: str
    sha256: tuple[str, ...] | None = None

    def check(self) -> None:
        """Raise DataError if a file is not the one the hub announced."""
        for path, expected in zip(self.found.files, self.sha256 or (), strict=False):
            actual = file_sha256(path)
            if actual != expected:
                raise DataError(
                    f"{path}: damaged download: SHA-256 {actual[:16]}..., but the hub announced "
                    f"{expected[:16]}.... Delete the file and run this again."
                )


def cache_folder() -> Path:
    """Return the folder for what can be made again: $INTARSIA_CACHE, or the user's cache."""
    if named := os.environ.get("INTARSIA_CACHE"):
        return Path(named).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("intarsia"))


def folders(card: Card) -> list[Path]:
    """Return the folders a named set is looked for in, in order."""
    places = []
    if data := os.environ.get("INTARSIA_DATA"):
        places.append(Path(data).expanduser() / card.name)
    places.extend(map(Path, card.folders))
    places.append(cache_folder() / "data" / card.name)
    return places


def on_this_machine(card: Card, split: str) -> Place | None:
    """Return where a split is, without the network; None if it is not here.

    Raises
    ------
    DataError
        If some of its files are here and others are missing.
    """
    for folder in folders(card):
        with explained(folder, f"a folder of {card.name}"):
            found = layout.find(folder, split)
        if found and found.kind == "idx" and len(found.files) == 1:
            raise DataError(
                f"{found.files[0]}: its labels are missing: put {_labels_name(card, split)} "
                f"in {folder} too."
            )
        if found:
            return Place(found, str(folder))
    return _in_hub_cache(card, split)


def fetch(card: Card, split: str) -> Place:
    """Download a split from the hub into the hub's cache, with a progress bar.

    An interrupted download goes on where it stopped. The file is checked against the SHA-256
    that the hub announces for it.

    Raises
    ------
    DataError
        If it cannot be fetched: the message says which files to put where.
    """
    file = card.parquet[split]
    try:
        from huggingface_hub import (
            constants,
            get_hf_file_metadata,
            hf_hub_download,
            hf_hub_url,
        )

        if constants.HF_HUB_OFFLINE:
            raise DataError("downloads are off: HF_HUB_OFFLINE is set")
        # hf_hub_download would try for half a minute where there is no network: ask once first.
        url = hf_hub_url(card.repository, file, repo_type="dataset")
        metadata = get_hf_file_metadata(url, timeout=_PATIENCE)
        path = Path(
            hf_hub_download(
                card.repository,
                file,
                repo_type="dataset",
                etag_timeout=_PATIENCE,
            )
        )
    # Network libraries raise errors of many families; all of them mean the same here.
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{card.name} ({split}) is not on this machine and could not be downloaded from "
            f"huggingface.co/datasets/{card.repository} ({reason}). {advice(card, split)}"
        ) from error
    place = Place(layout.Found("parquet", (path,)), _HUB, _announced(path) or _known(metadata.etag))
    place.check()
    return place


def advice(card: Card, split: str) -> str:
    """Say which files to put in which folder."""
    parquet = Path(card.parquet[split]).name
    choices = [" and ".join(card.files[split])]
    if parquet not in card.files[split]:
        choices.append(parquet)
    data = os.environ.get("INTARSIA_DATA")
    named = Path(data).expanduser() / card.name if data else f"$INTARSIA_DATA/{card.name}"
    own = cache_folder() / "data" / card.name
    return f"Put {', or '.join(choices)} in {named} or in {own}."


_HUB = "the Hugging Face cache"


def _in_hub_cache(card: Card, split: str) -> Place | None:
    """Return the file if ``huggingface_hub`` has already fetched it, for us or another program."""
    if split not in card.parquet:
        return None
    try:
        from huggingface_hub import try_to_load_from_cache

        path = try_to_load_from_cache(card.repository, card.parquet[split], repo_type="dataset")
    except (ImportError, OSError, ValueError, IntarsiaError):
        return None
    if not isinstance(path, str):
        return None
    return Place(layout.Found("parquet", (Path(path),)), _HUB, _announced(Path(path)))


def _announced(path: Path) -> tuple[str, ...] | None:
    """Return the SHA-256 by which the hub's cache names a large file."""
    return _known(os.path.basename(os.path.realpath(path)))


def _known(etag: str | None) -> tuple[str, ...] | None:
    """Return an etag that is a SHA-256. For small files it is another hash, of no use here."""
    if etag and len(etag) == 64 and all(c in "0123456789abcdef" for c in etag):
        return (etag,)
    return None


def _labels_name(card: Card, split: str) -> str:
    return card.files[split][1] if len(card.files[split]) > 1 else "its file of labels"
