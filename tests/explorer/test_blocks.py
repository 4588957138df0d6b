"""What the page is told of a run is what its files say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intarsia import Corpus, Samples
from intarsia.explorer import archive, bounded, run
from intarsia.explorer.library import Library
from intarsia.explorer.pack import unpack
from intarsia.provenance import class_map, image_map, map_entropies, top_share
from intarsia.samples import SOURCE_FIELDS
from tests.cli.command import arrays

RUNS = ("full", "near", "plain", "scores")


@pytest.mark.parametrize("name", RUNS)
def test_a_sample_is_what_sources_npz_and_samples_npz_say(
    name: str, shelf: Library, runs: Path
) -> None:
    saved = Samples.load(runs / name)
    for index in range(len(saved)):
        meta, block = unpack(shelf.block(name, index, "sample"))
        for field in SOURCE_FIELDS:
            np.testing.assert_array_equal(block[field], saved.sources.arrays()[field][index])
        np.testing.assert_array_equal(block["pixels"][..., :1], saved.images[index])
        np.testing.assert_array_equal(block["map_image"], image_map(saved.sources[index])[0])
        np.testing.assert_array_equal(block["map_class"], class_map(saved.sources[index])[0])
        shares = {use["image"]: use["pixels"] for use in meta["top"]}
        for image, pixels in shares.items():
            assert pixels == (saved.sources.image[index] == image).sum()


@pytest.mark.parametrize("name", ["near", "full"])
def test_a_pool_is_what_pools_npz_says_nearest_first(name: str, shelf: Library, runs: Path) -> None:
    pools = arrays(runs / name / "pools.npz")
    corpus = Corpus.open("digits")
    for index in range(3):
        _, block = unpack(shelf.block(name, index, "pools"))
        entries = np.flatnonzero(pools["sample"] == index)
        assert block["count"].sum() == pools["count"][entries].sum()
        for entry in entries:
            at = (pools["row"][entry], pools["col"][entry])
            members = slice(pools["start"][entry], pools["start"][entry] + pools["count"][entry])
            told = slice(block["start"][at], block["start"][at] + block["count"][at])
            wanted = {
                tuple(int(pools[key][i]) for key in
                      ("source_image", "source_row", "source_col", "distance"))
                for i in range(members.start, members.stop)
            }  # fmt: skip
            found = [
                tuple(int(block[key][i]) for key in ("image", "row", "col", "distance"))
                for i in range(told.start, told.stop)
            ]
            assert set(found) == wanted and len(found) == len(wanted)
            assert [one[3] for one in found] == sorted(one[3] for one in found)
            for i in range(told.start, told.stop):
                place = (int(block["image"][i]), int(block["row"][i]), int(block["col"][i]))
                assert block["value"][i] == corpus[place]
                assert corpus.labels is not None
                assert block["label"][i] == corpus.labels[place[0]]


def test_steps_are_what_steps_npz_says(shelf: Library, runs: Path) -> None:
    saved = arrays(runs / "scores" / "steps.npz")
    for index in range(2):
        _, block = unpack(shelf.block("scores", index, "steps"))
        for name in ("image", "row", "col", "weight"):
            np.testing.assert_array_equal(block[name], saved[name][index])
        wanted = np.rint((np.clip(saved["x"][index], -1, 1) + 1) * 127.5)
        np.testing.assert_array_equal(block["x"][..., 0], wanted[:, 0])
        assert (block["side"] == 3).all()


def test_training_pictures_are_those_of_the_corpus(shelf: Library) -> None:
    corpus = Corpus.open("digits")
    _, block = unpack(shelf.training("near", [5, 1796, 0, 4000]))
    assert block["number"].tolist() == [5, 1796, 0], "4000 is not in the corpus and left out"
    for at, number in enumerate(block["number"]):
        pixels = block["pixels"][block["start"][at] : block["start"][at] + 64]
        np.testing.assert_array_equal(pixels.reshape(8, 8, 1), corpus[int(number)])
    sample = unpack(shelf.block("near", 0, "sample"))[1]
    given = unpack(shelf.block("near", 0, "sources"))[1]
    assert set(given["number"]) == set(sample["image"].ravel())


def test_numbers_of_samples_are_those_of_provenance(shelf: Library, runs: Path) -> None:
    saved = Samples.load(runs / "full")
    told = shelf.summary("full")
    assert told["samples"]["number"] == list(range(6))
    np.testing.assert_allclose(told["samples"]["top_share"], top_share(saved.sources))
    for index, value in enumerate(told["samples"]["image_entropy"]):
        assert value == map_entropies(saved.sources[index]).image_map


def test_copy_scores_are_those_of_an_audit(runs: Path, tmp_path: Path) -> None:
    import json
    import shutil

    shutil.copytree(runs / "plain", tmp_path / "run")
    rows = [
        {"name": f"samples.npz[{i}]", "p_value": p, "copied_fraction": 0.5}
        for i, p in ((1, 0.25), (0, 0.5))
    ]
    (tmp_path / "run" / "audit").mkdir()
    (tmp_path / "run" / "audit" / "audit.json").write_text(json.dumps({"samples": rows}))
    told = Library({"run": tmp_path / "run"}).summary("run")["samples"]
    assert told["copy"] == [0.5, 0.25] and told["copied"] == [0.5, 0.5]


def test_uses_name_every_sample_that_used_a_picture(shelf: Library, runs: Path) -> None:
    saved = Samples.load(runs / "near")
    _, uses = unpack(shelf.uses("near"))
    assert (np.diff(uses["image"].astype(int)) >= 0).all()
    told = set(zip(*(uses[name].tolist() for name in ("image", "sample", "count")), strict=True))
    wanted = set()
    for index, image in enumerate(saved.sources.image):
        for number in np.unique(image):
            wanted.add((int(number), index, int((image == number).sum())))
    assert told == wanted


def test_opening_a_run_maps_its_arrays_and_closing_removes_them(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "SMALL", 1000)
    opened = archive.MappedArchive(runs / "near" / "pools.npz")
    folder = opened._files["distance"].parent
    np.testing.assert_array_equal(
        opened["distance"], arrays(runs / "near" / "pools.npz")["distance"]
    )
    assert isinstance(opened["distance"], np.memmap)
    opened.close()
    assert not folder.exists()


def test_a_store_forgets_the_longest_unused_and_makes_each_value_once() -> None:
    gone: list[int] = []
    made: list[int] = []
    store: bounded.Bounded[int] = bounded.Bounded(10, size=lambda value: value, dropped=gone.append)

    def get(value: int) -> int:
        return store.get(value, lambda: made.append(value) or value)

    for value in (4, 5, 4, 3):
        assert get(value) == value
    assert gone == [5] and made == [4, 5, 3]
    get(11)  # larger than everything: kept alone
    assert store.keys() == [11]


def test_however_many_runs_are_opened_the_archives_on_disk_stay_bounded(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "ON_DISK", 200_000)
    opened = Library({name: runs / name for name in RUNS})
    sizes = []
    for name in RUNS * 2:
        opened.summary(name)
        if name in ("near", "full"):
            opened.block(name, 0, "pools")
        kept = opened._archives._values.values()
        sizes.append(sum(size for _, size in kept))
        assert sizes[-1] <= 200_000 or len(kept) == 1
    assert max(sizes) > 0
    opened.close()


def test_training_pictures_are_opened_unasked_only_where_they_are_known_by_name(
    runs: Path, tmp_path: Path
) -> None:
    import shutil

    from intarsia.explorer.library import library

    shutil.copytree(runs / "plain", tmp_path / "run")
    config = tmp_path / "run" / "config.yaml"
    config.write_text(config.read_text().replace("corpus_data: digits", "corpus_data: /etc"))
    opened = library([tmp_path])
    assert opened.run("run").corpus is None
    assert "--data /etc" in opened.run("run").why_no_corpus
    named = library([tmp_path], data="digits")
    assert named.run("run").corpus is not None
