from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.testing import Service, SubmittedJob, timeline
from tests.local.api import ENDLESS, Api

LIVE = {"file": "obs://jobs/job.py", "conf": {"spark.dli.local.timeline": ENDLESS}}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path / "dli", queues=["batch"]) as running:
        yield running


@pytest.fixture
def api(service: Service) -> Api:
    return Api(service.server.credentials)


def test_the_jobs_that_were_accepted_are_there_as_they_were_sent_the_oldest_first(service: Service, api: Api) -> None:
    first = api.submit(ENDLESS, name="first", class_name="org.Main", queue="BATCH")
    api.wait(first, "running")
    second = api.submit("dead", {"spark.dli.local.log": "one\ntwo"})
    api.wait(second, "dead")
    assert api.call("POST", api.batches, json={}).status_code == 400
    service.reset_calls()
    sent = {"file": "obs://jobs/job.py", "conf": {"spark.dli.local.timeline": ENDLESS}}
    job, died = service.jobs()
    body = sent | {"name": "first", "className": "org.Main", "queue": "BATCH"}
    assert job == SubmittedJob(first, "first", "batch", BatchState.RUNNING, body, (), job.create_time, None)
    assert (died.id, died.state, died.log) == (second, "dead", ("one", "two"))
    assert job.create_time <= died.create_time <= (died.end_time or 0)
    assert job.create_time == api.details(first)["create_time"]
    service.reset_calls()
    assert service.states() == ["running", "dead"]
    assert service.calls() == {}


def test_the_runs_of_one_job_are_found_by_its_id_its_name_and_its_logical_name(service: Service) -> None:
    names = ["load", "load-1a2b3c4d", "loader", "reload", "1a2b3c4d", ""]
    ids = [service.submit(LIVE | {"name": name}) for name in names]
    assert [job.id for job in service.jobs()] == ids
    assert [job.id for job in service.jobs("load")] == ids[:2]
    assert [job.id for job in service.jobs("load-1a2b3c4d")] == [ids[1]]
    assert [job.name for job in service.jobs(ids[2])] == ["loader"]
    assert service.jobs("LOAD") == service.jobs("oad") == []
    service.cancel(ids[1])
    assert service.states(ids[1]) == service.states("load-1a2b3c4d") == ["dead"]


def test_jobs_of_others_are_submitted_and_cancelled_in_spite_of_faults_and_without_a_counted_call(
    service: Service,
) -> None:
    for method in ("POST", "GET", "DELETE"):
        service.server.faults.add({"action": "cut", "method": method, "count": None})
    job_id = service.submit(LIVE)
    (job,) = service.jobs()
    again = service.submit(job.body)
    service.cancel(job_id)
    assert [state == "dead" for state in service.states()] == [True, False]
    assert service.jobs(again)[0].body == job.body
    assert service.calls() == {}


@pytest.mark.parametrize(
    ("timeline", "state"), [("starting", "starting"), (ENDLESS, "running"), ("dead;starting", "recovering")]
)
def test_a_job_is_dead_when_its_cancel_returns(service: Service, api: Api, timeline: str, state: str) -> None:
    job_id = api.submit(timeline, {"spark.dli.local.cancelling": "0.05s"}, auto_recovery=True)
    api.wait(job_id, state)
    service.cancel(job_id)
    assert service.states() == ["dead"]


def test_what_the_service_refuses_is_refused_here_too(service: Service) -> None:
    with pytest.raises(ApiError, match="queue"):
        service.submit({"file": "obs://jobs/job.py", "queue": "nowhere"})
    job_id = service.submit(LIVE)
    service.cancel(job_id)
    with pytest.raises(ApiError, match="it is in state dead"):
        service.cancel(job_id)
    with pytest.raises(ApiError, match="does not exist"):
        service.cancel("nothing")
    service.server.stop()
    for do in (lambda: service.submit({"file": "obs://jobs/job.py"}), lambda: service.cancel(job_id)):
        with pytest.raises(RuntimeError, match="not running"):
            do()


def test_calls_are_counted_by_method_and_route(service: Service, api: Api) -> None:
    api.details(api.submit())
    assert service.calls() == {"GET /batches/{id}": 1, "POST /batches": 1}


@pytest.mark.parametrize(
    ("inject", "status", "body"),
    [
        (lambda service: service.fail("GET", "/batches"), 503, ""),
        (lambda service: service.fail("GET", "/batches", status=502, body={"a": 1}), 502, '{"a": 1}'),
        (lambda service: service.fail("GET", "/batches", status=400, code="DLI.0999"), 400, '"error_code": "DLI.0999"'),
        (lambda service: service.garble("GET", "/batches"), 200, "not the answer"),
    ],
)
def test_a_call_fails_once_and_others_are_left_alone(
    service: Service, api: Api, inject: Callable[[Service], None], status: int, body: str
) -> None:
    inject(service)
    assert api.details(api.submit())
    reply = api.call("GET", api.batches)
    assert (reply.status_code, body in reply.text) == (status, True)
    assert api.call("GET", api.batches).status_code == 200


def test_a_failing_call_has_the_headers_that_were_asked_for(service: Service, api: Api) -> None:
    service.fail("GET", "/batches", status=429, headers={"Retry-After": "7"})
    assert api.call("GET", api.batches).headers["Retry-After"] == "7"


def test_a_call_is_cut_after_its_work_as_often_as_was_asked_for(service: Service, api: Api) -> None:
    service.cut("POST", "/batches", when="after", nth=2, count=2)
    api.create()
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            api.create()
    api.create()
    assert len(service.jobs()) == 4


def test_a_call_takes_longer(service: Service, api: Api) -> None:
    service.delay("GET", "/batches", 0.05)
    assert api.call("GET", api.batches).elapsed.total_seconds() >= 0.05


def test_a_new_job_is_missing_from_lists(service: Service, api: Api) -> None:
    service.hide_new_jobs(lists=1)
    api.create()
    assert [len(api.sessions()) for _ in range(2)] == [0, 1]


def test_faults_add_up_until_all_end(service: Service, api: Api) -> None:
    service.fail("GET", "/batches", count=None)
    service.fail("POST", "/batches", count=None)
    service.hide_new_jobs(seconds=3600)
    assert [api.call(method, api.batches).status_code for method in ("GET", "POST")] == [503, 503]
    service.clear_faults()
    job_id = api.submit()
    assert [job["id"] for job in api.sessions()] == [job_id]


@pytest.mark.parametrize(("method", "route"), [("GET", "/batchs"), ("get", "/batches"), ("GET", "*/batches")])
def test_a_call_that_does_not_exist_cannot_fail(service: Service, method: Any, route: Any) -> None:
    with pytest.raises(ApiError, match=r"^Fault rule 0\.cut\.(method|route): Input should be "):
        service.cut(method, route)


@pytest.mark.parametrize(
    ("name", "end"),
    [("load", "dead"), ("load-1a2b3c4d", "dead"), ("loader", "running"), ("reload", "running"), ("", "running")],
)
def test_a_job_plays_what_was_asked_for_by_its_name(service: Service, api: Api, name: str, end: str) -> None:
    service.play("load", "dead", log="ValueError: no such column")
    for other in ("loader", "reload", ""):  # they come second: a job to which "load" fits too does not play theirs
        service.play(other, ENDLESS)
    job_id = api.submit(name=name)
    assert api.wait(job_id, "dead", "running") == end
    assert api.lines(job_id) == (["ValueError: no such column"] if end == "dead" else [])


def test_a_timeline_of_its_own_counts_before_the_one_that_was_asked_for(service: Service, api: Api) -> None:
    service.play("load", "dead")
    assert api.wait(api.submit("success", name="load"), "dead", "success") == "success"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "starting:0s,running:1s,success"),
        ({"starting": "1s", "running": "20ms", "end": "dead"}, "starting:1s,running:20ms,dead"),
        ({"end": None}, "starting:0s,running"),
    ],
)
def test_a_timeline_is_written_as_the_conf_has_it(options: dict[str, Any], text: str) -> None:
    assert timeline(**options) == text


def test_a_timeline_that_cannot_be_played_is_refused(service: Service) -> None:
    for make in (lambda: timeline(running="soon"), lambda: service.play("load", "running:soon,dead")):
        with pytest.raises(ValueError, match="not a duration: 'soon'"):
            make()


def test_options_are_those_of_the_server(tmp_path: Path) -> None:
    with Service(tmp_path, slots=1) as service:
        api = Api(service.server.credentials)
        api.wait(api.submit(ENDLESS), "running")
        assert api.state(api.submit("dead")) == "starting"
        assert service.bucket("demo") == tmp_path / "obs" / "demo"
        assert service.endpoint == api.account.endpoint
