"""Weights on the Hugging Face hub: safetensors and JSON, never pickles or code."""

from __future__ import annotations

from pathlib import Path

from intarsia.errors import DataError, IntarsiaError, UsageError

_WANTED = ["config.json", "preprocessor_config.json", "model*.safetensors", "*.index.json"]

# The hub answers a look-up in well under a second, or the network is not there.
_PATIENCE = 5.0


def snapshot(repository: str) -> Path:
    """Return a folder with a repository's config.json and safetensors.

    It is taken from the hub's cache if it is there, so that a run can be repeated without the
    network and with the same weights; else downloaded.

    Parameters
    ----------
    repository : OWNER/NAME.

    Raises
    ------
    DataError
        If it is not on this machine and cannot be fetched; the message says what to put where.
    """
    try:
        from huggingface_hub import (
            constants,
            get_hf_file_metadata,
            hf_hub_url,
            snapshot_download,
        )

        if (cached := _in_cache(repository)) is not None:
            return cached
        if constants.HF_HUB_OFFLINE:
            raise DataError("downloads are off: HF_HUB_OFFLINE is set")
        # snapshot_download would try for long where there is no network: ask once first.
        get_hf_file_metadata(hf_hub_url(repository, "config.json"), timeout=_PATIENCE)
        folder = snapshot_download(repository, allow_patterns=_WANTED, etag_timeout=_PATIENCE)
    # Network libraries raise errors of many families; all of them mean the same here.
    except Exception as error:
        raise DataError(
            f"{repository} is not on this machine and could not be downloaded from "
            f"huggingface.co/{repository} ({reason(error)}). Put its config.json and "
            "model.safetensors in a folder, and name that folder instead: --encoder FOLDER."
        ) from error
    return Path(folder)


def upload(folder: Path, repository: str, private: bool, token: str | None) -> str:
    """Put a folder's files on the hub, and return the address of the commit.

    Raises
    ------
    UsageError
        If ``repository`` is no name for one.
    IntarsiaError
        If the hub refuses, or cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError

    api = HfApi(token=token)
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        return str(api.upload_folder(repo_id=repository, folder_path=folder))
    except HFValidationError as error:
        raise UsageError(f"{repository!r} is no OWNER/NAME of a repository.") from error
    except Exception as error:
        raise IntarsiaError(
            f"Nothing was pushed to huggingface.co/{repository} ({reason(error)}). Log in with "
            "'hf auth login', and check the name and the network."
        ) from error


def reason(error: Exception) -> str:
    """Return the first line of an error's message, or its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _in_cache(repository: str) -> Path | None:
    """Return the folder if all that is wanted was fetched before, by us or another program."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    whole = (folder / "config.json").exists() and any(folder.glob("model*.safetensors"))
    return folder if whole else None
