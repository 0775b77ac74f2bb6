from pathlib import Path

import pytest

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.engines.timeline import Step, parse_timeline
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api

STARTING, RUNNING, RECOVERING, SUCCESS, DEAD = (
    BatchState(name) for name in ("starting", "running", "recovering", "success", "dead")
)


@pytest.mark.parametrize(
    ("text", "attempts"),
    [
        ("success", [[Step(SUCCESS, None)]]),
        ("starting:0.5s,running:3s,success", [[Step(STARTING, 0.5), Step(RUNNING, 3), Step(SUCCESS, None)]]),
        (" starting : 20ms , running ", [[Step(STARTING, 0.02), Step(RUNNING, None)]]),
        ("running:1s,dead;success", [[Step(RUNNING, 1), Step(DEAD, None)], [Step(SUCCESS, None)]]),
        ("recovering:1,dead", [[Step(RECOVERING, 1), Step(DEAD, None)]]),
    ],
)
def test_a_timeline_is_read_as_the_steps_of_each_attempt(text: str, attempts: list[list[Step]]) -> None:
    assert [list(steps) for steps in parse_timeline(text)] == attempts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'' is not a state"),
        ("finished", "'finished' is not a state"),
        ("running:1s,,success", "'' is not a state"),
        ("running:soon,success", "not a duration: 'soon'"),
        ("success:1s", "success ends the job and must not have a time"),
        ("running:1s", "the last step must be"),
        ("running,success", "a state without a time must be the last step, and running is not"),
        ("dead,success", "a state without a time must be the last step, and dead is not"),
        ("running:1s,dead;", "'' is not a state"),
    ],
)
def test_a_timeline_that_cannot_be_played_is_refused_with_the_reason(api: Api, text: str, reason: str) -> None:
    body = {"file": "obs://b/a.py", "conf": {"spark.dli.local.timeline": text}}
    reply = api.call("POST", api.batches, json=body)
    assert (reply.status_code, reply.json()["error_code"]) == (400, "DLI.0001")
    assert reply.json()["error_msg"].startswith(f"Parameter conf is invalid: {reason}")


def test_a_wrong_time_for_cancelling_is_refused(api: Api) -> None:
    reply = api.call("POST", api.batches, json={"file": "obs://b/a.py", "conf": {"spark.dli.local.cancelling": "soon"}})
    assert (reply.status_code, reply.json()["error_code"]) == (400, "DLI.0001")


@pytest.mark.parametrize("state", ["starting", "running", "recovering", "success", "dead"])
def test_a_job_comes_to_every_state(api: Api, state: str) -> None:
    assert api.wait(api.submit(state), state)


def test_a_job_runs_a_second_unless_it_says_otherwise(api: Api) -> None:
    job_id = api.submit()
    api.wait(job_id, "success")
    [job] = api.sessions(**{"job-id": job_id})
    assert job["duration"] >= 1000


def test_the_lines_of_the_log_are_there_while_the_job_runs(api: Api) -> None:
    job_id = api.submit("running", {"spark.dli.local.log": "one\ntwo"})
    api.wait(job_id, "running")
    assert api.lines(job_id) == api.details(job_id)["log"] == ["one", "two"]


def test_the_lines_of_the_log_are_not_there_before_the_job_runs(api: Api) -> None:
    job_id = api.submit("recovering", {"spark.dli.local.log": "too early"})
    api.wait(job_id, "recovering")
    assert api.lines(job_id) == []


def test_the_lines_of_the_log_are_there_for_a_job_that_never_runs(api: Api) -> None:
    job_id = api.submit("dead", {"spark.dli.local.log": "no capacity"})
    api.wait(job_id, "dead")
    assert api.lines(job_id) == ["no capacity"]


def test_a_job_may_go_on_for_a_while_after_it_was_cancelled(api: Api) -> None:
    job_id = api.submit("running", {"spark.dli.local.cancelling": "1d"})
    api.wait(job_id, "running")
    api.cancel(job_id)
    assert api.state(job_id) == "running"
    api.cancel(job_id)
    assert api.state(job_id) == "running"


def test_files_need_not_exist(api: Api) -> None:
    assert api.create(file="obs://nowhere/job.py", jars=["obs://../..", "no such package"])["id"]


def test_a_job_without_a_timeline_plays_the_one_that_belongs_to_its_name(tmp_path: Path) -> None:
    timelines = {"load": {"spark.dli.local.timeline": "dead", "spark.dli.local.log": "no such column"}}
    with LocalDli(tmp_path, engine="timeline", conf_of=lambda name: timelines.get(name, {})) as dli:
        api = Api(dli.credentials)
        ends = [api.submit(**body) for body in ({"name": "load"}, {"name": "load", "timeline": "success"}, {})]
        assert [api.wait(job_id, "dead", "success") for job_id in ends] == ["dead", "success", "success"]
        assert api.lines(ends[0]) == ["no such column"]
