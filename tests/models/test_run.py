"""A run cut short at any moment is finished by the same call, to the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from intarsia.corpus import Corpus
from intarsia.errors import IntarsiaError, UsageError
from intarsia.models import Inpainting, NonparametricSampler, run
from intarsia.models import checkpoint as checkpoints
from intarsia.reduce import keys
from tests.models.obvious import assert_same
from tests.pictures import digits

N, SEED = 5, 3


class Stop(Exception):
    """What an interruption raises here."""


def corpus(count: int = 60) -> Corpus:
    return Corpus.from_arrays(np.array(digits().images[:count]), np.arange(count) % 4)


def model(**options: object) -> NonparametricSampler:
    return NonparametricSampler(corpus(), **({"principles": "NS+L+H", "keep": 20} | options))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.npz"))}


def assert_same_runs(first: Path, second: Path) -> None:
    """Every array of every .npz, and the settings."""
    names = sorted(contents(first))
    assert names == sorted(contents(second)) and {"samples.npz", "sources.npz"} <= set(names)
    for name in names:
        with np.load(first / name) as one, np.load(second / name) as other:
            assert sorted(one.files) == sorted(other.files)
            for array in one.files:
                np.testing.assert_array_equal(one[array], other[array], err_msg=array)
    assert (first / "config.yaml").read_bytes() == (second / "config.yaml").read_bytes()


def stopping_at(steps: int):
    """A callback that stops a run once it has made so many steps."""
    left = [steps]

    def callback(step: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Stop

    return callback


def finish(made, folder: Path, stops: list[int], **options: object):
    """Start a run, stop it after each of ``stops`` more steps, and finish it."""
    for i, steps in enumerate(stops):
        with pytest.raises(Stop):
            run(
                made, N, SEED, folder, resume=i > 0, callback_on_step_end=stopping_at(steps),
                **options,
            )  # fmt: skip
        assert (folder / "config.yaml").exists() and not (folder / "metrics.json").exists()
    samples = run(made, N, SEED, folder, resume=bool(stops), **options)
    assert not (folder / "partial").exists()
    return samples


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"principles": "NS+L", "seed_at": "random"},
        {"condition": "class"},
        {"encoder": "patch:lowres", "keep": 15},
        {"threshold": "intersection", "epsilon": "0.5"},
    ],
    ids=lambda options: " ".join(map(str, options.values())) or "NS+L+H",
)
def test_a_run_stopped_at_random_steps_and_resumed_has_the_same_bytes(options, tmp_path):
    rng = np.random.default_rng(8)
    made = model(**options)
    whole = finish(made, tmp_path / "whole", [])
    assert_same(whole, made.sample(N, SEED))
    per_batch = 64 - 16
    for i in range(2):
        stops = [int(s) for s in rng.integers(1, per_batch, 3)]
        resumed = finish(made, tmp_path / f"resumed{i}", stops, batch=2)
        assert_same(whole, resumed)
        assert_same_runs(tmp_path / "whole", tmp_path / f"resumed{i}")


def test_a_run_resumed_in_another_batch_size_has_the_same_bytes(tmp_path):
    made = model()
    finish(made, tmp_path / "whole", [])
    with pytest.raises(Stop):
        run(made, N, SEED, tmp_path / "other", batch=2, callback_on_step_end=stopping_at(70))
    run(made, N, SEED, tmp_path / "other", batch=1, resume=True)
    assert_same_runs(tmp_path / "whole", tmp_path / "other")


def test_progress_counts_every_pixel_once_and_says_what_was_resumed(tmp_path):
    made, seen = model(), []
    with pytest.raises(Stop):
        run(made, N, SEED, tmp_path / "r", batch=2, callback_on_step_end=stopping_at(60))
    run(
        made, N, SEED, tmp_path / "r", batch=2, resume=True,
        on_progress=lambda p: seen.append((p.done, p.resumed, p.pixels)),
    )  # fmt: skip
    assert {(resumed, pixels) for _, resumed, pixels in seen} == {(120, N * 48)}
    assert seen[0][0] == 120 and seen[-1][0] == N * 48
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


@pytest.mark.parametrize("period", [0, 3600], ids=["at every step", "never"])
def test_a_run_killed_outright_is_finished_to_the_same_bytes(period, tmp_path):
    """kill -9 runs no clean-up: what the last checkpoint holds must do."""
    script = f"""
        import os, signal
        import numpy as np
        from intarsia.models import checkpoint
        from tests.models.test_run import N, SEED, model, run
        checkpoint.PERIOD = {period}
        steps = []
        def kill(step):
            steps.append(step)
            if len(steps) == 70:
                os.kill(os.getpid(), signal.SIGKILL)
        run(model(), N, SEED, {str(tmp_path / "killed")!r}, batch=2, keep_pools=True,
            callback_on_step_end=kill)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    finish(model(), tmp_path / "whole", [], batch=2, keep_pools=True)
    run(model(), N, SEED, tmp_path / "killed", batch=2, keep_pools=True, resume=True)
    assert_same_runs(tmp_path / "whole", tmp_path / "killed")


def interrupted_at_line(number: int):
    """Raise KeyboardInterrupt at the so many-th line of Python run in models/, as Ctrl-C may."""
    inside = str(Path(checkpoints.__file__).parent)
    left = [number]

    def watch(frame, event, arg):
        if not frame.f_code.co_filename.startswith(inside):
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return watch

    return watch


@pytest.mark.parametrize("threshold", ["cascade", "intersection"])
def test_a_run_interrupted_at_any_line_has_the_same_bytes(threshold, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PERIOD", 0)  # a checkpoint at every step
    made = model(seed_size=6, threshold=threshold, epsilon="0.5", refresh=7)

    def go(folder: Path, resume: bool) -> None:
        run(made, 2, SEED, folder, batch=1, keep_pools=True, resume=resume)

    go(tmp_path / "whole", False)
    empty = (tmp_path / "whole" / "metrics.json").read_text().split('"empty_pools":')[1:]
    rng = np.random.default_rng(12)
    for i, number in enumerate(rng.integers(150, 3500, 8).tolist()):
        folder = tmp_path / str(i)
        before = sys.gettrace()
        sys.settrace(interrupted_at_line(number))
        try:
            go(folder, False)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        go(folder, True)
        assert_same_runs(tmp_path / "whole", folder)
        after = (folder / "metrics.json").read_text().split('"empty_pools":')[1:]
        assert [e[:8] for e in after] == [e[:8] for e in empty]


def test_a_finished_run_is_only_read(tmp_path):
    made = model()
    whole = run(made, N, SEED, tmp_path / "r")
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in (tmp_path / "r").iterdir()}

    def never(step: object) -> None:
        raise AssertionError("a finished run draws nothing")

    again = run(made, N, SEED, tmp_path / "r", resume=True, callback_on_step_end=never)
    assert_same(whole, again)
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in before} == before
    assert sorted((tmp_path / "r").iterdir()) == sorted(before)


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "unfinished"])
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"n": N + 1}, "n"),
        ({"seed": SEED + 1}, "seed"),
        ({"epsilon": "0.2"}, "epsilon"),
        ({"principles": "NS+L"}, "principles"),
        ({"corpus": 61}, "corpus"),
        ({"notes": {"corpus_data": "elsewhere"}}, "corpus_data"),
    ],
)
def test_a_folder_of_other_settings_is_refused_and_left_alone(change, named, finished, tmp_path):
    folder = tmp_path / "r"
    if finished:
        run(model(), N, SEED, folder)
    else:
        with pytest.raises(Stop):
            run(model(), N, SEED, folder, callback_on_step_end=stopping_at(9))
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    options = {k: v for k, v in change.items() if k not in ("n", "seed", "corpus", "notes")}
    other = NonparametricSampler(
        corpus(change.get("corpus", 60)), **({"principles": "NS+L+H", "keep": 20} | options)
    )
    for resume in (True, False):
        with pytest.raises(UsageError, match=rf"another run.*\b{named}\b.*another --out"):
            run(
                other, change.get("n", N), change.get("seed", SEED), folder, resume=resume,
                notes=change.get("notes"),
            )  # fmt: skip
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_the_same_run_without_resume_is_refused(tmp_path):
    run(model(), 1, SEED, tmp_path / "r")
    with pytest.raises(UsageError, match="already holds this run.*--resume"):
        run(model(), 1, SEED, tmp_path / "r")


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("chapter 1")
    for resume in (True, False):
        with pytest.raises(UsageError, match="not a run of intarsia.*another --out"):
            run(model(), 1, SEED, tmp_path, resume=resume)
        with pytest.raises(UsageError, match="not a run of intarsia"):
            run(model(), 1, SEED, tmp_path / "thesis.txt", resume=resume)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("n", "seed", "options", "says"),
    [
        (0, 0, {}, "--n is 0"),
        (1, -1, {}, "--seed is -1"),
        (1, 2**63, {}, "--seed is 9223372036854775808"),
        (1, 0, {"batch": 0}, "--batch is 0"),
    ],
)
def test_a_run_that_cannot_start_leaves_no_folder(n, seed, options, says, tmp_path):
    with pytest.raises(UsageError, match=says):
        run(model(), n, seed, tmp_path / "r", **options)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("seed_at", ["9,9", "here"])
def test_a_run_whose_seed_does_not_fit_leaves_no_folder(seed_at, tmp_path):
    with pytest.raises(UsageError, match=f"--seed-at.*{seed_at}"):
        run(model(seed_at=seed_at), 1, 0, tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_damaged_checkpoint_is_named_and_can_be_deleted(tmp_path):
    made, folder = model(), tmp_path / "r"
    with pytest.raises(Stop):
        run(made, N, SEED, folder, batch=2, callback_on_step_end=stopping_at(60))
    damaged = sorted((folder / "partial").glob("batch-*.npz"))[1]
    damaged.write_bytes(damaged.read_bytes()[:200])
    with pytest.raises(IntarsiaError, match=f"{damaged.name} cannot be read.*Delete it"):
        run(made, N, SEED, folder, batch=2, resume=True)
    damaged.unlink()
    assert_same(run(made, N, SEED, folder, batch=2, resume=True), made.sample(N, SEED))


def entries(folder: Path):
    """Kept pools by (sample, row, col): codes and distances."""
    with np.load(folder / "pools.npz") as kept:
        arrays = dict(kept)
    codes = keys.encode(arrays["source_image"], arrays["source_row"], arrays["source_col"])
    found = {}
    for i, (start, count) in enumerate(zip(arrays["start"], arrays["count"], strict=True)):
        at = arrays["sample"][i], arrays["row"][i], arrays["col"][i]
        part = slice(start, start + count)
        assert at not in found
        found[at] = int(arrays["step"][i]), codes[part], arrays["distance"][part]
    assert len(codes) == arrays["count"].sum()
    return found


@pytest.mark.parametrize("options", [{}, {"threshold": "intersection", "epsilon": "0.5"}])
def test_kept_pools_hold_the_winner_and_have_the_pool_s_size(options, tmp_path):
    made = model(min_pool=3 if not options else 1, **options)
    samples = run(made, N, SEED, tmp_path / "r", keep_pools=True)
    sources, found = samples.sources, entries(tmp_path / "r")
    grown = [tuple(at) for at in np.argwhere(sources.step >= 0)]
    assert sorted(found) == grown
    for at, (step, codes, distances) in found.items():
        assert step == sources.step[at] and len(codes) == sources.pool[at]
        assert (np.diff(codes) > 0).all()
        winner = keys.encode(sources.image[at], sources.row[at], sources.col[at])
        (place,) = np.flatnonzero(codes == winner)
        # The same weight divides every distance of one pool.
        share = float(sources.distance[at])
        assert (share == 0) == (distances[place] == 0)
    # Keeping pools changes no draw.
    assert_same(samples, made.sample(N, SEED))


def test_of_pools_beyond_the_limit_the_nearest_are_kept(tmp_path, monkeypatch):
    made = model(principles="NS+L", min_pool=40)
    run(made, 2, SEED, tmp_path / "all", keep_pools=True)
    monkeypatch.setattr(checkpoints, "POOL_LIMIT", 7)
    run(made, 2, SEED, tmp_path / "few", keep_pools=True)
    everything, few = entries(tmp_path / "all"), entries(tmp_path / "few")
    for at, (_, codes, distances) in few.items():
        _, all_codes, all_distances = everything[at]
        order = np.lexsort((all_codes, all_distances))[:7]
        assert codes.tolist() == sorted(all_codes[order].tolist())
        assert sorted(distances) == sorted(all_distances[order])


def test_pools_of_a_resumed_run_are_all_there_once(tmp_path, monkeypatch):
    made = model(principles="NS+L")
    finish(made, tmp_path / "whole", [], keep_pools=True, batch=2)
    for period in (0, 3600):
        monkeypatch.setattr(checkpoints, "PERIOD", period)
        finish(made, tmp_path / f"r{period}", [5, 30, 60], keep_pools=True, batch=2)
        assert entries(tmp_path / f"r{period}").keys() == entries(tmp_path / "whole").keys()
        assert_same_runs(tmp_path / "whole", tmp_path / f"r{period}")


def test_pools_kept_beyond_the_last_saved_batch_are_made_again_once(tmp_path, monkeypatch):
    """As after a kill between the two files of a checkpoint."""
    made = model(principles="NS+L")
    finish(made, tmp_path / "whole", [], keep_pools=True, batch=2)
    save, saved = checkpoints.save_npz, []

    def full(path: Path, **arrays: np.ndarray) -> None:
        saved.append(path.name.startswith("batch-"))
        if sum(saved) > 60 and saved[-1]:
            raise Stop
        save(path, **arrays)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "PERIOD", 0)
        patch.setattr(checkpoints, "save_npz", full)
        with pytest.raises(Stop):
            run(made, N, SEED, tmp_path / "r", keep_pools=True, batch=2)
    run(made, N, SEED, tmp_path / "r", keep_pools=True, batch=2, resume=True)
    assert entries(tmp_path / "r").keys() == entries(tmp_path / "whole").keys()
    assert_same_runs(tmp_path / "whole", tmp_path / "r")


def test_a_filling_stopped_and_resumed_has_the_same_bytes(tmp_path):
    hole = np.zeros((8, 8), bool)
    hole[2:7, 1:7] = True
    made = Inpainting(np.array(digits().images[500]), hole, corpus(), keep=20)
    whole = finish(made, tmp_path / "whole", [])
    assert_same(whole, finish(made, tmp_path / "r", [4, 11, 19], batch=2))
    assert_same_runs(tmp_path / "whole", tmp_path / "r")
