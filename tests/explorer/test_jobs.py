"""Work started from the page: one at a time, a few waiting, ended when asked."""

from __future__ import annotations

import json
import threading

import pytest

from intarsia import Corpus, Samples
from intarsia.errors import IntarsiaError, UsageError
from intarsia.explorer import jobs
from tests.explorer.conftest import Site

JSON = "application/json"


def wait(job: jobs.Job) -> str:
    for _ in range(400):
        if job.state not in ("waiting", "running"):
            return job.state
        threading.Event().wait(0.01)
    raise AssertionError("the job did not end")


def test_one_job_runs_at_a_time_and_few_wait() -> None:
    queue = jobs.Jobs()
    gate, running = threading.Event(), []

    def work(job: jobs.Job) -> str:
        running.append(job.id)
        gate.wait(10)
        return "run"

    first = queue.submit("first", work)
    while not running:
        threading.Event().wait(0.01)
    waiting = [queue.submit(f"job {i}", work) for i in range(jobs.WAITING)]
    with pytest.raises(jobs.Busy):
        queue.submit("one too many", work)
    assert running == [first.id] and {job.state for job in waiting} == {"waiting"}
    queue.cancel(waiting[1].id)
    gate.set()
    assert wait(waiting[-1]) == "done"
    assert running == [first.id, *(job.id for job in waiting if job is not waiting[1])]
    assert waiting[1].state == "cancelled" and first.run == "run"


def test_a_job_ends_at_its_next_step_when_cancelled_and_one_that_fails_says_why() -> None:
    queue = jobs.Jobs()

    def endless(job: jobs.Job) -> str:
        while True:
            job.advance(1, 2)

    def failing(job: jobs.Job) -> str:
        raise UsageError("the reason")

    def stopped_otherwise(job: jobs.Job) -> str:
        while not job.should_stop():
            pass
        raise IntarsiaError("a search that was stopped")

    first = queue.submit("endless", endless)
    queue.cancel(first.id)
    assert wait(first) == "cancelled"
    second = queue.submit("failing", failing)
    assert wait(second) == "failed" and second.error == "the reason"
    third = queue.submit("search", stopped_otherwise)
    queue.cancel(third.id)
    assert wait(third) == "cancelled" and third.error is None


def test_a_job_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LONGEST", 0.05)

    def endless(job: jobs.Job) -> str:
        while True:
            job.advance(1, 2)

    job = jobs.Jobs().submit("endless", endless)
    assert wait(job) == "failed" and "longer than" in str(job.error)


def test_only_the_last_jobs_are_remembered() -> None:
    queue = jobs.Jobs()
    for number in range(jobs.REMEMBERED + 5):
        wait(queue.submit(f"job {number}", lambda job: "run"))
    assert len(queue.all()) == jobs.REMEMBERED
    with pytest.raises(LookupError):
        queue.get(1)


@pytest.mark.parametrize(
    "wish",
    [{"model": "nps", "principles": "NS+L", "n": 2}, {"model": "ls", "n": 1, "limit": 40}],
    ids=["nps", "ls"],
)
def test_pictures_drawn_from_the_page_are_a_run_like_any_other(wish: dict, site: Site) -> None:
    wish = {"data": "digits", "seed": 5, **wish}
    started = site.ask("/api/jobs", "POST", json.dumps(wish), content_type=JSON)
    assert started.status == 202
    ended = site.until_over(started.json["id"])
    assert ended["state"] == "done", ended
    assert ended["done"] == ended["total"] > 0
    run = site.ask(f"/data/{ended['run']}/run.json").json
    assert run["model"] == wish["model"] and run["n"] == wish["n"] and run["seed"] == 5
    preview = site.ask(f"/api/jobs/{ended['id']}/preview.png")
    assert preview.body.startswith(b"\x89PNG")
    folder = next(path for path in site.out.iterdir() if path.name.startswith(wish["model"]))
    saved = Samples.load(folder)
    if wish["model"] == "nps":
        saved.check_pixel_law(Corpus.open("digits"))
        assert run["has"]["pools"]
    else:
        assert run["has"]["steps"]


def test_a_run_that_was_cancelled_leaves_nothing(site: Site) -> None:
    wish = json.dumps({"data": "digits", "n": 16, "seed": 77, "principles": "L"})
    job = site.ask("/api/jobs", "POST", wish, content_type=JSON).json
    site.ask(f"/api/jobs/{job['id']}", "DELETE")
    assert site.until_over(job["id"])["state"] == "cancelled"
    assert not list(site.out.glob("*-77*"))


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"data": "elsewhere"}, "none of the data offered"),
        ({"data": "/etc/passwd"}, "none of the data offered"),
    ],
)
def test_only_data_offered_is_drawn_from(wish: dict, words: str, site: Site) -> None:
    answer = site.ask("/api/jobs", "POST", json.dumps(wish), content_type=JSON)
    assert answer.status == 400 and words in answer.json["detail"]


@pytest.mark.parametrize("changed", [{"n": 17}, {"n": 0}, {"model": "els/../x"}, {"seed": -1},
                                     {"out": "/tmp"}, {"limit": 1}])  # fmt: skip
def test_wishes_are_bounded(changed: dict, site: Site) -> None:
    wish = json.dumps({"data": "digits", **changed})
    assert site.ask("/api/jobs", "POST", wish, content_type=JSON).status == 422


def test_a_score_machine_over_many_pictures_is_refused_with_the_reason(site: Site) -> None:
    wish = json.dumps({"data": "digits", "model": "els", "n": 1})
    job = site.ask("/api/jobs", "POST", wish, content_type=JSON).json
    ended = site.until_over(job["id"])
    assert ended["state"] == "failed" and "at most 500 training pictures" in ended["error"]
