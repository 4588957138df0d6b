"""Laws 2 and 3 over processes: workers of a local Ray cluster draw what one process draws."""

import os
import signal

import pytest

from intarsia import Corpus, NonparametricSampler
from intarsia.errors import IntarsiaError, UsageError
from intarsia.models import run
from intarsia.models.machine_run import run_machine
from intarsia.models.machines import machine_kind
from intarsia.models.spread import Spread
from intarsia.reduce.posterior_state import Share
from intarsia.reduce.workers import Workers

pytest.importorskip("ray")

DECIDED = ("image", "row", "col", "transform", "label", "step", "pool")


@pytest.fixture(scope="module")
def workers():
    with Workers(count=2) as both:
        yield both


@pytest.fixture(scope="module")
def digits():
    return Corpus.open("digits", limit=401)  # shards of two sizes


def assert_same(found, expected):
    assert (found.images == expected.images).all()
    for name in DECIDED:
        assert (getattr(found.sources, name) == getattr(expected.sources, name)).all(), name
    for name, value in expected.extra.items():
        assert (found.extra[name] == value).all(), name


SETTINGS = [
    {"principles": "L"},
    {"principles": "NS+L"},
    {"principles": "NS+L", "threshold": "intersection"},
    {"principles": "NS+L+H"},
    {"condition": "class", "label": 3},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: "-".join(map(str, s.values())))
@pytest.mark.parametrize("by_shards", [False, True], ids=["samples", "shards"])
def test_workers_draw_what_one_process_draws(digits, workers, tmp_path, settings, by_shards):
    expected = NonparametricSampler(digits, **settings).sample(3, seed=5)
    model = NonparametricSampler(digits, **settings)
    if by_shards:
        model.share_with(workers)
        assert_same(model.sample(3, seed=5), expected)
    else:
        assert_same(run(model, 3, 5, tmp_path / "run", workers=workers), expected)


@pytest.mark.parametrize("name", ["is", "es", "ls", "els", "bbels"])
@pytest.mark.parametrize("by_shards", [False, True], ids=["samples", "shards"])
def test_workers_believe_what_one_process_believes(digits, workers, tmp_path, name, by_shards):
    def machine():
        return machine_kind(name)(digits, steps=4, scales="7,5,3,3")

    expected = machine().sample(3, seed=2)
    model = machine()
    if by_shards:
        model.share_with(workers)
        assert_same(model.sample(3, seed=2), expected)
    else:
        assert_same(run_machine(model, 3, 2, tmp_path / "run", workers=workers), expected)


@pytest.mark.parametrize("tasks", [0, 1, 5, 7, 13, 40, 64])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_shares_are_whole_branches_of_the_merge_tree(tasks, count):
    def tree(leaves):
        level = list(leaves)
        while len(level) > 1:
            pairs = [(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            level = pairs + (level[-1:] if len(level) % 2 else [])
        return level[0]

    runs = [run for number in range(count) for run in Share(number, count).of(tasks)]
    assert [task for run in runs for task in run] == list(range(tasks))
    if tasks:
        assert tree([tree(run) for run in runs]) == tree(range(tasks))


def test_a_worker_that_is_killed_is_replaced_and_nothing_changes(digits, monkeypatch):
    monkeypatch.setattr("intarsia.models.spread.STRETCH", 0.0)
    expected = NonparametricSampler(digits, principles="NS+L").sample(4, seed=1)
    model = NonparametricSampler(digits, principles="NS+L")
    with Workers(count=2) as workers:
        before = workers.processes()
        spread, finished = Spread(workers, model, {"seed": 1}), []
        for number, (batch, _, done) in enumerate(spread.grow(model.batches(4, 1, 1))):
            if number == 3:
                os.kill(before[0], signal.SIGKILL)
            if done:
                finished.append(batch)
        assert before[0] not in workers.processes()
        assert_same(model.gather(finished, 4, 1), expected)

        shared = NonparametricSampler(digits, principles="NS+L")
        shared.share_with(workers)
        victim = workers.processes()[1]
        steps = []

        def kill(step):
            steps.append(step)
            if len(steps) == 5:
                os.kill(victim, signal.SIGKILL)

        assert_same(shared.sample(4, seed=1, callback_on_step_end=kill), expected)
        assert victim not in workers.processes()


def test_a_run_that_workers_began_is_finished_by_one_process(digits, workers, tmp_path):
    expected = NonparametricSampler(digits).sample(4, seed=3)

    class Enough(Exception):
        pass

    def stop(progress):
        if progress.done >= 60:
            raise Enough

    model = NonparametricSampler(digits)
    with pytest.raises(Enough):
        run(model, 4, 3, tmp_path / "run", batch=1, workers=workers, on_progress=stop)
    assert list((tmp_path / "run").rglob("batch-*.npz"))
    assert_same(run(model, 4, 3, tmp_path / "run", resume=True), expected)


def test_what_workers_cannot_do_is_refused(digits, workers, tmp_path):
    model = NonparametricSampler(digits)
    with pytest.raises(UsageError, match="keep-pools needs --engine local"):
        run(model, 1, 0, tmp_path / "run", workers=workers, keep_pools=True)
    with pytest.raises(UsageError, match="workers is 0"):
        Workers(count=0)
    with pytest.raises(UsageError, match="cannot be shared out"):
        machine_kind("wiener")(digits).share_with(workers)


def _fails(value):
    raise IntarsiaError(f"no {value}")


def test_an_error_of_ours_keeps_its_kind(workers):
    with pytest.raises(IntarsiaError, match="no patch"):
        workers.results([workers.start(0, _fails, workers.hold("patch"))])
