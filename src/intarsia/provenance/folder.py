"""The run folder: what `Samples.save` writes and `Samples.load` reads."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intarsia.errors import DataError, UsageError
from intarsia.files import make_folder, remove, save_npz, save_png, write_text
from intarsia.provenance.law import require_same_corpus
from intarsia.samples import SOURCE_FIELDS, Origin, Samples, Sources

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

FORMAT = 1
"""Version of the folder. It goes up when an older reader would misread a newer folder."""


@dataclass(frozen=True)
class RunConfig:
    """What config.yaml says.

    Parameters
    ----------
    settings : every setting of the run, resolved.
    origin : the corpus it was made from.
    package : version of intarsia that wrote it.
    """

    settings: dict[str, Any]
    origin: Origin
    package: str = ""


def package_version() -> str:
    """Version of the installed package, or ``unknown``."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("intarsia")
    except PackageNotFoundError:
        return "unknown"


def config_text(settings: Mapping[str, Any], origin: Origin) -> str:
    """Write settings and corpus as the text of a config.yaml.

    Raises
    ------
    UsageError
        If a setting is of a type that YAML has no plain form for.
    """
    import yaml

    document = {
        "format": FORMAT,
        "intarsia": package_version(),
        "corpus": plain(asdict(origin), "corpus"),
        "settings": plain(dict(settings), "settings"),
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def read_config(path: str | Path) -> RunConfig:
    """Read a config.yaml, named directly or by its run folder.

    Raises
    ------
    DataError
        If it is missing, not YAML of this kind, or of another format version.
    """
    import yaml

    path = Path(path)
    if path.is_dir():
        path = path / "config.yaml"
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{path} does not exist, so this is not a run folder. Name the folder that "
            "`intarsia generate --out` wrote."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read as YAML: {_first_line(error)}") from error
    if not isinstance(document, dict) or "format" not in document:
        raise DataError(f"{path} has no entry 'format', so it is not a run's config.yaml.")
    if document["format"] != FORMAT:
        raise DataError(
            f"{path} is of format {document['format']!r}, but this version of intarsia reads "
            f"format {FORMAT}. Use the version that wrote it ({document.get('intarsia', '?')})."
        )
    settings, corpus = document.get("settings"), document.get("corpus")
    if not isinstance(settings, dict) or not isinstance(corpus, dict):
        raise DataError(f"{path} lacks its entries 'settings' and 'corpus'. Run it again.")
    try:
        names = tuple(str(name) for name in corpus.get("class_names") or ())
        origin = Origin(
            data=str(corpus.get("data", "")),
            split=str(corpus.get("split", "")),
            images=int(corpus.get("images", 0)),
            fingerprint=str(corpus.get("fingerprint", "")),
            class_names=names,
        )
    except (TypeError, ValueError) as error:
        raise DataError(f"{path} describes its corpus wrongly: {_first_line(error)}") from error
    return RunConfig(settings, origin, str(document.get("intarsia", "")))


def save_run(
    samples: Samples,
    folder: str | Path,
    *,
    pools: Mapping[str, np.ndarray] | None = None,
    movie: str | bool | None = None,
    extra: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a run folder; see `intarsia.samples.Samples.save`."""
    from intarsia.provenance.maps import draw_grid, draw_maps
    from intarsia.provenance.metrics import run_metrics
    from intarsia.provenance.movie import KINDS, write_movie
    from intarsia.provenance.report import report_html

    folder = Path(folder)
    if len(samples) == 0:
        raise UsageError("There are no samples to save. Ask for at least one.")
    kind = "gif" if movie is True else movie
    if kind and kind not in KINDS:
        raise UsageError(f"movie is {movie!r}, but must be one of {', '.join(KINDS)}.")
    another = _holds_another_run(samples, folder)
    if another and not overwrite:
        raise UsageError(
            f"{folder} already holds another run. Choose another folder, or pass "
            "overwrite=True to replace it."
        )
    config = config_text(samples.settings, samples.origin)
    metrics = _finite(plain(run_metrics(samples, extra), "metrics"))
    report = report_html(samples, metrics)

    make_folder(folder)
    if another:  # nothing of it may be taken for a part of this one, even after a power cut
        for name in ("config.yaml", "metrics.json", "pools.npz", "movie.gif", "movie.mp4"):
            remove(folder / name)
    labels = {} if samples.labels is None else {"labels": samples.labels}
    save_npz(
        folder / "samples.npz",
        images=samples.images,
        **labels,
        seeds=samples.seeds,
        **samples.extra,
    )
    save_npz(
        folder / "sources.npz",
        **source_arrays(samples.sources),
        evidence=np.array(samples.sources.evidence),
    )
    if pools is not None:
        save_npz(folder / "pools.npz", **pools)
    save_png(folder / "grid.png", draw_grid(samples))
    save_png(folder / "maps.png", draw_maps(samples))
    if kind:
        write_movie(samples, folder / f"movie.{kind}")
    write_text(folder / "report.html", report)
    write_text(folder / "config.yaml", config)
    # Last, so that a folder with metrics.json holds all of the run.
    write_text(folder / "metrics.json", json.dumps(metrics, indent=2, allow_nan=False) + "\n")
    return folder


def load_run(folder: str | Path, corpus: Corpus | None = None) -> Samples:
    """Read a run folder; see `intarsia.samples.Samples.load`."""
    folder = Path(folder)
    config = read_config(folder / "config.yaml")
    arrays = _read_npz(folder / "samples.npz", {"images", "seeds"})
    parts = _read_npz(folder / "sources.npz", {*SOURCE_FIELDS, "evidence"})
    try:
        sources = read_sources(parts, arrays["images"].shape)
        samples = Samples(
            images=arrays.pop("images"),
            labels=arrays.pop("labels") if "labels" in arrays else None,
            seeds=arrays.pop("seeds"),
            sources=sources,
            settings=config.settings,
            corpus=corpus,
            origin=config.origin,
            extra=arrays,
        )
    except UsageError as error:
        raise DataError(f"The files in {folder} do not fit together: {error}") from error
    if corpus is not None:
        require_same_corpus(samples, corpus)
    return samples


def source_arrays(sources: Sources) -> dict[str, np.ndarray]:
    """Return what sources.npz holds: of a token model, arrays on its grid, and ``grid``."""
    if sources.grid is None:
        return sources.arrays()
    return sources.of_grid() | {"grid": np.array(sources.grid)}


def read_sources(arrays: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> Sources:
    """Undo `source_arrays`.

    Parameters
    ----------
    arrays : as read from sources.npz.
    shape : of the images, [n, H, W, C].

    Raises
    ------
    UsageError
        If they do not fit together.
    """
    fields = {name: arrays[name] for name in SOURCE_FIELDS}
    evidence = str(arrays["evidence"])
    if "grid" in arrays:
        return Sources.of_tokens(fields, (shape[1], shape[2]), evidence)
    return Sources(**fields, evidence=evidence, grid=None)


def plain(value: Any, name: str) -> Any:
    """Turn a value into what YAML and JSON both know: numbers, text, lists, mappings, None.

    Raises
    ------
    UsageError
        If there is no such form, naming where it stands.
    """
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):  # of exactly these types: YAML refuses what derives from them
        if isinstance(value, kind):
            return kind.__str__(value) if kind is str else kind(value)
    if isinstance(value, (Path, Fraction, Decimal)):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(entry, f"{name}.{key}") for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry, f"{name}[{at}]") for at, entry in enumerate(value)]
    raise UsageError(
        f"{name} is a {type(value).__name__}, which cannot be written to a file. Use numbers, "
        "text, lists or mappings."
    )


def _finite(value: Any) -> Any:
    """JSON has no NaN: None says that a number is undefined."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return value


def _holds_another_run(samples: Samples, folder: Path) -> bool:
    if not (folder / "config.yaml").exists():
        return False
    try:
        there = read_config(folder)
    except DataError:
        return True
    return there.settings != plain(dict(samples.settings), "settings") or (
        there.origin.fingerprint != samples.origin.fingerprint
    )


def _read_npz(path: Path, needed: set[str]) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path):  # np.load would take a lone array too
            pass
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise DataError(f"{path} is missing, so the run is incomplete. Run it again.") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} is damaged or not a NumPy archive ({_first_line(error)}). Run it again."
        ) from error
    missing = sorted(needed - set(arrays))
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}. Run it again.")
    return arrays


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
