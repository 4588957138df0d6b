from __future__ import annotations

import errno
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from intarsia import Corpus, DataError, IntarsiaError, Samples, Sources, UsageError
from intarsia.provenance import read_config
from intarsia.samples import SOURCE_FIELDS, Origin
from tests.provenance.made import colour_samples, crops, digit_samples, with_sources

FILES = [
    "config.yaml", "grid.png", "maps.png", "metrics.json", "report.html", "samples.npz",
    "sources.npz",
]  # fmt: skip


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def same(a: Samples, b: Samples) -> bool:
    return (
        a.images.dtype == b.images.dtype
        and (a.images == b.images).all()
        and all(
            getattr(a.sources, name).dtype == getattr(b.sources, name).dtype == kind
            and (getattr(a.sources, name) == getattr(b.sources, name)).all()
            for name, kind in SOURCE_FIELDS.items()
        )
        and a.sources.evidence == b.sources.evidence
        and (a.seeds == b.seeds).all()
        and a.origin == b.origin
        and a.settings == b.settings
        and (a.labels is None) == (b.labels is None)
        and (a.labels is None or (a.labels == b.labels).all())
        and set(a.extra) == set(b.extra)
        and all((a.extra[name] == b.extra[name]).all() for name in a.extra)
    )


def test_the_pixel_law_holds_for_the_real_sampler():
    for samples in (colour_samples(), digit_samples()):
        samples.check_pixel_law()
        samples.check_pixel_law(samples.corpus)


def test_the_law_check_catches_any_single_altered_pixel():
    samples = colour_samples()
    draw = np.random.default_rng(0)
    for _ in range(60):
        i, y, x, channel = (int(draw.integers(size)) for size in samples.images.shape)
        images = samples.images.copy()
        images[i, y, x, channel] ^= 1
        with pytest.raises(IntarsiaError, match=f"sample {i}, row {y}, column {x} is"):
            replace(samples, images=images).check_pixel_law()


def test_the_law_check_names_the_first_of_several():
    samples = colour_samples()
    images = samples.images.copy()
    images[1:, 3:] ^= 1
    with pytest.raises(IntarsiaError, match="sample 1, row 3, column 0 is"):
        replace(samples, images=images).check_pixel_law()


def test_the_law_check_counts_samples_across_blocks(monkeypatch):
    monkeypatch.setattr("intarsia.provenance.law._BLOCK", 2)
    samples = colour_samples()
    images = samples.images.copy()
    images[4, 2, 5] ^= 1
    with pytest.raises(IntarsiaError, match="sample 4, row 2, column 5 is"):
        replace(samples, images=images).check_pixel_law()


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("image", 10**6, "outside the corpus"),
        ("row", 16, "outside the corpus"),
        ("row", -1, "outside the corpus"),
        ("col", 99, "outside the corpus"),
        ("image", -1, "was drawn, but names no source"),
    ],
)
def test_the_law_check_catches_sources_that_cannot_be(field, value, fault):
    samples = colour_samples()
    array = getattr(samples.sources, field).copy()
    array[2, 0, 7] = value
    with pytest.raises(IntarsiaError, match=f"sample 2, row 0, column 7 .*{fault}"):
        with_sources(samples, **{field: array}).check_pixel_law()


def test_given_pixels_need_no_source():
    samples = colour_samples()
    given = samples.sources.step < 0
    image = np.where(given, -1, samples.sources.image)
    images = np.where(given[..., None], 7, samples.images).astype(np.uint8)
    replace(with_sources(samples, image=image), images=images).check_pixel_law()


def ragged(valid: list[np.ndarray] | None = None) -> tuple[Samples, Corpus]:
    """A sample of two pixels, from two pictures of different size."""
    corpus = Corpus.from_arrays(
        [np.arange(6, dtype=np.uint8).reshape(2, 3), np.arange(20, dtype=np.uint8).reshape(4, 5)],
        valid=valid,
        name="ragged",
    )
    fields = {name: np.zeros((1, 1, 2), dtype=kind) for name, kind in SOURCE_FIELDS.items()}
    fields |= {"image": [[[0, 1]]], "row": [[[1, 3]]], "col": [[[2, 4]]]}
    sources = Sources(**{name: np.asarray(value) for name, value in fields.items()})
    images = np.array([[[[5], [19]]]], dtype=np.uint8)
    return Samples(images=images, sources=sources, corpus=corpus), corpus


def test_the_law_check_knows_pictures_of_mixed_size():
    samples, _ = ragged()
    samples.check_pixel_law()
    wrong = samples.sources.row.copy()
    wrong[0, 0, 0] = 2  # inside the second picture, outside the first
    with pytest.raises(IntarsiaError, match="column 0 .*outside the corpus"):
        with_sources(samples, row=wrong).check_pixel_law()


def test_a_hole_is_never_a_source():
    valid = [np.ones((2, 3), dtype=bool), np.ones((4, 5), dtype=bool)]
    samples, corpus = ragged(valid)
    samples.check_pixel_law()
    valid[1][3, 4] = False
    samples, corpus = ragged(valid)
    with pytest.raises(IntarsiaError, match="column 1 .*a hole or padding"):
        samples.check_pixel_law(corpus)


def test_the_law_needs_the_right_corpus_and_exact_evidence():
    samples = colour_samples()
    with pytest.raises(DataError, match="made from 'crops'"):
        samples.check_pixel_law(digit_samples().corpus)
    with pytest.raises(UsageError, match="Pass the corpus"):
        replace(samples, corpus=None).check_pixel_law()
    posterior = replace(samples, sources=replace(samples.sources, evidence="posterior"))
    with pytest.raises(UsageError, match="'posterior'"):
        posterior.check_pixel_law()


def test_save_and_load_give_back_the_same(tmp_path):
    samples = replace(
        colour_samples(),
        labels=np.array([0, 1, 0, 1, 1]),
        extra={"raw": np.linspace(-1, 1, 15, dtype=np.float32).reshape(5, 3)},
        settings={
            "model": "nps", "epsilon": "0.1", "sigma": 1e-05, "size": [16, 16], "none": None,
            "principles": "NS+L", "yes": True, "text": "no: - 'quotes' Ü", "version": "1.10",
            "nested": {"a": [1, 2.5]},
        },
    )  # fmt: skip
    assert samples.save(tmp_path / "deep" / "run") == tmp_path / "deep" / "run"
    loaded = Samples.load(tmp_path / "deep" / "run")
    assert same(samples, loaded) and loaded.corpus is None
    loaded.save(tmp_path / "again")
    assert same(loaded, Samples.load(tmp_path / "again", corpus=crops()))
    Samples.load(tmp_path / "again", corpus=crops()).check_pixel_law()


def test_the_run_folder_holds_the_contract(tmp_path):
    samples = digit_samples()
    samples.save(tmp_path, extra={"seconds": 1.0, "rate": float("nan")})
    assert names(tmp_path) == FILES
    with np.load(tmp_path / "sources.npz", allow_pickle=False) as archive:
        assert set(archive.files) == {*SOURCE_FIELDS, "evidence"}
        assert all(archive[name].dtype == kind for name, kind in SOURCE_FIELDS.items())
        assert str(archive["evidence"]) == "exact"
    with np.load(tmp_path / "samples.npz", allow_pickle=False) as archive:
        assert archive["images"].dtype == np.uint8
    config = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert config["format"] == 1 and config["intarsia"]
    assert config["corpus"]["fingerprint"] == samples.corpus.fingerprint
    assert config["settings"]["model"] == "nps"
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["n"] == 12 and metrics["run"] == {"seconds": 1.0, "rate": None}
    for picture in ("grid.png", "maps.png"):
        Image.open(tmp_path / picture).verify()


def test_pools_and_movie_are_written_on_request(tmp_path):
    samples = digit_samples()[:2]
    samples.save(tmp_path, pools={"pixel": np.arange(4)}, movie=True)
    assert names(tmp_path) == sorted([*FILES, "pools.npz", "movie.gif"])
    with pytest.raises(UsageError, match="'avi'"):
        samples.save(tmp_path / "other", movie="avi")
    assert not (tmp_path / "other").exists()


def test_saving_twice_gives_the_same_arrays_byte_for_byte(tmp_path):
    for name in "ab":
        digit_samples().save(tmp_path / name)
    for file in ("samples.npz", "sources.npz", "config.yaml", "metrics.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_another_run_is_not_overwritten(tmp_path):
    digit_samples().save(tmp_path)
    digit_samples().save(tmp_path)  # the same run again is no harm
    before = {file: (tmp_path / file).read_bytes() for file in FILES}
    other = replace(digit_samples(), settings={**digit_samples().settings, "seed": 1})
    for samples in (colour_samples(), other):
        with pytest.raises(UsageError, match="already holds another run"):
            samples.save(tmp_path)
    (tmp_path / "config.yaml").write_text("not: a run")
    with pytest.raises(UsageError, match="already holds another run"):
        other.save(tmp_path)
    (tmp_path / "config.yaml").write_bytes(before["config.yaml"])
    assert {file: (tmp_path / file).read_bytes() for file in FILES} == before
    other.save(tmp_path, overwrite=True)
    assert Samples.load(tmp_path).settings["seed"] == 1


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    real = os.replace
    done = []

    def two_fit(source, target):
        if len(done) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done.append(target)
        real(source, target)

    monkeypatch.setattr(os, "replace", two_fit)
    with pytest.raises(IntarsiaError, match="disk is full"):
        digit_samples().save(tmp_path / "run")
    assert names(tmp_path / "run") == ["samples.npz", "sources.npz"]
    with pytest.raises(DataError, match="not a run folder"):
        Samples.load(tmp_path / "run")


def test_replacing_a_run_leaves_no_mixture_of_two(tmp_path, monkeypatch):
    digit_samples().save(tmp_path, movie="gif")
    monkeypatch.setattr("intarsia.provenance.folder.save_png", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        colour_samples().save(tmp_path, overwrite=True)
    with pytest.raises(DataError, match="not a run folder"):
        Samples.load(tmp_path)
    monkeypatch.undo()
    colour_samples().save(tmp_path, overwrite=True)
    assert names(tmp_path) == FILES


def test_settings_of_no_plain_form_are_named(tmp_path):
    samples = replace(digit_samples(), settings={"a": {"b": [1, object()]}})
    with pytest.raises(UsageError, match=r"settings\.a\.b\[1\] is a object"):
        samples.save(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_numpy_numbers_and_paths_in_settings_become_plain(tmp_path):
    settings = {
        "a": np.float64(0.5), "b": np.int32(3), "c": (1, 2), "d": Path("x/y"), "e": np.arange(2),
        "f": np.bool_(True), "g": np.str_("text"),
    }  # fmt: skip
    replace(digit_samples(), settings=settings).save(tmp_path)
    assert read_config(tmp_path).settings == {
        "a": 0.5, "b": 3, "c": [1, 2], "d": "x/y", "e": [0, 1], "f": True, "g": "text",
    }  # fmt: skip
    replace(digit_samples(), settings=settings).save(tmp_path)  # still the same run


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "flipped":
        with zipfile.ZipFile(path) as archive:
            largest = max(archive.infolist(), key=lambda entry: entry.compress_size)
        middle = largest.header_offset + 60 + largest.compress_size // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :])
    else:
        path.write_bytes(b"something else entirely")


@pytest.mark.parametrize("file", ["samples.npz", "sources.npz"])
@pytest.mark.parametrize("how", ["missing", "empty", "truncated", "flipped", "other"])
def test_damaged_arrays_are_refused_by_name(tmp_path, file, how):
    digit_samples()[:1].save(tmp_path)
    damage(tmp_path / file, how)
    with pytest.raises(DataError, match=file):
        Samples.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no entry 'format'"),
        ("[1, 2]", "no entry 'format'"),
        ("a: [", "cannot be read as YAML"),
        ("format: 2\nintarsia: 9.0\n", "format 2, but .* reads format 1.*9.0"),
        ("format: 1\n", "lacks its entries"),
        ("format: 1\nsettings: {}\ncorpus: {images: many}\n", "describes its corpus wrongly"),
        ("format: 1\nsettings: {}\ncorpus: {class_names: 3}\n", "describes its corpus wrongly"),
    ],
)
def test_a_damaged_config_is_refused(tmp_path, text, said):
    digit_samples()[:1].save(tmp_path)
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(DataError, match=said):
        Samples.load(tmp_path)


def test_files_that_do_not_fit_together_are_refused(tmp_path):
    digit_samples().save(tmp_path / "a")
    colour_samples().save(tmp_path / "b")
    (tmp_path / "a" / "sources.npz").write_bytes((tmp_path / "b" / "sources.npz").read_bytes())
    with pytest.raises(DataError, match="do not fit together"):
        Samples.load(tmp_path / "a")
    np.savez(tmp_path / "b" / "sources.npz", image=np.zeros(3))
    with pytest.raises(DataError, match="lacks col"):
        Samples.load(tmp_path / "b")
    with pytest.raises(DataError, match="does not exist"):
        Samples.load(tmp_path / "nowhere")


def test_a_run_is_not_joined_to_another_corpus(tmp_path):
    digit_samples()[:1].save(tmp_path)
    with pytest.raises(DataError, match="made from 'digits'"):
        Samples.load(tmp_path, corpus=crops())


def test_indexing_keeps_pictures_and_sources_together():
    samples = replace(
        colour_samples(), labels=np.arange(5), extra={"raw": np.arange(10).reshape(5, 2)}
    )
    assert len(samples) == 5
    for which, rows in [
        (2, [2]), (-1, [4]), (np.int64(0), [0]), (slice(1, 3), [1, 2]), ([3, 0], [3, 0]),
        (np.arange(5) > 2, [3, 4]),
    ]:  # fmt: skip
        taken = samples[which]
        assert taken.seeds.tolist() == rows and taken.labels.tolist() == rows
        assert (taken.images == samples.images[rows]).all()
        assert (taken.sources.image == samples.sources.image[rows]).all()
        assert taken.extra["raw"][:, 0].tolist() == [2 * row for row in rows]
        taken.check_pixel_law()
    assert [one.seeds.tolist() for one in samples] == [[0], [1], [2], [3], [4]]
    for wrong in (5, -6):
        with pytest.raises(IndexError):
            samples[wrong]


def test_saved_slices_keep_their_numbers(tmp_path):
    digit_samples()[3:5].save(tmp_path)
    assert Samples.load(tmp_path).seeds.tolist() == [3, 4]


def test_wrong_values_are_refused():
    samples = colour_samples()
    with pytest.raises(UsageError, match="uint8"):
        replace(samples, images=samples.images.astype(float))
    with pytest.raises(UsageError, match="shape"):
        replace(samples, images=samples.images[:, :8])
    with pytest.raises(UsageError, match="labels has 2 entries for 5"):
        replace(samples, labels=np.zeros(2, dtype=np.int16))
    with pytest.raises(UsageError, match="sources.row has shape"):
        with_sources(samples, row=samples.sources.row[:, :3])
    with pytest.raises(UsageError, match="row holds .* 40000"):
        with_sources(samples, row=np.full(samples.sources.shape, 40_000))
    with pytest.raises(UsageError, match="step holds float"):
        with_sources(samples, step=np.zeros(samples.sources.shape))
    with pytest.raises(UsageError, match="evidence is 'sure'"):
        replace(samples.sources, evidence="sure")
    with pytest.raises(UsageError, match="at least one"):
        samples[:0].save("nowhere")


def test_it_draws_itself_in_a_notebook():
    samples = colour_samples()
    assert samples._repr_png_().startswith(b"\x89PNG")
    assert repr(samples) == "<Samples: 5 of 16x16x3 by nps from crops>"
    assert samples.class_names == ("palace", "flower")
    assert Origin().class_name(3) == "3" and Origin().class_name(-1) == "none"
